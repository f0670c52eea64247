package pupil

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// sift says of every sample of one eye whether it is used: steps 1 to 5.
func sift(at []instant.Instant, size []float64, o Options) Eye {
	e := Eye{Flags: make([]Flag, len(at)), SpeedMedian: math.NaN(), SpeedMAD: math.NaN(), SpeedLimit: math.NaN()}
	for i, v := range size {
		switch {
		case missing(v):
			e.Flags[i] = Missing
		case !o.Arbitrary && (v < o.Low || v > o.High):
			e.Flags[i] = OutOfRange
		}
	}
	e.tooFast(at, size, o.MADs)
	used := e.used()
	e.besideGaps(at, used)
	e.offTrend(at, size, o)
	e.islands(at)
	return e
}

// used are the indices of the samples that are.
func (e Eye) used() []int {
	used := make([]int, 0, len(e.Flags))
	for i, f := range e.Flags {
		if f == 0 {
			used = append(used, i)
		}
	}
	return used
}

// fewest samples of which a median deviation says anything.
const fewest = 10

func (e *Eye) tooFast(at []instant.Instant, size []float64, mads float64) {
	used := e.used()
	if len(used) < fewest {
		return
	}
	speeds := make([]float64, len(used))
	for k := 1; k < len(used); k++ {
		i, j := used[k-1], used[k]
		ms := float64(at[j].Sub(at[i])) / float64(time.Millisecond)
		if ms <= 0 {
			continue
		}
		v := math.Abs(size[j]-size[i]) / ms
		speeds[k-1], speeds[k] = max(speeds[k-1], v), v
	}
	e.SpeedMedian, e.SpeedMAD = spread(speeds)
	e.SpeedLimit = e.SpeedMedian + mads*e.SpeedMAD
	for k, i := range used {
		if speeds[k] > e.SpeedLimit {
			e.Flags[i] = TooFast
		}
	}
}

// besideGaps leaves out the rims of gaps between the used samples.
func (e *Eye) besideGaps(at []instant.Instant, used []int) {
	for k := 1; k < len(used); k++ {
		before, after := used[k-1], used[k]
		if gap := at[after].Sub(at[before]); gap <= padAbove || gap >= padBelow {
			continue
		}
		for j := k - 1; j >= 0 && at[before].Sub(at[used[j]]) <= pad; j-- {
			e.Flags[used[j]] = BesideGap
		}
		for j := k; j < len(used) && at[used[j]].Sub(at[after]) <= pad; j++ {
			e.Flags[used[j]] = BesideGap
		}
	}
}

// offTrend leaves out what lies far from the smoothed signal. Every pass draws
// the trend through what the one before has left, and judges all samples anew.
func (e *Eye) offTrend(at []instant.Instant, size []float64, o Options) {
	all := e.used()
	if len(all) < fewest || o.Passes < 0 {
		return
	}
	rate := usualRate(at, all)
	if trendHz >= .9*rate/2 {
		return // slow trackers have nothing above the trend
	}
	low := filter.Butterworth(filterOrder, trendHz, rate, filter.Low)
	left := all
	far, trend := make([]float64, len(all)), make([]float64, len(at))
	for range o.Passes {
		if len(left) < fewest {
			return
		}
		clear(trend)
		for _, piece := range pieces(at, left) {
			g := newGrid(at, size, piece, rate)
			g.value = filter.ZeroPhase(low, g.value)
			for i := piece[0]; i <= piece[len(piece)-1]; i++ {
				trend[i] = g.read(at[i])
			}
		}
		for k, i := range all {
			far[k] = math.Abs(size[i] - trend[i])
		}
		median, mad := spread(far)
		next := make([]int, 0, len(all))
		for k, i := range all {
			e.Flags[i] = 0
			if far[k] > median+o.MADs*mad {
				e.Flags[i] = OffTrend
				continue
			}
			next = append(next, i)
		}
		if slices.Equal(next, left) {
			return
		}
		left = next
	}
}

// islands leaves out short runs between gaps.
func (e *Eye) islands(at []instant.Instant) {
	used := e.used()
	for from := 0; from < len(used); {
		until := from + 1
		for until < len(used) && at[used[until]].Sub(at[used[until-1]]) <= islandGap {
			until++
		}
		if at[used[until-1]].Sub(at[used[from]]) < islandShort {
			for _, i := range used[from:until] {
				e.Flags[i] = Island
			}
		}
		from = until
	}
}

// usualRate is 1 / the median interval of the samples with these indices, in Hz;
// 0 when there is none. At most maxGridHz.
func usualRate(at []instant.Instant, index []int) float64 {
	steps := make([]float64, 0, len(index))
	for k := 1; k < len(index); k++ {
		if d := at[index[k]].Sub(at[index[k-1]]); d > 0 {
			steps = append(steps, d.Seconds())
		}
	}
	if len(steps) == 0 {
		return 0
	}
	return min(maxGridHz, 1/middle(steps))
}
