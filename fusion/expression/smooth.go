package expression

import (
	"fmt"
	"math"
	"slices"
)

// Median returns the running median of each probability over n frames (an odd
// number), made to add up to 1 again. Frames without a face (NaN) do not count
// and stay NaN; at both ends the window is what there is.
//
// Looking both ways it has no delay. Live, the same value is known (n-1)/2
// frames later.
func Median(frames []Probabilities, n int) []Probabilities {
	if n < 1 || n%2 == 0 {
		panic(fmt.Sprintf("expression: median over %d frames: must be an odd number", n))
	}
	out := make([]Probabilities, len(frames))
	values := make([]float64, 0, n)
	for i := range frames {
		if math.IsNaN(frames[i][Neutral]) {
			out[i] = frames[i]
			continue
		}
		around := frames[max(0, i-n/2):min(len(frames), i+n/2+1)]
		var sum float64
		for k := range out[i] {
			values = values[:0]
			for _, f := range around {
				if !math.IsNaN(f[k]) {
					values = append(values, f[k])
				}
			}
			slices.Sort(values)
			m := len(values)
			out[i][k] = (values[(m-1)/2] + values[m/2]) / 2
			sum += out[i][k]
		}
		for k := range out[i] {
			out[i][k] /= sum
		}
	}
	return out
}
