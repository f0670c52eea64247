package cvx

import (
	"errors"
	"math"
)

// errSingular is returned where rounding has eaten a pivot.
var errSingular = errors.New("cvx: the system of a step cannot be solved in double precision")

// A step of the solver minimises
//
//	sum (dr + X dw + e)²/2 + weight dp²/2 + slope dp  +  gamma |l + dl|²/2
//
// over the recursion of problem: a linear-quadratic control problem, in which dp
// is the control and the two last q, with the coefficients of the level, are the
// state. It is solved by dynamic programming from the last sample to the first
// (factor, descend), and rolled out from the first to the last (roll). A spline
// coefficient is part of the state only while its bump touches the samples: so
// the state never has more than two q and six of the level, and the work is
// proportional to the number of samples.
//
// Unlike the normal equations in q, this neither squares the condition of the
// recursion nor subtracts large weights from each other: weights go to infinity
// where the driver is zero, and to zero where it is not.

// gain is how the best dp of one sample depends on the state: inverse curvature,
// and the dependence on q[i-1], q[i-2] and the level, divided by the curvature.
type gain struct {
	inverse, q1, q2 float64
	w               [smooth]float64
}

// retirement is the same for a spline coefficient, which leaves the state where
// its bump ends: the dependence on the two q and on the other unknowns.
type retirement struct {
	inverse, q1, q2 float64
	w               [smooth - 1]float64 // the three bumps before it, and the drift
}

// sweep holds the factors of a step and the storage of its sweeps.
type sweep struct {
	p       *problem
	gains   []gain
	retired []retirement // per segment s: the coefficient of its last bump, knot s+2
	last    [ends][ends]float64

	rho   []float64         // per sample: the best dp at state zero, negated
	rhoL  []float64         // per segment: the same for its retired coefficient
	pulls [][smooth]float64 // per segment: X' e
}

func newSweep(p *problem) *sweep {
	return &sweep{
		p: p, gains: make([]gain, len(p.y)), retired: make([]retirement, len(p.rows)),
		rho: make([]float64, len(p.y)), rhoL: make([]float64, len(p.rows)), pulls: make([][smooth]float64, len(p.rows)),
	}
}

// curvature is that of the best cost from a sample to the end, as a function of
// the state before it.
type curvature struct {
	q00, q01, q11 float64         // in q[i-1], q[i-2]
	q0, q1        [smooth]float64 // between each of them and the level
	w             square          // in the level
}

// factor sweeps the curvature from the last sample to the first. weight is that
// of each dp.
func (w *sweep) factor(weight []float64) error {
	p := w.p
	var c curvature
	for b := range order {
		c.w[b][b] = p.gamma
	}
	for s := len(p.rows) - 1; s >= 0; s-- {
		for a := range smooth {
			for b := a; b < smooth; b++ {
				c.w[a][b] += p.gram[s][a][b]
			}
		}
		if err := w.segment(s, &c, weight); err != nil {
			return err
		}
		if s > 0 {
			if err := w.retire(s, &c); err != nil {
				return err
			}
		}
	}
	w.close(&c)
	return nil
}

// segment takes the curvature over the samples of segment s.
func (w *sweep) segment(s int, c *curvature, weight []float64) error {
	p := w.p
	a1, a2 := p.a1, p.a2
	rows := p.rows[s]
	for o := len(rows) - 1; o >= 0; o-- {
		i := s*p.k + o
		if i < p.first {
			break
		}
		row, g := &rows[o], &w.gains[i]
		h0, h1 := c.q00+1, c.q01+2
		c1, c2 := h1-a1*h0, 1-a2*h0
		curve := h0 + weight[i]
		if !(curve > 0) || math.IsInf(curve, 0) {
			return errSingular
		}
		inverse := 1 / curve
		k1, k2 := inverse*c1, inverse*c2
		g.inverse, g.q1, g.q2 = inverse, k1, k2
		c.q00 = c.q11 + 4 - a1*(h1+c1) - k1*c1
		c.q01 = 2 - a2*h1 - a1*c2 - k1*c2
		c.q11 = 1 - a2*(1+c2) - k2*c2
		x := [smooth]float64{row[0], row[1], row[2], row[3], 1, p.ramp(i)}
		var h [smooth]float64
		for a := range smooth {
			h[a] = c.q0[a] + x[a]
			c.q0[a] = c.q1[a] + 2*x[a] - (a1+k1)*h[a]
			c.q1[a] = x[a] - (a2+k2)*h[a]
		}
		for a := range smooth {
			g.w[a] = inverse * h[a]
		}
		c.w.subtract(&g.w, &h)
	}
	return nil
}

