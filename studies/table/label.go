package table

import (
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
