package eda

import (
	"math"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// grid is a piece at a regular rate.
type grid struct {
	from instant.Instant
	rate float64 // Hz
	us   []float64
}

// newGrid interpolates the samples with the given indices linearly.
func newGrid(at []instant.Instant, us []float64, index []int, rate float64) grid {
	g := grid{from: at[index[0]], rate: rate}
	last := index[len(index)-1]
	seconds := at[last].Sub(g.from).Seconds()
	if seconds > 0 {
		g.rate = min(rate, maxStretch*float64(len(index))/seconds)
	}
	n := int(math.Round(seconds*g.rate)) + 1
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

func (g grid) seconds() float64 { return float64(len(g.us)-1) / g.rate }

// value reads a signal on the grid at any instant within it.
func (g grid) value(x []float64, at instant.Instant) float64 {
	if len(x) < 2 {
		return x[0]
	}
	f := at.Sub(g.from).Seconds() * g.rate
	i := max(0, min(int(f), len(x)-2))
	u := max(0, min(1, f-float64(i)))
	if u == 0 { // nothing of a neighbour that may be missing
		return x[i]
	}
	return x[i] + u*(x[i+1]-x[i])
}

// nearest is the index of the point next to an instant.
func (g grid) nearest(at instant.Instant) int {
	return max(0, min(len(g.us)-1, int(math.Round(at.Sub(g.from).Seconds()*g.rate))))
}

// blocks is the grid of the means of k points each, at their middles.
func (g grid) blocks(k int) grid {
	return grid{
		from: g.from + instant.Instant(math.Round(float64(k-1)/2/g.rate*1e9)),
		rate: g.rate / float64(k),
		us:   filter.BlockMean(g.us, k),
	}
}

// smooth is the signal in which responses are sought, nil where the rate is too
// low to hold it.
func (g grid) smooth() []float64 {
	if responseHz >= nyquistShare*g.rate/2 || len(g.us) < 3 {
		return nil
	}
	return filter.ZeroPhase(filter.Butterworth(responseOrder, responseHz, g.rate, filter.Low), g.us)
}

// whole leaves off the points at both ends where x is missing.
func (g grid) whole(x []float64) (grid, []float64) {
	first, last := 0, len(x)
	for first < last && math.IsNaN(x[first]) {
		first++
	}
	for last > first && math.IsNaN(x[last-1]) {
		last--
	}
	return grid{from: g.at(first), rate: g.rate, us: g.us[first:last]}, x[first:last]
}
