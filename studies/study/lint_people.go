package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"emolab/studies/study/expr"
)

func (l *linter) screening() {
	if !slices.ContainsFunc(l.d.screening, func(q Question) bool { return q.ID == "relation" }) {
		l.note("screening", "nobody is asked whether they study or work at this university or at a partner. Estimating the emotions of one's own students or staff may be against the law (EU AI Act, Art. 5(1)(f)). A question with the id relation would keep them out")
	}
	for i, q := range l.d.screening {
		at := fmt.Sprintf("screening[%d]", i+1)
		if q.Type == Integer {
			l.bands(at, q)
		} else {
			l.choices(at, q)
		}
		if q.Override != "" {
			l.note(at+".override", "who fails %q takes part all the same, under %q. Is that what was approved?", q.ID, q.Override)
		}
	}
}

// alone tells whether a question's condition depends on no other question.
func alone(q Question) (expr.Expr, bool) {
	e, err := expr.Parse(q.Pass)
	return e, err == nil && !slices.ContainsFunc(e.Names(), func(name string) bool { return name != q.ID })
}

func passes(e expr.Expr, q Question, value string) bool {
	yes, _ := e.Eval(func(string) (string, bool) { return value, true })
	return yes
}

// bands looks whether the bands of a number and the condition fit each other. Both
// change only at numbers that are written down, so that those and their neighbours are
// all that has to be tried.
func (l *linter) bands(at string, q Question) {
	e, ok := alone(q)
	if q.Pass != "" && !ok {
		return
	}
	numbers := []int{q.Min, q.Max}
	for _, b := range q.Bands {
		numbers = append(numbers, b.Min-1, b.Min, b.Max, b.Max+1)
	}
	for _, c := range e.Compared() {
		if v, err := strconv.ParseFloat(c.Value, 64); err == nil && v > -farthest && v < farthest {
			numbers = append(numbers, int(v)-1, int(v), int(v)+1)
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(slices.DeleteFunc(numbers, func(n int) bool { return n < q.Min || n > q.Max }))
	inside := map[string]bool{}
	outside := map[string]int{} // of a band that has two ends: a number in it that does not pass
	anybody, lost := false, 0
	for _, n := range numbers {
		if !passes(e, q, strconv.Itoa(n)) {
			i := slices.IndexFunc(q.Bands, func(b Band) bool { return b.Min <= n && n <= b.Max && b.Min > -farthest && b.Max < farthest })
			if i >= 0 {
				if _, known := outside[q.Bands[i].Name]; !known {
					outside[q.Bands[i].Name] = n
				}
			}
			continue
		}
		anybody = true
		band := q.keep(strconv.Itoa(n))
		inside[band] = true
		if band == Passed && q.Bands != nil && lost == 0 {
			lost = n
			l.warn(at+".bands", "who answers %d to %q takes part, but belongs to no band: of them only \"pass\" is kept. The bands are %s", n, q.ID, strings.Join(names(q.Bands), ", "))
		}
	}
	if !anybody {
		l.say(Error, at+".pass", "nobody can pass %q: no answer from %d to %d fulfils  %s", q.ID, q.Min, q.Max, q.Pass)
		return
	}
	for i, b := range q.Bands {
		if max(b.Min, q.Min) == min(b.Max, q.Max) {
			l.warn(at+".bands", "the band %s of %q holds one number only, so that it keeps the answer itself. Make it wider, or  keep: pass_only", b.Name, q.ID)
		}
		if !inside[b.Name] {
			l.warn(at+".bands", "the band %s of %q stays empty: whoever would be in it does not pass  %s, or is in a band before it", b.Name, q.ID, q.Pass)
			continue
		}
		if n, partly := outside[b.Name]; partly {
			l.warn(at+".bands", "the band %s of %q is named for more people than can be in it: %d does not pass  %s. Name it for those who do", b.Name, q.ID, n, q.Pass)
		}
		for _, other := range q.Bands[:i] {
			if low, high := max(b.Min, other.Min), min(b.Max, other.Max); low < high || low == high && low < rounded {
				l.warn(at+".bands", "the bands %s and %s of %q overlap%s: whoever is in both counts as %s", other.Name, b.Name, q.ID, span(low, high), other.Name)
			}
		}
	}
}

func (l *linter) choices(at string, q Question) {
	e, ok := alone(q)
	if q.Pass == "" || !ok {
		return
	}
	passing := slices.DeleteFunc(q.values(), func(v string) bool { return !passes(e, q, v) })
	switch len(passing) {
	case 0:
		l.say(Error, at+".pass", "nobody can pass %q: none of its answers fulfils  %s", q.ID, q.Pass)
	case len(q.values()):
		l.warn(at+".pass", "everybody passes %q: each of its answers fulfils  %s", q.ID, q.Pass)
	}
}

func span(low, high int) string {
	if low == high {
		return fmt.Sprintf(" at %d", low)
	}
	return fmt.Sprintf(" from %d to %d", low, high)
}

// rounded is from which number on bands may share their ends: nobody minds whether 10,000
// followers belong to 5-10k or to 10-50k, but 24 years belong to one band only.
const rounded = 1000

func names(bands []Band) []string { return each(bands, func(b Band) string { return b.Name }) }

func (l *linter) quota() {
	q := l.d.quota
	sums, order := map[string]int{}, []string{}
	for _, c := range q.Cells {
		at := "quota.cells." + c.Question
		if _, known := sums[c.Question]; !known {
			order = append(order, c.Question)
		}
		sums[c.Question] += c.Usable
		i := slices.IndexFunc(l.d.screening, func(v Question) bool { return v.ID == c.Question })
		switch {
		case i < 0:
			l.say(Error, at, "the quota counts people by %q, but the screening has no such question", c.Question)
		case l.d.screening[i].Bands == nil:
			l.say(Error, at, "the quota counts people by %q, but of its answers only \"pass\" is kept. Let it keep a band", c.Question)
		case !slices.Contains(names(l.d.screening[i].Bands), c.Band):
			l.say(Error, at+"."+c.Band, "the quota wants %d people in %s, but %q has no such band; it has %s", c.Usable, c.Band, c.Question, strings.Join(names(l.d.screening[i].Bands), ", "))
		}
	}
	for _, question := range order {
		if q.Total > 0 && sums[question] != q.Total {
			l.warn("quota.cells."+question, "the cells of %q add up to %d people, but total_usable is %d", question, sums[question], q.Total)
		}
		i := slices.IndexFunc(l.d.screening, func(v Question) bool { return v.ID == question })
		if i < 0 {
			continue
		}
		for _, band := range names(l.d.screening[i].Bands) {
			if !slices.ContainsFunc(q.Cells, func(c Cell) bool { return c.Question == question && c.Band == band }) {
				l.note("quota.cells."+question, "the band %s of %q has no cell: as many people as come may be in it", band, question)
			}
		}
	}
	if rows := l.s.Rows(); q.Total > 0 && rows > 0 && q.Total%rows != 0 {
		l.note("quota", "%d people do not go evenly into the %d orders of the stimuli: some orders are seen once more than others. %d or %d would", q.Total, rows, q.Total/rows*rows, (q.Total/rows+1)*rows)
	}
	if a := l.d.analysis; q.Total > 0 && len(a.Primary) > 0 && q.Total < a.CompareN {
		l.note("quota", "%d usable people are wanted, but comparisons are shown from %d on (analysis.min_n.compare): there would be none", q.Total, a.CompareN)
	}
}
