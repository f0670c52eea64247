package cvx

import (
	"context"
	"math"
)

const (
	// inside is the share of the way to the nearest bound that a step goes.
	inside = 0.995
	// stalled is after how many iterations without a smaller gap rounding is taken
	// to allow no better.
	stalled = 8
)

// solution is where the solver stopped.
type solution struct {
	unknowns
	valued
	iterations int
	converged  bool
}

// solve is Mehrotra's predictor-corrector method for the primal and the dual
// problem at once: s is the driver, bounded by zero, lambda its multiplier. The
// recursion holds exactly at any time, so the primal is always feasible; the dual
// becomes so with the first whole steps.
func (p *problem) solve(ctx context.Context, o Options) (solution, error) {
	n := len(p.y)
	w := newSweep(p)
	u, d := p.newUnknowns(), p.newUnknowns()
	e, lambda, dual := make([]float64, n), make([]float64, n), make([]float64, n)
	weight, slope := make([]float64, n), make([]float64, n)
	if err := p.begin(w, &u, lambda, e, weight, slope, &d); err != nil {
		return solution{}, err
	}
	infeasible := 1.0
	for it := 0; ; it++ {
		if err := ctx.Err(); err != nil {
			return solution{}, err
		}
		v := p.residuals(u, e)
		mu := 0.0
		for i := p.first; i < n; i++ {
			mu += u.s[i] * lambda[i]
		}
		v.gap = max(v.gap, mu)
		if v.gap <= o.Gap*v.objective && infeasible < 1e-9 || it >= o.MaxIterations {
			return solution{u, v, it, it < o.MaxIterations}, nil
		}
		mu /= float64(n - p.first)
		for i := p.first; i < n; i++ {
			weight[i] = lambda[i] / u.s[i]
			slope[i] = p.alpha
		}
		if err := w.factor(weight); err != nil {
			return solution{u, v, it, false}, nil
		}
		w.pull(e)
		w.step(u, e, slope, &d)
		long := 1.0
		for i := p.first; i < n; i++ {
			dual[i] = -lambda[i] - weight[i]*d.s[i]
			long = min(long, reach(u.s[i], d.s[i]), reach(lambda[i], dual[i]))
		}
		after := 0.0
		for i := p.first; i < n; i++ {
			after += (u.s[i] + long*d.s[i]) * (lambda[i] + long*dual[i])
		}
		after /= float64(n - p.first)
		center := math.Pow(after/mu, 3) * mu
		for i := p.first; i < n; i++ {
			slope[i] = p.alpha - (center-d.s[i]*dual[i])/u.s[i]
			dual[i] = (center-d.s[i]*dual[i])/u.s[i] - lambda[i]
		}
		w.step(u, e, slope, &d)
		long = 1 / inside
		for i := p.first; i < n; i++ {
			dual[i] -= weight[i] * d.s[i]
			long = min(long, reach(u.s[i], d.s[i]), reach(lambda[i], dual[i]))
		}
		long *= inside
		infeasible *= 1 - long
		p.advance(&u, &d, long)
		for i := p.first; i < n; i++ {
			lambda[i] += long * dual[i]
		}
	}
}

// reach is how far x can go along d before it is zero.
func reach(x, d float64) float64 {
	if d >= 0 {
		return math.Inf(1)
	}
	return -x / d
}

// advance goes a share of the step.
func (p *problem) advance(u, d *unknowns, share float64) {
	for i := range u.s {
		u.s[i] += share * d.s[i]
	}
	for j := range u.l {
		u.l[j] += share * d.l[j]
	}
	for j := range u.d {
		u.d[j] += share * d.d[j]
		u.before[j] += share * d.before[j]
	}
}

// begin finds the point to begin at.
func (p *problem) begin(w *sweep, u *unknowns, lambda, e, weight, slope []float64, d *unknowns) error {
	p.residuals(*u, e)
	for i := range weight {
		weight[i], slope[i] = 1, p.alpha
	}
	if err := w.factor(weight); err != nil {
		return err
	}
	w.pull(e)
	w.step(*u, e, slope, d)
	largest := 0.0
	for _, v := range d.s[p.first:] {
		largest = max(largest, math.Abs(v))
	}
	p.advance(u, d, 1)
	for i := p.first; i < len(u.s); i++ {
		lambda[i] = 1.5*largest - u.s[i]
		u.s[i] += 1.5 * largest
	}
	return nil
}
