package filter

import (
	"fmt"
	"math"
	"slices"
)

// Median is the running median over an odd number of samples, with zeros beyond
// both ends (scipy.signal.medfilt): within kernel/2 of an end it is pulled
// towards zero.
func Median(x []float64, kernel int) []float64 {
	if kernel < 1 || kernel%2 == 0 {
		panic(fmt.Sprintf("filter: a median over %d samples has no middle", kernel))
	}
	half := kernel / 2
	at := func(i int) float64 {
		if i < 0 || i >= len(x) {
			return 0
		}
		return x[i]
	}
	window := make([]float64, kernel)
	for i := range window {
		window[i] = at(i - half - 1)
	}
	slices.Sort(window)
	out := make([]float64, len(x))
	for i := range out {
		replace(window, at(i-half-1), at(i+half))
		out[i] = window[half]
	}
	return out
}

// replace takes one value out of a sorted window and puts another in.
func replace(window []float64, gone, come float64) {
	i, _ := slices.BinarySearch(window, gone)
	if come >= gone {
		j, _ := slices.BinarySearch(window[i+1:], come)
		copy(window[i:], window[i+1:i+1+j])
		window[i+j] = come
		return
	}
	j, _ := slices.BinarySearch(window[:i], come)
	copy(window[j+1:i+1], window[j:i])
	window[j] = come
}

// SavitzkyGolay fits a polynomial of the given order to every window of an odd
// number of samples and takes its middle; at the ends it evaluates the
// polynomials of the first and the last window (scipy.signal.savgol_filter,
// mode "interp"). A signal shorter than the window is fitted whole.
func SavitzkyGolay(x []float64, window, order int) []float64 {
	if window < 1 || window%2 == 0 || order < 0 || order >= window {
		panic(fmt.Sprintf("filter: no Savitzky-Golay of order %d over %d samples", order, window))
	}
	if len(x) == 0 {
		return nil
	}
	window = min(window, len(x))
	basis := polynomials(window, min(order, window-1))
	fit := func(i int, x []float64) (y float64) { // sample i of the polynomial through x
		for _, q := range basis {
			dot := 0.0
			for j, v := range x {
				dot += q[j] * v
			}
			y += dot * q[i]
		}
		return y
	}
	half := window / 2
	middle := make([]float64, window)
	for _, q := range basis {
		for j := range middle {
			middle[j] += q[half] * q[j]
		}
	}
	n := len(x)
	out := make([]float64, n)
	for i := range out {
		switch {
		case i < half:
			out[i] = fit(i, x[:window])
		case i >= n-(window-1-half):
			out[i] = fit(i-(n-window), x[n-window:])
		default:
			for j, w := range middle {
				out[i] += w * x[i-half+j]
			}
		}
	}
	return out
}

// polynomials are orthonormal on n equidistant samples, of the orders 0..order.
func polynomials(n, order int) [][]float64 {
	var basis [][]float64
	for k := range order + 1 {
		q := make([]float64, n)
		for i := range q {
			if k == 0 {
				q[i] = 1
				continue
			}
			q[i] = basis[k-1][i] * (2*float64(i) - float64(n-1)) / float64(n) // the one before, times the place
		}
		for range 2 { // the second time takes off what rounding left
			for _, b := range basis {
				dot := 0.0
				for i, v := range q {
					dot += v * b[i]
				}
				for i := range q {
					q[i] -= dot * b[i]
				}
			}
		}
		norm := 0.0
		for _, v := range q {
			norm += v * v
		}
		norm = math.Sqrt(norm)
		for i := range q {
			q[i] /= norm
		}
		basis = append(basis, q)
	}
	return basis
}

// BlockMean replaces every k samples by their mean; what is left over at the end
// is dropped.
func BlockMean(x []float64, k int) []float64 {
	if k < 1 {
		panic(fmt.Sprintf("filter: no block of %d samples", k))
	}
	out := make([]float64, len(x)/k)
	for i := range out {
		sum := 0.0
		for _, v := range x[i*k : (i+1)*k] {
			sum += v
		}
		out[i] = sum / float64(k)
	}
	return out
}

// Decimate keeps every k-th sample, from the first.
func Decimate(x []float64, k int) []float64 {
	if k < 1 {
		panic(fmt.Sprintf("filter: no step of %d samples", k))
	}
	out := make([]float64, 0, (len(x)+k-1)/k)
	for i := 0; i < len(x); i += k {
		out = append(out, x[i])
	}
	return out
}
