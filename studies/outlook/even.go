package outlook

import (
	"cmp"

	"emolab/studies/study"
	"emolab/studies/study/order"
)

// Even tells how even the orders of one block are over all people. Fillers do not count.
type Even struct {
	Block   string `json:"block"`
	Method  string `json:"method"`
	Stimuli int    `json:"stimuli"`
	// PlaceLeast and PlaceMost are how often a stimulus stands at one and the same place:
	// the place at which it stands least often, and most, over all stimuli.
	PlaceLeast int `json:"place_least"`
	PlaceMost  int `json:"place_most"`
	// AfterLeast and AfterMost are how often one stimulus comes straight after a certain
	// other one, likewise.
	AfterLeast int `json:"after_least"`
	AfterMost  int `json:"after_most"`
	// SameBrand is the share of neighbours that are of one brand; 0 without brands.
	SameBrand float64 `json:"same_brand"`
}

// even counts places and neighbours block by block.
func even(s *study.Study, people []Person) []Even {
	brand := make(map[string]string)
	for _, m := range s.Stimuli {
		brand[m.ID] = m.Brand
	}
	var all []Even
	for _, block := range s.Blocks() {
		e := Even{Block: block.Name, Method: cmp.Or(block.Method, order.Fixed)}
		c := newCounts()
		for _, p := range people {
			place, last := 0, -1
			for _, shown := range p.Shown {
				switch {
				case shown.Block != block.Name:
				case shown.Filler:
					last = -1
				default:
					k := c.number(shown.Stimulus)
					c.add(c.place, k, place)
					if last >= 0 && last != k {
						c.add(c.after, last, k)
						c.neighbours++
						if b := brand[shown.Stimulus]; b != "" && b == brand[c.ids[last]] {
							c.sameBrand++
						}
					}
					place, last = place+1, k
				}
			}
			c.places = max(c.places, place)
		}
		e.Stimuli = len(c.ids)
		e.PlaceLeast, e.PlaceMost = c.extremes(c.place, c.places, false)
		e.AfterLeast, e.AfterMost = c.extremes(c.after, len(c.ids), true)
		if c.neighbours > 0 {
			e.SameBrand = float64(c.sameBrand) / float64(c.neighbours)
		}
		all = append(all, e)
	}
	return all
}

// counts are those of one block, by the numbers of its stimuli in order of appearance.
type counts struct {
	ids                           []string
	numbers                       map[string]int
	place, after                  map[[2]int]int
	places, neighbours, sameBrand int
}

func newCounts() *counts {
	return &counts{numbers: make(map[string]int), place: make(map[[2]int]int), after: make(map[[2]int]int)}
}

func (c *counts) number(id string) int {
	k, known := c.numbers[id]
	if !known {
		k = len(c.ids)
		c.numbers[id] = k
		c.ids = append(c.ids, id)
	}
	return k
}

func (c *counts) add(to map[[2]int]int, a, b int) { to[[2]int{a, b}]++ }

// extremes are the least and the most of the counts of all stimuli against so many others,
// those of a stimulus with itself left out if unlike is true.
func (c *counts) extremes(of map[[2]int]int, others int, unlike bool) (least, most int) {
	first := true
	for a := range len(c.ids) {
		for b := range others {
			if unlike && a == b {
				continue
			}
			n := of[[2]int{a, b}]
			if first || n < least {
				least = n
			}
			most, first = max(most, n), false
		}
	}
	return least, most
}
