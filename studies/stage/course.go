package stage

import (
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// course is the way of one participant through a plan: which steps are passed over,
// and how far they have come. The page has the same, by what it is told.
type course struct {
	steps    []study.Step
	next     int    // first step that has not ended; len(steps) when there is none
	passed   []bool // by step: it is passed over, by the ruling in force
	sheets   map[string]study.SheetKind
	stopped  bool // before its end, by the participant or the operator
	declined bool // a page for who does not take part was reached
}

// newCourse is the way from a step on under a ruling.
func newCourse(plan study.Plan, sheets []study.Sheet, from int, skip []int) *course {
	c := &course{steps: plan.Steps, sheets: map[string]study.SheetKind{}}
	for _, s := range sheets {
		c.sheets[s.ID] = s.Kind
	}
	c.rule(skip)
	c.to(max(from, 0))
	return c
}

// rule puts a ruling in force. Without any (nil) only the steps are passed over that
// nobody comes to unasked.
func (c *course) rule(skip []int) {
	c.passed = make([]bool, len(c.steps))
	if skip == nil {
		for i, step := range c.steps {
			c.passed[i] = step.Aside || step.Again
		}
	}
	for _, i := range skip {
		if i >= 0 && i < len(c.passed) {
			c.passed[i] = true
		}
	}
}

// to goes to the first step, from one on, that is not passed over.
func (c *course) to(from int) {
	for c.next = from; c.next < len(c.steps) && c.passed[c.next]; c.next++ {
	}
	step, _ := c.now()
	switch {
	case !step.Aside:
	case c.sheets[step.Sheet] == study.ExitSheet:
		c.declined = true
	default: // also of a session that goes on there after it was cut off
		c.stopped = true
	}
}

// now is the step that has not ended; false when the plan has.
func (c *course) now() (study.Step, bool) {
	if c.next >= len(c.steps) {
		return study.Step{}, false
	}
	return c.steps[c.next], true
}

// leave goes, by a ruling, to where stopping leads. What lies behind is passed over
// for good.
func (c *course) leave(skip []int) {
	c.rule(skip)
	for i := range min(c.next+1, len(c.passed)) {
		c.passed[i] = true
	}
	c.stopped = true
	c.to(c.next)
}

// skip lists the steps that are passed over, in order.
func (c *course) skip() []int {
	list := []int{}
	for i, passed := range c.passed {
		if passed {
			list = append(list, i)
		}
	}
	return list
}

// outcome says how the plan ended.
func (c *course) outcome() string {
	switch {
	case c.stopped:
		return protocol.OverLeft
	case c.declined:
		return protocol.OverDeclined
	}
	return protocol.OverComplete
}
