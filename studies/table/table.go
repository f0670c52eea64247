// Package table reads the tables of numbers that other laboratories' programs
// write: CSV, TSV, semicolons with decimal commas, with or without a header,
// comments, a byte order mark or gzip. It then finds the columns a signal needs
// by their names and values.
//
// Every guess is put in words (Notes) for the user to read, and can be
// overruled. Where two columns fit equally well, or a number could mean two
// things, nothing is guessed: the error lists the choices.
package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Table is a file of numbers, held column by column.
type Table struct {
	File    string
	Columns []Column
	Rows    int
	Notes   []string // what was found out about the file's form, in words

	lines []int32 // line of the file that each row stands on, from 1
	rate  float64 // Hz, where the file itself states it (Empatica E4); else 0
	start float64 // s, the time of the first row that belongs to rate
}

// Column is one column of a table. Values has one number a row, NaN where the
// cell is empty, says that the value is missing (NA, NaN, ".", "-"), or is no
// number.
type Column struct {
	Number int    // from 1, as it stands in the file
	Name   string // "" where the file has no header
	Unit   string // from a line of units below the header, else ""
	Values []float64
	Clock  bool // the cells were dates or times of day; Values are seconds

	numbers int      // cells that are numbers
	texts   int      // cells that are words
	bad     cell     // the first of them
	codes   []uint16 // index into words + 1, 0 = not a word; nil where there are none
	words   []string
}

// cell is one cell that is not a number.
type cell struct {
	line int
	text string
}

// Label names the column as a person would.
func (c *Column) Label() string {
	if c.Name == "" {
		return "column " + strconv.Itoa(c.Number)
	}
	return fmt.Sprintf("%q", c.Name)
}

// named is the label within a sentence.
func (c *Column) named() string {
	if c.Name == "" {
		return c.Label()
	}
	return "column " + c.Label()
}

// Word returns the cell of a row where it is a word, else "".
func (c *Column) Word(row int) string {
	if c.codes == nil || c.codes[row] == 0 {
		return ""
	}
	return c.words[c.codes[row]-1]
}

// numeric tells whether the column holds numbers in the main.
func (c *Column) numeric() bool { return c.numbers > 0 && c.numbers > c.texts }

// nameAndUnit is what the file says of the column, for guessing.
func (c *Column) nameAndUnit() string { return c.Name + " " + c.Unit }

// Line returns the line of the file that a row stands on, from 1.
func (t *Table) Line(row int) int { return int(t.lines[row]) }

// Find returns the column that a user names: by its name, whatever the case, or
// by its number from 1.
func (t *Table) Find(name string) (*Column, error) {
	var found []*Column
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name != "" && strings.EqualFold(c.Name, name) {
			found = append(found, c)
		}
	}
	if len(found) > 1 {
		return nil, fmt.Errorf("%s: %d columns are called %q: give the column's number instead", t.File, len(found), name)
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if n, err := strconv.Atoi(name); err == nil && 1 <= n && n <= len(t.Columns) {
		return &t.Columns[n-1], nil
	}
	return nil, fmt.Errorf("%s: no column is called %q; there are %s", t.File, name, t.list())
}

// listedColumns is how many columns an error lists.
const listedColumns = 30

// list names the columns.
func (t *Table) list() string {
	var names []string
	for i := range t.Columns {
		if i == listedColumns {
			names = append(names, fmt.Sprintf("and %d more", len(t.Columns)-i))
			break
		}
		c := &t.Columns[i]
		if c.Name == "" {
			names = append(names, c.Label())
		} else {
			names = append(names, fmt.Sprintf("%d %s", c.Number, c.Label()))
		}
	}
	return strings.Join(names, ", ")
}

// numbers checks that the column can be read as numbers.
func (t *Table) numbers(c *Column) error {
	if c.texts > 0 {
		return fmt.Errorf("%s line %d, %s: %q is not a number; an empty cell or NA says that a value is missing", t.File, c.bad.line, c.named(), c.bad.text)
	}
	if c.numbers == 0 {
		return fmt.Errorf("%s, %s: holds no number", t.File, c.named())
	}
	return nil
}

// fit is a column (or a pair) that fits what is sought, the better the higher.
type fit[T any] struct {
	what  T
	score int
	label string
}

// best returns what fits best; false where nothing fits. Two that fit equally
// well are an error, which lists them and the flag that decides.
func best[T any](file, sought, flag string, fits []fit[T]) (fit[T], bool, error) {
	if len(fits) == 0 {
		return fit[T]{}, false, nil
	}
	top := slices.MaxFunc(fits, func(a, b fit[T]) int { return a.score - b.score })
	var equal []string
	for _, f := range fits {
		if f.score == top.score {
			equal = append(equal, f.label)
		}
	}
	if len(equal) > 1 {
		return fit[T]{}, false, fmt.Errorf("%s: %s could be %s: choose with %s", file, sought, strings.Join(equal, " or "), flag)
	}
	return top, true, nil
}

// present returns the numbers among values, sorted.
func present(values []float64) []float64 {
	kept := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			kept = append(kept, v)
		}
	}
	slices.Sort(kept)
	return kept
}

// quantile of sorted values; NaN where there is none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
