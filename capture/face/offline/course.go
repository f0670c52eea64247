package offline

import (
	"time"

	"emolab/fusion/expression"
)

// Run is a stretch of a film in which one expression is the likeliest.
type Run struct {
	Name        string  // of the expression; "no face"
	From, Until float64 // s since the first frame
}

const (
	// courseSmooth is over how many frames the running median goes that the
	// course is read from.
	courseSmooth = 5
	// courseLeast is the shortest run: what is shorter belongs to the run before.
	courseLeast = 300 * time.Millisecond
	// noFace stands beside the expressions' numbers.
	noFace = -1
)

// Course returns which expression is the likeliest when, one run after the other.
func Course(r *Result) []Run {
	rows := r.Facial.Rows
	p := make([]expression.Probabilities, len(rows))
	for i, row := range rows {
		p[i] = row.Expression
	}
	p = expression.Median(p, courseSmooth)

	type run struct{ top, first, last int }
	var runs []run
	for i, row := range rows {
		top := noFace
		if row.Found {
			top = p[i].Top()
		}
		if n := len(runs); n > 0 && runs[n-1].top == top {
			runs[n-1].last = i
		} else {
			runs = append(runs, run{top, i, i})
		}
	}
	end := func(last int) float64 { // a frame is shown until the next
		if last+1 < len(rows) {
			return Seconds(r.Samples[last+1].At)
		}
		return Seconds(r.Samples[last].At)
	}
	var course []Run
	for _, u := range runs {
		from, until := Seconds(r.Samples[u.first].At), end(u.last)
		name := "no face"
		if u.top != noFace {
			name = expression.Names()[u.top]
		}
		n := len(course)
		short := until-from < courseLeast.Seconds()
		if n > 0 && (short || course[n-1].Name == name) {
			course[n-1].Until = until
			continue
		}
		course = append(course, Run{name, from, until})
	}
	return course
}
