package cda

import (
	"math"
	"slices"
)

const (
	// smoothS is the length of the window that smooths the driver: eight standard
	// deviations.
	smoothS = 1.6
	// significantUS is by how much a peak of the driver must exceed the lower of
	// the minima beside it to be an impulse, in µS. Chosen on two recordings;
	// DECISIONS.md tells how much hangs on it.
	significantUS = 0.28
	// levelS is the distance of the tonic driver's knots, and to either side of
	// them its mean is taken, s.
	levelS = 10.0
	// fewSamples between impulses say nothing of the level: the median is taken.
	fewSamples = 3
	// excessUS is by how much the tonic part may exceed the signal, µS: rounding.
	excessUS = 1e-9

	// discreteUS and discreteShare are what the driver must exceed, in µS and as a
	// share of its maximum, to count as active.
	discreteUS, discreteShare = 0.01, 0.05
	// negativityWeight of the criterion (Benedek and Kaernbach 2010).
	negativityWeight = 5.0
)

// splitter splits one signal with different time constants.
type splitter struct {
	x      []float64
	rate   float64
	window []float64
	lead   int // samples that lead in to x
	led    []float64
	raw    []float64 // driver of led

	kernel   bateman
	response []float64 // the kernel's values
	driver   []float64 // smoothed driver of led
	quiet    []bool    // between impulses
	knots    []int
	levels   []float64 // tonic driver at the knots
	slopes   []float64
	level    []float64 // tonic driver
	tonic    []float64
	phasic   []float64
}

func newSplitter(x []float64, rate float64) *splitter {
	flank := leadIn(rate)
	n := len(x)
	s := &splitter{
		x: x, rate: rate, lead: len(flank),
		window: gaussian(max(1, int(math.Round(smoothS*rate))/2), smoothS*rate/8),
		led:    make([]float64, 0, len(flank)+n), raw: make([]float64, 0, len(flank)+n),
		quiet: make([]bool, n), level: make([]float64, n), tonic: make([]float64, n),
	}
	for _, v := range flank {
		s.led = append(s.led, v*x[0])
	}
	s.led = append(s.led, x...)
	step := int(math.Round(levelS * rate))
	for k := 0; k < n-1; k += step {
		s.knots = append(s.knots, k)
	}
	s.knots = append(s.knots, n-1)
	s.levels, s.slopes = make([]float64, len(s.knots)), make([]float64, len(s.knots))
	return s
}

// split finds the phasic driver and the tonic part for a pair of time constants.
func (s *splitter) split(tau1, tau2 float64) *splitter {
	s.kernel = newBateman(tau1, tau2, s.rate)
	s.response = s.kernel.values()
	s.raw = s.kernel.divide(s.led, s.raw[:0])
	s.driver = smooth(s.raw, s.window, s.driver)
	s.findQuiet(s.driver[s.lead:])
	s.measureLevels(s.driver[s.lead:])
	s.interpolate(0, len(s.knots)-1)
	s.lowerLevels()
	s.kernel.convolve(s.response, s.level, s.tonic, 0, len(s.x))
	rest := s.raw[s.lead:]
	for i, v := range s.level {
		rest[i] -= v
	}
	s.phasic = smooth(rest, s.window, s.phasic)
	return s
}

// findQuiet marks the samples that belong to no impulse. An impulse reaches from
// the minimum before its peak to the one after it.
func (s *splitter) findQuiet(d []float64) {
	for i := range s.quiet {
		s.quiet[i] = true
	}
	eachPeak(d, func(before, peak, after int) {
		if d[peak]-min(d[before], d[after]) > significantUS {
			for i := before; i <= after; i++ {
				s.quiet[i] = false
			}
		}
	})
}

// eachPeak calls do for every local maximum with the minima beside it; the ends
// count as minima.
func eachPeak(d []float64, do func(before, peak, after int)) {
	before, peak := 0, -1
	for i := 1; i < len(d)-1; i++ {
		switch {
		case d[i] > d[i-1] && d[i] >= d[i+1]:
			peak = i
		case d[i] < d[i-1] && d[i] <= d[i+1]:
			if peak >= 0 {
				do(before, peak, i)
			}
			before, peak = i, -1
		}
	}
	if peak >= 0 {
		do(before, peak, len(d)-1)
	}
}

// measureLevels sets the tonic driver at the knots to the mean of the quiet
// samples around them, but not above the signal.
func (s *splitter) measureLevels(d []float64) {
	reach := int(math.Round(levelS * s.rate))
	median := math.NaN()
	for k, at := range s.knots {
		first, last := at-reach, at+reach
		switch { // one-sided, and as long, at the ends
		case k == 0:
			first, last = 0, 2*reach
		case k == len(s.knots)-1:
			first, last = at-2*reach, at
		}
		sum, n := 0.0, 0
		for i := max(first, 0); i <= min(last, len(d)-1); i++ {
			if s.quiet[i] {
				sum += d[i]
				n++
			}
		}
		if n >= fewSamples {
			s.levels[k] = sum / float64(n)
		} else {
			if math.IsNaN(median) {
				sorted := slices.Sorted(slices.Values(d))
				median = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
			}
			s.levels[k] = median
		}
		s.levels[k] = min(s.levels[k], s.x[at])
	}
}

