package facial

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// runningMedian returns, for each instant, the median of the known values (no
// NaN) around it, half of span to each side; NaN where there are none. Instants
// are in order.
func runningMedian(at []instant.Instant, values []float64, span time.Duration) []float64 {
	out := make([]float64, len(at))
	var w window
	next := 0
	for i := range at {
		for ; next < len(at) && at[next] <= at[i].Add(span/2); next++ {
			if v := values[next]; !math.IsNaN(v) {
				w.add(at[next], v)
			}
		}
		w.forget(at[i].Add(-span / 2))
		out[i] = w.median()
	}
	return out
}

// closing fills the dips of values that are narrower than span and leaves all
// else as it is: the largest value around each instant, and then the smallest of
// those (the grey-scale closing of mathematical morphology, Serra 1982).
func closing(at []instant.Instant, values []float64, span time.Duration) []float64 {
	filled := runningMax(at, values, span)
	for i := range filled {
		filled[i] = -filled[i]
	}
	filled = runningMax(at, filled, span)
	for i := range filled {
		filled[i] = -filled[i]
	}
	return filled
}

// runningMax returns, for each instant, the largest of the values around it,
// half of span to each side.
func runningMax(at []instant.Instant, values []float64, span time.Duration) []float64 {
	out := make([]float64, len(at))
	var hopeful []int // places that may still be the largest, their values falling
	next := 0
	for i := range at {
		for ; next < len(at) && at[next] <= at[i].Add(span/2); next++ {
			for len(hopeful) > 0 && values[hopeful[len(hopeful)-1]] <= values[next] {
				hopeful = hopeful[:len(hopeful)-1]
			}
			hopeful = append(hopeful, next)
		}
		// The last one stays: instants that go back, which nobody should give, must
		// not leave nothing.
		for len(hopeful) > 1 && at[hopeful[0]] < at[i].Add(-span/2) {
			hopeful = hopeful[1:]
		}
		out[i] = values[hopeful[0]]
	}
	return out
}

// window is a run of values in time whose median is asked for. The zero value is
// empty.
type window struct {
	at     []instant.Instant
	values []float64 // in order of time
	sorted []float64
}

func (w *window) add(at instant.Instant, v float64) {
	w.at, w.values = append(w.at, at), append(w.values, v)
	i, _ := slices.BinarySearch(w.sorted, v)
	w.sorted = slices.Insert(w.sorted, i, v)
}

// forget drops what is before an instant.
func (w *window) forget(before instant.Instant) {
	n := 0
	for n < len(w.at) && w.at[n] < before {
		i, _ := slices.BinarySearch(w.sorted, w.values[n])
		w.sorted = slices.Delete(w.sorted, i, i+1)
		n++
	}
	if n > 0 { // moved down, so that the arrays do not creep through memory
		w.at = w.at[:copy(w.at, w.at[n:])]
		w.values = w.values[:copy(w.values, w.values[n:])]
	}
}

// median is NaN when there is nothing.
func (w *window) median() float64 {
	n := len(w.sorted)
	if n == 0 {
		return math.NaN()
	}
	return (w.sorted[(n-1)/2] + w.sorted[n/2]) / 2
}
