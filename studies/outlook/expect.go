package outlook

import (
	"math"
	"slices"
	"sync"

	"emolab/studies/power"
	"emolab/studies/study"
)

// Power is what can be expected to be found.
type Power struct {
	Usable     int     `json:"usable"`  // people
	Compare    string  `json:"compare"` // what is compared: "brand", "tag", "stimulus"
	Groups     int     `json:"groups"`  // of it
	Indicators int     `json:"indicators"`
	Tests      int     `json:"tests"` // pairs of groups x indicators
	True       int     `json:"true"`  // of them, in the model
	FDR        float64 `json:"fdr"`
	// Medium and Large are the shares of true differences of 0.5 and 0.8 standard
	// deviations that are found.
	Medium power.Estimate `json:"medium"`
	Large  power.Estimate `json:"large"`
	// For80 is how many usable people it takes to find four fifths of the medium
	// differences; 0 = more than were tried.
	For80 int `json:"for_80"`
	// Shared is the power to find a reaction of the skin that people share, null in a
	// study without skin conductance, and Moment that to find a moment at which more
	// people show an expression, in a clip of ClipS seconds.
	ClipS  float64         `json:"clip_s"`
	Shared *power.Estimate `json:"shared"`
	Moment power.Estimate  `json:"moment"`
	// RawPeak is the largest share of people who show an expression at the same time, in a
	// clip in which nothing happens.
	RawPeak float64 `json:"raw_peak"`
}

// The assumptions of the outlook, which stand with every number.
const (
	trueShare      = 1. / 3 // of all tests
	mediumEffect   = .5
	largeEffect    = .8
	wantedPower    = .8
	sharedVariance = .1  // of skin conductance
	baseRate       = .05 // of people who show an expression in any second
	momentMore     = .15 // on top, at one moment
	level          = .05 // of a single test
)

// tried are the numbers of people among which the one is looked for that is enough.
var tried = []int{10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 100, 120, 150, 200, 250, 300, 400, 500}

// expect tells what so many usable people find; nil where there is nothing to compare.
func expect(s *study.Study, people int) *Power {
	p := compared(s, people)
	if p == nil {
		return nil
	}
	var done sync.WaitGroup
	done.Go(p.compare)
	done.Go(func() { p.single(measuresSkin(s)) })
	done.Wait()
	return p
}

// compared tells what is compared, and by how many usable people; nil where nothing is.
func compared(s *study.Study, people int) *Power {
	p := &Power{Usable: usable(s, people), Compare: s.Analysis.Compare, Groups: groups(s), Indicators: max(1, len(s.Analysis.Primary)), FDR: s.Analysis.FDR}
	if p.Groups < 2 {
		return nil
	}
	p.Tests = p.Groups * (p.Groups - 1) / 2 * p.Indicators
	p.True = max(1, int(math.Round(float64(p.Tests)*trueShare)))
	p.ClipS = clip(s)
	return p
}

// compare tells what the family of comparisons finds.
func (p *Power) compare() {
	family := power.Family{Tests: p.Tests, True: p.True, Effect: mediumEffect, FDR: p.FDR}
	p.Medium = family.Power(p.Usable)
	if k, _ := slices.BinarySearchFunc(tried, wantedPower, func(n int, wanted float64) int {
		if family.Power(n).Power < wanted {
			return -1
		}
		return 1
	}); k < len(tried) {
		p.For80 = tried[k]
	}
	family.Effect = largeEffect
	p.Large = family.Power(p.Usable)
}

// single tells what one clip of a usual length shows.
func (p *Power) single(skin bool) {
	if skin {
		shared := power.Shared{Seconds: p.ClipS, Variance: sharedVariance, Alpha: level}.Power(p.Usable)
		p.Shared = &shared
	}
	moment := power.Moment{Seconds: int(math.Round(p.ClipS)), Base: baseRate, More: momentMore, Alpha: level}
	p.Moment, p.RawPeak = moment.Power(p.Usable), moment.RawPeak(p.Usable)
}

// measuresSkin tells whether a study has to do with skin conductance: it needs it, counts
// on an indicator made of it, or asks for the breath that tries it.
func measuresSkin(s *study.Study) bool {
	return s.Devices.NeedsEDA || slices.Contains(s.Analysis.Primary, "ARO") || breathes(s.Flow)
}

func breathes(parts []study.Part) bool {
	return slices.ContainsFunc(parts, func(p study.Part) bool {
		return p.Action == study.Breath || p.Branch != nil && (breathes(p.Branch.Then) || breathes(p.Branch.Else))
	})
}

// groups counts what is compared among the stimuli that are no fillers.
func groups(s *study.Study) int {
	seen := make(map[string]bool)
	for _, m := range s.Stimuli {
		switch {
		case m.Filler:
		case s.Analysis.Compare == "brand":
			if m.Brand != "" {
				seen[m.Brand] = true
			}
		case s.Analysis.Compare == "tag":
			for _, tag := range m.Tags {
				seen[tag] = true
			}
		default:
			seen[m.ID] = true
		}
	}
	return len(seen)
}

// clip is the mean length of a stimulus that is no filler, in s.
func clip(s *study.Study) float64 {
	sum, n := 0.0, 0
	for _, m := range s.Stimuli {
		if !m.Filler {
			sum += m.Duration.Seconds()
			n++
		}
	}
	return sum / math.Max(1, float64(n))
}
