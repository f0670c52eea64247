package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/eda/cvx"
	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

const (
	// pythonTarget is how many times as fast as the Python program ours must be.
	pythonTarget = 5
	// pythonRuns is how often a Python program runs; the fastest run counts.
	pythonRuns = 3

	// How far results may lie apart: the objective as a share of itself, the parts
	// in standard deviations of the signal, filtered signals in µS, places of
	// events in samples.
	objectiveShare = 1e-5
	partsSD        = 0.005
	filteredUS     = 1e-5
	apartSamples   = 1
)

// python runs the programs of fusion/eda/interop.
type python struct {
	program, script string
	dir             string // for the arrays that go to and fro
}

// newPython finds the interpreter in a folder's virtual environment.
func newPython(folder, dir string) (python, error) {
	p := python{filepath.Join(folder, ".venv", "bin", "python"), filepath.Join(folder, "peer.py"), dir}
	for _, name := range []string{p.program, p.script} {
		if _, err := os.Stat(name); err != nil {
			return p, fmt.Errorf("--python %s: %w; make interop-signals installs the Python programs in fusion/eda/interop", folder, err)
		}
	}
	return p, nil
}

// answer is what a program says of its run.
type answer struct {
	About   string    `json:"about"`
	Seconds []float64 `json:"seconds"`
}

// run has a program do its task and returns its name and its fastest time in s.
func (p python) run(ctx context.Context, task string, runs int, rate float64) (about string, seconds float64, err error) {
	cmd := exec.CommandContext(ctx, p.program, p.script, task, p.dir, strconv.Itoa(runs), strconv.FormatFloat(rate, 'g', -1, 64))
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return "", 0, fmt.Errorf("%s %s: %w: %s", p.script, task, err, errOut.String())
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil || len(a.Seconds) == 0 {
		return "", 0, fmt.Errorf("%s %s said %q: %v", p.script, task, out, err)
	}
	return a.About, slices.Min(a.Seconds), nil
}

// put and get exchange arrays of little-endian float64.
func (p python) put(name string, values []float64) error {
	b := make([]byte, 0, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return os.WriteFile(filepath.Join(p.dir, name+".f64"), b, 0o600)
}

func (p python) get(name string) ([]float64, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, name+".f64"))
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(b)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return values, nil
}

