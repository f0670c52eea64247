// Package filter is the numerics under the signals: filters, windows, medians,
// peaks and spectra, in the conventions of scipy.signal, so that a number can
// be checked against what the rest of the field computes with.
//
// Everything here works on a regularly sampled piece without gaps: NaN is the
// caller's to cut out. Nothing here keeps state, and no input is changed.
package filter

import (
	"fmt"
	"math"
)

// Section is one second-order section of a digital filter, a0 = 1:
//
//	y[n] = B0 x[n] + B1 x[n-1] + B2 x[n-2] - A1 y[n-1] - A2 y[n-2]
//
// A section of first order has B2 = A2 = 0.
type Section struct{ B0, B1, B2, A1, A2 float64 }

// Band is the side of the cutoff that a filter lets pass.
type Band bool

const (
	Low  Band = false
	High Band = true
)

// Butterworth designs a filter of the given order with its -3 dB point at
// cutoffHz, for a signal of rateHz: the analogue prototype's poles, the cutoff
// pre-warped, through the bilinear transform. It has one section for each
// conjugate pair of poles and, where the order is odd, a first one for the real
// pole. It panics where order < 1 or cutoffHz is not between 0 and rateHz/2.
func Butterworth(order int, cutoffHz, rateHz float64, band Band) []Section {
	if order < 1 || !(cutoffHz > 0 && cutoffHz < rateHz/2) || math.IsInf(rateHz, 0) {
		panic(fmt.Sprintf("filter: no Butterworth of order %d at %v Hz for a signal of %v Hz", order, cutoffHz, rateHz))
	}
	k := math.Tan(math.Pi * cutoffHz / rateHz)
	sections := make([]Section, 0, (order+1)/2)
	if order%2 == 1 {
		s := Section{A1: (k - 1) / (k + 1)}
		if band == Low {
			s.B0 = k / (k + 1)
			s.B1 = s.B0
		} else {
			s.B0 = 1 / (k + 1)
			s.B1 = -s.B0
		}
		sections = append(sections, s)
	}
	for i := range order / 2 {
		damping := 2 * math.Sin(float64(2*i+1)*math.Pi/float64(2*order)) // 1/Q of the pair
		norm := 1 + damping*k + k*k
		s := Section{A1: 2 * (k*k - 1) / norm, A2: (1 - damping*k + k*k) / norm}
		if band == Low {
			s.B0 = k * k / norm
			s.B1 = 2 * s.B0
		} else {
			s.B0 = 1 / norm
			s.B1 = -2 * s.B0
		}
		s.B2 = s.B0
		sections = append(sections, s)
	}
	return sections
}

// Padding is how many samples ZeroPhase extends a signal by at both ends: three
// times the taps of the whole filter.
func Padding(sections []Section) int {
	taps, noB, noA := 2*len(sections)+1, 0, 0
	for _, s := range sections {
		if s.B2 == 0 {
			noB++
		}
		if s.A2 == 0 {
			noA++
		}
	}
	return 3 * (taps - min(noB, noA))
}

// ZeroPhase filters x forward and backward, so that nothing is delayed and the
// attenuation counts twice. The signal is extended at both ends by its own
// mirror image through the end point, and the filter begins in the steady state
// of the first value: the conventions of scipy.signal.sosfiltfilt. A signal no
// longer than Padding is extended by as much as it has, which scipy refuses.
func ZeroPhase(sections []Section, x []float64) []float64 {
	n := len(x)
	if n == 0 {
		return nil
	}
	pad := min(Padding(sections), n-1)
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
func pass(sections []Section, y []float64) {
	steady := y[0]
	for _, s := range sections {
		gain := (s.B0 + s.B1 + s.B2) / (1 + s.A1 + s.A2)
		// State of the transposed direct form II for a constant input.
		z1 := steady * (gain - s.B0)
		z2 := steady * (s.B2 - s.A2*gain)
		for i, x := range y {
			v := s.B0*x + z1
			z1 = s.B1*x - s.A1*v + z2
			z2 = s.B2*x - s.A2*v
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
