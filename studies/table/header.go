package table

import (
	"fmt"
	"strings"
)

// describe finds the header and the first line of data.
func describe(lines []string, j judgement) form {
	f := form{dialect: j.d, columns: j.columns}
	f.numeric, f.filled = majority(lines, j)
	f.first = f.firstData(lines)

	var above [][]string // lines before the data that have as many cells
	skipped, last := 0, ""
	wide := 0 // width of the line just above the data, where it is of words
	for _, line := range lines[:f.first] {
		said, is := comment(line)
		if is {
			last = said
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		cells := append([]string(nil), f.split(line, nil)...)
		wide = len(cells)
		if wide == f.columns || wide == f.columns-1 && f.columns > 1 && allWords(f.dialect, cells) {
			above = append(above, cells)
			continue
		}
		skipped++
	}
	// An ordinary preamble ("Subject,7") has numbers; a header has none.
	for len(above) > 1 && !allWords(f.dialect, above[0]) {
		above = above[1:]
		skipped++
	}
	switch {
	case len(above) == 0:
		f.commented(last)
		if f.names == nil && wide > 1 && wide != f.columns {
			f.note("the line above the data has %d cells, the rows have %d: the columns are left without names", wide, f.columns)
		}
	case len(above) > 1 && f.unitRow(above[len(above)-1]):
		f.units = f.fitted(above[len(above)-1])
		f.names = f.fitted(above[len(above)-2])
		skipped += len(above) - 2
	default:
		f.names = f.fitted(above[len(above)-1])
		skipped += len(above) - 1
	}
	if skipped > 0 {
		f.note("%d %s above the header left out", skipped, plural(skipped, "line", "lines"))
	}
	if f.names == nil {
		f.note("no header: the columns are numbered from 1")
	}
	return f
}

func (f *form) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// commented takes the last comment above the data as the header where it has as
// many cells, as NumPy writes it.
func (f *form) commented(line string) {
	if line == "" {
		return
	}
	cells := f.split(line, nil)
	if len(cells) == f.columns && allWords(f.dialect, cells) && (f.columns > 1 || !strings.ContainsAny(line, " :=")) {
		f.names = f.fitted(cells)
		f.note("the header is a comment")
	}
}

// fitted brings a header to as many names as there are columns. R leaves out the
// name of its row numbers.
func (f *form) fitted(cells []string) []string {
	names := make([]string, f.columns)
	shift := 0
	if len(cells) == f.columns-1 && f.filled[f.columns-1] {
		shift = 1
		f.note("the header has one name less than the rows have cells: the first column is taken for row numbers")
	}
	for i, c := range cells {
		if i+shift < f.columns {
			names[i+shift] = readable(c)
		}
	}
	return names
}

// unitRow tells whether a line below the header names units only.
func (f *form) unitRow(cells []string) bool {
	found := false
	for _, c := range cells {
		c = strings.Trim(readable(c), "[]() ")
		if c == "" {
			continue
		}
		if !isUnit(c) {
			return false
		}
		found = true
	}
	return found
}

func allWords(d dialect, cells []string) bool {
	found := false
	for _, c := range cells {
		switch _, k := d.read(c); k {
		case number, clock:
			return false
		case text:
			found = true
		}
	}
	return found
}

// majority tells which columns hold numbers in most lines, and which hold
// anything at all.
func majority(lines []string, j judgement) (numeric, filled []bool) {
	numbers, texts := make([]int, j.columns), make([]int, j.columns)
	var cells []string
	for _, line := range lines[len(lines)/2:] { // what stands above the data may be longer than one thinks
		if _, is := comment(line); is {
			continue
		}
		if cells = j.d.split(line, cells); len(cells) != j.columns {
			continue
		}
		for i := range cells {
			switch _, k := j.d.read(cells[i]); k {
			case number, clock:
				numbers[i]++
			case text:
				texts[i]++
			}
		}
	}
	numeric, filled = make([]bool, j.columns), make([]bool, j.columns)
	for i := range numeric {
		numeric[i] = numbers[i] > 0 && numbers[i] >= texts[i]
		filled[i] = numbers[i] > 0 || texts[i] > 0
	}
	return numeric, filled
}

// firstData is the index of the first line that has a number in every column
// that holds numbers, or says that it is missing.
func (f *form) firstData(lines []string) int {
	isData := func(line string) bool {
		cells := f.split(line, nil)
		if len(cells) != f.columns {
			return false
		}
		found := false
		for i := range cells {
			_, k := f.read(cells[i])
			if f.numeric[i] && k == text {
				return false
			}
			found = found || k == number || k == clock
		}
		return found
	}
	for i, line := range lines {
		if _, is := comment(line); is || !isData(line) {
			continue
		}
		return i
	}
	return len(lines)
}