// subtract takes the upper triangle of k h' away. It is written out because it is
// where most of the time goes.
func (m *square) subtract(k, h *[smooth]float64) {
	h0, h1, h2, h3, h4, h5 := h[0], h[1], h[2], h[3], h[4], h[5]
	k0, k1, k2, k3, k4, k5 := k[0], k[1], k[2], k[3], k[4], k[5]
	m[0][0] -= k0 * h0
	m[0][1] -= k0 * h1
	m[0][2] -= k0 * h2
	m[0][3] -= k0 * h3
	m[0][4] -= k0 * h4
	m[0][5] -= k0 * h5
	m[1][1] -= k1 * h1
	m[1][2] -= k1 * h2
	m[1][3] -= k1 * h3
	m[1][4] -= k1 * h4
	m[1][5] -= k1 * h5
	m[2][2] -= k2 * h2
	m[2][3] -= k2 * h3
	m[2][4] -= k2 * h4
	m[2][5] -= k2 * h5
	m[3][3] -= k3 * h3
	m[3][4] -= k3 * h4
	m[3][5] -= k3 * h5
	m[4][4] -= k4 * h4
	m[4][5] -= k4 * h5
	m[5][5] -= k5 * h5
}

// stays is where the a-th unknown that outlives the last bump of a segment
// stands; in the segment before it, it stands at a+1.
func stays(a int) int {
	if a < order-1 {
		return a
	}
	return a + 1
}

// retire takes the last bump of segment s, which does not reach below it, out of
// the curvature, and the bump that begins below it in.
func (w *sweep) retire(s int, c *curvature) error {
	const gone = order - 1
	if !(c.w[gone][gone] > 0) {
		return errSingular
	}
	r := &w.retired[s]
	r.inverse = 1 / c.w[gone][gone]
	r.q1, r.q2 = c.q0[gone]*r.inverse, c.q1[gone]*r.inverse
	next := curvature{
		q00: c.q00 - c.q0[gone]*r.q1,
		q01: c.q01 - c.q0[gone]*r.q2,
		q11: c.q11 - c.q1[gone]*r.q2,
	}
	next.w[0][0] = w.p.gamma
	var with [smooth - 1]float64
	for a := range with {
		from := stays(a)
		with[a] = c.w[min(from, gone)][max(from, gone)]
		r.w[a] = with[a] * r.inverse
		next.q0[a+1] = c.q0[from] - c.q0[gone]*r.w[a]
		next.q1[a+1] = c.q1[from] - c.q1[gone]*r.w[a]
	}
	for a := range with {
		for b := a; b < len(with); b++ {
			next.w[a+1][b+1] = c.w[stays(a)][stays(b)] - with[a]*r.w[b]
		}
	}
	*c = next
	return nil
}

// ends is the number of unknowns that are left at the first sample: two q, which
// are zero unless the problem is Legacy, and the level.
const ends = 2 + smooth

// undetermined is the least share of an unknown's curvature that the unknowns
// before it leave: less is rounding, where few samples do not determine all. It
// shortens steps; the minimum that they lead to stays where it is.
const undetermined = 1e-14

// close factors what is left (Cholesky).
func (w *sweep) close(c *curvature) {
	m := &w.last
	for a := range smooth {
		m[2+a][0], m[2+a][1] = c.q0[a], c.q1[a]
		for b := range a + 1 {
			m[2+a][2+b] = c.w[b][a]
		}
	}
	m[0][0], m[1][0], m[1][1] = c.q00, c.q01, c.q11
	if w.p.first == 0 {
		for a := range ends {
			m[a][0], m[a][1] = 0, 0
		}
		m[0][0], m[1][1] = 1, 1
	}
	for a := range ends {
		for b := range a + 1 {
			sum := m[a][b]
			for k := range b {
				sum -= m[a][k] * m[b][k]
			}
			switch {
			case a != b:
				m[a][b] = sum / m[b][b]
			case m[a][a] > 0:
				m[a][a] = math.Sqrt(max(sum, undetermined*m[a][a]))
			default:
				m[a][a] = math.Inf(1) // nothing depends on it: it stays where it is
			}
		}
	}
}

