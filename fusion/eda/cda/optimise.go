package cda

import (
	"context"
	"math"
)

const (
	// minTau and maxTau bound the time constants, s.
	minTau, maxTau = 0.01, 20.0
	// optimiseS is how much of a recording the time constants are found on, s: the
	// stretch where the signal moves most.
	optimiseS = 600.0
	// optimiseHz is about the rate at which they are found.
	optimiseHz = 5.0

	// The time constants are searched on a logarithmic grid, s. The criterion is
	// jagged (impulses come and go as a whole), so that whoever walks downhill ends
	// where he began; a grid does not depend on where one begins.
	tau1From, tau1Until = 0.2, 1.6
	tau2From, tau2Until = 1.2, 5.0
	gridStep            = 0.06
	apart               = 0.2 // least difference of the two, s

	// Along a valley, where a faster rise makes up for a slower fall, the criterion
	// hardly changes, nor does it where there is hardly a response. There the usual
	// values decide: each squared e-fold away from them adds this to the criterion.
	usualTau1, usualTau2 = 1.0, 2.0
	pull                 = 0.03
)

// span is a run of samples.
type span struct{ first, last int }

// liveliest is the stretch of n samples in which x moves most, or all of it.
func liveliest(x []float64, n int) span {
	if len(x) <= n {
		return span{0, len(x)}
	}
	sum := 0.0
	for i := 1; i < n; i++ {
		sum += math.Abs(x[i] - x[i-1])
	}
	best, most := 0, sum
	for i := 1; i+n <= len(x); i++ {
		sum += math.Abs(x[i+n-1]-x[i+n-2]) - math.Abs(x[i]-x[i-1])
		if sum > most+1e-12 {
			best, most = i, sum
		}
	}
	return span{best, best + n}
}

// optimise finds the time constants of x.
func (r *Result) optimise(ctx context.Context, x []float64, rate float64) error {
	step := max(1, int(rate/optimiseHz+1e-9))
	thin := make([]float64, 0, len(x)/step+1)
	for i := 0; i < len(x); i += step {
		thin = append(thin, x[i])
	}
	s := newSplitter(thin, rate/float64(step))
	r.Tau1, r.Tau2 = usualTau1, usualTau2
	least := s.split(r.Tau1, r.Tau2).cost()
	for i := 0; ; i++ {
		tau1 := tau1From * math.Exp(gridStep*float64(i))
		if tau1 >= tau1Until {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for j := 0; ; j++ {
			tau2 := tau2From * math.Exp(gridStep*float64(j))
			if tau2 >= tau2Until {
				break
			}
			if tau2-tau1 < apart {
				continue
			}
			away := math.Pow(math.Log(tau1/usualTau1), 2) + math.Pow(math.Log(tau2/usualTau2), 2)
			if cost := s.split(tau1, tau2).cost() + pull*away; cost < least {
				least, r.Tau1, r.Tau2 = cost, tau1, tau2
			}
		}
	}
}
