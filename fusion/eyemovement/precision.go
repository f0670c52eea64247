package eyemovement

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Between returns the samples from from on, up to but without until. They share
// memory with g.
func (g Gaze) Between(from, until instant.Instant) Gaze {
	at := g.At[:g.Len()]
	first, _ := slices.BinarySearch(at, from)
	last, _ := slices.BinarySearch(at, max(from, until))
	return Gaze{At: g.At[first:last], X: g.X[first:last], Y: g.Y[first:last]}
}

// RMSS2S is the precision from sample to sample in degrees: the root mean square
// of the angles between neighbouring samples (Holmqvist et al. 2012). NaN where
// no two neighbours are there.
func RMSS2S(g Gaze, s Screen) float64 {
	var sum float64
	n := 0
	for i := 1; i < g.Len(); i++ {
		if g.Valid(i-1) && g.Valid(i) {
			d := s.Degrees(g.X[i-1], g.Y[i-1], g.X[i], g.Y[i])
			sum += d * d
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return math.Sqrt(sum / float64(n))
}

// SD is the precision as a spread, in degrees: the root of the sum of the
// variances of both directions (n-1 in the denominator). NaN of fewer than two
// samples.
func SD(g Gaze, s Screen) float64 {
	sp := spreadOf(g, s)
	return math.Sqrt(sp.xx + sp.yy)
}

// BCEAShare is the share of samples for which the bivariate contour ellipse
// area is usually given.
const BCEAShare = .68

// BCEA is the bivariate contour ellipse area in square degrees: that of the
// ellipse that holds the share of the samples, if they are normally distributed:
// 2kπ·sdx·sdy·√(1-ρ²) with k = -ln(1-share) (Crossland and Rubin 2002). NaN of
// fewer than two samples or a share that is not between 0 and 1.
func BCEA(g Gaze, s Screen, share float64) float64 {
	if !(share > 0 && share < 1) {
		return math.NaN()
	}
	sp := spreadOf(g, s)
	return -2 * math.Log1p(-share) * math.Pi * math.Sqrt(max(0, sp.xx*sp.yy-sp.xy*sp.xy))
}

// spread holds variances and covariance of directions, in square degrees.
type spread struct{ xx, yy, xy float64 }

func spreadOf(g Gaze, s Screen) spread {
	var right, down []float64
	for i := range g.Len() {
		if g.Valid(i) {
			r, d := s.Direction(g.X[i], g.Y[i])
			right, down = append(right, r), append(down, d)
		}
	}
	n := float64(len(right))
	if n < 2 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	mr, md := sum(right)/n, sum(down)/n
	var sp spread
	for i := range right {
		r, d := right[i]-mr, down[i]-md
		sp.xx += r * r / (n - 1)
		sp.yy += d * d / (n - 1)
		sp.xy += r * d / (n - 1)
	}
	return sp
}

// Loss is the share of samples that are missing, of those that a tracker of that
// rate in Hz should have given from the first stamp to the last: both samples
// without a place and rows that are not there. A rate of 0 counts the rows that
// are there. NaN of no samples.
func Loss(g Gaze, rate float64) float64 {
	if g.Len() == 0 {
		return math.NaN()
	}
	there := 0
	for i := range g.Len() {
		if g.Valid(i) {
			there++
		}
	}
	expected := float64(g.Len())
	if rate > 0 {
		lasted := g.At[g.Len()-1].Sub(g.At[0]).Seconds()
		expected = max(expected, math.Round(lasted*rate)+1)
	}
	return 1 - float64(there)/expected
}

// Summary says in numbers what the eyes did: the part of a methods or results
// section. Means and medians are NaN where there is nothing to take them of.
type Summary struct {
	Lasted    time.Duration // from the first sample to the end of the last
	Fixations int
	// FixationS and FixationMedianS are the mean and median duration in seconds,
	// FixationsPerS their number per second of the recording.
	FixationS, FixationMedianS, FixationsPerS float64
	Saccades                                  int
	// SaccadeDeg and PeakDegS are the mean amplitude and the mean peak velocity.
	SaccadeDeg, PeakDegS float64
	Blinks               int
	// Shares of the recording's time.
	FixationShare, SaccadeShare, PursuitShare, BlinkShare, PSOShare float64
	// Missing is the share of samples without a place, or not there at all.
	Missing float64
}

// Summarise counts and measures the events found in g. rate is as in Loss.
func Summarise(g Gaze, events []Event, rate float64) Summary {
	m := Summary{Missing: Loss(g, rate)}
	var fixations, amplitudes, peaks []float64
	var lasted [Blink + 1]float64
	for _, e := range events {
		d := e.Until.Sub(e.From).Seconds()
		if int(e.Class) < len(lasted) {
			lasted[e.Class] += d
		}
		switch e.Class {
		case Fixation:
			m.Fixations++
			fixations = append(fixations, d)
		case Saccade:
			m.Saccades++
			if finite(e.AmplitudeDeg) {
				amplitudes = append(amplitudes, e.AmplitudeDeg)
			}
			if finite(e.PeakDegS) {
				peaks = append(peaks, e.PeakDegS)
			}
		case Blink:
			m.Blinks++
		}
	}
	if n := g.Len(); n > 0 {
		m.Lasted = g.At[n-1].Sub(g.At[0]) + interval(g, rate)
	}
	whole := m.Lasted.Seconds()
	m.FixationS, m.FixationMedianS = mean(fixations), median(fixations)
	m.SaccadeDeg, m.PeakDegS = mean(amplitudes), mean(peaks)
	m.FixationsPerS = ratio(float64(m.Fixations), whole)
	m.FixationShare, m.SaccadeShare = ratio(lasted[Fixation], whole), ratio(lasted[Saccade], whole)
	m.PursuitShare, m.BlinkShare, m.PSOShare = ratio(lasted[Pursuit], whole), ratio(lasted[Blink], whole), ratio(lasted[PSO], whole)
	return m
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

func sum(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s
}

// mean is NaN of nothing.
func mean(x []float64) float64 { return ratio(sum(x), float64(len(x))) }