// pull sums up X' e for each segment; e is that of all sweeps that follow.
func (w *sweep) pull(e []float64) {
	p := w.p
	for s, rows := range p.rows {
		var sum [smooth]float64
		for o := range rows {
			i, row := s*p.k+o, &rows[o]
			sum[0] += row[0] * e[i]
			sum[1] += row[1] * e[i]
			sum[2] += row[2] * e[i]
			sum[3] += row[3] * e[i]
			sum[4] += e[i]
			sum[5] += p.ramp(i) * e[i]
		}
		w.pulls[s] = sum
	}
}

// step finds the best step from u for the factors at hand and puts it into d.
func (w *sweep) step(u unknowns, e, slope []float64, d *unknowns) {
	g := w.descend(u, e, slope)
	w.solveEnd(&g)
	w.roll(&g, d)
}

// descend sweeps the slopes from the last sample to the first and returns those
// of the unknowns that are left.
func (w *sweep) descend(u unknowns, e, slope []float64) (g [ends]float64) {
	p := w.p
	a1, a2 := p.a1, p.a2
	var g0, g1 float64
	var gw [smooth]float64
	final := len(p.rows) - 1
	for b := range order {
		gw[b] = p.gamma * u.l[final+b]
	}
	for s := final; s >= 0; s-- {
		for a := range smooth {
			gw[a] += w.pulls[s][a]
		}
		for i := s*p.k + len(p.rows[s]) - 1; i >= max(p.first, s*p.k); i-- {
			k := &w.gains[i]
			m := g0 + e[i]
			rho := slope[i] + m
			w.rho[i] = rho * k.inverse
			g0, g1 = g1+2*e[i]-a1*m-rho*k.q1, e[i]-a2*m-rho*k.q2
			gw[0] -= rho * k.w[0]
			gw[1] -= rho * k.w[1]
			gw[2] -= rho * k.w[2]
			gw[3] -= rho * k.w[3]
			gw[4] -= rho * k.w[4]
			gw[5] -= rho * k.w[5]
		}
		if s == 0 {
			break
		}
		r := &w.retired[s]
		rho := gw[order-1]
		w.rhoL[s] = rho * r.inverse
		g0 -= rho * r.q1
		g1 -= rho * r.q2
		next := [smooth]float64{p.gamma * u.l[s-1]}
		for a := range r.w {
			next[a+1] = gw[stays(a)] - rho*r.w[a]
		}
		gw = next
	}
	if p.first > 0 {
		g[0], g[1] = g0, g1
	}
	copy(g[2:], gw[:])
	return g
}

// solveEnd turns the slopes of the unknowns that are left into their best values.
func (w *sweep) solveEnd(g *[ends]float64) {
	m := &w.last
	for a := range ends {
		for b := range a {
			g[a] -= m[a][b] * g[b]
		}
		g[a] /= m[a][a]
	}
	for a := ends - 1; a >= 0; a-- {
		for b := a + 1; b < ends; b++ {
			g[a] -= m[b][a] * g[b]
		}
		g[a] /= m[a][a]
	}
	for a := range g {
		g[a] = -g[a]
	}
}

// roll rolls the step out from the first sample to the last.
func (w *sweep) roll(start *[ends]float64, d *unknowns) {
	p := w.p
	q1, q2 := start[0], start[1]
	d.before = [2]float64{q1, q2}
	d.d = [2]float64{start[2+order], start[3+order]}
	l := [smooth]float64(start[2:])
	copy(d.l, l[:order])
	for s, rows := range p.rows {
		if s > 0 {
			r := &w.retired[s]
			enter := w.rhoL[s] + r.q1*q1 + r.q2*q2
			for a := range r.w {
				enter += r.w[a] * l[a+1]
			}
			copy(l[:], l[1:order])
			l[order-1] = -enter
			d.l[s+order-1] = -enter
		}
		l0, l1, l2, l3, l4, l5 := l[0], l[1], l[2], l[3], l[4], l[5]
		for i := max(p.first, s*p.k); i < s*p.k+len(rows); i++ {
			k := &w.gains[i]
			level := w.rho[i] + k.w[0]*l0 + k.w[1]*l1 + k.w[2]*l2 + k.w[3]*l3 + k.w[4]*l4 + k.w[5]*l5
			dp := -level - k.q1*q1 - k.q2*q2
			d.s[i] = dp
			q1, q2 = dp-p.a1*q1-p.a2*q2, q1
		}
	}
}
