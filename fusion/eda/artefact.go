package eda

import (
	"math"
	"slices"
	"sort"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// The rules of Kleckner et al. (2018, IEEE Transactions on Biomedical
// Engineering 65:1460).
const (
	rangeLowUS, rangeHighUS = 0.05, 60.0
	slopeUSS                = 10.0
	skinLowC, skinHighC     = 30.0, 40.0
	nearby                  = 5 * time.Second
	// slopeHz is below what the slope is measured, as they do, so that noise of one
	// sample is not a slope; ours is a Butterworth filter of order 2 without phase
	// shift.
	slopeHz    = 0.35
	slopeOrder = 2
)

// Rules of practice beside them.
const (
	// flatUS is the standard deviation that a living skin does not fall below for
	// flatFor.
	flatUS  = 1e-4
	flatFor = 5 * time.Second
	// A sensor whose resolution is coarser than coarseUS repeats its reading over
	// a quiet skin: only coarseFlatFor tells that from an electrode that is off.
	coarseUS      = 0.01
	coarseFlatFor = time.Minute
	// A maximum repeated for fullFor is the sensor's, not the skin's: the crest of
	// a response stays within 0.01 µS for a third of that.
	fullFor = 2 * time.Second
	// fullShare is from which share of the sensor's maximum it counts as full.
	fullShare = 0.999
	// A fall of more than lossShare within lossFor is no recovery of a response
	// (half recovery takes 2 to 10 s), unless that is the greater part of the level.
	lossShare = 0.2
	lossFor   = time.Second
)

// artefacts flags the samples with the given indices, those out of range among
// them.
func (r *Result) artefacts(present []int, o Options) {
	highest := math.Inf(-1)
	for _, i := range present {
		highest = max(highest, r.us[i])
		if o.SensorMaxUS > 0 && r.us[i] >= fullShare*o.SensorMaxUS {
			r.Flags[i] |= Saturated
		}
	}
	for i, c := range o.TemperatureC {
		if c < skinLowC || c > skinHighC {
			r.Flags[i] |= Temperature
		}
	}
	for index := range unbroken(r.at, present) {
		r.flat(index)
		r.losses(index)
		if !(o.SensorMaxUS > 0) && r.StepUS > 0 && r.StepUS <= coarseUS {
			r.repeated(index, highest)
		}
	}
	r.near()
}

// inRange tells whether a skin can have this conductance.
func inRange(us float64) bool { return us >= rangeLowUS && us <= rangeHighUS }

// steep flags where the signal moves too fast for a skin: below slopeHz, as
// published, and below cleanHz, which shows a knock of a tenth of a second too.
func (r *Result) steep(g grid, index []int) {
	slow := g.us
	if slopeHz < nyquistShare*g.rate/2 {
		slow = filter.ZeroPhase(filter.Butterworth(slopeOrder, slopeHz, g.rate, filter.Low), slow)
	}
	quick := g.clean()
	for _, i := range index {
		k := g.nearest(r.at[i])
		if g.slope(slow, k) > slopeUSS {
			r.Flags[i] |= Steep
		}
		if g.slope(quick, k) > slopeUSS {
			r.Flags[i] |= Jump
		}
	}
}

// slope at a point, either way, per second.
func (g grid) slope(x []float64, k int) float64 {
	a, b := max(0, k-1), min(len(x)-1, k+1)
	if a == b {
		return 0
	}
	return math.Abs(x[b]-x[a]) * g.rate / float64(b-a)
}

// near flags what lies within 5 s of a sample that breaks one of Kleckner's
// first three rules.
func (r *Result) near() {
	const broken = OutOfRange | Steep | Temperature
	mark := func(i int, last *instant.Instant, seen *bool) {
		if r.Flags[i]&broken != 0 {
			*last, *seen = r.at[i], true
		} else if *seen && r.at[i].Sub(*last).Abs() <= nearby {
			r.Flags[i] |= Near
		}
	}
	var last instant.Instant
	seen := false
	for i := range r.Flags {
		mark(i, &last, &seen)
	}
	seen = false
	for i := len(r.Flags) - 1; i >= 0; i-- {
		mark(i, &last, &seen)
	}
}

// flat flags every stretch of flatFor whose standard deviation is below flatUS.
func (r *Result) flat(index []int) {
	window := flatFor
	if r.StepUS > coarseUS {
		window = coarseFlatFor
	}
	if len(index) < 2 {
		return
	}
	mean := 0.0
	for _, i := range index {
		mean += r.us[i] / float64(len(index))
	}
	// Sums up to each sample, of what differs from the mean: exact enough to see
	// 1e-4 µS on any level.
	sum, square := make([]float64, len(index)+1), make([]float64, len(index)+1)
	for k, i := range index {
		d := r.us[i] - mean
		sum[k+1], square[k+1] = sum[k]+d, square[k]+d*d
	}
	marked, from := 0, 0
	for k, i := range index {
		for from < k && r.at[i].Sub(r.at[index[from+1]]) >= window {
			from++
		}
		if r.at[i].Sub(r.at[index[from]]) < window {
			continue
		}
		n := float64(k + 1 - from)
		m := (sum[k+1] - sum[from]) / n
		if (square[k+1]-square[from])/n-m*m >= flatUS*flatUS {
			continue
		}
		for j := max(from, marked); j <= k; j++ {
			r.Flags[index[j]] |= Flat
		}
		marked = k + 1
	}
}

// repeated flags where the highest value of the record stays for fullFor.
func (r *Result) repeated(index []int, highest float64) {
	for k := 0; k < len(index); k++ {
		n := k
		for n < len(index) && r.us[index[n]] == highest {
			n++
		}
		if n > k && r.at[index[n-1]].Sub(r.at[index[k]]) >= fullFor {
			for _, i := range index[k:n] {
				r.Flags[i] |= Saturated
			}
		}
		k = max(k, n)
	}
}

// losses flags falls of more than lossShare within lossFor.
func (r *Result) losses(index []int) {
	var high []int // of the last lossFor, falling: the first is the highest
	level := 0.0   // before the fall that is going on; 0 = none
	var fell instant.Instant
	for _, i := range index {
		at, us := r.at[i], r.us[i]
		for len(high) > 0 && at.Sub(r.at[high[0]]) > lossFor {
			high = high[1:]
		}
		for n := len(high); n > 0 && r.us[high[n-1]] <= us; n = len(high) {
			high = high[:n-1]
		}
		high = append(high, i)
		if top := r.us[high[0]]; top > 0 && us < (1-lossShare)*top {
			level, fell = max(level, top), at
		}
		if level > 0 && us < (1-lossShare)*level && at.Sub(fell) <= nearby {
			r.Flags[i] |= Loss
		} else {
			level = 0
		}
	}
}

// resolution is the smallest difference between two values that occur, rounding
// apart.
func resolution(us []float64, present []int) float64 {
	values := make([]float64, len(present))
	largest := 0.0
	for k, i := range present {
		values[k] = us[i]
		largest = max(largest, math.Abs(us[i]))
	}
	slices.Sort(values)
	const rounding = 1e-9 // of the largest value: far above that of float64, far below any converter's
	step := 0.0
	for k := 1; k < len(values); k++ {
		if d := values[k] - values[k-1]; d > rounding*largest && (step == 0 || d < step) {
			step = d
		}
	}
	return step
}

// touched are the flags of the samples in a response, and Bridged where some of
// them are missing.
func (r *Result) touched(x Response) (f Flag) {
	until := x.Peak
	if x.HalfRecoveryS > 0 {
		until = until.Add(time.Duration(x.HalfRecoveryS * float64(time.Second)))
	}
	first := sort.Search(len(r.at), func(i int) bool { return r.at[i] >= x.Onset })
	// Two intervals and a half at the least, because stamps jitter.
	hole := time.Duration(2.5 / r.Rate * float64(time.Second))
	var last instant.Instant
	for i := max(0, first-1); i < len(r.at) && r.at[i] <= until; i++ {
		if r.Flags[i]&Missing != 0 {
			f |= Bridged
			continue
		}
		if i >= first {
			f |= r.Flags[i] &^ Unsplit
		}
		if last != 0 && r.at[i].Sub(last) > hole {
			f |= Bridged
		}
		last = r.at[i]
	}
	return f
}
