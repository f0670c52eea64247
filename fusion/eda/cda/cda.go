// Package cda splits skin conductance by continuous decomposition analysis
// (Benedek and Kaernbach 2010, Journal of Neuroscience Methods 190:80): the
// signal divided by the response to one nerve impulse gives the driver, whose
// level between impulses is tonic and the rest phasic.
//
// It is written from the mathematics. DECISIONS.md tells what is done where the
// publication leaves a choice. Two of these choices, significantUS and pull, are
// numbers that were set on the same two recordings that the tests compare with:
// how well others agree with the reference implementation is not known.
package cda

import (
	"context"
	"errors"
	"fmt"
	"math"
)

const (
	// TargetHz is about the rate of the analysis: faster signals are averaged over
	// blocks of samples first.
	TargetHz = 25.0
	// MinRate is the lowest rate in Hz: the rise of a response must be seen.
	MinRate = 4.0
	// MaxRate is the highest rate in Hz.
	MaxRate = 10_000.0
	// MinSeconds is the shortest recording: two knots of the level.
	MinSeconds = 10.0

	// ThresholdUS is the least amplitude of a response, in µS, of which the
	// driver's impulses are reported.
	ThresholdUS = 0.01

	// largestUS is more than any skin conducts, and small enough to be squared.
	largestUS = 1e9
)

var (
	// ErrShort is returned for less than MinSeconds of signal.
	ErrShort = fmt.Errorf("cda: less than %g s of signal: too short to tell level and responses apart", MinSeconds)
	// ErrNotFinite is returned for NaN, infinity and values that are no conductance.
	ErrNotFinite = errors.New("cda: a sample is missing or infinite: cut the recording into pieces without gaps first")
)

// Options of Decompose. The zero value is the default.
type Options struct {
	// Tau1 and Tau2 are the time constants of the response in s, the shorter one
	// first. 0 finds those that explain the signal best.
	Tau1, Tau2 float64
	// ThresholdUS is the least amplitude of a response in µS; 0 = ThresholdUS.
	ThresholdUS float64
}

// Response is the response to one impulse of the driver.
type Response struct {
	AtS         float64 // when the impulse is strongest, s after the first sample
	AmplitudeUS float64 // of the response to this impulse alone, µS
}

// Result of Decompose. Driver, Phasic and Tonic have Rate values a second, the
// first FirstS after the first sample: the centre of its block of samples.
type Result struct {
	// Driver is the phasic driver in µS: its mean over a window times the window's
	// length is the ISCR. It dips below zero where the response does not fit.
	Driver []float64
	// Phasic and Tonic add up to the signal (averaged over blocks), in µS.
	Phasic, Tonic []float64
	Rate, FirstS  float64
	Tau1, Tau2    float64 // time constants of the response, s
	// Discreteness in s and Negativity in µS say how well the response fits: how
	// far the driver is from single impulses, and its root mean square below zero.
	// Criterion is what the time constants minimise, Discreteness + 5 Negativity.
	Discreteness, Negativity, Criterion float64
	// OptimisedFromS to OptimisedUntilS is the part of the recording that the time
	// constants were found on; 0 to 0 where they were given.
	OptimisedFromS, OptimisedUntilS float64
	Responses                       []Response
}

// Decompose splits the skin conductance y (µS, at a regular rate in Hz, nothing
// missing). An hour takes less than a second.
func Decompose(ctx context.Context, y []float64, rate float64, o Options) (Result, error) {
	if !(rate >= MinRate && rate <= MaxRate) {
		return Result{}, fmt.Errorf("cda: a rate of %g Hz: want %g to %g", rate, MinRate, MaxRate)
	}
	if float64(len(y)) < MinSeconds*rate {
		return Result{}, ErrShort
	}
	for _, v := range y {
		if !(math.Abs(v) <= largestUS) {
			return Result{}, ErrNotFinite
		}
	}
	block := max(1, int(rate/TargetHz+1e-9))
	x := blockMean(y, block)
	r := Result{Rate: rate / float64(block), FirstS: float64(block-1) / 2 / rate, Tau1: o.Tau1, Tau2: o.Tau2}
	switch {
	case o.Tau1 == 0 && o.Tau2 == 0:
		part := liveliest(x, int(optimiseS*r.Rate))
		if err := r.optimise(ctx, x[part.first:part.last], r.Rate); err != nil {
			return Result{}, err
		}
		r.OptimisedFromS, r.OptimisedUntilS = float64(part.first)/r.Rate, float64(part.last)/r.Rate
	case !(o.Tau1 >= minTau && o.Tau2 <= maxTau && o.Tau2-o.Tau1 >= minTau):
		return Result{}, fmt.Errorf("cda: time constants of %g and %g s: want the shorter first, %g to %g s, and at least %g s between them", o.Tau1, o.Tau2, minTau, maxTau, minTau)
	}
	s := newSplitter(x, r.Rate).split(r.Tau1, r.Tau2)
	r.Driver, r.Tonic = s.phasic, s.tonic
	r.Phasic = make([]float64, len(x))
	for i, v := range x {
		r.Phasic[i] = v - r.Tonic[i]
	}
	r.Discreteness, r.Negativity = s.fit()
	r.Criterion = r.Discreteness + negativityWeight*r.Negativity
	threshold := o.ThresholdUS
	if !(threshold > 0) {
		threshold = ThresholdUS
	}
	r.Responses = s.responses(threshold)
	for i := range r.Responses {
		r.Responses[i].AtS += r.FirstS
	}
	return r, nil
}

// blockMean averages each k samples; what remains at the end is dropped.
func blockMean(x []float64, k int) []float64 {
	out := make([]float64, len(x)/k)
	for i := range out {
		sum := 0.0
		for _, v := range x[i*k : i*k+k] {
			sum += v
		}
		out[i] = sum / float64(k)
	}
	return out
}
