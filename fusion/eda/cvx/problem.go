package cvx

import "math"

// order is how many spline bumps touch a sample: the bumps are cubic.
const order = 4

// smooth is the number of unknowns of the level that touch one sample: the bumps
// and the two of the drift.
const smooth = order + 2

// knotted is the row of one sample in the level's matrices: the bumps of the
// knots s-1, s, s+1 and s+2, where s is the sample's segment between knots.
type knotted [order]float64

// problem is the convex problem in the form of a linear system that is driven:
//
//	q[i] = p[i] - a1 q[i-1] - a2 q[i-2],   p[i] >= 0
//	r[i] = q[i] + 2 q[i-1] + q[i-2]
//	minimise sum (r + B l + C d - y)²/2 + alpha sum p + gamma |l|²/2
//
// p is the published driver divided by scale, and alpha the published one times
// scale, so that the recursion begins with 1.
type problem struct {
	y      []float64
	rate   float64
	a1, a2 float64
	scale  float64
	alpha  float64
	gamma  float64
	slope  float64 // of the drift: 1/n

	k     int         // samples between knots
	knots int         // how many knots there are
	rows  [][]knotted // per segment: the bumps at each of its samples
	gram  []square    // per segment: the sum of its rows' outer products, drift included
	first int         // 0, or 2 where the first two rows are empty (Legacy)
}

// square is a symmetric matrix over the level's unknowns of one segment, of which
// the upper triangle is used.
type square [smooth][smooth]float64

func newProblem(y []float64, rate float64, o Options) *problem {
	n, step := len(y), 1/rate
	fast, slow := 1/o.FastS, 1/o.SlowS
	a0 := (fast*step + 2) * (slow*step + 2)
	p := &problem{
		y: y, rate: rate,
		a1:    (2*fast*slow*step*step - 8) / a0,
		a2:    (fast*step - 2) * (slow*step - 2) / a0,
		scale: a0 / ((fast - slow) * step * step),
		gamma: o.Gamma, slope: 1 / float64(n),
		k: max(2, int(math.Round(o.KnotS*rate))),
	}
	p.alpha = o.Alpha * p.scale
	beyond := float64(n)
	if o.Legacy {
		if n > 2 {
			p.first = 2
		}
	} else {
		beyond += float64(p.k) / 2
	}
	p.knots = int(math.Ceil(beyond / float64(p.k)))
	p.splines()
	return p
}

// splines fills rows and gram.
func (p *problem) splines() {
	k := p.k
	bump := bumps(k)
	peak := bump[2*k]
	whole := make([]knotted, k)
	for i := range whole {
		for b := range order {
			whole[i][b] = bump[2*k+i-(b-1)*k] / peak
		}
	}
	n := len(p.y)
	segments := (n + k - 1) / k
	p.rows = make([][]knotted, segments)
	p.gram = make([]square, segments)
	for s := range segments {
		p.rows[s] = p.masked(whole, s)[:min(k, n-s*k)]
		for i, row := range p.rows[s] {
			x := p.level(row, s*k+i)
			for a := range smooth {
				for b := a; b < smooth; b++ {
					p.gram[s][a][b] += x[a] * x[b]
				}
			}
		}
	}
}

// bumps returns the cubic bump of a knot around its peak at 2k, not scaled: two
// triangles convolved, that is four boxes of k samples. It touches 4k-3 samples.
func bumps(k int) []float64 {
	x := make([]float64, 4*k+1)
	x[2] = 1
	for range order {
		sum := 0.0
		boxed := make([]float64, len(x))
		for i := range x {
			sum += x[i]
			if i >= k {
				sum -= x[i-k] // whole numbers below 2^53: exact
			}
			boxed[i] = sum
		}
		x = boxed
	}
	return x
}

// masked returns the rows of segment s without the bumps whose knots do not exist.
func (p *problem) masked(whole []knotted, s int) []knotted {
	if s >= 1 && s+2 < p.knots {
		return whole
	}
	rows := append([]knotted(nil), whole...)
	for b := range order {
		if j := s - 1 + b; j >= 0 && j < p.knots {
			continue
		}
		for i := range rows {
			rows[i][b] = 0
		}
	}
	return rows
}

// level is the whole row of sample i: bumps, constant and linear drift.
func (p *problem) level(row knotted, i int) [smooth]float64 {
	return [smooth]float64{row[0], row[1], row[2], row[3], 1, p.ramp(i)}
}

// ramp is the linear drift at sample i: 1/n to 1.
func (p *problem) ramp(i int) float64 { return float64(i+1) * p.slope }

// unknowns are a candidate solution, or a step towards one.
type unknowns struct {
	s      []float64  // the driver p, scaled
	before [2]float64 // q of the sample before p.first and of the one before that
	l      []float64  // spline coefficients: that of knot j at j+1, zeros where no knot is
	d      [2]float64 // drift
}

func (p *problem) newUnknowns() unknowns {
	return unknowns{s: make([]float64, len(p.y)), l: make([]float64, len(p.rows)+order-1)}
}

// weights are the coefficients that touch segment s.
func (u *unknowns) weights(s int) [smooth]float64 {
	l := u.l[s : s+order]
	return [smooth]float64{l[0], l[1], l[2], l[3], u.d[0], u.d[1]}
}

// parts calls do with the phasic and the tonic part at every sample.
func (p *problem) parts(u unknowns, do func(i int, phasic, tonic float64)) {
	q1, q2 := u.before[0], u.before[1]
	for s, rows := range p.rows {
		w := u.weights(s)
		for o := range rows {
			i, row := s*p.k+o, &rows[o]
			t := row[0]*w[0] + row[1]*w[1] + row[2]*w[2] + row[3]*w[3] + w[4] + p.ramp(i)*w[5]
			if i < p.first {
				do(i, 0, t)
				continue
			}
			q := u.s[i] - p.a1*q1 - p.a2*q2
			do(i, q+2*q1+q2, t)
			q1, q2 = q, q1
		}
	}
}

// valued is a candidate's worth: the objective, and what complementarity leaves
// of its derivative along the candidate itself. The latter is the duality gap,
// dual infeasibility included.
type valued struct{ objective, gap float64 }

// residuals fills e with r + Bl + Cd - y and values the candidate.
func (p *problem) residuals(u unknowns, e []float64) valued {
	var squares, along, drive, spline float64
	p.parts(u, func(i int, phasic, tonic float64) {
		e[i] = phasic + tonic - p.y[i]
		squares += e[i] * e[i]
		along += e[i] * (phasic + tonic)
		drive += u.s[i]
	})
	for _, l := range u.l {
		spline += l * l
	}
	return valued{
		objective: squares/2 + p.alpha*drive + p.gamma*spline/2,
		gap:       math.Abs(along + p.alpha*drive + p.gamma*spline),
	}
}

// result puts the solution back into µS.
func (p *problem) result(s solution, mean, sd float64) Result {
	n := len(p.y)
	r := Result{
		Phasic: make([]float64, n), Tonic: make([]float64, n), Residual: make([]float64, n), Driver: make([]float64, n),
		Mean: mean, SD: sd,
		Objective: s.objective, Gap: s.gap, Iterations: s.iterations, Converged: s.converged,
	}
	p.parts(s.unknowns, func(i int, phasic, tonic float64) {
		r.Phasic[i] = phasic * sd
		r.Tonic[i] = tonic*sd + mean
		r.Residual[i] = (p.y[i] - phasic - tonic) * sd
		r.Driver[i] = s.s[i] * p.scale * sd
	})
	return r
}
