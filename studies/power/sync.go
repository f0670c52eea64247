package power

import (
	"math"
	"math/rand/v2"
)

// Shared is a reaction that people share: each person's skin conductance is partly the
// same, partly their own. Both are noise of the shape of skin-conductance responses (0.75 s
// to rise, 2 s to decay). The test is the mean correlation of each person with the mean of
// all others, against what is left of it when every person is shifted in a circle at
// random.
type Shared struct {
	Seconds  float64 // length of the stimulus
	Variance float64 // share of each person's variance that is shared, 0..1
	Alpha    float64 // level of the test
}

// The bounds and the constants of the simulation of shared reactions.
const (
	riseS, decayS  = .75, 2.
	sharedRate     = 2. // Hz; skin conductance has next to nothing above 1 Hz
	warmUpS        = 15 // after which nothing is left of the start
	sharedStudies  = 800
	sharedShifts   = 99
	mostShared     = 40 // people that are simulated
	mostSharedTime = 60 // s, likewise
)

// Power is the share of studies of n people that find the reaction.
func (m Shared) Power(n int) Estimate {
	if n < 2 || !(m.Seconds >= 2) || !(m.Variance >= 0 && m.Variance <= 1) || !(m.Alpha > 0) {
		return Estimate{}
	}
	people, seconds := min(n, mostShared), min(m.Seconds, mostSharedTime)
	found := 0
	for k := range sharedStudies {
		random := source(syncSeed, k)
		if m.finds(random, m.draw(random, people, int(seconds*sharedRate))) {
			found++
		}
	}
	e := share(found, sharedStudies)
	e.AtLeast = people < n || seconds < m.Seconds
	return e
}

// draw returns the signals of all people, of mean 0 and of length 1.
func (m Shared) draw(random *rand.Rand, people, samples int) [][]float64 {
	common := reaction(random, samples)
	signals := make([][]float64, people)
	for i := range signals {
		signals[i] = reaction(random, samples)
		for k := range signals[i] {
			signals[i][k] = math.Sqrt(m.Variance)*common[k] + math.Sqrt(1-m.Variance)*signals[i][k]
		}
		standardise(signals[i])
	}
	return signals
}

// reaction draws noise of the shape of skin-conductance responses: white noise through a
// filter whose answer to an impulse is exp(-t/decay) - exp(-t/rise).
func reaction(random *rand.Rand, samples int) []float64 {
	up, down := math.Exp(-1/(riseS*sharedRate)), math.Exp(-1/(decayS*sharedRate))
	x := make([]float64, samples)
	first, second := 0.0, 0.0
	for k := -int(warmUpS * sharedRate); k < samples; k++ {
		first = up*first + random.NormFloat64()
		second = down*second + first
		if k >= 0 {
			x[k] = second
		}
	}
	return x
}

func standardise(x []float64) {
	mean := 0.0
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	length := 0.0
	for k := range x {
		x[k] -= mean
		length += x[k] * x[k]
	}
	for k := range x {
		x[k] /= math.Sqrt(length)
	}
}

// finds tests one study.
func (m Shared) finds(random *rand.Rand, signals [][]float64) bool {
	samples := len(signals[0])
	sum := make([]float64, samples)
	by := make([]int, len(signals))
	observed := synchrony(signals, by, sum)
	higher := 0
	for range sharedShifts {
		for i := range by {
			by[i] = random.IntN(samples)
		}
		if synchrony(signals, by, sum) >= observed {
			if higher++; tooMany(higher, sharedShifts, m.Alpha) {
				return false
			}
		}
	}
	return true
}

// synchrony is the mean correlation of each signal with the sum of all others, the signals
// shifted in a circle by so many samples. They are of mean 0 and of length 1, so that the
// correlation follows from their products with the sum of all.
func synchrony(signals [][]float64, by []int, sum []float64) float64 {
	clear(sum)
	for i, x := range signals {
		head := len(x) - by[i]
		for k, v := range x[:head] {
			sum[by[i]+k] += v
		}
		for k, v := range x[head:] {
			sum[k] += v
		}
	}
	length := 0.0
	for _, v := range sum {
		length += v * v
	}
	mean := 0.0
	for i, x := range signals {
		head := len(x) - by[i]
		product := 0.0
		for k, v := range x[:head] {
			product += v * sum[by[i]+k]
		}
		for k, v := range x[head:] {
			product += v * sum[k]
		}
		mean += (product - 1) / math.Sqrt(max(length-2*product+1, math.SmallestNonzeroFloat64))
	}
	return mean / float64(len(signals))
}