// race runs Python programs and ours on the same arrays, in turn, and compares
// what comes out.
func (b *signalBench) race(ctx context.Context, folder string, hour simulated, progress *bar) error {
	dir, err := os.MkdirTemp("", "emolab-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := newPython(folder, dir)
	if err != nil {
		return err
	}
	minutes := hour.eda.us[:5*60*int(edaHz)]
	slow := filter.BlockMean(minutes, 4)
	for i, r := range []struct {
		what string
		run  func(what string) error
	}{
		{"signals: cvxEDA, 5 min at 25 Hz", func(what string) error { return b.raceCVX(ctx, p, what, "cvx", slow, 25) }},
		{"signals: cvxEDA, 5 min at 100 Hz", func(what string) error { return b.raceCVX(ctx, p, what, "cvx", minutes, edaHz) }},
		{"signals: cvxEDA as until 2024, 5 min at 25 Hz", func(what string) error { return b.raceCVX(ctx, p, what, "kit", slow, 25) }},
		{"signals: high-pass and peaks, 5 min at 100 Hz", func(what string) error { return b.racePeaks(ctx, p, what, minutes) }},
		{"signals: I-VT, 1 h at 250 Hz", func(what string) error { return b.raceIVT(ctx, p, what, hour) }},
		{"signals: adaptive, 5 min at 250 Hz", func(what string) error { return b.raceAdaptive(ctx, p, what, hour) }},
	} {
		progress.set(i, 6, r.what+", beside Python")
		if err := r.run(r.what); err != nil {
			return err
		}
	}
	return nil
}

// times notes both times and their ratio.
func (b *signalBench) times(what, about string, theirs, ours float64) {
	b.add(what+", "+about, theirs*1e3, "ms")
	b.add(what+", ours beside it", ours*1e3, "ms")
	b.atLeast(what+", times as fast", theirs/ours, pythonTarget, "times")
}

// raceCVX races a solver of cvxEDA's problem: CVXOPT, or NeuroKit2 which states
// it in the older way.
func (b *signalBench) raceCVX(ctx context.Context, p python, what, task string, y []float64, rate float64) error {
	if err := p.put("eda", y); err != nil {
		return err
	}
	about, theirs, err := p.run(ctx, task, pythonRuns, rate)
	if err != nil {
		return err
	}
	var got cvx.Result
	ours, err := fastest(ctx, signalRuns, func() (err error) {
		got, err = cvx.Decompose(ctx, y, rate, cvx.Options{Legacy: task == "kit"})
		return err
	})
	if err != nil {
		return err
	}
	b.times(what, about, theirs, ours)
	for _, part := range []struct {
		name string
		got  []float64
	}{{"phasic", got.Phasic}, {"tonic", got.Tonic}} {
		want, err := p.get(part.name)
		if err != nil {
			return err
		}
		b.within(what+", "+part.name+" part apart at most", farthest(part.got, want)/got.SD, partsSD, "SD")
	}
	if task != "cvx" {
		return nil
	}
	want, err := p.get("objective")
	if err != nil || len(want) != 1 {
		return fmt.Errorf("the objective of %s: %v, %w", about, want, err)
	}
	// A lower objective is a better answer to the same question.
	b.within(what+", objective above theirs", got.Objective/want[0]-1, objectiveShare, "of it")
	return nil
}

// racePeaks races NeuroKit2's default way to skin-conductance responses.
func (b *signalBench) racePeaks(ctx context.Context, p python, what string, y []float64) error {
	if err := p.put("eda", y); err != nil {
		return err
	}
	about, theirs, err := p.run(ctx, "peaks", 2*pythonRuns, edaHz) // the first loads what it compiles
	if err != nil {
		return err
	}
	at := make([]instant.Instant, len(y))
	for i := range at {
		at[i] = instant.Instant(math.Round(float64(i) / edaHz * 1e9))
	}
	var got eda.Result
	ours, err := fastest(ctx, signalRuns, func() (err error) {
		got, err = eda.AnalyzeContext(ctx, at, y, eda.Options{Rate: edaHz, Method: eda.HighPass, Scoring: eda.Relative})
		return err
	})
	if err != nil {
		return err
	}
	// Ours also flags artefacts and scores by two thresholds; theirs is compiled
	// code as well. No speed is asked for.
	b.add(what+", "+about, theirs*1e3, "ms")
	b.add(what+", ours beside it", ours*1e3, "ms")
	phasic, err := p.get("phasic")
	if err != nil {
		return err
	}
	b.within(what+", phasic part apart at most", farthest(got.Phasic, phasic), filteredUS, "µS")
	want, err := p.get("peaks")
	if err != nil {
		return err
	}
	var peaks []float64
	for _, r := range got.Responses {
		peaks = append(peaks, math.Round(r.Peak.Sub(at[0]).Seconds()*edaHz))
	}
	b.add(what+", responses", float64(len(peaks)), "responses")
	b.within(what+", responses apart at most", farthest(peaks, want), apartSamples, "samples")
	return nil
}

// raceIVT races a NumPy version of I-VT.
func (b *signalBench) raceIVT(ctx context.Context, p python, what string, hour simulated) error {
	if err := p.putGaze(hour, len(hour.gaze.At)); err != nil {
		return err
	}
	about, theirs, err := p.run(ctx, "ivt", pythonRuns, gazeHz)
	if err != nil {
		return err
	}
	var events []eyemovement.Event
	ours, err := fastest(ctx, signalRuns, func() error {
		events = eyemovement.IVT(hour.gaze, hour.screen, eyemovement.IVTOptions{Rate: gazeHz})
		return nil
	})
	if err != nil {
		return err
	}
	b.times(what, about, theirs, ours)
	want, err := p.get("fixations")
	if err != nil {
		return err
	}
	var got []float64
	for _, e := range events {
		if e.Class == eyemovement.Fixation {
			got = append(got, float64(e.First), float64(e.Last))
		}
	}
	b.add(what+", fixations", float64(len(got)/2), "fixations")
	b.within(what+", fixations apart at most", farthest(got, want), apartSamples, "samples")
	return nil
}

// raceAdaptive races REMoDNaV. It is another algorithm than ours: how far both
// agree is said, not judged. An hour would take it minutes.
func (b *signalBench) raceAdaptive(ctx context.Context, p python, what string, hour simulated) error {
	n := int(5 * time.Minute.Seconds() * gazeHz)
	if err := p.putGaze(hour, n); err != nil {
		return err
	}
	about, theirs, err := p.run(ctx, "remodnav", 1, gazeHz)
	if err != nil {
		return err
	}
	gaze := eyemovement.Gaze{At: hour.gaze.At[:n], X: hour.gaze.X[:n], Y: hour.gaze.Y[:n]}
	var events []eyemovement.Event
	ours, err := fastest(ctx, signalRuns, func() error {
		events = eyemovement.Classify(gaze, hour.screen, eyemovement.Options{Rate: gazeHz})
		return nil
	})
	if err != nil {
		return err
	}
	b.times(what, about, theirs, ours)
	labels := make([]eyemovement.Class, n)
	for _, class := range []struct {
		name string
		is   eyemovement.Class
	}{{"fixations", eyemovement.Fixation}, {"saccades", eyemovement.Saccade}} {
		spans, err := p.get(class.name)
		if err != nil {
			return err
		}
		for k := 0; k+1 < len(spans); k += 2 {
			for i := max(0, int(spans[k])); i < min(n, int(spans[k+1])); i++ {
				labels[i] = class.is
			}
		}
	}
	got := eyemovement.Labels(events, n)
	b.add(what+", kappa with it, fixation or pursuit", agreement.Kappa(got, labels, eyemovement.Fixation, eyemovement.Pursuit), "")
	b.add(what+", kappa with it, saccade", agreement.Kappa(got, labels, eyemovement.Saccade), "")
	return nil
}

// putGaze writes the first n samples of gaze.
func (p python) putGaze(hour simulated, n int) error {
	at := make([]float64, n)
	for i := range at {
		at[i] = hour.gaze.At[i].Sub(hour.gaze.At[0]).Seconds()
	}
	for name, values := range map[string][]float64{
		"at": at, "x": hour.gaze.X[:n], "y": hour.gaze.Y[:n],
		"screen": {hour.screen.WidthMM, hour.screen.HeightMM, hour.screen.DistanceMM},
	} {
		if err := p.put(name, values); err != nil {
			return err
		}
	}
	return nil
}

// farthest is the largest difference between two lists; the largest number there
// is where they are not as long, or a value is no number.
func farthest(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.MaxFloat64
	}
	most := 0.0
	for i := range a {
		d := math.Abs(a[i] - b[i])
		if math.IsNaN(d) {
			return math.MaxFloat64
		}
		most = max(most, d)
	}
	return most
}
