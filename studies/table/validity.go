package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// validity blanks the gaze where the file says that it is not valid.
//
// Vendors disagree on which code is the good one (Gazepoint 1, Tobii 0), so it
// is read off the data: the code whose rows have gaze where the others' have
// none. A column that does not tell is not used, which is said.
func (t *Table) validity(g *Gaze, a *Axis, given string) error {
	if given == "-" {
		return nil
	}
	if given != "" {
		return t.givenValidity(g, a, given)
	}
	for i := range g.Eyes {
		e := &g.Eyes[i]
		c := t.validColumn(e.Eye)
		if c == nil {
			continue
		}
		good, why := goodCode(c, a, e)
		if good == nil {
			if why != "" {
				g.Notes = append(g.Notes, fmt.Sprintf("validity: %s not used: %s; --valid COLUMN=VALUE says which is good", c.Label(), why))
			}
			continue
		}
		n := e.mask(func(row int) bool { return good(c, a.Rows[row]) })
		g.Notes = append(g.Notes, fmt.Sprintf("validity: by %s (%s), %d rows with a gaze dropped", c.Label(), why, n))
	}
	return nil
}

// givenValidity reads COLUMN=VALUE, or one for each eye.
func (t *Table) givenValidity(g *Gaze, a *Axis, given string) error {
	parts := strings.Split(given, ",")
	if len(parts) > len(g.Eyes) {
		return fmt.Errorf("--valid names %d columns, there are %d eyes", len(parts), len(g.Eyes))
	}
	for i := range g.Eyes {
		name, value, ok := strings.Cut(parts[min(i, len(parts)-1)], "=")
		if !ok {
			return fmt.Errorf("--valid %s: give it as COLUMN=VALUE, VALUE being that of good rows", given)
		}
		c, err := t.Find(name)
		if err != nil {
			return err
		}
		want, numeric := math.NaN(), false
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			want, numeric = v, true
		}
		n := g.Eyes[i].mask(func(k int) bool {
			row := a.Rows[k]
			if numeric {
				return c.Values[row] == want
			}
			return strings.EqualFold(c.Word(row), value)
		})
		g.Notes = append(g.Notes, fmt.Sprintf("validity: by %s, good is %s, %d rows with a gaze dropped", c.Label(), value, n))
	}
	return nil
}

// mask drops the gaze of rows that are not good and returns how many had one.
func (e *EyeGaze) mask(good func(row int) bool) int {
	n := 0
	for i := range e.X {
		if good(i) {
			continue
		}
		if !math.IsNaN(e.X[i]) {
			n++
		}
		e.X[i], e.Y[i] = math.NaN(), math.NaN()
	}
	return n
}

// validColumn finds an eye's column of validity.
func (t *Table) validColumn(eye Eye) *Column {
	var found *Column
	for i := range t.Columns {
		c := &t.Columns[i]
		name := words(c.Name)
		side := Both
		switch {
		case has(name, "left", "l", "lvalid", "lvalidity", "lpogv"):
			side = Left
		case has(name, "right", "r", "rvalid", "rvalidity", "rpogv"):
			side = Right
		}
		if side != eye || !has(name, "valid", "validity", "lvalid", "rvalid", "lvalidity", "rvalidity", "lpogv", "rpogv", "bpogv", "fpogv") || has(name, "pupil", "origin", "3d") {
			continue
		}
		if found == nil || has(name, "gaze", "bpogv") {
			found = c
		}
	}
	return found
}

// goodCode returns what tells good rows, and why; nil where the column does not
// tell.
func goodCode(c *Column, a *Axis, e *EyeGaze) (good func(c *Column, row int) bool, why string) {
	if c.texts > c.numbers {
		if slices.ContainsFunc(c.words, func(w string) bool { return strings.EqualFold(w, "valid") }) {
			return func(c *Column, row int) bool { return strings.EqualFold(c.Word(row), "valid") }, `good is "Valid"`
		}
		return nil, "its words are not known"
	}
	gaze, rows := map[float64]int{}, map[float64]int{}
	const most = 16 // different codes
	for k, row := range a.Rows {
		v := c.Values[row]
		if math.IsNaN(v) {
			continue
		}
		rows[v]++
		if !math.IsNaN(e.X[k]) && !(e.X[k] == 0 && e.Y[k] == 0) {
			gaze[v]++
		}
		if len(rows) > most {
			return nil, "it holds more than codes"
		}
	}
	if len(rows) < 2 {
		return nil, ""
	}
	share := func(v float64) float64 { return float64(gaze[v]) / float64(rows[v]) }
	var codes []float64
	for v := range rows {
		codes = append(codes, v)
	}
	slices.SortFunc(codes, func(a, b float64) int { return rows[b] - rows[a] })
	switch {
	case has(words(c.Name), "lpogv", "rpogv", "bpogv", "fpogv"): // its gaze goes on where it is not valid
		return func(c *Column, row int) bool { return c.Values[row] == 1 }, "Gazepoint's: good is 1"
	case rows[4] > 0 || rows[3] > 0: // Tobii: 0 and 1 are this eye's, 2 to 4 are doubtful or lost
		return func(c *Column, row int) bool { return c.Values[row] == 0 || c.Values[row] == 1 }, "Tobii's codes: good are 0 and 1"
	case len(rows) == 2 && share(codes[0]) > 0.5 && share(codes[1]) < 0.5*share(codes[0]),
		len(rows) == 2 && share(codes[1]) > 0.5 && share(codes[0]) < 0.5*share(codes[1]):
		best := codes[0]
		if share(codes[1]) > share(best) {
			best = codes[1]
		}
		return func(c *Column, row int) bool { return c.Values[row] == best }, fmt.Sprintf("good is %g: its rows have gaze", best)
	}
	return nil, fmt.Sprintf("its codes %v do not tell which is good", codes)
}
