package power

import (
	"math"
	"math/rand/v2"
)

// paired is the power of one paired t test of n people, two-sided at the level alpha, for
// a difference of d standard deviations of the differences. It is exact to 1e-6.
func paired(n int, d, alpha float64) float64 {
	if n < 2 || !(alpha > 0) {
		return 0
	}
	if alpha >= 1 {
		return 1
	}
	return beyond(critical(alpha, n-1), n-1, math.Abs(d)*math.Sqrt(float64(n)))
}

// Family is a family of paired tests under one false discovery rate (Benjamini and
// Hochberg 1995). Tests are independent in the model. In truth tests of one study share
// their people, which changes the average little.
type Family struct {
	Tests  int     // pairs that are compared x indicators
	True   int     // tests in which there is a difference
	Effect float64 // of these: difference in standard deviations of the differences
	FDR    float64 // 0..1
}

// Bounds of the simulation of a family.
const (
	maxSimulatedTests = 200_000 // altogether
	maxFamilies       = 5000
	minFamilies       = 5
	mostTests         = maxSimulatedTests / minFamilies
)

// Power is the share of the true differences that n people find. Of a single test it is
// exact; else it is simulated. A family of more than 40,000 tests is simulated with as
// many, and as large a share of true ones.
func (f Family) Power(n int) Estimate {
	if f.Tests < 1 || f.True < 1 || f.True > f.Tests || n < 2 || !(f.FDR > 0 && f.FDR < 1) || math.IsNaN(f.Effect) {
		return Estimate{}
	}
	if f.Tests == 1 {
		return Estimate{Power: paired(n, f.Effect, f.FDR)}
	}
	return f.simulate(n)
}

func (f Family) simulate(n int) Estimate {
	if f.Tests > mostTests {
		f.True = max(1, int(float64(f.True)/float64(f.Tests)*mostTests))
		f.Tests = mostTests
	}
	s := families{Family: f, df: n - 1, shift: math.Abs(f.Effect) * math.Sqrt(float64(n)),
		critical: make(map[int]float64), t: make([]float64, f.Tests)}
	count := min(max(maxSimulatedTests/f.Tests, minFamilies), maxFamilies)
	sum, squares := 0.0, 0.0
	for k := range count {
		found := float64(s.found(source(pairedSeed, k))) / float64(f.True)
		sum += found
		squares += found * found
	}
	mean := sum / float64(count)
	variance := max(0, squares/float64(count)-mean*mean)
	return Estimate{Power: mean, Error: normal95 * math.Sqrt(variance/float64(count))}
}

// families simulates families of tests.
type families struct {
	Family
	df       int
	shift    float64         // of the t statistic of a true difference
	critical map[int]float64 // |t| from which the k-th smallest p is small enough, by k
	t        []float64       // |t|, the true ones first
}

// found draws a family and counts the true differences that it finds.
func (s *families) found(random *rand.Rand) int {
	for i := range s.t {
		z := random.NormFloat64()
		if i < s.True {
			z += s.shift
		}
		s.t[i] = math.Abs(z) / math.Sqrt(chiSquared(random, float64(s.df))/float64(s.df))
	}
	// The largest k with at least k tests beyond its critical value: from all tests down,
	// since no more can be found than are beyond a value that is too low.
	for k := s.Tests; k > 0; {
		c := s.criticalOf(k)
		inTruth, all := 0, 0
		for i, t := range s.t {
			if t >= c {
				if all++; i < s.True {
					inTruth++
				}
			}
		}
		if all >= k {
			return inTruth
		}
		k = all
	}
	return 0
}

func (s *families) criticalOf(k int) float64 {
	c, ok := s.critical[k]
	if !ok {
		c = critical(s.FDR*float64(k)/float64(s.Tests), s.df)
		s.critical[k] = c
	}
	return c
}

// chiSquared draws from the chi-squared distribution.
//
// Source: G. Marsaglia and W. W. Tsang, A simple method for generating gamma variables,
// ACM Transactions on Mathematical Software 26 (2000).
func chiSquared(random *rand.Rand, df float64) float64 {
	shape := df / 2
	boost := 1.0
	if shape < 1 { // one degree of freedom
		boost = math.Pow(1-random.Float64(), 1/shape)
		shape++
	}
	d := shape - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return 2 * d * v * boost
		}
	}
}

// criticalPrecision is how close the logarithm of a tail has to come to what is looked for.
const criticalPrecision = 1e-11

// critical is the |t| that is exceeded by chance with probability alpha, 0 < alpha < 1: a
// false position on the logarithm of the tail, which is smooth and falls, with the Illinois
// rule for the end that stays.
func critical(alpha float64, df int) float64 {
	off := func(c float64) float64 { return math.Log(beyond(c, df, 0) / alpha) }
	low, high := 0.0, 2.0
	atLow, atHigh := -math.Log(alpha), off(2)
	for atHigh > 0 && high < math.MaxFloat32 {
		low, atLow = high, atHigh
		high *= 2
		atHigh = off(high)
	}
	for stayed := 0; ; {
		c := low + (high-low)*atLow/(atLow-atHigh)
		at := off(c)
		switch {
		case math.Abs(at) < criticalPrecision, !(low < c && c < high):
			return c
		case at > 0:
			if low, atLow = c, at; stayed == 1 {
				atHigh /= 2
			}
			stayed = 1
		default:
			if high, atHigh = c, at; stayed == -1 {
				atLow /= 2
			}
			stayed = -1
		}
	}
}

// Bounds of the integral below. What is left out of it is below 1e-15.
const (
	integralSteps = 500
	negligible    = 40. // minus the logarithm of a density that does not matter
)

// beyond is the probability that |t| is above c, t being Student's with df degrees of
// freedom, shifted by delta: the integral, over the logarithm u of the estimated standard
// deviation, of what the normal distribution has beyond c times that deviation. The
// trapezoids of a smooth function that vanishes at both ends are exact enough.
func beyond(c float64, df int, delta float64) float64 {
	nu := float64(df)
	logGamma, _ := math.Lgamma(nu / 2)
	constant := math.Ln2 + nu/2*math.Log(nu/2) - logGamma
	low := -(negligible/nu + math.Sqrt(negligible/nu))
	high := min(math.Sqrt(negligible/nu), math.Log(2*negligible/nu+3)/2)
	step := (high - low) / integralSteps
	sum := 0.0
	for k := range integralSteps + 1 {
		u := low + float64(k)*step
		s := math.Exp(u)
		density := math.Exp(constant + nu*u - nu*s*s/2)
		sum += density * (math.Erfc((c*s-delta)/math.Sqrt2) + math.Erfc((c*s+delta)/math.Sqrt2)) / 2
	}
	return sum * step
}
