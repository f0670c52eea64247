// Package power tells before the first participant how likely a study is to find what it
// looks for. Each answer is the share of studies of n usable people that would find an
// effect which is truly there.
//
// The models behind the numbers are simple, and stated with each function. They say which
// of two plans is better, and whether a plan is hopeless; they promise nothing.
package power

import (
	"math"
	"math/rand/v2"
)

// Estimate is a power, and how far off the simulation behind it may be.
type Estimate struct {
	Power float64 `json:"power"` // 0..1
	// Error is half the width of the 95 % interval of Power; 0 where nothing was simulated.
	Error float64 `json:"error"`
	// AtLeast says that so many people were not simulated, but fewer, for whom Power holds.
	AtLeast bool `json:"at_least"`
}

// normal95 is the quantile of the normal distribution that has 2.5 % above it.
const normal95 = 1.96

// share is the estimate from so many successes in simulated studies. The interval is
// Wilson's, which is not of length 0 where all studies were successes.
func share(successes, studies int) Estimate {
	n, z2 := float64(studies), normal95*normal95
	p := float64(successes) / n
	half := normal95 * math.Sqrt(p*(1-p)/n+z2/(4*n*n)) / (1 + z2/n)
	return Estimate{Power: p, Error: half}
}

// source returns the random numbers of one simulated study: the same in every run of the
// program, whatever was simulated before.
func source(simulation, study int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(simulation), uint64(study)))
}

// The simulations, by the seed of their random numbers.
const (
	pairedSeed = iota + 1
	peakSeed
	syncSeed
)

// tooMany tells whether a permutation test can no longer be significant: so many permuted
// studies were as far out as the observed one that p = (1 + higher) / (1 + permutations) is
// above alpha.
func tooMany(higher, permutations int, alpha float64) bool {
	return float64(1+higher) > alpha*float64(1+permutations)
}
