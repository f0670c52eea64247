package table

import (
	"math"
	"strings"
)

// Labels are what one rater called the rows: codes as they stand in the file
// (NaN = none), or words.
type Labels struct {
	Rater  string // from the column's name: label_RA is RA's; "" where it does not say
	Column string
	Codes  []float64
	Words  []string // nil where the column holds numbers
}

// Labels finds the columns of labels, which are named label, label_RATER or
// class; columns names them instead where it is not empty.
func (t *Table) Labels(a *Axis, columns []string) ([]Labels, error) {
	var found []*Column
	for _, name := range columns {
		c, err := t.Find(name)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	if len(columns) == 0 {
		for i := range t.Columns {
			if w := words(t.Columns[i].Name); len(w) > 0 && (w[0] == "label" || w[0] == "labels" || w[0] == "class" || w[0] == "evt") && len(w) <= 2 {
				found = append(found, &t.Columns[i])
			}
		}
	}
	var out []Labels
	for _, c := range found {
		l := Labels{Rater: rater(c.Name), Column: c.Label(), Codes: a.Pick(c.Values)}
		if c.texts > c.numbers {
			l.Words = make([]string, len(a.Rows))
			for i, row := range a.Rows {
				l.Words[i] = c.Word(row)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// rater is what stands after the first mark of a column's name.
func rater(name string) string {
	if i := strings.IndexAny(name, "_- ."); i >= 0 {
		return name[i+1:]
	}
	return ""
}

// Times returns a column of times in s on the file's own clock, as the onsets of
// events are listed: onset, time or event by name, or the only column.
func (t *Table) Times(column, unit string) ([]float64, []string, error) {
	c, err := t.onsetColumn(column)
	if err != nil {
		return nil, nil, err
	}
	if err := t.numbers(c); err != nil {
		return nil, nil, err
	}
	u, ok := timeUnits[strings.Join(words(unit), "")]
	if !ok {
		if u, ok = unitOf(c.nameAndUnit(), timeUnits); !ok {
			u = timeUnits["s"] // BIDS: onsets are in seconds
		}
	}
	var name *Column
	for i := range t.Columns {
		if w := words(t.Columns[i].Name); name == nil && (has(w, "trial") && has(w, "type") || has(w, "name", "label", "condition", "event", "stimulus")) && &t.Columns[i] != c {
			name = &t.Columns[i]
		}
	}
	var at []float64
	var names []string
	for row, v := range c.Values {
		if math.IsNaN(v) {
			continue
		}
		at = append(at, v*u.factor)
		word := ""
		if name != nil {
			word = name.Word(row)
		}
		names = append(names, word)
	}
	return at, names, nil
}

func (t *Table) onsetColumn(column string) (*Column, error) {
	if column != "" {
		return t.Find(column)
	}
	var fits []fit[*Column]
	for i := range t.Columns {
		c := &t.Columns[i]
		if !c.numeric() {
			continue
		}
		switch name := words(c.Name); {
		case has(name, "onset", "onsets"):
			fits = append(fits, fit[*Column]{c, 3, c.Label()})
		case has(name, "time", "timestamp", "t"):
			fits = append(fits, fit[*Column]{c, 2, c.Label()})
		case len(t.Columns) == 1:
			fits = append(fits, fit[*Column]{c, 1, c.Label()})
		}
	}
	f, ok, err := best(t.File, "the onset of the events", "a header with one column called onset", fits)
	if err == nil && !ok {
		return nil, errNoOnset(t)
	}
	return f.what, err
}
