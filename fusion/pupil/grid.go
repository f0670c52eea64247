package pupil

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// grid is a stretch of signal at a regular rate.
type grid struct {
	from  instant.Instant
	rate  float64 // Hz
	value []float64
}

// newGrid interpolates the samples with the given indices linearly.
func newGrid(at []instant.Instant, x []float64, index []int, rate float64) grid {
	g := grid{from: at[index[0]], rate: rate}
	last := at[index[len(index)-1]]
	g.value = make([]float64, int(last.Sub(g.from).Seconds()*rate+.5)+1)
	k := 0
	for i := range g.value {
		t := g.from.Add(time.Duration(float64(i)/rate*1e9 + .5))
		for k+2 < len(index) && at[index[k+1]] <= t {
			k++
		}
		g.value[i] = between(at, x, index[k], index[min(k+1, len(index)-1)], t)
	}
	return g
}

// between interpolates linearly between samples i and j.
func between(at []instant.Instant, x []float64, i, j int, t instant.Instant) float64 {
	if at[j] <= at[i] {
		return x[i]
	}
	u := max(0, min(1, float64(t-at[i])/float64(at[j]-at[i])))
	return x[i] + u*(x[j]-x[i])
}

// read is the value at an instant within the stretch.
func (g grid) read(t instant.Instant) float64 {
	f := t.Sub(g.from).Seconds() * g.rate
	i := max(0, min(int(f), len(g.value)-2))
	if len(g.value) < 2 {
		return g.value[0]
	}
	u := max(0, min(1, f-float64(i)))
	return g.value[i] + u*(g.value[i+1]-g.value[i])
}

// pieces parts the indices where samples lie further apart than apart.
func pieces(at []instant.Instant, index []int) [][]int {
	var all [][]int
	for from, k := 0, 1; k <= len(index); k++ {
		if k == len(index) || at[index[k]].Sub(at[index[k-1]]) > apart {
			all = append(all, index[from:k])
			from = k
		}
	}
	return all
}

// mean joins the eyes: step 6.
func mean(at []instant.Instant, left, right []float64, leftFlags, rightFlags []Flag) ([]float64, []Origin) {
	size, origin := make([]float64, len(at)), make([]Origin, len(at))
	has := func(flags []Flag, i int) bool { return flags != nil && flags[i] == 0 }
	single := leftFlags == nil || rightFlags == nil
	var both []int
	difference := make([]float64, len(at)) // right less left, where both are there
	for i := range at {
		if has(leftFlags, i) && has(rightFlags, i) {
			both = append(both, i)
			difference[i] = right[i] - left[i]
		}
	}
	k := 0 // both[k] is the last one not after i
	for i := range at {
		l, r := has(leftFlags, i), has(rightFlags, i)
		half := 0.0
		if len(both) > 0 {
			for k+1 < len(both) && both[k+1] <= i {
				k++
			}
			half = between(at, difference, both[k], both[min(k+1, len(both)-1)], at[i]) / 2
		}
		switch {
		case l && r:
			size[i], origin[i] = (left[i]+right[i])/2, BothEyes
		case l:
			size[i], origin[i] = left[i]+half, OneEye
		case r:
			size[i], origin[i] = right[i]-half, OneEye
		default:
			size[i], origin[i] = math.NaN(), Lost
		}
		if single && origin[i] == OneEye {
			origin[i] = BothEyes
		}
	}
	return size, origin
}

const (
	// block is how much is put on the grid at a time: an hour of it would be 30 MB,
	// and what lies a few seconds away plays no part.
	block = time.Minute
	// settled is after how many periods of its cutoff the low-pass has forgotten an
	// end, to rounding: its slowest pole decays with exp(-pi t) in them.
	settled = 10
	// longestMargin bounds that where somebody asks for a cutoff of next to nothing.
	longestMargin = time.Hour
)

// smooth interpolates and smooths size in place: steps 7 and 8.
func smooth(at []instant.Instant, size []float64, origin []Origin, o Options) {
	var index []int
	for i, k := range origin {
		if k != Lost {
			index = append(index, i)
		}
	}
	margin := max(apart, time.Duration(min(settled/o.SmoothHz, longestMargin.Seconds())*float64(time.Second)))
	length := max(block, 10*margin)
	measured := slices.Clone(size)
	for _, piece := range pieces(at, index) {
		first, last := 0, 0 // of the samples within the margins of a block
		for from := 0; from < len(piece); {
			begin := at[piece[from]]
			until := from
			for until < len(piece) && at[piece[until]].Sub(begin) < length {
				until++
			}
			for at[piece[first]] < begin.Add(-margin) {
				first++
			}
			for last < len(piece) && at[piece[last]] <= at[piece[until-1]].Add(margin) {
				last++
			}
			g := newGrid(at, measured, piece[first:last], o.GridHz)
			if o.SmoothHz < .9*o.GridHz/2 {
				g.value = filter.ZeroPhase(filter.Butterworth(filterOrder, o.SmoothHz, o.GridHz, filter.Low), g.value)
			}
			for k := from; k < until; k++ {
				g.fill(at, size, origin, piece, k, o.MaxGap)
			}
			from = until
		}
	}
}

// fill sets sample k of a piece, and those missing before it where the gap is short.
func (g grid) fill(at []instant.Instant, size []float64, origin []Origin, piece []int, k int, maxGap time.Duration) {
	i := piece[k]
	size[i] = g.read(at[i])
	if k == 0 {
		return
	}
	before := piece[k-1]
	if at[i].Sub(at[before]) > maxGap {
		return
	}
	for j := before + 1; j < i; j++ {
		size[j], origin[j] = g.read(at[j]), Interpolated
	}
}