// lowerLevels walks back through the knots and lowers both ends of each stretch
// in which the tonic part would exceed the signal.
func (s *splitter) lowerLevels() {
	for k := len(s.knots) - 2; k >= 0; k-- {
		from, until := s.knots[k], s.knots[k+1]+1
		s.kernel.convolve(s.response, s.level, s.tonic, from, until)
		excess := 0.0
		for i := from; i < until; i++ {
			excess = max(excess, s.tonic[i]-s.x[i])
		}
		if excess > excessUS {
			s.levels[k] -= excess
			s.levels[k+1] -= excess
			s.interpolate(k-2, k+3)
		}
	}
}

// interpolate draws the tonic driver between two knots: a cubic that keeps to the
// levels' order (Fritsch and Carlson 1980; PCHIP).
func (s *splitter) interpolate(from, until int) {
	from, until = max(from, 0), min(until, len(s.knots)-1)
	for k := max(from-1, 0); k <= min(until+1, len(s.knots)-1); k++ {
		s.slopes[k] = s.slope(k)
	}
	for k := from; k < until; k++ {
		a, b := s.knots[k], s.knots[k+1]
		h := float64(b - a)
		y0, y1, d0, d1 := s.levels[k], s.levels[k+1], s.slopes[k]*h, s.slopes[k+1]*h
		c2, c3 := 3*(y1-y0)-2*d0-d1, d0+d1-2*(y1-y0)
		for i := a; i < b; i++ {
			u := float64(i-a) / h
			s.level[i] = y0 + u*(d0+u*(c2+u*c3))
		}
	}
	s.level[s.knots[until]] = s.levels[until]
}

// slope is the derivative at knot k, per sample.
func (s *splitter) slope(k int) float64 {
	last := len(s.knots) - 1
	step := func(k int) (h, rise float64) {
		h = float64(s.knots[k+1] - s.knots[k])
		return h, (s.levels[k+1] - s.levels[k]) / h
	}
	switch {
	case last == 1:
		_, rise := step(0)
		return rise
	case k == 0:
		h0, r0 := step(0)
		h1, r1 := step(1)
		return endSlope(h0, h1, r0, r1)
	case k == last:
		h0, r0 := step(last - 1)
		h1, r1 := step(last - 2)
		return endSlope(h0, h1, r0, r1)
	}
	h0, r0 := step(k - 1)
	h1, r1 := step(k)
	if r0*r1 <= 0 {
		return 0
	}
	w0, w1 := 2*h1+h0, h1+2*h0
	return (w0 + w1) / (w0/r0 + w1/r1)
}

// endSlope is the three-point slope at an end, kept in order.
func endSlope(h0, h1, r0, r1 float64) float64 {
	d := ((2*h0+h1)*r0 - h0*r1) / (h0 + h1)
	switch {
	case d*r0 <= 0:
		return 0
	case r0*r1 <= 0 && math.Abs(d) > 3*math.Abs(r0):
		return 3 * r0
	}
	return d
}

// fit is how well the time constants fit: discreteness in s, negativity in µS.
func (s *splitter) fit() (discreteness, negativity float64) {
	most := 0.0
	for _, v := range s.phasic {
		most = max(most, v)
		if v < 0 {
			negativity += v * v
		}
	}
	n := float64(len(s.phasic))
	active := max(discreteUS, discreteShare*most)
	run := 0.0
	for _, v := range s.phasic {
		if math.Abs(v) > active {
			run++
			continue
		}
		discreteness += run * run
		run = 0
	}
	discreteness += run * run
	return discreteness / (s.rate * n), math.Sqrt(negativity / n)
}

// cost is the criterion.
func (s *splitter) cost() float64 {
	discreteness, negativity := s.fit()
	return discreteness + negativityWeight*negativity
}

// responses are those to the impulses of the phasic driver. AtS counts from its
// first value.
func (s *splitter) responses(threshold float64) (found []Response) {
	d := s.phasic
	eachPeak(d, func(before, peak, after int) {
		// The response to this impulse alone. It has passed its peak where it falls
		// after the impulse.
		var y1, y2, most float64
		for i := before; ; i++ {
			in := 0.0
			if i <= after {
				in = d[i]
			}
			y := s.kernel.a1*y1 - s.kernel.a2*y2 + s.kernel.first*in
			if i > after && !(y > y1) {
				break
			}
			most = max(most, y)
			y1, y2 = y, y1
		}
		if most >= threshold {
			found = append(found, Response{AtS: float64(peak) / s.rate, AmplitudeUS: most})
		}
	})
	return found
}
