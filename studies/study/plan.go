package study

import (
	"fmt"
	"slices"
	"time"

	"emolab/studies/study/order"
)

// Plan is what one participant will meet, in order.
type Plan struct {
	Row   int    `json:"row"` // which order: the participant's number, from 0
	Steps []Step `json:"steps"`
}

// Step is one step of a plan.
type Step struct {
	Index    int           `json:"index"` // 0-based position in the plan
	Action   Action        `json:"action"`
	Duration time.Duration `json:"duration_ns"`        // 0 where the participant sets the pace
	Stimulus string        `json:"stimulus,omitempty"` // id: of the trial this step belongs to; "" outside of one
	// Presentation numbers the Play steps of a session from 1, and stands also at the
	// ratings that follow one. It is 0 for the others.
	Presentation int `json:"presentation,omitempty"`

	Sheet     string `json:"sheet,omitempty"`     // id: of a Fill step
	Block     string `json:"block,omitempty"`     // name: of the block that this step belongs to
	If        string `json:"if,omitempty"`        // condition on earlier answers: false passes the step over; "" = always
	Skippable bool   `json:"skippable,omitempty"` // of Play: the participant may swipe it away
	Filler    bool   `json:"filler,omitempty"`    // of Play: shown to distract, not to be analysed
	// Aside says that the step is passed over unless somebody is sent to it: the sheets
	// for who stops, and for who does not take part.
	Aside bool `json:"aside,omitempty"`
	// Again says that the step is of a trial that comes once more, and only if somebody
	// asks for it; Repeats is then the presentation that is shown again.
	Again   bool `json:"again,omitempty"`
	Repeats int  `json:"repeats,omitempty"`
}

// Plan returns what the participant in the given row meets. It is a function of
// the study's seed and the row alone: the same study gives the same row the
// same order on every machine and in every version of this program.
//
// The last steps are the study's asides, if it has them. Each block ends with what may be
// shown again of it, where the study says when a stimulus is (Reshows).
func (s *Study) Plan(row int) Plan {
	b := planner{study: s, row: max(row, 0), lasts: make(map[string]time.Duration, len(s.Stimuli))}
	for _, m := range s.Stimuli {
		b.lasts[m.ID] = m.Duration
	}
	b.parts(s.Flow, "")
	b.numberRepeats()
	for _, id := range asides {
		if _, there := s.Sheet(id); there {
			b.add(Step{Action: Fill, Sheet: id, Aside: true})
		}
	}
	return Plan{Row: b.row, Steps: b.steps}
}

// Duration is the length of the whole plan, without the time that sheets,
// calibrations and breathing take, and without what may be shown again.
func (p Plan) Duration() time.Duration {
	var d time.Duration
	for _, s := range p.Steps {
		if !s.Again {
			d += s.Duration
		}
	}
	return d
}

// Place tells the how manieth step of the plan a step is, from 1, and of how many; 0 for
// -1. What is only there to be shown again does not count.
func (p Plan) Place(step int) (nth, of int) {
	for _, s := range p.Steps {
		if s.Again {
			continue
		}
		of++
		if s.Index <= step {
			nth = of
		}
	}
	return nth, of
}

// Repeat is the presentation in which one would be shown again; 0 = the plan has none.
func (p Plan) Repeat(presentation int) int {
	for _, s := range p.Steps {
		if s.Action == Play && s.Again && s.Repeats == presentation {
			return s.Presentation
		}
	}
	return 0
}

// Settled is the index of the step at which it is settled whether a presentation is shown
// again; -1 where it never is.
func (p Plan) Settled(presentation int) int {
	end := -1
	for _, s := range p.Steps {
		switch {
		case s.Action == Reshow:
			end = s.Index
		case s.Again && s.Repeats == presentation:
			return end
		}
	}
	return -1
}

// Shows is the step that shows a presentation; false for one that the plan has not.
func (p Plan) Shows(presentation int) (Step, bool) {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Action == Play && s.Presentation == presentation })
	if i < 0 {
		return Step{}, false
	}
	return p.Steps[i], true
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

// planner lays the parts of a flow out as steps.
type planner struct {
	study  *Study
	row    int
	lasts  map[string]time.Duration // of each stimulus
	steps  []Step
	shown  int // presentations so far
	blocks int // so far
}

func (b *planner) add(step Step) {
	step.Index = len(b.steps)
	b.steps = append(b.steps, step)
}

// parts lays parts out that are met under a condition; "" = always.
func (b *planner) parts(parts []Part, condition string) {
	for _, p := range parts {
		switch {
		case p.Branch != nil:
			then, otherwise := p.Branch.conditions(condition)
			b.parts(p.Branch.Then, then)
			b.parts(p.Branch.Else, otherwise)
		case p.Block != nil:
			b.block(*p.Block, condition)
		case p.Baseline != nil:
			if d := p.Baseline.Fixation; d > 0 {
				b.add(Step{Action: Fixation, Duration: d, If: condition})
			}
			if d := p.Baseline.Neutral; d > 0 {
				b.add(Step{Action: Neutral, Duration: d, If: condition})
			}
		case len(p.Sheets) > 0:
			for _, id := range p.Sheets {
				b.add(Step{Action: Fill, Sheet: id, If: condition})
			}
		default:
			b.add(Step{Action: p.Action, Duration: p.Duration, If: condition})
		}
	}
}

// conditions are those of a branch's two ways, met under a condition itself.
func (b *Branch) conditions(under string) (then, otherwise string) {
	return both(under, b.If), both(under, "not ("+b.If+")")
}

