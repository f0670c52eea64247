package eyemovement

import (
	"math"
	"slices"
	"time"
)

// bridge returns the gaze with straight lines over missing samples where no
// more than maxGap lies between the sample before and the one after.
func bridge(g Gaze, maxGap time.Duration) Gaze {
	out := Gaze{At: g.At, X: slices.Clone(g.X), Y: slices.Clone(g.Y)}
	last := -1 // latest sample that is there
	for i := range g.At {
		if !g.Valid(i) {
			out.X[i], out.Y[i] = math.NaN(), math.NaN()
			continue
		}
		if span := g.At[i].Sub(g.At[max(last, 0)]); last >= 0 && last < i-1 && span <= maxGap {
			for k := last + 1; k < i; k++ {
				out.X[k], out.Y[k] = between(g, last, i, k)
			}
		}
		last = i
	}
	return out
}

// between returns the place at the time of sample k on the straight line from
// sample i to sample j.
func between(g Gaze, i, j, k int) (x, y float64) {
	w := float64(g.At[k].Sub(g.At[i])) / float64(g.At[j].Sub(g.At[i]))
	return g.X[i] + w*(g.X[j]-g.X[i]), g.Y[i] + w*(g.Y[j]-g.Y[i])
}

// breaksOver counts, for each sample, how many steps longer than limit there
// are up to it: samples of different counts have a hole in the stamps between
// them.
func breaksOver(g Gaze, limit time.Duration) []int {
	b := make([]int, g.Len())
	for i := 1; i < len(b); i++ {
		b[i] = b[i-1]
		if g.At[i].Sub(g.At[i-1]) > limit {
			b[i]++
		}
	}
	return b
}

// halfWindow returns how many samples a window of that length has on either
// side of its middle: at least 1.
func halfWindow(window, interval time.Duration) int {
	if interval <= 0 {
		return 1
	}
	return max(1, int(math.RoundToEven(float64(window)/float64(interval)/2)))
}

// windowSpeed returns the angular speed at each sample in deg/s: the angle
// between the samples half before and half after it, over the time between. At
// the ends of the recording the window is cut off. NaN where the sample or an
// end of its window is missing, or a break lies in the window.
func windowSpeed(g Gaze, s Screen, half int, breaks []int) []float64 {
	v := make([]float64, g.Len())
	for i := range v {
		a, b := max(0, i-half), min(len(v)-1, i+half)
		if a == b || breaks[a] != breaks[b] || !g.Valid(i) || !g.Valid(a) || !g.Valid(b) {
			v[i] = math.NaN()
			continue
		}
		v[i] = s.Degrees(g.X[a], g.Y[a], g.X[b], g.Y[b]) / g.At[b].Sub(g.At[a]).Seconds()
	}
	return v
}

// interval returns the time between samples: that of the nominal rate in Hz, or
// measured where rate is 0.
func interval(g Gaze, rate float64) time.Duration {
	if rate > 0 {
		return time.Duration(math.Round(float64(time.Second) / rate))
	}
	return g.Interval()
}
