package table

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dialectChoice is what the user says of the dialect; the zero value leaves it
// to the file.
type dialectChoice struct {
	separator byte // 0 = any
	decimal   string
}

// Decimal marks that Options.Decimal knows.
const (
	Point = "point"
	Comma = "comma"
)

func (c dialectChoice) allows(d dialect) bool {
	return (c.separator == 0 || c.separator == d.separator) &&
		(c.decimal == "" || d.comma == (c.decimal == Comma))
}

// dialect is how the cells of a file are written.
type dialect struct {
	separator byte // ' ' is any run of blanks and tabs; 0: one cell a line
	comma     bool // decimal comma
}

// dialects in the order in which they are preferred where several fit.
var dialects = [...]dialect{
	{'\t', false}, {'\t', true}, {';', false}, {';', true}, {',', false}, {'|', false}, {'|', true},
	{' ', false}, {' ', true}, {0, false}, {0, true},
}

// String puts the dialect in words.
func (d dialect) String() string {
	words := map[byte]string{'\t': "tabs", ';': "semicolons", ',': "commas", '|': "bars", ' ': "blanks", 0: "one number a line"}[d.separator]
	if d.separator != 0 {
		words = "cells parted by " + words
	}
	if d.comma {
		words += ", decimal commas"
	}
	return words
}

// split cuts a line into its cells, without quotes; into is used again.
func (d dialect) split(line string, into []string) []string {
	into = into[:0]
	switch {
	case d.separator == 0:
		return append(into, unquote(line))
	case d.separator == ' ':
		for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
			end := cellEnd(line, " \t")
			into = append(into, unquote(line[:end]))
			line = line[end:]
		}
		return into
	}
	stop := string(d.separator)
	for {
		end := cellEnd(line, stop)
		into = append(into, unquote(line[:end]))
		if end == len(line) || len(into) > MaxColumns {
			return into
		}
		line = line[end+1:]
	}
}

// cellEnd is where the first cell of a line ends: at one of stops, or at its end.
// What stands between quotes belongs to the cell.
func cellEnd(line, stops string) int {
	if lead := strings.TrimLeft(line, " \t"); !strings.HasPrefix(lead, `"`) {
		i := strings.IndexByte(line, stops[0])
		if len(stops) > 1 {
			i = strings.IndexAny(line, stops)
		}
		if i >= 0 {
			return i
		}
		return len(line)
	}
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(stops, line[i]) >= 0:
			return i
		}
	}
	return len(line)
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s
}

// readable turns the bytes of a name into UTF-8: a name that is none is Latin-1,
// in which older Windows programs write the µ.
func readable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// form is what the first lines of a file show of it.
type form struct {
	dialect
	columns int
	numeric []bool // columns that hold numbers in the main
	filled  []bool // columns that hold anything
	first   int    // index of the first line of data within the lines looked at
	names   []string
	units   []string
	notes   []string
}

// comment tells whether a line is a comment, and returns what it says.
func comment(line string) (string, bool) {
	for _, mark := range [...]string{"#", "%", "//", "**"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// judgement of one dialect on the first lines.
type judgement struct {
	d       dialect
	columns int
	score   float64 // share of lines that are rows of one width × share of cells that are numbers
	header  bool    // the line before the data has as many cells
}

// recognise finds out the form of a file from its first lines.
func recognise(lines []string, force dialectChoice) (form, error) {
	var best judgement
	var tie []judgement
	for _, d := range dialects {
		if !force.allows(d) {
			continue
		}
		j := judge(lines, d)
		switch {
		case j.score == 0 || j.score < best.score:
		case j.score > best.score:
			best, tie = j, []judgement{j}
		default:
			tie = append(tie, j)
		}
	}
	if best.score == 0 {
		return form{}, fmt.Errorf("holds no rows of numbers")
	}
	chosen, err := settle(tie)
	if err != nil {
		return form{}, err
	}
	return describe(lines, chosen), nil
}

// settle chooses among dialects that read the lines equally well.
func settle(tie []judgement) (judgement, error) {
	chosen := tie[0]
	for _, j := range tie[1:] {
		if j.header && !chosen.header || j.header == chosen.header && j.columns > chosen.columns {
			chosen = j
		}
	}
	for _, j := range tie {
		// "512,384" is two whole numbers, or one with a decimal comma.
		if chosen.d.separator == ',' && j.d.separator == 0 && j.d.comma && !chosen.header && !j.header {
			return chosen, fmt.Errorf("a line such as \"512,384\" can be two whole numbers or one with a decimal comma: say which with --decimal point or --decimal comma")
		}
	}
	return chosen, nil
}

// judge counts how well a dialect reads the lines.
func judge(lines []string, d dialect) judgement {
	widths := map[int]int{}
	var cells []string
	total, top := 0, 0
	for _, line := range lines {
		if _, is := comment(line); is || strings.TrimSpace(line) == "" {
			continue
		}
		total++
		cells = d.split(line, cells)
		w := len(cells)
		widths[w]++
		if widths[w] > widths[top] || widths[w] == widths[top] && w > top {
			top = w
		}
	}
	if total == 0 || top == 0 || top > MaxColumns || top == 1 && d.separator != 0 {
		return judgement{d: d}
	}
	good, all, rows := 0, 0, 0
	header := false // a line as wide as the rows, and without a number
	parted := false // which has several names, where there would be one column
	for _, line := range lines {
		if _, is := comment(line); is {
			continue
		}
		cells = d.split(line, cells)
		if len(cells) != top {
			continue
		}
		numbers, gaps := 0, 0
		for _, c := range cells {
			switch _, k := d.read(c); k {
			case number, clock:
				numbers++
			case missing:
				gaps++
			}
		}
		if numbers == 0 {
			header = true
			parted = parted || d.separator == 0 && strings.ContainsAny(line, ",;\t|")
			continue
		}
		rows++
		good += numbers + gaps
		all += len(cells)
	}
	if all == 0 {
		return judgement{d: d}
	}
	share := float64(rows) / float64(total)
	if parted {
		share, header = share/2, false
	}
	return judgement{d: d, columns: top, header: header, score: share * float64(good) / float64(all)}
}
