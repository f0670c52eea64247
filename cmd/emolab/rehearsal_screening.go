package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"emolab/fusion/script"
	"emolab/studies/study"
	"emolab/studies/study/expr"
)

// mostTries bounds the search for answers to a screening: it is over in a second, and
// no screening that people pass needs as many.
const mostTries = 100_000

// errNobodyPasses and errNobodyFails say that answers were looked for and not found.
var (
	errNobodyPasses = errors.New("no answers were found with which somebody takes part")
	errNobodyFails  = errors.New("no answers were found with which somebody does not take part")
)

// screening finds answers to the questions that decide who takes part.
type screening struct {
	study     *study.Study
	sheets    []study.Sheet
	pass      []expr.Expr // of each question; the zero value always holds
	plausible [][]string  // answers to try for each question
	tries     int
}

// newScreening prepares the search. An error means that a condition cannot be read.
func newScreening(st *study.Study) (*screening, error) {
	s := &screening{study: st}
	for _, sheet := range st.Sheets {
		if sheet.Kind == study.ScreeningSheet {
			s.sheets = append(s.sheets, sheet)
		}
	}
	compared := map[string][]string{}
	for _, q := range st.Screening {
		var pass expr.Expr
		if q.Pass != "" {
			var err error
			if pass, err = expr.Parse(q.Pass); err != nil {
				return nil, fmt.Errorf("screening question %s: %w", q.ID, err)
			}
		}
		s.pass = append(s.pass, pass)
		for _, c := range pass.Compared() {
			compared[c.Name] = append(compared[c.Name], c.Value)
		}
	}
	for _, q := range st.Screening {
		s.plausible = append(s.plausible, plausible(q, compared))
	}
	return s, nil
}

// passing are answers with which somebody takes part, and whose bands wanted agrees
// to; chance chooses among them.
func (s *screening) passing(chance *rand.Rand, wanted func(kept study.Answers) bool) (study.Answers, error) {
	found := s.search(chance, -1, func(answers study.Answers) bool {
		kept, exit := s.judge(answers)
		return exit == "" && wanted(kept)
	})
	if found == nil {
		return nil, errNobodyPasses
	}
	return found, nil
}

// failing are answers with which somebody does not take part, and the question that
// they fail.
func (s *screening) failing(chance *rand.Rand) (answers study.Answers, question string, err error) {
	for _, k := range chance.Perm(len(s.study.Screening)) {
		q := s.study.Screening[k]
		if q.Pass == "" || q.Override != "" {
			continue
		}
		found := s.search(chance, k, func(answers study.Answers) bool {
			_, exit := s.judge(answers)
			return exit != ""
		})
		if found != nil {
			return found, q.ID, nil
		}
	}
	return nil, "", errNobodyFails
}

// any are answers of which nothing is asked but that they can be given.
func (s *screening) any(p script.Person) study.Answers {
	answers := study.Answers{}
	for i, q := range s.study.Screening {
		values := s.plausible[i]
		if len(values) == 0 {
			continue
		}
		for _, key := range q.Keys() {
			answers[key] = values[p.Chance(key, 0).IntN(len(values))]
		}
	}
	return answers
}

// judge is the study's own word on the answers: what is kept of them, and the sheet
// that they lead out to.
func (s *screening) judge(answers study.Answers) (kept study.Answers, exit string) {
	kept = study.Answers{}
	for _, sheet := range s.sheets {
		j := s.study.Judge(sheet.ID, on(sheet, answers))
		for k, v := range j.Kept {
			kept[k] = v
		}
		if j.Exit != "" {
			return kept, j.Exit
		}
	}
	return kept, ""
}

// on are the answers to the fields of one sheet.
func on(sheet study.Sheet, answers study.Answers) study.Answers {
	out := study.Answers{}
	for _, f := range sheet.Fields {
		for _, key := range f.Keys() {
			if v, ok := answers[key]; ok {
				out[key] = v
			}
		}
	}
	return out
}

// search tries answers until accept takes some: such with which every question up to
// fails is passed, and that one is not; with fails -1 every one is passed. nil = none
// were found.
func (s *screening) search(chance *rand.Rand, fails int, accept func(study.Answers) bool) study.Answers {
	s.tries = 0
	order := make([][]string, len(s.plausible))
	for i, values := range s.plausible {
		order[i] = slices.Clone(values)
		chance.Shuffle(len(values), func(a, b int) { order[i][a], order[i][b] = order[i][b], order[i][a] })
	}
	answers := study.Answers{}
	if s.from(0, order, answers, fails, accept) {
		return answers
	}
	return nil
}

// from completes answers from question i on.
func (s *screening) from(i int, order [][]string, answers study.Answers, fails int, accept func(study.Answers) bool) bool {
	if i == len(order) {
		return accept(answers)
	}
	q := s.study.Screening[i]
	for _, value := range order[i] {
		if s.tries++; s.tries > mostTries {
			return false
		}
		for _, key := range q.Keys() {
			answers[key] = value
		}
		// What cannot be judged because an answer is missing does not pass.
		passes, _ := s.pass[i].Eval(func(name string) (string, bool) { v, ok := answers[name]; return v, ok })
		if want := i != fails; (fails < 0 || i <= fails) && passes != want {
			continue
		}
		if s.from(i+1, order, answers, fails, accept) {
			return true
		}
	}
	for _, key := range q.Keys() {
		delete(answers, key)
	}
	return false
}

// plausible are answers to a question that cover what its bands and all conditions
// tell apart. compared are, by question, what conditions compare its answer with.
func plausible(q study.Question, compared map[string][]string) []string {
	var out []string
	add := func(values ...string) {
		for _, v := range values {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	number := func(n int) {
		if q.Type != study.Integer || q.Max <= q.Min || (n >= q.Min && n <= q.Max) {
			add(strconv.Itoa(n))
		}
	}
	switch q.Type {
	case study.YesNo, study.ScopeField:
		add(study.Yes, study.No)
	case study.Choice:
		for _, o := range q.Options {
			add(o.Value)
		}
	case study.Likert, study.SAM, study.AffectGrid:
		for n := 1; n <= q.Points; n++ {
			number(n)
		}
	case study.VAS:
		for _, n := range []int{0, study.VASHigh / 2, study.VASHigh} {
			number(n)
		}
	case study.Integer:
		for _, n := range []int{q.Min, q.Max, q.Min + (q.Max-q.Min)/2} {
			number(n)
		}
		for _, b := range q.Bands {
			// The last band may have no end.
			for _, n := range []int{b.Min, b.Max, b.Min + min(b.Max-b.Min, 2)/2} {
				number(n)
			}
		}
	case study.FreeText:
		add("-")
	}
	for _, name := range q.Keys() {
		for _, v := range compared[name] {
			switch n, err := strconv.Atoi(v); {
			case err == nil && q.Type != study.Choice:
				for _, n := range []int{n - 1, n, n + 1} {
					number(n)
				}
			case q.Type == study.FreeText:
				add(v)
			}
		}
	}
	return out
}
