package eyemovement

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
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
				p := on(g.sample(last), g.sample(i), g.At[k])
				out.X[k], out.Y[k] = p.x, p.y
			}
		}
		last = i
	}
	return out
}

// sample is one place at one time; NaN is missing.
type sample struct {
	at   instant.Instant
	x, y float64
}

func missing(at instant.Instant) sample { return sample{at, math.NaN(), math.NaN()} }

func (p sample) valid() bool { return finite(p.x) && finite(p.y) }

func (g Gaze) sample(i int) sample { return sample{g.At[i], g.X[i], g.Y[i]} }

// on returns the place at a time between a and b, on the straight line.
func on(a, b sample, at instant.Instant) sample {
	w := float64(at.Sub(a.at)) / float64(b.at.Sub(a.at))
	return sample{at, a.x + w*(b.x-a.x), a.y + w*(b.y-a.y)}
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
		v[i] = math.NaN()
		if breaks[a] == breaks[b] && g.Valid(i) {
			v[i] = speedBetween(g.sample(a), g.sample(b), s)
		}
	}
	return v
}

// speedBetween returns the angle between two samples over the time between, in
// deg/s; NaN where one is missing or they are the same.
func speedBetween(a, b sample, s Screen) float64 {
	if a.at == b.at || !a.valid() || !b.valid() {
		return math.NaN()
	}
	return s.Degrees(a.x, a.y, b.x, b.y) / b.at.Sub(a.at).Seconds()
}

// interval returns the time between samples: that of the nominal rate in Hz, or
// measured where rate is 0.
func interval(g Gaze, rate float64) time.Duration {
	if rate > 0 {
		return time.Duration(math.Round(float64(time.Second) / rate))
	}
	return g.Interval()
}
