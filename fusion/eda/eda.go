// Package eda turns skin conductance into what is said of it: the slow level
// (tonic, SCL), the fast part (phasic), single skin-conductance responses, the
// samples not to be trusted, and the measures that are published of a stretch
// of time or of an event.
//
// Analyze does it for a finished recording, without delay and looking both
// ways; Result.Summary and Result.Related say what was found in numbers. Live
// does it for the screen, Delay behind.
package eda

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// MaxGap is how long samples may be missing and still be bridged by a
	// straight line; longer gaps part the recording into pieces.
	MaxGap = time.Second

	// maxRate in Hz limits the grid that a piece is put on. No skin conductance is
	// usefully sampled faster; stamps that nearly coincide would ask for it.
	maxRate = 1000.0
	// maxStretch limits how many points a grid has for each sample, should the
	// nominal rate be far above the real one.
	maxStretch = 64

	// implausibleUS is what no skin and no unit of conductance gives; such values
	// are taken for missing ones, so that one damaged number cannot overflow a
	// filter.
	implausibleUS = 1e6

	// DefaultThresholdUS is the least amplitude of a response, in µS: the limit of
	// scoring by eye, on which most published rates rest (Boucsein et al. 2012,
	// table 1).
	DefaultThresholdUS = 0.05
	// DefaultFineUS is the second, lower threshold, in µS: that of computerised
	// scoring with a resolution of 0.01 µS or better.
	DefaultFineUS = 0.01
)

// Scoring is the rule by which responses are found.
type Scoring uint8

const (
	// TroughToPeak is the rule a reader expects: in the signal below 1 Hz, each
	// local maximum minus the latest local minimum before it, in µS.
	TroughToPeak Scoring = iota
	// OnPhasic is the same rule on the phasic part, where the level no longer
	// hides a response or makes one.
	OnPhasic
	// Relative is NeuroKit2's default ("neurokit"): peaks of the phasic part whose
	// prominence is at least a tenth of the greatest. One large response hides all
	// small ones; it is here for comparison with work done that way.
	Relative
)

var scorings = [...]string{TroughToPeak: "trough-to-peak", OnPhasic: "phasic", Relative: "neurokit"}

func (s Scoring) String() string {
	if int(s) < len(scorings) {
		return scorings[s]
	}
	return fmt.Sprintf("Scoring(%d)", uint8(s))
}

// Options of Analyze and Live. The zero value is the default.
type Options struct {
	// Rate is the nominal rate in Hz; 0 takes it from the median interval. Above
	// 1 kHz the signal is decimated to that.
	Rate float64
	// Method splits the signal; 0 = DefaultMethod.
	Method Method
	// Scoring finds the responses.
	Scoring Scoring
	// ThresholdUS is the least amplitude of a response in µS; 0 = DefaultThresholdUS.
	ThresholdUS float64
	// FineUS is the least amplitude of those in Result.Fine, in µS; 0 =
	// DefaultFineUS.
	FineUS float64
	// SensorMaxUS is the highest conductance that the sensor can tell, in µS; 0 =
	// not known, and saturation is told from a repeated maximum.
	SensorMaxUS float64
	// TemperatureC is the skin's temperature at each sample in °C, NaN = not
	// measured; nil = none.
	TemperatureC []float64
}

func (o Options) threshold() float64 {
	if o.ThresholdUS > 0 {
		return o.ThresholdUS
	}
	return DefaultThresholdUS
}

func (o Options) fine() float64 {
	if o.FineUS > 0 {
		return o.FineUS
	}
	return DefaultFineUS
}

// Result of Analyze. Tonic, Phasic, Driver and Flags have one value per input
// sample.
type Result struct {
	// Method and Scoring are those that were used; ThresholdUS and FineUS the
	// thresholds of Responses and Fine, in µS; Rate in Hz.
	Method              Method
	Scoring             Scoring
	ThresholdUS, FineUS float64
	Rate                float64

	// Tonic and Phasic are in µS; NaN where Flags has Unsplit.
	Tonic, Phasic []float64
	// Driver is the nerve activity that CVX or CDA explains the phasic part by, in
	// µS/s and µS; nil for the other methods, NaN where Flags has Unsplit or
	// Undecomposed. It is spiky: compare its sums over half a second or more.
	Driver []float64
	// Flags says what is wrong with a sample; 0 = nothing.
	Flags []Flag
	// Responses of at least ThresholdUS, in order; Fine those of at least FineUS.
	// By the Relative rule both are the same and no threshold counts.
	Responses, Fine []Response
	// Pieces are the stretches that were split each by itself, in order.
	Pieces []Piece
	// StepUS is the resolution: the smallest difference between two values that
	// occur, in µS; 0 when all are equal.
	StepUS float64

	at []instant.Instant
	us []float64
}

// Piece is a stretch in which no more than MaxGap lies between two samples in
// range.
type Piece struct {
	First, Last int // indices of its first and last sample
	From, Until instant.Instant
	// Method is the one it was split by; 0 when it is too short for any.
	Method Method
	// Model says how well CVX or CDA did; nil where neither was used.
	Model *Model
	// Err tells why the method that was asked for was not used; "" when it was.
	Err string
}

// Analyze splits skin conductance us (µS, NaN = missing), taken at the instants
// at (not decreasing, same length), into tonic and phasic, finds responses and
// flags artefacts. It keeps at and us for the methods of Result.
//
// The samples are put on a regular grid of the nominal rate by linear
// interpolation; where they are missing, or of a value that no skin has, for more
// than MaxGap the recording is treated as separate pieces. Method and Scoring say
// how each is split and scored.
//
// It panics when at and us differ in length.
func Analyze(at []instant.Instant, us []float64, o Options) Result {
	r, err := AnalyzeContext(context.Background(), at, us, o)
	if err != nil {
		panic(err) // only a context that ends is an error, and this one never does
	}
	return r
}

