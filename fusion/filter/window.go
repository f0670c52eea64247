package filter

import "math"

// The windows are the periodic ones of scipy.signal.get_window: n samples of a
// symmetric window of n+1.

// Boxcar is n ones.
func Boxcar(n int) []float64 { return sample(n, func(float64) float64 { return 1 }) }

// Bartlett is a triangle that begins at 0.
func Bartlett(n int) []float64 {
	return sample(n, func(u float64) float64 { return 1 - math.Abs(u) })
}

// Parzen is the piecewise cubic window, the fourfold convolution of a boxcar.
func Parzen(n int) []float64 {
	wide := float64(n+1) / float64(n) // scipy's runs to half a sample beyond the last
	return sample(n, func(u float64) float64 {
		v := math.Abs(u) / wide
		if math.Abs(u) <= .5 {
			return 1 - 6*v*v*(1-v)
		}
		return 2 * (1 - v) * (1 - v) * (1 - v)
	})
}

// Blackman is 0.42 - 0.5 cos + 0.08 cos 2.
func Blackman(n int) []float64 {
	return sample(n, func(u float64) float64 {
		return .42 + .5*math.Cos(math.Pi*u) + .08*math.Cos(2*math.Pi*u)
	})
}

// Gaussian has the standard deviation sd in samples.
func Gaussian(n int, sd float64) []float64 {
	half := float64(n) / 2
	return sample(n, func(u float64) float64 { return math.Exp(-.5 * u * half * u * half / (sd * sd)) })
}

// sample takes f at n places from -1 on, of n+1 that would reach 1.
func sample(n int, f func(u float64) float64) []float64 {
	w := make([]float64, max(0, n))
	if n == 1 {
		w[0] = 1
		return w
	}
	for i := range w {
		w[i] = f(2*float64(i)/float64(n) - 1)
	}
	return w
}

// Smooth convolves x with a window that is scaled to the sum 1, centred, the
// first and the last value repeated beyond the ends (NeuroKit2's and BioSPPy's
// smoothing by a kernel).
func Smooth(x, window []float64) []float64 {
	sum := 0.0
	for _, w := range window {
		sum += w
	}
	n, k := len(x), len(window)
	out := make([]float64, n)
	for i := range out {
		for j, w := range window {
			out[i] += w * x[max(0, min(n-1, i+(k-1)/2-j))]
		}
		out[i] /= sum
	}
	return out
}

// Mean is the running mean over k samples, the first and the last value
// repeated beyond the ends (scipy.ndimage.uniform_filter1d, mode "nearest"). An
// even k reaches one sample further back than forward.
func Mean(x []float64, k int) []float64 {
	if len(x) == 0 || k < 1 {
		return append([]float64(nil), x...)
	}
	n := len(x)
	at := func(i int) float64 { return x[max(0, min(n-1, i))] }
	out := make([]float64, n)
	sum := 0.0
	for j := -(k / 2); j < k-k/2; j++ {
		sum += at(j)
	}
	for i := range out {
		out[i] = sum / float64(k)
		sum += at(i+k-k/2) - at(i-k/2)
	}
	return out
}

// Boxzen is a running mean followed by a Parzen window of the same length
// (BioSPPy's and NeuroKit2's "boxzen").
func Boxzen(x []float64, k int) []float64 { return Smooth(Mean(x, k), Parzen(k)) }
