package headpose

import "math"

// solve3 solves m x = y for a symmetric m by Cramer's rule; false when m is
// singular.
func solve3(m [3]vector, y vector) (vector, bool) {
	c01, c12, c20 := m[0].cross(m[1]), m[1].cross(m[2]), m[2].cross(m[0])
	det := m[0].dot(c12)
	size := m[0][0] + m[1][1] + m[2][2]
	if !(math.Abs(det) > 1e-9*size*size*size) {
		return vector{}, false
	}
	return c12.times(y[0]).plus(c20.times(y[1])).plus(c01.times(y[2])).times(1 / det), true
}

// unknowns is how many numbers a pose has.
const unknowns = 6

// step solves (a + lambda diag(a)) x = y by Cholesky's decomposition; only the
// lower triangle of a is read. False when that matrix is not positive definite.
func step(a *[unknowns][unknowns]float64, lambda float64, y *[unknowns]float64) (x [unknowns]float64, ok bool) {
	var l [unknowns][unknowns]float64
	for i := range unknowns {
		for j := range i + 1 {
			s := a[i][j]
			if i == j {
				s *= 1 + lambda
			}
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = s / l[j][j]
				continue
			}
			if !(s > 0) {
				return x, false
			}
			l[i][i] = math.Sqrt(s)
		}
	}
	for i := range unknowns {
		s := y[i]
		for k := range i {
			s -= l[i][k] * x[k]
		}
		x[i] = s / l[i][i]
	}
	for i := unknowns - 1; i >= 0; i-- {
		s := x[i]
		for k := i + 1; k < unknowns; k++ {
			s -= l[k][i] * x[k]
		}
		x[i] = s / l[i][i]
	}
	return x, true
}
