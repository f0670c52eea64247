// Package eda turns skin conductance into what is said of it: the slow level
// (tonic, SCL), the fast part (phasic), and single skin-conductance responses.
//
// Analyze does it for a finished recording, without delay and looking both
// ways. Live does it for the screen, causally.
package eda

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

const (
	// LevelHz parts the tonic from the phasic signal: the usual 0.05 Hz, as in
	// NeuroKit2 and Biopac's AcqKnowledge.
	LevelHz = 0.05
	// cleanHz and cleanOrder take mains hum and noise off before the split
	// (NeuroKit2's cleaning).
	cleanHz    = 3.0
	cleanOrder = 4
	// responseHz smooths the signal in which responses are sought: they rise in
	// 0.5 to 5 s (Boucsein et al. 2012), so nothing of them lies above.
	responseHz = 1.0
	// nyquistShare is up to which share of half the rate a filter is worth having.
	nyquistShare = 0.9

	// MaxGap is how long samples may be missing and still be bridged by a
	// straight line; longer gaps part the recording into pieces.
	MaxGap = time.Second

	// maxRate in Hz limits the grid that a piece is put on. No skin conductance is
	// usefully sampled faster; stamps that nearly coincide would ask for it.
	maxRate = 1000.0

	// maxRise is the longest that a response rises for (Boucsein et al. 2012: 0.5
	// to 5 s).
	maxRise = 5 * time.Second

	// DefaultThresholdUS is the least amplitude of a response, in µS: that of
	// computerised scoring with a resolution of 0.01 µS or better (Boucsein et
	// al. 2012, table 1; 0.05 was the limit of scoring by eye).
	DefaultThresholdUS = 0.05
)

// Options of Analyze and Live. The zero value is the default.
type Options struct {
	// Rate is the nominal rate in Hz; 0 takes it from the median interval. Above
	// 1 kHz the signal is decimated to that.
	Rate float64
	// ThresholdUS is the least amplitude of a response in µS; 0 = DefaultThresholdUS.
	ThresholdUS float64
}

func (o Options) threshold() float64 {
	if o.ThresholdUS > 0 {
		return o.ThresholdUS
	}
	return DefaultThresholdUS
}

// Response is one skin-conductance response, from trough to peak.
type Response struct {
	Onset, Peak instant.Instant
	AmplitudeUS float64 // peak minus trough, µS
	RiseS       float64 // from onset to peak, s
	// HalfRecoveryS is the time from the peak until half the amplitude is gone,
	// in s; NaN when the next response or the end came first.
	HalfRecoveryS float64
}

// Result of Analyze. Tonic and Phasic have one value per input sample, in µS,
// NaN where the input is NaN or its piece too short. Responses are in order.
type Result struct {
	Tonic, Phasic []float64
	Responses     []Response
}

// Analyze splits skin conductance us (µS, NaN = missing), taken at the instants
// at (not decreasing, same length), into tonic and phasic and finds responses.
//
// The samples are put on a regular grid of the nominal rate by linear
// interpolation; where they are missing for more than MaxGap the recording is
// treated as separate pieces. Tonic is the Butterworth low-pass of order 2 at
// LevelHz, phasic the high-pass of the same kind, both without phase shift (the
// "highpass" method of NeuroKit2, Makowski et al. 2021; the two add up to the
// input only nearly). Responses are absolute trough-to-peak: every local
// maximum of the signal below 1 Hz with the latest local minimum before it, or,
// where that is more than 5 s away because the level rises on its own, with the
// point where the signal bends upward.
//
// It panics when at and us differ in length.
func Analyze(at []instant.Instant, us []float64, o Options) Result {
	if len(at) != len(us) {
		panic("eda: Analyze: as many instants as values, please")
	}
	r := Result{Tonic: missing(len(us)), Phasic: missing(len(us))}
	present := make([]int, 0, len(us))
	for i, v := range us {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			present = append(present, i)
		}
	}
	rate := o.Rate
	if !(rate > 0) {
		rate = medianRate(at, present)
	}
	if !(rate > 0) {
		return r
	}
	rate = min(rate, maxRate)
	for len(present) > 0 {
		n := 1
		for n < len(present) && at[present[n]].Sub(at[present[n-1]]) <= MaxGap {
			n++
		}
		r.piece(at, us, present[:n], rate, o.threshold())
		present = present[n:]
	}
	return r
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

