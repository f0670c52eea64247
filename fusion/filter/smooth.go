package filter

import (
	"fmt"
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