// both is the condition that two conditions hold.
func both(a, b string) string {
	if a == "" {
		return b
	}
	return "(" + a + ") and (" + b + ")"
}

// block lays out the trials of a block, with its fillers between them: never before the
// first trial, and never after the last. Then comes what may be shown again.
func (b *planner) block(block BlockPart, condition string) {
	over := b.study.over(block)
	repeats := max(block.Repeats, 1)
	trials := make([]trial, 0, len(over)*repeats)
	b.steps = slices.Grow(b.steps, cap(trials)*len(block.Trial))
	for repeat := range repeats {
		for _, k := range b.sequence(block, len(over), repeat) {
			b.trial(block, condition, trial{stimulus: over[k]})
			trials = append(trials, trial{stimulus: over[k], repeats: b.shown})
			if done := len(trials); block.Filler != "" && block.Every > 0 && done%block.Every == 0 && done < cap(trials) {
				b.trial(block, condition, trial{stimulus: block.Filler, filler: true})
			}
		}
	}
	b.blocks++
	if !b.study.Reshows() {
		return
	}
	b.add(Step{Action: Reshow, Block: block.Name, If: condition})
	for _, t := range trials {
		b.trial(block, condition, t)
	}
}

// Reshows tells whether stimuli may be shown again: where the study needs something
// measured, and says below which share of a stimulus that was too little.
func (s *Study) Reshows() bool {
	r := s.Rules
	return r.Reshow > 0 && (r.NeedsFace || r.NeedsGaze || r.NeedsEDA)
}

// trial is one trial of a block.
type trial struct {
	stimulus string // id
	filler   bool
	repeats  int // the presentation that it shows again; 0 = none
}

// trial lays out one trial. A filler is not rated. Which presentation one is that shows
// another again is known when all of the others are (numberRepeats).
func (b *planner) trial(block BlockPart, condition string, of trial) {
	for _, t := range block.Trial {
		step := Step{Action: t.Action, Duration: t.Duration, Stimulus: of.stimulus, Block: block.Name, If: condition,
			Again: of.repeats > 0, Repeats: of.repeats}
		switch t.Action {
		case Play:
			if !step.Again {
				b.shown++
				step.Presentation = b.shown
			}
			step.Skippable, step.Filler = t.Skippable, of.filler
			step.Duration = b.lasts[of.stimulus]
			b.add(step)
		case Fill:
			if of.filler {
				continue
			}
			if !step.Again {
				step.Presentation = b.shown
			}
			for _, sheet := range t.Sheets {
				step.Sheet = sheet
				b.add(step)
			}
		default:
			b.add(step)
		}
	}
}

// numberRepeats numbers the presentations that show others again, after all of those: the
// first showings are numbered as if there were no others.
func (b *planner) numberRepeats() {
	for i := range b.steps {
		switch step := &b.steps[i]; {
		case !step.Again:
		case step.Action == Play:
			b.shown++
			step.Presentation = b.shown
		case step.Action == Fill:
			step.Presentation = b.shown
		}
	}
}

// sequence is the order of n stimuli in one repeat of a block. The first block's random
// order has no salt: it is that of studies from before there were several.
func (b *planner) sequence(block BlockPart, n, repeat int) []int {
	salt := ""
	if b.blocks > 0 {
		salt = block.Name
	}
	if repeat > 0 && block.method() == order.Random {
		salt = fmt.Sprintf("%s#%d", block.Name, repeat)
	}
	sequence, err := order.Sequence(block.method(), n, b.study.Seed, b.row, salt)
	if err != nil { // a method that no file can name: as listed
		sequence, _ = order.Sequence(order.Fixed, n, 0, 0, "")
	}
	return sequence
}

func (b BlockPart) method() string {
	if b.Method == "" {
		return order.Fixed
	}
	return b.Method
}

// over are the ids of the stimuli that a block puts in order.
func (s *Study) over(block BlockPart) []string {
	if len(block.Over) > 0 {
		return block.Over
	}
	var ids []string
	for _, m := range s.Stimuli {
		if !m.Filler && m.ID != block.Filler {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// maxRows bounds how many orders are filled evenly. Two Williams squares of 7 and 11
// stimuli have 154 in common; nobody has that many participants.
const maxRows = 1000

// Rows is how many orders have to be filled evenly: the rows of a Latin or Williams
// square, or of several the least number that has them all. 0 where every row is an
// order of its own, or is taken in turn. Where the number that several have in common is
// beyond 1000 it is that of the largest.
func (s *Study) Rows() int {
	common, largest := 0, 0
	for _, block := range s.Blocks() {
		rows := order.Rows(block.method(), len(s.over(block)))
		if rows == 0 || block.InTurn {
			continue
		}
		largest = max(largest, rows)
		if common == 0 {
			common = rows
		} else if common <= maxRows {
			common = common / gcd(common, rows) * rows
		}
	}
	if common > maxRows {
		return largest
	}
	return common
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Blocks are the blocks of the flow in order, those of branches included.
func (s *Study) Blocks() []BlockPart { return blocks(s.Flow) }

func blocks(parts []Part) []BlockPart {
	var all []BlockPart
	for _, p := range parts {
		if p.Block != nil {
			all = append(all, *p.Block)
		}
		if p.Branch != nil {
			all = append(all, blocks(p.Branch.Then)...)
			all = append(all, blocks(p.Branch.Else)...)
		}
	}
	return all
}

// Sheet returns the sheet with an id.
func (s *Study) Sheet(id string) (Sheet, bool) {
	i := slices.IndexFunc(s.Sheets, func(v Sheet) bool { return v.ID == id })
	if i < 0 {
		return Sheet{}, false
	}
	return s.Sheets[i], true
}
