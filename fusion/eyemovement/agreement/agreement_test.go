package agreement_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/eyemovement/eyetest"
)

// published are the figures of one method on one kind of stimulus: kappa
// against both raters, F1 of events against the first, how many events there
// are of the method and of the rater.
type published struct {
	Fix      [2]float64 `json:"fix_kappa"`
	Sac      [2]float64 `json:"sac_kappa"`
	PSO      [2]float64 `json:"pso_kappa"`
	Pur      [2]float64 `json:"pur_kappa"`
	FixPur   [2]float64 `json:"fixpur_kappa"`
	FixF1    float64    `json:"fix_eventF1_vsRA"`
	FixCount [2]int     `json:"fix_n"`
	SacF1    float64    `json:"sac_eventF1_vsRA"`
	SacCount [2]int     `json:"sac_n"`
}

func baseline(t *testing.T) map[string]map[string]published {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(eyetest.Folder(t), "eye_baseline.json"))
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]published{}
	for _, stimulus := range []string{"img", "video", "dots"} {
		var p struct {
			Methods map[string]published
		}
		if err := json.Unmarshal(parts[stimulus], &p); err != nil {
			t.Fatal(err)
		}
		out[stimulus] = p.Methods
	}
	return out
}

// TestScoresAreThePublishedOnes reproduces the figures of the published
// algorithms and of the second human to their last digit.
func TestScoresAreThePublishedOnes(t *testing.T) {
	methods := map[string]func(r eyetest.Recording) []eyemovement.Class{
		"IVT": func(r eyetest.Recording) []eyemovement.Class {
			return eyemovement.Labels(eyemovement.IVT(r.Gaze, r.Screen, eyemovement.IVTOptions{Rate: r.Rate}), r.Gaze.Len())
		},
		"IDT": func(r eyetest.Recording) []eyemovement.Class {
			return eyemovement.Labels(eyemovement.IDT(r.Gaze, r.Square, eyemovement.IDTOptions{Rate: r.Rate}), r.Gaze.Len())
		},
		"EK6": func(r eyetest.Recording) []eyemovement.Class {
			return eyemovement.Labels(eyemovement.EngbertKliegl(r.Gaze, r.Square, eyemovement.EKOptions{Rate: r.Rate}), r.Gaze.Len())
		},
		"MN": func(r eyetest.Recording) []eyemovement.Class { return r.MN },
	}
	want := baseline(t)
	all := eyetest.Read(t, "andersson_*")
	for _, stimulus := range []string{"img", "video", "dots"} {
		for _, name := range []string{"IVT", "IDT", "EK6", "MN"} {
			ra, mn := agreement.NewScore(stimulus, name, "RA"), agreement.NewScore(stimulus, name, "MN")
			for _, r := range all {
				if r.Stimulus != stimulus {
					continue
				}
				labels := methods[name](r)
				if err := ra.Add(labels, r.RA); err != nil {
					t.Fatal(err)
				}
				if err := mn.Add(labels, r.MN); err != nil {
					t.Fatal(err)
				}
			}
			t.Run(stimulus+" "+name, func(t *testing.T) { compare(t, want[stimulus][name], ra, mn) })
		}
	}
}

func compare(t *testing.T, w published, ra, mn *agreement.Score) {
	t.Helper()
	near := func(what string, got, want float64) {
		t.Helper()
		// The figures are rounded to 3 digits.
		if !(math.Abs(got-want) <= .000501) {
			t.Errorf("%s is %.4f, want %.3f", what, got, want)
		}
	}
	for i, k := range [][2]float64{w.Fix, w.Sac, w.PSO, w.Pur, w.FixPur} {
		g := agreement.Groups()[i]
		near("kappa against RA of "+g.Name, ra.Kappa(g.Classes...), k[0])
		near("kappa against MN of "+g.Name, mn.Kappa(g.Classes...), k[1])
	}
	near("F1 of fixations", ra.Events("fixation").F1(), w.FixF1)
	near("F1 of saccades", ra.Events("saccade").F1(), w.SacF1)
	for what, n := range map[string][2][2]int{
		"fixations": {{ra.Events("fixation").Ours, ra.Events("fixation").Theirs}, w.FixCount},
		"saccades":  {{ra.Events("saccade").Ours, ra.Events("saccade").Theirs}, w.SacCount},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], what, n[1])
		}
	}
}

