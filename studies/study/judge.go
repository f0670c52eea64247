package study

import (
	"slices"
	"strconv"

	"emolab/studies/study/expr"
)

// Judge says what becomes of the answers on a sheet, which have been checked.
//
// Of a consent without a required scope, or of one that was declined (no answers), the
// session ends. So it does at the first question of the screening that is not passed, and
// then only that it was not is kept: the answers themselves are kept of nobody, and of
// who does not take part not even the bands.
func (s *Study) Judge(sheet string, a Answers) Judgement {
	v, ok := s.Sheet(sheet)
	switch {
	case !ok:
	case v.Kind == ConsentSheet:
		for _, f := range v.Fields {
			if f.Required && a[f.ID] != Yes {
				return Judgement{Kept: a, Exit: exitConsent, Why: "consent"}
			}
		}
	case v.Kind == ScreeningSheet:
		return s.screen(a)
	}
	return Judgement{Kept: a}
}

func (s *Study) screen(a Answers) Judgement {
	kept := Answers{}
	for i, q := range s.Screening {
		value, answered := a[q.ID]
		soFar := s.Screening[:i+1]
		passed := answered && holds(q.Pass, func(name string) (string, bool) {
			if !slices.ContainsFunc(soFar, func(b Question) bool { return b.ID == name }) {
				return "", false
			}
			v, ok := a[name]
			return v, ok
		})
		switch {
		case passed:
			kept[q.ID] = q.keep(value)
		case answered && q.Override != "":
			kept[q.ID] = Overridden
		default:
			return Judgement{Kept: Answers{q.ID: Failed}, Exit: exitScreening, Why: "screening: " + q.ID}
		}
	}
	return Judgement{Kept: kept}
}

// keep is what stays of an answer that passed.
func (q Question) keep(value string) string {
	for _, b := range q.Bands {
		if q.Type != Integer {
			if b.Name == value {
				return b.Name
			}
			continue
		}
		if v, err := strconv.Atoi(value); err == nil && b.Min <= v && v <= b.Max {
			return b.Name
		}
	}
	return Passed
}

// holds tells whether a condition holds; no condition always does. One that cannot be
// decided does not.
func holds(condition string, answer func(string) (string, bool)) bool {
	if condition == "" {
		return true
	}
	e, err := expr.Parse(condition)
	if err != nil {
		return false
	}
	yes, _ := e.Eval(answer) // of what was not answered, a comparison is false
	return yes
}

// Skip lists, in order, the steps of a plan that are passed over after these answers: the
// asides, those whose condition does not hold, and what is not shown again: all but the
// repeats of the presentations that are named. A comparison with an answer that was
// not given does not hold, and so the other way of its branch is taken.
func (s *Study) Skip(p Plan, a Answers, again ...int) []int {
	known := map[string]bool{}
	skip := []int{}
	for _, step := range p.Steps {
		met, seen := known[step.If]
		if !seen {
			met = holds(step.If, func(name string) (string, bool) {
				v, ok := a[name]
				return v, ok
			})
			known[step.If] = met
		}
		if step.Aside || !met || step.Again && !slices.Contains(again, step.Repeats) {
			skip = append(skip, step.Index)
		}
	}
	return skip
}
