package power

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Moment is a moment of a stimulus at which more people show an expression than else.
// Expressions are sparse: in each second a person shows one with the same small
// probability, which differs between people (lognormally). The test is that of the
// null-corrected peak: the largest share of people who show an expression in the same
// second, against what is left of it when every person's seconds are shifted in a circle
// at random.
type Moment struct {
	Seconds int     // length of the stimulus
	Base    float64 // share of people who show an expression in any second
	More    float64 // share that shows one on top of that, in one second
	Alpha   float64 // level of the test
}

// The bounds and the constants of the simulation of peaks.
const (
	// expressiveness is the standard deviation of the logarithm of how often people show
	// an expression: the upper sixth does so 4 times as often as the lower.
	expressiveness = .7
	peakStudies    = 1000 // of stimuli of up to fullSeconds; of longer ones fewer,
	fewestStudies  = 100  // and at least so many
	fullSeconds    = 600
	peakShifts     = 199
	mostPeakPeople = 150 // that are simulated
)

// studies is how many are simulated: the longer the stimulus, the fewer, so that the
// outlook of a film of an hour takes no longer than that of ten minutes. What that costs is
// in the estimate's error.
func (m Moment) studies() int {
	return max(fewestStudies, min(peakStudies, peakStudies*fullSeconds/m.Seconds))
}

// Power is the share of studies of n people that find the moment.
func (m Moment) Power(n int) Estimate {
	if n < 1 || m.Seconds < 2 || !(m.Base >= 0 && m.Base <= 1) || !(m.More >= 0 && m.More <= 1) || !(m.Alpha > 0) {
		return Estimate{}
	}
	people, studies := min(n, mostPeakPeople), m.studies()
	found := 0
	for k := range studies {
		if m.finds(source(peakSeed, k), people) {
			found++
		}
	}
	e := share(found, studies)
	e.AtLeast = people < n
	return e
}

// finds simulates one study.
func (m Moment) finds(random *rand.Rand, people int) bool {
	shown := m.draw(random, people)
	observed := slices.Max(count(shown, m.Seconds, nil))
	higher := 0 // shifted studies whose peak is as high
	for range peakShifts {
		if slices.Max(count(shown, m.Seconds, random)) >= observed {
			if higher++; tooMany(higher, peakShifts, m.Alpha) {
				return false
			}
		}
	}
	return true
}

// draw returns the seconds at which each person shows an expression.
func (m Moment) draw(random *rand.Rand, people int) [][]int {
	at := random.IntN(m.Seconds)
	shown := make([][]int, people)
	for i := range shown {
		often := m.Base * math.Exp(expressiveness*random.NormFloat64()-expressiveness*expressiveness/2)
		for s := range m.Seconds {
			if random.Float64() < often || s == at && random.Float64() < m.More {
				shown[i] = append(shown[i], s)
			}
		}
	}
	return shown
}

// count tells how many people show an expression in each second, each person shifted in a
// circle by so many seconds as random says; nil shifts nobody.
func count(shown [][]int, seconds int, random *rand.Rand) []int {
	people := make([]int, seconds)
	for _, person := range shown {
		if len(person) == 0 {
			continue
		}
		by := 0
		if random != nil {
			by = random.IntN(seconds)
		}
		for _, s := range person {
			people[(s+by)%seconds]++
		}
	}
	return people
}

// RawPeak is the largest share of n people that show an expression in the same second, on
// average over studies in which nothing happens at any moment: what a peak looks like that
// is none.
func (m Moment) RawPeak(n int) float64 {
	if n < 1 || m.Seconds < 1 {
		return 0
	}
	m.More = 0
	people, studies := min(n, mostPeakPeople), m.studies()
	sum := 0
	for k := range studies {
		sum += slices.Max(count(m.draw(source(peakSeed, k), people), m.Seconds, nil))
	}
	return float64(sum) / float64(studies*people)
}
