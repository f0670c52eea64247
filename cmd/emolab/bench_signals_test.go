package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSimulatedSignals(t *testing.T) {
	a, b := simulate(time.Minute), simulate(time.Minute)
	if len(a.eda.us) != 6000 || len(a.eda.at) != 6000 || len(a.gaze.X) != 15000 || len(a.left) != 15000 {
		t.Fatalf("%d of conductance, %d of gaze", len(a.eda.us), len(a.gaze.X))
	}
	if !slices.Equal(a.eda.us, b.eda.us) || farthest(a.right[:500], b.right[:500]) != 0 {
		t.Error("the same length gives another recording")
	}
	blinks := 0
	for i, x := range a.gaze.X {
		missing := math.IsNaN(x)
		if missing != math.IsNaN(a.left[i]) || missing != math.IsNaN(a.gaze.Y[i]) {
			t.Fatalf("sample %d: gaze and pupil are not lost together", i)
		}
		if missing && !math.IsNaN(a.gaze.X[i-1]) {
			blinks++
		}
		if i > 0 && a.gaze.At[i] <= a.gaze.At[i-1] {
			t.Fatalf("sample %d does not come after the one before", i)
		}
	}
	if blinks < 8 || blinks > 25 {
		t.Errorf("%d blinks in a minute", blinks)
	}
}

func TestArraysGoToAndFro(t *testing.T) {
	p := python{dir: t.TempDir()}
	want := []float64{0, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64}
	if err := p.put("x", want); err != nil {
		t.Fatal(err)
	}
	got, err := p.get("x")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, tt := range []struct {
		a, b []float64
		want float64
	}{
		{nil, nil, 0},
		{[]float64{1, 2}, []float64{1, 5}, 3},
		{[]float64{1, 2}, []float64{1}, math.MaxFloat64},
		{[]float64{math.NaN()}, []float64{math.NaN()}, math.MaxFloat64},
	} {
		if got := farthest(tt.a, tt.b); got != tt.want {
			t.Errorf("%v and %v lie %v apart, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// peerSays is a stand-in for the interpreter that answers with the text.
func peerSays(t *testing.T, text string) python {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, ".venv", "bin", "python")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "peer.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := newPython(folder, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPythonSays(t *testing.T) {
	about, seconds, err := peerSays(t, `echo '{"about": "NumPy 9", "seconds": [3, 0.5, 2]}'`).run(t.Context(), "ivt", 3, 250)
	if err != nil || about != "NumPy 9" || seconds != .5 {
		t.Errorf("%q, %v s, %v", about, seconds, err)
	}
	for text, want := range map[string]string{
		`echo 'no module named numpy' >&2; exit 1`: "no module named numpy",
		`echo nothing`:       "nothing",
		`echo '{}'`:          "{}",
		`echo '{"seconds":'`: "seconds",
	} {
		if _, _, err := peerSays(t, text).run(t.Context(), "ivt", 1, 250); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := newPython(t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "make interop-signals") {
		t.Errorf("without the programs: %v", err)
	}
}

// Results that differ fail; a missed time is only said, as it may be the
// machine's.
func TestWhatFailsABenchOfSignals(t *testing.T) {
	var b signalBench
	b.within("the same", 0, 0, "samples")
	b.atMost("slow", 4, 3, "s")
	b.atMost("fine", 2, 3, "s")
	b.atLeast("lame", 4, 5, "times")
	if err := differing(b.apart); err != nil {
		t.Error(err)
	}
	b.within("other", 2, 1, "samples")
	b.within("none", math.NaN(), 1, "SD")
	if err := differing(b.apart); err == nil || !strings.HasSuffix(err.Error(), ": other; none") {
		t.Errorf("%v", err)
	}
	var budgets []string
	for _, f := range b.figures {
		budgets = append(budgets, f.Budget)
	}
	if want := []string{"<= 0 samples", "<= 3 s, missed", "<= 3 s", ">= 5 times, missed", "<= 1 samples", "<= 1 SD"}; !slices.Equal(budgets, want) {
		t.Errorf("%q", budgets)
	}
}
