package eda

import "math"

// section is one second-order section of a digital filter, a0 = 1:
//
//	y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]
type section struct{ b0, b1, b2, a1, a2 float64 }

type band bool

const (
	lowPass  band = false
	highPass band = true
)

// butterworth designs a filter of even order with its -3 dB point at cutoff Hz,
// for a signal of rate Hz: the analogue prototype's conjugate pole pairs, the
// cutoff pre-warped, through the bilinear transform. cutoff must lie below
// rate/2.
func butterworth(order int, cutoff, rate float64, b band) []section {
	k := math.Tan(math.Pi * cutoff / rate)
	sections := make([]section, order/2)
	for i := range sections {
		damping := 2 * math.Sin(float64(2*i+1)*math.Pi/float64(2*order)) // 1/Q of the pair
		norm := 1 + damping*k + k*k
		s := section{a1: 2 * (k*k - 1) / norm, a2: (1 - damping*k + k*k) / norm}
		if b == lowPass {
			s.b0 = k * k / norm
			s.b1 = 2 * s.b0
		} else {
			s.b0 = 1 / norm
			s.b1 = -2 * s.b0
		}
		s.b2 = s.b0
		sections[i] = s
	}
	return sections
}

// padding is how many samples a signal is extended by at both ends before
// zero-phase filtering: three times the taps of the whole filter.
func padding(sections []section) int { return 3 * (2*len(sections) + 1) }

// zeroPhase filters x forward and backward, so that nothing is delayed and the
// attenuation counts twice. The signal is extended at both ends by its own
// mirror image through the end point, and the filter begins in the steady state
// of the first value: the conventions of scipy.signal.sosfiltfilt. x must be
// longer than padding(sections).
func zeroPhase(sections []section, x []float64) []float64 {
	n, pad := len(x), padding(sections)
	y := make([]float64, 0, n+2*pad)
	for k := pad; k > 0; k-- {
		y = append(y, 2*x[0]-x[k])
	}
	y = append(y, x...)
	for k := range pad {
		y = append(y, 2*x[n-1]-x[n-2-k])
	}
	for range 2 {
		pass(sections, y)
		reverse(y)
	}
	return y[pad : pad+n]
}

// pass filters y in place, from the steady state of its first value.
func pass(sections []section, y []float64) {
	steady := y[0]
	for _, s := range sections {
		gain := (s.b0 + s.b1 + s.b2) / (1 + s.a1 + s.a2)
		// State of the transposed direct form II for a constant input.
		z1 := steady * (gain - s.b0)
		z2 := steady * (s.b2 - s.a2*gain)
		for i, x := range y {
			v := s.b0*x + z1
			z1 = s.b1*x - s.a1*v + z2
			z2 = s.b2*x - s.a2*v
			y[i] = v
		}
		steady *= gain
	}
}

func reverse(y []float64) {
	for i, j := 0, len(y)-1; i < j; i, j = i+1, j-1 {
		y[i], y[j] = y[j], y[i]
	}
}

// peaks returns the indices of the local maxima of sign*x. A plateau counts
// once, in its middle (rounded down); the first and the last sample never
// count.
func peaks(x []float64, sign float64) []int {
	var at []int
	for i := 1; i < len(x)-1; i++ {
		if sign*x[i] <= sign*x[i-1] {
			continue
		}
		end := i
		for end+1 < len(x) && x[end+1] == x[i] {
			end++
		}
		if end+1 < len(x) && sign*x[end+1] < sign*x[i] {
			at = append(at, (i+end)/2)
		}
		i = end
	}
	return at
}
