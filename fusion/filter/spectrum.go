package filter

import "math"

// Welch estimates the power spectral density of x (unit² / Hz) at the
// frequencies k*rateHz/len(window), k = 0..len(window)/2: mean-free segments as
// long as the window, each overlapping the one before by half, one-sided, the
// mean of their periodograms (scipy.signal.welch with detrend "constant"). A
// signal shorter than the window gives nil.
func Welch(x, window []float64, rateHz float64) (hz, density []float64) {
	n := len(window)
	if n < 2 || len(x) < n {
		return nil, nil
	}
	energy := 0.0
	for _, w := range window {
		energy += w * w
	}
	hz, density = make([]float64, n/2+1), make([]float64, n/2+1)
	segments := 0.0
	part := make([]float64, n)
	for from := 0; from+n <= len(x); from += n - n/2 {
		mean := 0.0
		for _, v := range x[from : from+n] {
			mean += v / float64(n)
		}
		for i := range part {
			part[i] = (x[from+i] - mean) * window[i]
		}
		for k := range density {
			re, im := fourier(part, k)
			density[k] += re*re + im*im
		}
		segments++
	}
	for k := range density {
		hz[k] = float64(k) * rateHz / float64(n)
		density[k] /= segments * rateHz * energy
		if k > 0 && 2*k < n {
			density[k] *= 2 // the negative frequencies
		}
	}
	return hz, density
}

// fourier is one coefficient of the discrete Fourier transform. The windows here
// are short, so a fast transform would save nothing worth having.
func fourier(x []float64, k int) (re, im float64) {
	step := 2 * math.Pi * float64(k) / float64(len(x))
	turn, shift := math.Cos(step), math.Sin(step)
	c, s := 1.0, 0.0
	for _, v := range x {
		re += v * c
		im -= v * s
		c, s = c*turn-s*shift, c*shift+s*turn
	}
	return re, im
}

// Trapezoid integrates y over x, which must not decrease, from lowest to highest
// of the points that lie between low and high, both included.
func Trapezoid(x, y []float64, low, high float64) (area float64) {
	for i := 1; i < len(x); i++ {
		if x[i-1] >= low && x[i] <= high {
			area += (x[i] - x[i-1]) * (y[i] + y[i-1]) / 2
		}
	}
	return area
}