// piece analyses the samples with the given indices, which have no gap.
func (r *Result) piece(at []instant.Instant, us []float64, index []int, rate, threshold float64) {
	g := newGrid(at, us, index, rate)
	split := filter.Butterworth(2, LevelHz, rate, filter.Low)
	clean := filter.Butterworth(cleanOrder, cleanHz, rate, filter.Low)
	if len(g.us) <= filter.Padding(clean) || LevelHz >= nyquistShare*rate/2 {
		return
	}
	x := g.us
	if cleanHz < nyquistShare*rate/2 {
		x = filter.ZeroPhase(clean, x)
	}
	tonic := filter.ZeroPhase(split, x)
	phasic := filter.ZeroPhase(filter.Butterworth(2, LevelHz, rate, filter.High), x)
	for _, i := range index {
		r.Tonic[i] = g.value(tonic, at[i])
		r.Phasic[i] = g.value(phasic, at[i])
	}
	if responseHz < nyquistShare*rate/2 {
		smooth := filter.ZeroPhase(filter.Butterworth(2, responseHz, rate, filter.Low), g.us)
		r.Responses = append(r.Responses, g.responses(smooth, threshold)...)
	}
}

// grid is a piece at a regular rate.
type grid struct {
	from instant.Instant
	rate float64 // Hz
	us   []float64
}

// newGrid interpolates the samples linearly.
func newGrid(at []instant.Instant, us []float64, index []int, rate float64) grid {
	g := grid{from: at[index[0]], rate: rate}
	last := index[len(index)-1]
	n := int(math.Round(at[last].Sub(g.from).Seconds()*rate)) + 1
	g.us = make([]float64, n)
	k := 0
	for i := range g.us {
		t := g.at(i)
		for k+2 < len(index) && at[index[k+1]] <= t {
			k++
		}
		a, b := index[k], index[min(k+1, len(index)-1)]
		u := 0.0
		if at[b] > at[a] {
			u = max(0, min(1, float64(t-at[a])/float64(at[b]-at[a])))
		}
		g.us[i] = us[a] + u*(us[b]-us[a])
	}
	return g
}

func (g grid) at(i int) instant.Instant {
	return g.from + instant.Instant(math.Round(float64(i)/g.rate*1e9))
}

// value reads a signal on the grid at any instant within it.
func (g grid) value(x []float64, at instant.Instant) float64 {
	f := at.Sub(g.from).Seconds() * g.rate
	i := max(0, min(int(f), len(x)-2))
	u := max(0, min(1, f-float64(i)))
	return x[i] + u*(x[i+1]-x[i])
}

// responses finds trough-to-peak responses of at least threshold.
func (g grid) responses(x []float64, threshold float64) []Response {
	troughs := filter.Troughs(x)
	var found []Response
	var ends []int // index of each response's peak
	var onsets []int
	k := -1
	for _, p := range filter.Peaks(x) {
		for k+1 < len(troughs) && troughs[k+1] < p {
			k++
		}
		o := g.onset(x, troughs[:k+1], p)
		if o < 0 || x[p]-x[o] < threshold {
			continue
		}
		found = append(found, Response{
			Onset: g.at(o), Peak: g.at(p),
			AmplitudeUS:   x[p] - x[o],
			RiseS:         float64(p-o) / g.rate,
			HalfRecoveryS: math.NaN(),
		})
		onsets, ends = append(onsets, o), append(ends, p)
	}
	g.halfRecoveries(x, found, onsets, ends)
	return found
}

// onset is the latest trough before peak p. A rise longer than maxRise is the
// level's at first: the response in it begins where the signal bends upward
// most, before its steepest ascent. -1 when neither is there to be seen.
func (g grid) onset(x []float64, troughs []int, p int) int {
	from := p - int(maxRise.Seconds()*g.rate)
	if n := len(troughs); n > 0 && troughs[n-1] >= from {
		return troughs[n-1]
	}
	if from < 1 {
		return -1
	}
	steepest := from
	for i := from; i < p; i++ {
		if x[i+1]-x[i] > x[steepest+1]-x[steepest] {
			steepest = i
		}
	}
	bend := func(i int) float64 { return x[i+1] - 2*x[i] + x[i-1] }
	o := from
	for i := from; i < steepest; i++ {
		if bend(i) > bend(o) {
			o = i
		}
	}
	if o == from {
		return -1 // it bends nowhere: the level alone
	}
	return o
}

// halfRecoveries fills in HalfRecoveryS; onsets and ends are the indices of each
// response's onset and peak.
func (g grid) halfRecoveries(x []float64, found []Response, onsets, ends []int) {
	for i := range found {
		until := len(x) - 1
		if i+1 < len(found) {
			until = onsets[i+1]
		}
		half := x[ends[i]] - found[i].AmplitudeUS/2
		for j := ends[i] + 1; j <= until; j++ {
			if x[j] <= half {
				found[i].HalfRecoveryS = float64(j-ends[i]) / g.rate
				break
			}
		}
	}
}
