package gaze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/eyemovement"
)

const (
	// outlierSigmas is how far from the median of its look a sample may lie, in
	// robust standard deviations: of white noise two in a thousand lie further.
	// That spread is measured by medians, as Leys et al. 2013 (Journal of
	// Experimental Social Psychology 49:764) recommend, not by the mean that the
	// outliers have moved already.
	outlierSigmas = 3.5
	// rayleighMedian is the median distance from the centre of a round normal
	// distribution with standard deviation 1 per axis: √(2·ln 2).
	rayleighMedian = 1.1774100225154747
	// quietDeg is never an outlier, however still the rest lies: fixational eye
	// movements are that large (Martinez-Conde et al. 2004).
	quietDeg = .5
	// scatteredDeg is the spread above which a look is no fixation.
	scatteredDeg = 2.5
	// leastFixation and leastSamples are the least that a target's place is
	// measured from: one ordinary fixation.
	leastFixation = 300 * time.Millisecond
	leastSamples  = 6
)

// sifted is what is left of a look.
type sifted struct {
	kept []int // indices of the samples that count, in order
	// counts of what was left out
	settling, missing, outliers int
	expected                    int // samples there should be after settling
	mean                        Point
	sdDeg                       float64
}

// sift drops the samples while the eyes were still on their way, the missing
// ones and the outliers.
func (l Look) sift(s eyemovement.Screen, settle, interval time.Duration) sifted {
	var r sifted
	n := min(len(l.At), len(l.X), len(l.Y))
	looking := l.From.Add(settle)
	valid := make([]int, 0, n)
	for i := range n {
		switch {
		case l.At[i] < looking:
			r.settling++
		case !(Point{l.X[i], l.Y[i]}).known():
			r.missing++
		default:
			valid = append(valid, i)
		}
	}
	r.expected = len(valid) + r.missing
	if interval > 0 && l.Until > looking {
		// a tracker that sends nothing at all while it sees no eye
		r.expected = max(r.expected, int(l.Until.Sub(looking)/interval))
	}
	if len(valid) == 0 {
		return r
	}
	pick := func(from []float64) float64 {
		x := make([]float64, len(valid))
		for k, i := range valid {
			x[k] = from[i]
		}
		return median(x)
	}
	x0, y0 := pick(l.X), pick(l.Y)
	far := make([]float64, len(valid))
	for k, i := range valid {
		far[k] = s.Degrees(x0, y0, l.X[i], l.Y[i])
	}
	cut := max(quietDeg, outlierSigmas*median(slices.Clone(far))/rayleighMedian)
	for k, i := range valid {
		if far[k] > cut {
			r.outliers++
			continue
		}
		r.kept = append(r.kept, i)
		r.mean.X += l.X[i]
		r.mean.Y += l.Y[i]
	}
	count := float64(len(r.kept)) // at least half of them lie within the cut
	r.mean.X /= count
	r.mean.Y /= count
	square := 0.0
	for _, i := range r.kept {
		d := s.Degrees(r.mean.X, r.mean.Y, l.X[i], l.Y[i])
		square += d * d
	}
	r.sdDeg = math.Sqrt(square / count)
	return r
}

// weak says why the look is not enough to measure its target by; "" when it is.
func (r sifted) weak(interval time.Duration) string {
	switch {
	case len(r.kept) == 0 && r.outliers == 0:
		return "no gaze"
	case len(r.kept) < leastSamples || time.Duration(len(r.kept))*interval < leastFixation:
		return fmt.Sprintf("only %d ms of gaze", (time.Duration(len(r.kept)) * interval).Milliseconds())
	case r.sdDeg > scatteredDeg:
		return fmt.Sprintf("gaze scattered by %.1f°", r.sdDeg)
	}
	return ""
}

// interval is the median time between samples of the looks; 0 when there are
// none.
func interval(looks ...Look) time.Duration {
	var steps []float64
	for _, l := range looks {
		for i := 1; i < len(l.At); i++ {
			if d := l.At[i].Sub(l.At[i-1]); d > 0 {
				steps = append(steps, float64(d))
			}
		}
	}
	return time.Duration(median(steps))
}

// median of x, which it sorts; 0 of nothing.
func median(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return 0
	}
	slices.Sort(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
