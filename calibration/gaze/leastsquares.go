package gaze

import "math"

// singular is the least pivot, relative to the length of its column, with which
// a system counts as solvable.
const singular = 1e-9

// leastSquares solves A·c = b for c in the sense of least squares by Householder
// reflections (Golub and Van Loan, Matrix Computations, 5.3). Rows are
// equations; there must be at least as many as unknowns. False when the columns
// of A depend on each other. A and b are overwritten.
func leastSquares(a [][]float64, b []float64) ([]float64, bool) {
	m := len(a)
	if m == 0 || m < len(a[0]) {
		return nil, false
	}
	n := len(a[0])
	length := make([]float64, n)
	for j := range n {
		for i := range m {
			length[j] = math.Hypot(length[j], a[i][j])
		}
	}
	diagonal := make([]float64, n)
	for j := range n {
		norm := 0.0
		for i := j; i < m; i++ {
			norm = math.Hypot(norm, a[i][j])
		}
		if !(norm > singular*length[j]) {
			return nil, false
		}
		if a[j][j] > 0 {
			norm = -norm
		}
		diagonal[j] = norm
		a[j][j] -= norm // the column now holds the reflection's vector
		scale := -norm * a[j][j]
		for k := j + 1; k < n; k++ {
			dot := 0.0
			for i := j; i < m; i++ {
				dot += a[i][j] * a[i][k]
			}
			for i := j; i < m; i++ {
				a[i][k] -= dot / scale * a[i][j]
			}
		}
		dot := 0.0
		for i := j; i < m; i++ {
			dot += a[i][j] * b[i]
		}
		for i := j; i < m; i++ {
			b[i] -= dot / scale * a[i][j]
		}
	}
	c := make([]float64, n)
	for j := n - 1; j >= 0; j-- {
		sum := b[j]
		for k := j + 1; k < n; k++ {
			sum -= a[j][k] * c[k]
		}
		c[j] = sum / diagonal[j]
	}
	return c, true
}
