package study

import (
	"math/rand/v2"
	"slices"
)

// Plan returns what the participant in the given row meets. It is a function of
// the study's seed and the row alone: the same study gives the same row the
// same order on every machine and in every version of this program.
func (s *Study) Plan(row int) Plan {
	p := Plan{Row: row}
	if s.FaceVideo == AskFirst {
		p.Steps = append(p.Steps, Step{Action: Consent, Scope: FaceVideoScope})
	}
	p.add(s.Before)
	for trial, k := range s.order(row) {
		for _, t := range s.Block.Trial {
			step := Step{Index: len(p.Steps), Action: t.Action, Duration: t.Duration, Stimulus: s.Stimuli[k].ID}
			if t.Action == Play {
				step.Duration = s.Stimuli[k].Duration
				step.Presentation = trial + 1 // one play step a trial
			}
			p.Steps = append(p.Steps, step)
		}
	}
	p.add(s.After)
	return p
}

// add appends steps that belong to no trial.
func (p *Plan) add(actions []Action) {
	for _, a := range actions {
		p.Steps = append(p.Steps, Step{Index: len(p.Steps), Action: a})
	}
}

// order returns the positions of the stimuli in the row's sequence.
//
// Random orders are a Fisher-Yates shuffle drawn from PCG-DXSM. The shuffle is
// written out, because the standard library fixes the generator's output but
// not what its Shuffle makes of it.
func (s *Study) order(row int) []int {
	order := make([]int, len(s.Stimuli))
	for i := range order {
		order[i] = i
	}
	if s.Block.Order != Random {
		return order
	}
	pcg := rand.NewPCG(s.Seed, uint64(row))
	for i := len(order) - 1; i > 0; i-- {
		j := below(pcg, uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// below draws a whole number in [0, n) without bias: values beyond the largest
// multiple of n are drawn again.
func below(pcg *rand.PCG, n uint64) uint64 {
	limit := ^uint64(0) - ^uint64(0)%n
	for {
		if v := pcg.Uint64(); v < limit {
			return v % n
		}
	}
}

// Rows is how many orders have to be filled evenly: the rows of a Latin or Williams
// square, or of several the least number that has them all. 0 where every row is an
// order of its own.
func (s *Study) Rows() int { return 0 }

// Sheet returns the sheet with an id.
func (s *Study) Sheet(id string) (Sheet, bool) {
	i := slices.IndexFunc(s.Sheets, func(v Sheet) bool { return v.ID == id })
	if i < 0 {
		return Sheet{}, false
	}
	return s.Sheets[i], true
}

// Except lists, in order, the steps of a plan that are passed over on the way to the
// sheets that are named, and only to them.
func (p Plan) Except(sheets ...string) []int {
	var skip []int
	for _, step := range p.Steps {
		if !slices.Contains(sheets, step.Sheet) || step.Sheet == "" {
			skip = append(skip, step.Index)
		}
	}
	return skip
}

// Recorded is the index of the plan's Begin step, from which on the session is
// recorded; -1 for a plan that has none, which is recorded from its first step.
func (p Plan) Recorded() int {
	return slices.IndexFunc(p.Steps, func(v Step) bool { return v.Action == Begin })
}
