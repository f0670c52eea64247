package aoi

import (
	"math"
	"slices"
	"time"
)

// Group is how several people looked at one area. Each person counts once.
type Group struct {
	Name   string
	People int
	Seen   int // people with a look at the area
	// ToFirst is the mean time to the first look of those who saw it, and its
	// median; negative if nobody did.
	ToFirst, ToFirstMedian time.Duration
	// Means over all people, who did not see it with 0.
	Looks, Fixations, Visits float64
	Looked, Fixated, Dwell   time.Duration
	LookedShare              float64
}

// SeenShare is the share of people who saw the area; NaN of nobody.
func (g Group) SeenShare() float64 {
	if g.People == 0 {
		return math.NaN()
	}
	return float64(g.Seen) / float64(g.People)
}

// Join joins the reports of several people on the same set, area by area.
// Reports with another number of areas are left out.
func Join(reports []Report) []Group {
	if len(reports) == 0 {
		return nil
	}
	out := make([]Group, len(reports[0].Areas))
	for i := range out {
		g := &out[i]
		g.Name = reports[0].Areas[i].Name
		g.ToFirst, g.ToFirstMedian = -1, -1
		var first []time.Duration
		var looked, fixated, dwell time.Duration
		for _, r := range reports {
			if len(r.Areas) != len(out) {
				continue
			}
			m := r.Areas[i]
			g.People++
			g.Looks += float64(m.Looks)
			g.Fixations += float64(m.Fixations)
			g.Visits += float64(m.Visits)
			g.LookedShare += m.LookedShare
			looked += m.Looked
			fixated += m.Fixated
			dwell += m.Dwell
			if m.Seen {
				first = append(first, m.ToFirst)
			}
		}
		n := float64(g.People)
		g.Looks, g.Fixations, g.Visits, g.LookedShare = g.Looks/n, g.Fixations/n, g.Visits/n, g.LookedShare/n
		people := time.Duration(g.People)
		g.Looked, g.Fixated, g.Dwell = looked/people, fixated/people, dwell/people
		if g.Seen = len(first); g.Seen > 0 {
			g.ToFirst, g.ToFirstMedian = middle(first)
		}
	}
	return out
}

// middle returns mean and median; it sorts.
func middle(d []time.Duration) (mean, median time.Duration) {
	slices.Sort(d)
	for _, x := range d {
		mean += x
	}
	return mean / time.Duration(len(d)), (d[(len(d)-1)/2] + d[len(d)/2]) / 2
}
