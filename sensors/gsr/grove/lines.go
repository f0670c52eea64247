package grove

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// maxLine is the longest line that can be one: eight labelled columns. It bounds
// what is kept of a device that never ends its lines.
const maxLine = 120

// What a line consists of: numbers and labels, and what stands between them.
var (
	number = regexp.MustCompile(`^-?\d{1,10}(\.\d{1,6})?$`)
	label  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func between(r rune) bool { return strings.ContainsRune(" \t,;:=()", r) }

// Line is what was read of one line.
type Line struct {
	Columns  []float64 // its numbers; nil where it is no line of numbers
	Believed bool      // the line before it was one, with as many columns
}

// Lines cuts what is heard into lines. The zero value is ready. The first line
// after the port was opened, or after damage, may be the end of a longer one, and
// "512" without its "5" is a number too: it is not believed.
type Lines struct {
	held   []byte
	before int // columns of the line before, 0 where it was none of numbers
}

// Put takes one byte, and returns the line that it ends.
func (l *Lines) Put(c byte) (line Line, ok bool) {
	if c != '\n' {
		if len(l.held) <= maxLine {
			l.held = append(l.held, c)
		}
		return Line{}, false
	}
	text := bytes.TrimSuffix(l.held, []byte("\r"))
	l.held = l.held[:0]
	if len(text) == 0 {
		return Line{}, false
	}
	line.Columns = columns(text)
	line.Believed = line.Columns != nil && len(line.Columns) == l.before
	l.before = len(line.Columns)
	return line, true
}

// columns returns the numbers of a line, or nil where there is anything in it
// besides numbers, labels and what separates them.
func columns(text []byte) []float64 {
	if len(text) > maxLine {
		return nil
	}
	var all []float64
	for _, word := range bytes.FieldsFunc(text, between) {
		if label.Match(word) {
			continue
		}
		x, err := strconv.ParseFloat(string(word), 64)
		if err != nil || !number.Match(word) {
			return nil
		}
		all = append(all, x)
	}
	return all
}
