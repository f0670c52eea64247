package eyemovement

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// accumulator gathers what is said of an event, one sample after the other and
// in constant memory, so that live and offline say the same of the same samples.
type accumulator struct {
	screen      Screen
	first, last int
	from, until instant.Instant
	firstX      float64
	firstY      float64
	lastX       float64
	lastY       float64
	n           int // samples that are there
	sumX, sumY  float64
	// Direction in degrees from the first sample, so that the squares stay small
	// and the spread keeps its digits.
	zeroRight, zeroDown       float64
	sumRight, sumDown, sumSqr float64
	speeds                    int
	sumSpeed, peak            float64
}

// begin starts an event at sample i.
func (a *accumulator) begin(i int, at instant.Instant) {
	*a = accumulator{screen: a.screen, first: i, last: i - 1, from: at}
}

// add takes the next sample, at the given speed in deg/s; NaN of place or speed
// is missing.
func (a *accumulator) add(at instant.Instant, x, y, speed float64) {
	a.last++
	a.until = at
	if finite(speed) {
		a.speeds++
		a.sumSpeed += speed
		a.peak = max(a.peak, speed)
	}
	if !finite(x) || !finite(y) {
		return
	}
	right, down := a.screen.Direction(x, y)
	if a.n == 0 {
		a.firstX, a.firstY = x, y
		a.zeroRight, a.zeroDown = right, down
	}
	right -= a.zeroRight
	down -= a.zeroDown
	a.lastX, a.lastY = x, y
	a.n++
	a.sumX += x
	a.sumY += y
	a.sumRight += right
	a.sumDown += down
	a.sumSqr += right*right + down*down
}

// centre returns the mean place; NaN without samples.
func (a *accumulator) centre() (x, y float64) {
	if a.n == 0 {
		return math.NaN(), math.NaN()
	}
	return a.sumX / float64(a.n), a.sumY / float64(a.n)
}

// event closes the event. interval is what its last sample lasted.
func (a *accumulator) event(c Class, interval time.Duration) Event {
	e := Event{
		Class: c, First: a.first, Last: a.last, From: a.from, Until: a.until.Add(interval),
		AmplitudeDeg: math.NaN(), PeakDegS: math.NaN(), MeanDegS: math.NaN(), DispersionDeg: math.NaN(),
	}
	e.X, e.Y = a.centre()
	if a.n > 0 {
		n := float64(a.n)
		e.AmplitudeDeg = a.screen.Degrees(a.firstX, a.firstY, a.lastX, a.lastY)
		e.DispersionDeg = math.Sqrt(max(0, a.sumSqr/n-(a.sumRight*a.sumRight+a.sumDown*a.sumDown)/(n*n)))
	}
	if a.speeds > 0 {
		e.PeakDegS, e.MeanDegS = a.peak, a.sumSpeed/float64(a.speeds)
	}
	return e
}

// describe makes the event of the samples first to last. speed is in deg/s per
// sample; interval is what a sample lasts.
func describe(g Gaze, s Screen, speed []float64, interval time.Duration, c Class, first, last int) Event {
	a := accumulator{screen: s}
	a.begin(first, g.At[first])
	for i := first; i <= last; i++ {
		a.add(g.At[i], g.X[i], g.Y[i], speed[i])
	}
	if last+1 < g.Len() {
		interval = min(interval, g.At[last+1].Sub(g.At[last]))
	}
	return a.event(c, interval)
}

// runs calls f for each uninterrupted stretch of equal labels but Undefined.
// breaks, if not nil, counts the breaks before each sample; a stretch does not
// go over one.
func runs(labels []Class, breaks []int, f func(c Class, first, last int)) {
	for i := 0; i < len(labels); {
		k := i + 1
		for k < len(labels) && labels[k] == labels[i] && (breaks == nil || breaks[k] == breaks[i]) {
			k++
		}
		if labels[i] != Undefined {
			f(labels[i], i, k-1)
		}
		i = k
	}
}
