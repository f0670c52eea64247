package eda

import "math"

// RangeCorrected is (x - least) / (greatest - least) of one person's levels
// (Lykken and Venables 1971), 0..1. It needs a session that reaches both ends.
// NaN stays NaN, and all are NaN where nothing varies.
func RangeCorrected(x []float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	return each(x, func(v float64) float64 { return ratio(v-low, high-low) })
}

// MaxCorrected is x / greatest of one person's amplitudes, 0..1 (Lykken and
// Venables 1971). NaN stays NaN, and all are NaN where none is above 0.
func MaxCorrected(x []float64) []float64 {
	high := 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			high = max(high, v)
		}
	}
	return each(x, func(v float64) float64 { return ratio(v, high) })
}

// Baseline is the mean and standard deviation of one person's rest.
type Baseline struct{ Mean, SD float64 }

// NewBaseline measures the values that are there; both are NaN without any.
func NewBaseline(x []float64) Baseline {
	var n, sum float64
	for _, v := range x {
		if !math.IsNaN(v) {
			n, sum = n+1, sum+v
		}
	}
	b := Baseline{Mean: sum / n}
	square := 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			square += (v - b.Mean) * (v - b.Mean)
		}
	}
	b.SD = math.Sqrt(square / n)
	return b
}

// Z is (x - mean) / sd; with the baseline of all of x it is the z-score within
// the person. NaN where the baseline does not vary.
func (b Baseline) Z(x []float64) []float64 {
	return each(x, func(v float64) float64 { return ratio(v-b.Mean, b.SD) })
}

// Percent is 100 (x - mean) / mean. NaN where the mean is 0.
func (b Baseline) Percent(x []float64) []float64 {
	return each(x, func(v float64) float64 { return 100 * ratio(v-b.Mean, b.Mean) })
}

func each(x []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = f(v)
	}
	return out
}

// ratio is NaN rather than infinite.
func ratio(a, b float64) float64 {
	if b == 0 || math.IsInf(b, 0) {
		return math.NaN()
	}
	return a / b
}
