package cvx

import (
	"context"
	"math"
)

const (
	// inside is the share of the way to the nearest bound that a step goes.
	inside = 0.995
	// usualDriver is the size of a driver, in standard deviations of the signal a
	// second, that the solver begins with.
	usualDriver = 0.3
	// leastObjective is, for each sample, the objective below which the gap is judged
	// as if it were this: the gap itself is only computed to 1e-16 a sample.
	leastObjective = 1e-6
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
	e, lambda, target := make([]float64, n), make([]float64, n), make([]float64, n)
	weight, slope, inverse := make([]float64, n), make([]float64, n), make([]float64, n)
	if err := p.begin(w, &u, lambda, e, weight, slope, &d); err != nil {
		return solution{}, err
	}
	infeasible := 1.0 // share of the dual infeasibility that is left
	least, since := math.Inf(1), 0
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
		now := solution{u, v, it, v.gap <= o.Gap*max(v.objective, leastObjective*float64(n)) && infeasible <= o.Gap}
		if since++; v.gap < least || infeasible > o.Gap {
			least, since = v.gap, 0
		}
		if now.converged || it == o.MaxIterations || since == stalled {
			return now, nil
		}
		count := float64(n - p.first)
		mu /= count
		for i := p.first; i < n; i++ {
			inverse[i] = 1 / u.s[i]
			weight[i] = lambda[i] * inverse[i]
			slope[i] = p.alpha
		}
		if err := w.factor(weight); err != nil {
			return now, nil // rounding allows no better
		}
		w.pull(e)

		// The predictor aims at zero complementarity: its multipliers go from lambda
		// to -weight ds.
		w.step(u, e, slope, &d)
		nearest := 1.0 // the largest share of a value that a whole step takes away
		for i := p.first; i < n; i++ {
			share := -d.s[i] * inverse[i]
			nearest = max(nearest, share, 1-share)
		}
		long, after := 1/nearest, 0.0
		for i := p.first; i < n; i++ {
			after += (u.s[i] + long*d.s[i]) * (lambda[i] - long*(lambda[i]+weight[i]*d.s[i]))
		}
		after /= count
		centre := after * after / mu * after / mu

		// The corrector aims at the centre and minds the predictor's second order.
		for i := p.first; i < n; i++ {
			target[i] = (centre + d.s[i]*(lambda[i]+weight[i]*d.s[i])) * inverse[i]
			slope[i] = p.alpha - target[i]
		}
		w.step(u, e, slope, &d)
		nearest = inside
		for i := p.first; i < n; i++ {
			target[i] -= lambda[i] + weight[i]*d.s[i] // the multiplier's step
			nearest = max(nearest, -d.s[i]*inverse[i], -target[i]/lambda[i])
		}
		long = inside / nearest
		if !(long > 0) {
			return now, nil
		}
		infeasible *= 1 - long
		p.advance(&u, &d, long)
		for i := p.first; i < n; i++ {
			lambda[i] += long * target[i]
		}
	}
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

// begin finds the point to begin at: the level and the driver that explain the
// signal best where a driver of either sign is weighed as a positive one of usual
// size would be, moved away from the bounds.
func (p *problem) begin(w *sweep, u *unknowns, lambda, e, weight, slope []float64, d *unknowns) error {
	usual := usualDriver / p.scale
	p.residuals(*u, e)
	for i := range weight {
		weight[i], slope[i] = p.alpha/usual, p.alpha
	}
	if err := w.factor(weight); err != nil {
		return err
	}
	w.pull(e)
	w.step(*u, e, slope, d)
	p.advance(u, d, 1)
	for i := p.first; i < len(u.s); i++ {
		v := u.s[i]
		u.s[i] = max(v, 0) + usual
		lambda[i] = p.alpha
	}
	return nil
}
