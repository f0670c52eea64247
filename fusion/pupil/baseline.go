package pupil

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// DefaultBaseline is how long before an event its baseline is taken: half a
	// second, over which the pupil hardly moves by itself. 200 ms are usual too.
	DefaultBaseline = 500 * time.Millisecond
	// leastValid is the share of a baseline that must have been measured.
	leastValid = .6
)

// Baseline returns the median of the cleaned sizes in the time before an event;
// what follows is best given as the difference from it (Mathôt et al. 2018,
// Behavior Research Methods 50:94: subtract, do not divide). before = 0 stands
// for DefaultBaseline. NaN and false when less than 60 % of the time is there,
// or nothing at all.
func Baseline(at []instant.Instant, size []float64, event instant.Instant, before time.Duration) (float64, bool) {
	if before <= 0 {
		before = DefaultBaseline
	}
	from := event.Add(-before)
	var there []float64
	n := 0
	for i, t := range at {
		if t < from || t >= event {
			continue
		}
		n++
		if !math.IsNaN(size[i]) {
			there = append(there, size[i])
		}
	}
	if n == 0 || float64(len(there)) < leastValid*float64(n) {
		return math.NaN(), false
	}
	return middle(there), true
}
