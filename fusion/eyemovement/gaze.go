// Package eyemovement sorts samples of gaze into fixations, saccades,
// post-saccadic oscillations, smooth pursuit and blinks, and gives the measures
// that are made of them.
//
// All of it is pure functions of samples, screen and parameters. The published
// algorithms are here under their own names with the parameters of their
// publications (IVT, IDT, EngbertKliegl); Classify is the default. Live gives
// fixations while the recording runs, with a stated delay.
package eyemovement

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Gaze is a recording of where somebody looked. At is strictly rising; X and Y
// are fractions of the screen, 0..1 from the upper left corner, and may lie
// outside; NaN in either is a missing sample. All have the same length.
type Gaze struct {
	At   []instant.Instant
	X, Y []float64
}

// Len returns the number of samples that have all three values.
func (g Gaze) Len() int { return min(len(g.At), len(g.X), len(g.Y)) }

// Valid tells whether sample i is there and finite.
func (g Gaze) Valid(i int) bool { return finite(g.X[i]) && finite(g.Y[i]) }

// Check returns an error when the three slices differ in length or the stamps
// do not rise. The functions of this package do not panic on such a recording,
// but find nothing in it.
func (g Gaze) Check() error {
	if len(g.X) != len(g.At) || len(g.Y) != len(g.At) {
		return fmt.Errorf("eyemovement: %d stamps, %d x and %d y: give one of each per sample", len(g.At), len(g.X), len(g.Y))
	}
	for i := 1; i < len(g.At); i++ {
		if g.At[i] <= g.At[i-1] {
			return fmt.Errorf("eyemovement: the stamp of sample %d is not after that of sample %d: sort the samples by time and drop doubles", i, i-1)
		}
	}
	return nil
}

// Interval returns the median time between samples; 0 of fewer than two.
func (g Gaze) Interval() time.Duration {
	if len(g.At) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(g.At)-1)
	for i := range steps {
		steps[i] = g.At[i+1].Sub(g.At[i])
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// Average returns the mean of both eyes where both are there, the one where the
// other is missing. The eyes have the same stamps.
func Average(left, right Gaze) Gaze {
	n := min(left.Len(), right.Len())
	g := Gaze{At: left.At[:n], X: make([]float64, n), Y: make([]float64, n)}
	for i := range n {
		switch l, r := left.Valid(i), right.Valid(i); {
		case l && r:
			g.X[i], g.Y[i] = (left.X[i]+right.X[i])/2, (left.Y[i]+right.Y[i])/2
		case l:
			g.X[i], g.Y[i] = left.X[i], left.Y[i]
		case r:
			g.X[i], g.Y[i] = right.X[i], right.Y[i]
		default:
			g.X[i], g.Y[i] = math.NaN(), math.NaN()
		}
	}
	return g
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
