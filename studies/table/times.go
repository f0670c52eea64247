package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Times are the instants that a table lists, such as the onsets of events.
type Times struct {
	Seconds []float64
	Names   []string // one each; "" where the table has none
	Notes   []string
}

// Times reads a column of times: the one named, else onset, time or timestamp by
// name, else the only column. They are in seconds unless unit or the name says
// otherwise. Rows without a time are left out, which a note says.
func (t *Table) Times(column, unit string) (Times, error) {
	c, err := t.onsetColumn(column)
	if err != nil {
		return Times{}, err
	}
	if err := t.numbers(c); err != nil {
		return Times{}, err
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
	var out Times
	without := 0
	for row, v := range c.Values {
		if math.IsNaN(v) {
			without++
			continue
		}
		out.Seconds = append(out.Seconds, v*u.factor)
		word := ""
		if name != nil {
			word = name.Word(row)
		}
		out.Names = append(out.Names, word)
	}
	if without > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s: %d %s no number in %s and %s left out", t.File, without, plural(without, "row has", "rows have"), c.named(), plural(without, "was", "were")))
	}
	return out, nil
}

// onsetColumn finds the column of Times. One that is called onset is taken
// whatever it holds, so that a cell that is no number is told with its line.
func (t *Table) onsetColumn(column string) (*Column, error) {
	if column != "" {
		return t.Find(column)
	}
	var fits []fit[*Column]
	for i := range t.Columns {
		c := &t.Columns[i]
		switch name := words(c.Name); {
		case has(name, "onset", "onsets"):
			fits = append(fits, fit[*Column]{c, 3, c.Label()})
		case !c.numeric():
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

// SinceFirst tells how times that a person gives for a recording are counted:
// on its own clock (false), or from its first sample (true). The latter is so
// where the clock begins later than the recording of that length (s) is long, as
// Unix time does, so that a number can mean one of the two only, and where none
// of the times lies on the clock but one within the length. Infinite ones say
// nothing.
func (a *Axis) SinceFirst(length float64, times ...float64) bool {
	if !(a.Start > length) {
		return false
	}
	since := false
	for _, s := range times {
		if s >= a.Start && s <= a.Start+length {
			return false
		}
		since = since || s >= 0 && s <= length
	}
	return since
}

// Clock writes seconds as a person reads them: to the millisecond, and without
// a power of ten however large they are.
func Clock(seconds float64) string {
	return strconv.FormatFloat(math.Round(seconds*1000)/1000, 'f', -1, 64)
}