func TestKappaByHand(t *testing.T) {
	const f, s, u = eyemovement.Fixation, eyemovement.Saccade, eyemovement.Undefined
	for _, c := range []struct {
		name string
		a, b []eyemovement.Class
		want float64
	}{
		{"the same", []eyemovement.Class{f, f, s, u}, []eyemovement.Class{f, f, s, s}, 1},
		{"the opposite", []eyemovement.Class{f, s}, []eyemovement.Class{s, f}, -1},
		// 3 of 4 agree; chance .5*.25 + .5*.75 = .5; (.75 - .5) / .5
		{"one missed", []eyemovement.Class{f, f, s, s}, []eyemovement.Class{f, s, s, s}, .5},
		{"no fixation at all", []eyemovement.Class{s, s}, []eyemovement.Class{s, u}, math.NaN()},
		{"different lengths", []eyemovement.Class{f}, []eyemovement.Class{f, s}, math.NaN()},
		{"nothing", nil, nil, math.NaN()},
	} {
		if got := agreement.Kappa(c.a, c.b, f); !(math.Abs(got-c.want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

var anyLabels = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) eyemovement.Class {
	return eyemovement.Class(rapid.IntRange(0, 7).Draw(t, "class"))
}), 0, 60)

// TestAgreementIsMutual: who is called ours does not matter, and everybody
// agrees with himself.
func TestAgreementIsMutual(t *testing.T) {
	same := func(a, b float64) bool { return a == b || math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b) }
	rapid.Check(t, func(t *rapid.T) {
		a := anyLabels.Draw(t, "a")
		b := make([]eyemovement.Class, len(a))
		for i := range b {
			b[i] = a[i]
			if rapid.IntRange(0, 3).Draw(t, "differs") == 0 {
				b[i] = eyemovement.Class(rapid.IntRange(0, 7).Draw(t, "other"))
			}
		}
		for _, g := range agreement.Groups() {
			ab, ba := agreement.Kappa(a, b, g.Classes...), agreement.Kappa(b, a, g.Classes...)
			if !same(ab, ba) || ab > 1+1e-12 {
				t.Fatalf("%s: kappa %g one way, %g the other", g.Name, ab, ba)
			}
			if own := agreement.Kappa(a, a, g.Classes...); !same(own, 1) && !math.IsNaN(own) {
				t.Fatalf("%s: kappa with oneself is %g", g.Name, own)
			}
			x, y := agreement.Match(a, b, g.Classes...), agreement.Match(b, a, g.Classes...)
			if x.Both != y.Both || x.Ours != y.Theirs || x.Both > min(x.Ours, x.Theirs) {
				t.Fatalf("%s: events %+v one way, %+v the other", g.Name, x, y)
			}
			if own := agreement.Match(a, a, g.Classes...); own.Both != own.Ours {
				t.Fatalf("%s: events with oneself %+v", g.Name, own)
			}
		}
	})
}

// TestScoresArePooled: adding recordings one by one is scoring them as one, but
// for events, which end with their recording.
func TestScoresArePooled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := agreement.NewScore("img", "a", "b")
		var a, b []eyemovement.Class
		for range rapid.IntRange(1, 4).Draw(t, "recordings") {
			x := anyLabels.Draw(t, "x")
			y := rapid.SliceOfN(rapid.Just(eyemovement.Fixation), len(x), len(x)).Draw(t, "y")
			if err := s.Add(x, y); err != nil {
				t.Fatal(err)
			}
			a, b = append(a, x...), append(b, y...)
		}
		if s.Samples != len(a) {
			t.Fatalf("%d samples, want %d", s.Samples, len(a))
		}
		for _, g := range agreement.Groups() {
			got, want := fmt.Sprint(s.Kappa(g.Classes...)), fmt.Sprint(agreement.Kappa(a, b, g.Classes...))
			if got != want {
				t.Fatalf("%s: pooled %s, as one %s", g.Name, got, want)
			}
		}
	})
}

func TestLengthsMustAgree(t *testing.T) {
	err := agreement.NewScore("img", "IVT", "RA").Add(make([]eyemovement.Class, 3), make([]eyemovement.Class, 2))
	if err == nil || !strings.Contains(err.Error(), "IVT has 3 labels, RA 2") {
		t.Errorf("got %v", err)
	}
	if _, err := agreement.Human(7); err == nil {
		t.Error("label 7 was taken")
	}
}