// AnalyzeContext is Analyze for long recordings: it returns the context's error
// when that ends first.
func AnalyzeContext(ctx context.Context, at []instant.Instant, us []float64, o Options) (Result, error) {
	if len(at) != len(us) {
		panic("eda: Analyze: as many instants as values, please")
	}
	if o.TemperatureC != nil && len(o.TemperatureC) != len(us) {
		panic("eda: Analyze: as many temperatures as values, please")
	}
	r := Result{
		Method: o.Method.or(DefaultMethod), Scoring: o.Scoring, ThresholdUS: o.threshold(), FineUS: o.fine(),
		Tonic: missing(len(us)), Phasic: missing(len(us)), Flags: make([]Flag, len(us)),
		at: at, us: us,
	}
	if r.Method == CVX || r.Method == CDA {
		r.Driver = missing(len(us))
	}
	present, usable := make([]int, 0, len(us)), make([]int, 0, len(us))
	for i, v := range us {
		switch {
		case !(math.Abs(v) <= implausibleUS):
			r.Flags[i] |= Missing | Unsplit
			continue
		case !inRange(v):
			r.Flags[i] |= OutOfRange | Unsplit
		default:
			usable = append(usable, i)
		}
		present = append(present, i)
	}
	r.Rate = o.Rate
	if !(r.Rate > 0) {
		r.Rate = medianRate(at, present)
	}
	r.Rate = min(r.Rate, maxRate)
	r.StepUS = resolution(us, present)
	var fine []Response
	for index := range unbroken(at, usable) {
		found, err := r.piece(ctx, index)
		if err != nil {
			return Result{}, err
		}
		fine = append(fine, found...)
	}
	r.artefacts(present, o)
	r.keep(fine)
	return r, nil
}

// unbroken yields the runs of samples that no gap of more than MaxGap parts.
func unbroken(at []instant.Instant, index []int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		for len(index) > 0 {
			n := 1
			for n < len(index) && at[index[n]].Sub(at[index[n-1]]) <= MaxGap {
				n++
			}
			if !yield(index[:n]) {
				return
			}
			index = index[n:]
		}
	}
}

func missing(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }

// medianRate is 1 / the median interval of the samples that are there, in Hz.
func medianRate(at []instant.Instant, present []int) float64 {
	var steps []time.Duration
	for k := 1; k < len(present); k++ {
		if d := at[present[k]].Sub(at[present[k-1]]); d > 0 {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return 1 / steps[len(steps)/2].Seconds()
}

// piece splits the samples with the given indices, which have no gap, and
// returns the responses in them, those above either threshold.
func (r *Result) piece(ctx context.Context, index []int) ([]Response, error) {
	first, last := index[0], index[len(index)-1]
	p := Piece{First: first, Last: last, From: r.at[first], Until: r.at[last]}
	found, err := r.split(ctx, &p, index)
	r.Pieces = append(r.Pieces, p)
	return found, err
}

func (r *Result) split(ctx context.Context, p *Piece, index []int) ([]Response, error) {
	unsplit := func(why string) {
		p.Err = why
		for _, i := range index {
			r.Flags[i] |= Unsplit
		}
	}
	if !(r.Rate > 0) {
		unsplit("no rate: fewer than two samples at different instants")
		return nil, nil
	}
	g := newGrid(r.at, r.us, index, r.Rate)
	r.steep(g, index)
	s, err := split(ctx, g, r.Method)
	if err != nil {
		return nil, err
	}
	p.Method, p.Model, p.Err = s.method, s.model, s.why
	if s.method == 0 {
		unsplit(s.why)
	}
	for _, i := range index {
		if s.method == 0 {
			break
		}
		r.Tonic[i], r.Phasic[i] = s.grid.value(s.tonic, r.at[i]), s.grid.value(s.phasic, r.at[i])
		if s.driver != nil {
			r.Driver[i] = s.driver[s.grid.nearest(r.at[i])]
		}
		if s.method != r.Method {
			r.Flags[i] |= Undecomposed
		}
		if math.IsNaN(r.Tonic[i]) {
			r.Flags[i] |= Unsplit
		}
	}
	return r.score(g, s), nil
}

// score finds the responses in one piece by the rule that was asked for.
func (r *Result) score(g grid, s parts) []Response {
	least := min(r.ThresholdUS, r.FineUS)
	switch {
	case r.Scoring == TroughToPeak:
		if smooth := g.smooth(); smooth != nil {
			return g.responses(smooth, least)
		}
	case s.method == 0:
	case r.Scoring == OnPhasic:
		g, phasic := s.grid.whole(s.phasic)
		return g.responses(phasic, least)
	case r.Scoring == Relative:
		g, phasic := s.grid.whole(s.phasic)
		return g.relative(phasic)
	}
	return nil
}

// keep parts the responses by the thresholds and fills in what needs the
// neighbour or the samples.
func (r *Result) keep(fine []Response) {
	least := func(us float64) []Response {
		var kept []Response
		for _, x := range fine {
			if r.Scoring == Relative || x.AmplitudeUS >= us {
				kept = append(kept, x)
			}
		}
		recoveries(kept)
		for i := range kept {
			kept[i].Flags |= r.touched(kept[i])
		}
		return kept
	}
	r.Responses, r.Fine = least(r.ThresholdUS), least(r.FineUS)
}
