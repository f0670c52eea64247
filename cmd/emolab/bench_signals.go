package main

import (
	"context"
	"fmt"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/eda/cvx"
	"emolab/fusion/eyemovement"
	"emolab/fusion/filter"
	"emolab/fusion/pupil"
)

const (
	// hourBudget is how long all signals of an hour may take, s.
	hourBudget = 3
	// signalRuns is how often something is timed; the fastest run counts, because
	// a machine only ever adds to it.
	signalRuns = 3
)

// signalBench collects what bench signals measures.
type signalBench struct {
	figures []figure
	apart   []string // which results lie further apart than is allowed
}

// add notes a figure that has no budget.
func (b *signalBench) add(what string, value float64, unit string) {
	b.figures = append(b.figures, figure{what, value, unit, ""})
}

// within notes how far results lie apart, and whether that is allowed. A machine's
// load does not move them: the command fails where they differ.
func (b *signalBench) within(what string, value, most float64, unit string) {
	b.figures = append(b.figures, figure{what, value, unit, fmt.Sprintf("<= %.4g %s", most, unit)})
	if !(value <= most) {
		b.apart = append(b.apart, what)
	}
}

// atMost notes a time beside its budget. Where it is missed the table says so, and
// nothing fails: it may be the machine's load.
func (b *signalBench) atMost(what string, value, budget float64, unit string) {
	b.timed(what, value, fmt.Sprintf("<= %.4g %s", budget, unit), unit, value <= budget)
}

// atLeast is its counterpart for a factor.
func (b *signalBench) atLeast(what string, value, budget float64, unit string) {
	b.timed(what, value, fmt.Sprintf(">= %.4g %s", budget, unit), unit, value >= budget)
}

func (b *signalBench) timed(what string, value float64, budget, unit string, kept bool) {
	if !kept {
		budget += ", missed"
	}
	b.figures = append(b.figures, figure{what, value, unit, budget})
}

// fastest is the time of the fastest of some runs, in s.
func fastest(ctx context.Context, runs int, do func() error) (float64, error) {
	best := time.Duration(1<<63 - 1)
	for range runs {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begin := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(begin))
	}
	return best.Seconds(), nil
}

// signals times the signal processing on an hour of simulated signals, and races
// Python programs where they are installed.
func (c *benchCmd) signals(ctx context.Context, progress *bar) (signalBench, error) {
	var b signalBench
	hour := simulate(time.Hour)
	minutes := hour.eda.us[:5*60*int(edaHz)]
	screen := hour.screen

	type job struct {
		what, unit string
		scale      float64 // of seconds
		run        func() error
	}
	decompose := func(y []float64, rate float64) func() error {
		return func() error {
			r, err := cvx.Decompose(ctx, y, rate, cvx.Options{})
			if err == nil && !r.Converged {
				err = fmt.Errorf("cvxEDA's problem did not converge: a gap of %g is left", r.Gap)
			}
			return err
		}
	}
	analyze := func(m eda.Method) func() error {
		return func() error {
			_, err := eda.AnalyzeContext(ctx, hour.eda.at, hour.eda.us, eda.Options{Rate: edaHz, Method: m})
			return err
		}
	}
	jobs := []job{
		{"signals: cvxEDA, 5 min at 25 Hz", "ms", 1e3, decompose(filter.BlockMean(minutes, 4), 25)},
		{"signals: cvxEDA, 5 min at 100 Hz", "ms", 1e3, decompose(minutes, 100)},
		{"signals: EDA by cvxEDA, 1 h at 100 Hz", "s", 1, analyze(eda.CVX)},
		{"signals: EDA by CDA, 1 h at 100 Hz", "s", 1, analyze(eda.CDA)},
		{"signals: EDA by high-pass, 1 h at 100 Hz", "s", 1, analyze(eda.HighPass)},
		{"signals: gaze by I-VT, 1 h at 250 Hz", "s", 1, func() error {
			eyemovement.IVT(hour.gaze, screen, eyemovement.IVTOptions{Rate: gazeHz})
			return nil
		}},
		{"signals: gaze by the default algorithm, 1 h at 250 Hz", "s", 1, func() error {
			eyemovement.Classify(hour.gaze, screen, eyemovement.Options{Rate: gazeHz})
			return nil
		}},
		{"signals: pupil of both eyes, 1 h at 250 Hz", "s", 1, func() error {
			pupil.Clean(hour.gaze.At, hour.left, hour.right, pupil.Options{})
			return nil
		}},
	}
	all := job{what: "signals: all signals of 1 h (EDA 100 Hz, gaze and pupils 250 Hz)", run: func() error {
		r, err := eda.AnalyzeContext(ctx, hour.eda.at, hour.eda.us, eda.Options{Rate: edaHz})
		if err != nil {
			return err
		}
		r.Summary(eda.Stretch{})
		eyemovement.Summarise(hour.gaze, eyemovement.Classify(hour.gaze, screen, eyemovement.Options{Rate: gazeHz}), gazeHz)
		pupil.Clean(hour.gaze.At, hour.left, hour.right, pupil.Options{})
		return nil
	}}
	for i, j := range jobs {
		progress.set(i, len(jobs)+1, j.what)
		took, err := fastest(ctx, signalRuns, j.run)
		if err != nil {
			return b, err
		}
		b.add(j.what, took*j.scale, j.unit)
	}
	progress.set(len(jobs), len(jobs)+1, all.what)
	took, err := fastest(ctx, signalRuns, all.run)
	if err != nil {
		return b, err
	}
	b.atMost(all.what, took, hourBudget, "s")
	if c.Python == "" {
		return b, nil
	}
	return b, b.race(ctx, c.Python, hour, progress)
}
