package filter

// Peaks returns the indices of the strict local maxima of x. A plateau counts
// once, in its middle (rounded down); the first and the last sample never
// count (scipy.signal.find_peaks).
func Peaks(x []float64) []int { return extrema(x, 1) }

// Troughs returns the indices of the strict local minima of x, by the rules of
// Peaks.
func Troughs(x []float64) []int { return extrema(x, -1) }

func extrema(x []float64, sign float64) []int {
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

// Prominences says how far each peak stands out: its value minus the higher of
// the lowest values on its left and right, each looked for until a higher
// sample or the end (scipy.signal.peak_prominences without a window). The work
// is linear in len(x), also where a falling level lets every walk run to the
// end.
func Prominences(x []float64, peaks []int) []float64 {
	left := lowest(x)
	mirrored := make([]float64, len(x))
	for i, v := range x {
		mirrored[len(x)-1-i] = v
	}
	right := lowest(mirrored)
	out := make([]float64, len(peaks))
	for k, p := range peaks {
		out[k] = x[p] - max(left[p], right[len(x)-1-p])
	}
	return out
}

// lowest gives for each sample the lowest value from it leftward until a higher
// one.
func lowest(x []float64) []float64 {
	type step struct{ height, low float64 }
	var stairs []step // falling heights, each with the lowest value up to it
	out := make([]float64, len(x))
	for i, v := range x {
		low := v
		for n := len(stairs); n > 0 && stairs[n-1].height <= v; n = len(stairs) {
			low = min(low, stairs[n-1].low)
			stairs = stairs[:n-1]
		}
		stairs = append(stairs, step{v, low})
		out[i] = low
	}
	return out
}
