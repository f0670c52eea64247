package expression

import (
	"math"
	"slices"
)

// Median smooths a whole recording: by the running median of each probability
// over n frames, made to add up to 1 again. An even n counts as the next odd one,
// and 1 leaves all as it is. A median takes out single misread frames and leaves
// the edges of what lasts where they are.
//
// The window lies around its frame, so that nothing is late; live, the same value
// would be known n/2 frames later. At both ends it is what there is of it.
func Median(frames []Probabilities, n int) []Probabilities {
	reach := max(0, n/2)
	out := make([]Probabilities, len(frames))
	for i := range frames {
		from := max(0, i-reach)
		out[i] = middle(frames[from:min(len(frames), i+reach+1)], i-from)
	}
	return out
}

// middle returns the median of each probability over the frames, made to add up
// to 1. Frames without a face do not count; where frame at is one, so is the
// result.
func middle(frames []Probabilities, at int) (p Probabilities) {
	if math.IsNaN(frames[at][Neutral]) || len(frames) == 1 {
		return frames[at]
	}
	var room [9]float64 // enough for the usual windows
	values := room[:0]
	var sum float64
	for k := range p {
		values = values[:0]
		for _, f := range frames {
			if !math.IsNaN(f[k]) {
				values = append(values, f[k])
			}
		}
		slices.Sort(values)
		n := len(values)
		p[k] = (values[(n-1)/2] + values[n/2]) / 2
		sum += p[k]
	}
	if sum == 0 { // seven expressions took turns, frame by frame
		return frames[at]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}
