// Package cvx splits skin conductance by convex optimisation, as cvxEDA does
// (Greco, Valenza, Lanata, Scilingo and Citi 2016, IEEE Transactions on
// Biomedical Engineering 63:797): it finds the sparse nerve activity that is not
// negative, the smooth level and the noise which together explain the signal
// best.
//
// The solver is written from the mathematics. DECISIONS.md tells how it works
// and why.
package cvx

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// The parameters of the publication.
const (
	// DefaultSlowS and DefaultFastS are the time constants of the Bateman
	// response, in s.
	DefaultSlowS = 2.0
	DefaultFastS = 0.7
	// DefaultKnotS is the distance between the knots of the level, in s.
	DefaultKnotS = 10.0
	// DefaultAlpha weighs the nerve activity: the higher, the sparser.
	DefaultAlpha = 8e-4
	// DefaultGamma weighs the level's spline coefficients: the higher, the flatter.
	DefaultGamma = 1e-2
	// DefaultGap is the duality gap, as a share of the objective, at which the
	// solver stops. A gap of 1e-4, the default of general solvers, leaves the
	// phasic part wrong by a tenth of a standard deviation.
	DefaultGap = 1e-9

	// MinRate is the lowest rate in Hz: the fast time constant must be seen.
	MinRate = 2.0
	// MaxRate is the highest rate in Hz. The problem needs no more than 25.
	MaxRate = 1000.0

	// largestValue leaves room for parts larger than their sum.
	largestValue = 1e300
	// constantShare is the standard deviation, as a share of the largest value,
	// below which a signal is taken to be constant: rounding, not conductance.
	constantShare = 1e-13
)

var (
	// ErrShort is returned for fewer than two samples.
	ErrShort = errors.New("cvx: fewer than two samples: nothing to decompose")
	// ErrNotFinite is returned for a signal with NaN or infinity in it, or with
	// values so large that their parts would overflow.
	ErrNotFinite = errors.New("cvx: a sample is missing or infinite: cut the recording into pieces without gaps first")
)

// Options of Decompose. The zero value gives the published parameters.
type Options struct {
	SlowS, FastS float64 // time constants of a response, s; 0 = 2.0 and 0.7
	KnotS        float64 // distance of the level's knots, s; 0 = 10
	Alpha        float64 // weight of the nerve activity; 0 = 8e-4
	Gamma        float64 // weight of the level's spline; 0 = 1e-2
	// Legacy states the problem as the program of 2015 to 2024 and NeuroKit2 do:
	// the response may be in full swing at the first sample, and no knot lies
	// beyond the last one. Otherwise, as since 2025, nothing was before the first
	// sample and a trailing knot holds the end.
	Legacy bool
	// Gap is the relative duality gap at which to stop; 0 = DefaultGap.
	Gap float64
	// MaxIterations bounds the work; 0 = 100. It converges in 15 to 30.
	MaxIterations int
}

// Result of Decompose: one value per sample.
type Result struct {
	// Phasic, Tonic and Residual add up to the signal, in µS.
	Phasic, Tonic, Residual []float64
	// Driver is the nerve activity, never negative, in µS/s: Phasic is Driver
	// convolved with exp(-t/SlowS) - exp(-t/FastS). It is spiky: compare sums
	// over half a second or more, not samples.
	Driver []float64

	// Mean and SD are those of the signal in µS. The problem is solved for the
	// signal minus Mean, divided by SD (of the population).
	Mean, SD float64
	// Objective is what was minimised, in units of SD². It grows with the number
	// of samples.
	Objective float64
	// Gap is the duality gap that was left, in the units of Objective.
	Gap        float64
	Iterations int
	// Converged tells whether the gap came below the share of Objective that was
	// asked for. Where it is false, the result is the best that was reached, and
	// Gap tells how far off it may be.
	Converged bool
}

// Decompose splits the skin conductance y (µS, at a regular rate in Hz, nothing
// missing). Its time is proportional to the number of samples: about 0.2 s for
// an hour at 25 Hz. A constant signal is all tonic.
func Decompose(ctx context.Context, y []float64, rate float64, o Options) (Result, error) {
	o, err := o.filled(rate)
	if err != nil {
		return Result{}, err
	}
	if len(y) < 2 {
		return Result{}, ErrShort
	}
	z, mean, sd, err := standardise(y)
	if err != nil {
		return Result{}, err
	}
	if sd == 0 {
		none := func() []float64 { return make([]float64, len(y)) }
		return Result{Phasic: none(), Tonic: append([]float64(nil), y...), Residual: none(), Driver: none(), Mean: mean, Converged: true}, nil
	}
	p := newProblem(z, rate, o)
	s, err := p.solve(ctx, o)
	if err != nil {
		return Result{}, err
	}
	return p.result(s, mean, sd), nil
}

// filled puts the defaults in and refuses what cannot be solved.
func (o Options) filled(rate float64) (Options, error) {
	if !(rate >= MinRate && rate <= MaxRate) {
		return o, fmt.Errorf("cvx: a rate of %g Hz: want %g to %g; resample first", rate, MinRate, MaxRate)
	}
	for _, p := range []struct {
		name            string
		value           *float64
		usual, min, max float64
	}{
		{"SlowS", &o.SlowS, DefaultSlowS, 0.1, 100},
		{"FastS", &o.FastS, DefaultFastS, 0.01, 100},
		{"KnotS", &o.KnotS, DefaultKnotS, 1, 1000},
		{"Alpha", &o.Alpha, DefaultAlpha, 1e-9, 1e3},
		{"Gamma", &o.Gamma, DefaultGamma, 1e-9, 1e3},
		{"Gap", &o.Gap, DefaultGap, 1e-12, 1},
	} {
		if *p.value == 0 {
			*p.value = p.usual
		}
		if !(*p.value >= p.min && *p.value <= p.max) {
			return o, fmt.Errorf("cvx: %s is %g: want %g to %g", p.name, *p.value, p.min, p.max)
		}
	}
	if o.SlowS < 1.01*o.FastS {
		return o, fmt.Errorf("cvx: time constants of %g s and %g s: want the first (SlowS) longer than the second (FastS)", o.SlowS, o.FastS)
	}
	if o.MaxIterations <= 0 {
		o.MaxIterations = 100
	}
	return o, nil
}

// standardise returns the z-scores of y; sd is 0 for a constant signal. It works
// on y divided by its largest value, so that squares cannot overflow.
func standardise(y []float64) (z []float64, mean, sd float64, err error) {
	largest := 0.0
	for _, v := range y {
		if !(math.Abs(v) <= largestValue) {
			return nil, 0, 0, ErrNotFinite
		}
		largest = max(largest, math.Abs(v))
	}
	if largest == 0 {
		return nil, 0, 0, nil
	}
	n := float64(len(y))
	for _, v := range y {
		mean += v / largest / n
	}
	for _, v := range y {
		d := v/largest - mean
		sd += d * d / n
	}
	sd = math.Sqrt(sd)
	if sd < constantShare {
		return nil, mean * largest, 0, nil
	}
	z = make([]float64, len(y))
	for i, v := range y {
		z[i] = (v/largest - mean) / sd
	}
	return z, mean * largest, sd * largest, nil
}
