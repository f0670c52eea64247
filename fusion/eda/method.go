package eda

import (
	"context"
	"fmt"
	"math"

	"emolab/fusion/eda/cda"
	"emolab/fusion/eda/cvx"
	"emolab/fusion/filter"
)

// Method is how the level is parted from the fast part of the signal.
type Method uint8

const (
	// HighPass: tonic is the Butterworth low-pass of order 2 at LevelHz, phasic
	// the high-pass of the same kind, both without phase shift, after a low-pass
	// of order 4 at 3 Hz (NeuroKit2's "highpass", Makowski et al. 2021).
	HighPass Method = iota + 1
	// Median: tonic is the running median over 4 s of the cleaned signal, phasic
	// what is left (NeuroKit2's "smoothmedian"). Within 2 s of the ends of a piece
	// there is none.
	Median
	// CVX: the convex problem of cvxEDA (Greco et al. 2016), on means over
	// 1/ModelHz.
	CVX
	// CDA: continuous decomposition by deconvolution (Benedek and Kaernbach 2010),
	// on the same means.
	CDA
)

// DefaultMethod is what Analyze splits by when not told. DECISIONS.md has the
// reason.
const DefaultMethod = CVX

var methods = [...]string{HighPass: "highpass", Median: "median", CVX: "cvx", CDA: "cda"}

func (m Method) String() string {
	if m > 0 && int(m) < len(methods) {
		return methods[m]
	}
	return fmt.Sprintf("Method(%d)", uint8(m))
}

func (m Method) or(other Method) Method {
	if m == 0 {
		return other
	}
	return m
}

const (
	// LevelHz parts the tonic from the phasic signal: the usual 0.05 Hz, as in
	// NeuroKit2 and Biopac's AcqKnowledge.
	LevelHz    = 0.05
	levelOrder = 2
	// cleanHz and cleanOrder take mains hum and noise off before the split
	// (NeuroKit2's cleaning).
	cleanHz    = 3.0
	cleanOrder = 4
	// responseHz smooths the signal in which responses are sought: they rise in
	// 0.5 to 5 s (Boucsein et al. 2012), so nothing of them lies above.
	responseHz    = 1.0
	responseOrder = 2
	// nyquistShare is up to which share of half the rate a filter is worth having.
	nyquistShare = 0.9
	// medianS is the window of the Median method in s.
	medianS = 4

	// ModelHz is the rate, or the next above it that divides the signal's, at
	// which CVX and CDA work: ample for what rises in 0.5 s.
	ModelHz = 25.0
	// MinModelS is the shortest piece in s that CVX and CDA are asked about: they
	// need a few knots of the level, 10 s apart, to tell it from responses.
	// Shorter ones are split by HighPass and flagged Undecomposed.
	MinModelS = 30.0
)

// Model says how well a decomposition did.
type Model struct {
	Rate float64 // Hz that it worked at
	// Of CVX: what was minimised, in units of the piece's variance, the duality
	// gap left, and whether that is small enough.
	Objective, Gap float64
	Iterations     int
	Converged      bool
	// Of CDA: the time constants found, s, and how far the driver is from single
	// impulses, s, and below zero, µS.
	Tau1S, Tau2S             float64
	Discreteness, Negativity float64
}

// parts of a piece, on a grid. method is 0 and why says so where it cannot be
// split at all; why also tells where it is not the method that was asked for.
type parts struct {
	grid                  grid
	tonic, phasic, driver []float64
	method                Method
	model                 *Model
	why                   string
}

// split parts one piece.
func split(ctx context.Context, g grid, m Method) (parts, error) {
	switch m {
	case HighPass:
		return highPass(g), nil
	case Median:
		return runningMedian(g), nil
	}
	if g.seconds() < MinModelS {
		p := highPass(g)
		p.why = fmt.Sprintf("the piece has %.1f s: %s needs %.0f s; %s", g.seconds(), m, MinModelS, p.instead())
		return p, nil
	}
	p, err := decompose(ctx, g, m)
	if ctx.Err() != nil {
		return parts{}, ctx.Err()
	}
	if err != nil {
		p = highPass(g)
		p.why = fmt.Sprintf("%v; %s", err, p.instead())
	}
	return p, nil
}

// instead says what was done where a decomposition was not.
func (p parts) instead() string {
	if p.method == 0 {
		return p.why
	}
	return "split by " + p.method.String()
}

// clean takes off what is no conductance, where the rate shows such at all.
func (g grid) clean() []float64 {
	if cleanHz >= nyquistShare*g.rate/2 {
		return g.us
	}
	return filter.ZeroPhase(filter.Butterworth(cleanOrder, cleanHz, g.rate, filter.Low), g.us)
}

func highPass(g grid) parts {
	if LevelHz >= nyquistShare*g.rate/2 {
		return parts{why: fmt.Sprintf("a rate of %.3g Hz is too low for the level at %g Hz", g.rate, LevelHz)}
	}
	if least := filter.Padding(make([]filter.Section, cleanOrder/2)); len(g.us) <= least {
		return parts{why: fmt.Sprintf("the piece has %d samples: more than %d are needed", len(g.us), least)}
	}
	x := g.clean()
	return parts{
		grid:   g,
		tonic:  filter.ZeroPhase(filter.Butterworth(levelOrder, LevelHz, g.rate, filter.Low), x),
		phasic: filter.ZeroPhase(filter.Butterworth(levelOrder, LevelHz, g.rate, filter.High), x),
		method: HighPass,
	}
}

func runningMedian(g grid) parts {
	kernel := int(medianS*g.rate) | 1
	if len(g.us) <= kernel {
		return parts{why: fmt.Sprintf("the piece has %.1f s: a median over %d s needs more", g.seconds(), medianS)}
	}
	x := g.clean()
	p := parts{grid: g, tonic: filter.Median(x, kernel), phasic: make([]float64, len(x)), method: Median}
	for i := range x {
		// Within half a window of the ends the median counts zeros that nobody
		// measured.
		if i < kernel/2 || i >= len(x)-kernel/2 {
			p.tonic[i] = math.NaN()
		}
		p.phasic[i] = x[i] - p.tonic[i]
	}
	return p
}

// decompose explains the piece by nerve activity.
func decompose(ctx context.Context, g grid, m Method) (parts, error) {
	b := g.blocks(max(1, int(g.rate/ModelHz+1e-6)))
	switch m {
	case CVX:
		r, err := cvx.Decompose(ctx, b.us, b.rate, cvx.Options{})
		if err != nil {
			return parts{}, err
		}
		return parts{
			grid: b, tonic: r.Tonic, phasic: r.Phasic, driver: r.Driver, method: CVX,
			model: &Model{Rate: b.rate, Objective: r.Objective, Gap: r.Gap, Iterations: r.Iterations, Converged: r.Converged},
		}, nil
	case CDA:
		r, err := cda.Decompose(ctx, b.us, b.rate, cda.Options{})
		if err != nil {
			return parts{}, err
		}
		return parts{
			grid: b, tonic: r.Tonic, phasic: r.Phasic, driver: r.Driver, method: CDA,
			model: &Model{Rate: b.rate, Tau1S: r.Tau1, Tau2S: r.Tau2, Discreteness: r.Discreteness, Negativity: r.Negativity},
		}, nil
	}
	return parts{}, fmt.Errorf("eda: no method %s", m)
}
