package filter

import "math"

// Blackman is the periodic window of scipy.signal.get_window: n samples of a
// symmetric one of n+1, 0.42 - 0.5 cos + 0.08 cos 2.
func Blackman(n int) []float64 {
	w := make([]float64, max(0, n))
	if n == 1 {
		w[0] = 1
		return w
	}
	for i := range w {
		u := math.Pi * (2*float64(i)/float64(n) - 1)
		w[i] = .42 + .5*math.Cos(u) + .08*math.Cos(2*u)
	}
	return w
}
