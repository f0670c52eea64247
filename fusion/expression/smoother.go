package expression

import (
	"math"
	"slices"
)

// Smoother smooths probabilities as they come: by the running median of each
// over an odd number of frames, made to add up to 1 again. A median takes out
// single misread frames and leaves the edges of what lasts where they are. Not
// safe for concurrent use.
type Smoother struct {
	reach  int // frames to each side
	recent []Probabilities
}

// NewSmoother returns one over n frames. An even number counts as the next odd
// one, and 1 leaves all as it is.
func NewSmoother(n int) *Smoother { return &Smoother{reach: max(0, n/2)} }

// Delay is how many frames later the smoothed value of a frame is known.
func (s *Smoother) Delay() int { return s.reach }

// Add takes the next frame, NaN without a face, and returns the smoothed value
// of the frame Delay frames before; false while there is none.
func (s *Smoother) Add(p Probabilities) (Probabilities, bool) {
	s.recent = append(s.recent, p)
	if len(s.recent) > 2*s.reach+1 {
		s.recent = s.recent[:copy(s.recent, s.recent[1:])]
	}
	at := len(s.recent) - 1 - s.reach
	if at < 0 {
		return Probabilities{}, false
	}
	return middle(s.recent, at), true
}

// Median smooths a whole recording as a Smoother over n frames does, but without
// delay. At both ends the window is what there is of it.
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
