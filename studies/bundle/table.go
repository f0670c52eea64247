package bundle

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"

	"emolab/fusion/instant"
)

// column is one column of a table, with its line in the codebook.
type column struct{ name, unit, about string }

// table writes one CSV file: UTF-8, a header, a point for decimals, an empty
// cell for what is missing, "\n" at the end of a line. Errors are kept until
// end, as bufio does.
type table struct {
	w     *bufio.Writer
	line  []byte
	cells int // in the line so far
	rows  int64
}

// tableBuffer is large enough for a few hundred lines of the widest table.
const tableBuffer = 1 << 18

func newTable(w io.Writer, columns []column) *table {
	t := &table{w: bufio.NewWriterSize(w, tableBuffer)}
	for _, c := range columns {
		t.text(c.name)
	}
	t.end()
	t.rows = 0
	return t
}

func (t *table) next() {
	if t.cells > 0 {
		t.line = append(t.line, ',')
	}
	t.cells++
}

// text writes a cell of words, quoted where it must be (RFC 4180).
func (t *table) text(s string) {
	t.next()
	if !strings.ContainsAny(s, ",\"\r\n") {
		t.line = append(t.line, s...)
		return
	}
	t.line = append(t.line, '"')
	t.line = append(t.line, strings.ReplaceAll(s, `"`, `""`)...)
	t.line = append(t.line, '"')
}

func (t *table) int(v int64) {
	t.next()
	t.line = strconv.AppendInt(t.line, v, 10)
}

// bool writes 1 or 0.
func (t *table) bool(v bool) {
	if v {
		t.int(1)
		return
	}
	t.int(0)
}

// float writes a number so that reading it gives the same number; NaN is empty.
func (t *table) float(v float64) { t.number(v, 64) }

// float32 is for values that were kept as float32: fewer digits say the same.
func (t *table) float32(v float64) { t.number(v, 32) }

func (t *table) number(v float64, bits int) {
	t.next()
	switch {
	case math.IsNaN(v):
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		t.line = strconv.AppendInt(t.line, int64(v), 10)
	default:
		t.line = strconv.AppendFloat(t.line, v, 'g', -1, bits)
	}
}

// seconds writes the time from one instant to another, in s with six decimals:
// no clock here is better than a microsecond.
func (t *table) seconds(from, at instant.Instant) {
	t.next()
	us := (at.Sub(from).Nanoseconds() + 500) / 1000
	if at < from {
		us = (at.Sub(from).Nanoseconds() - 500) / 1000
	}
	if us < 0 {
		t.line, us = append(t.line, '-'), -us
	}
	t.line = append(strconv.AppendInt(t.line, us/1e6, 10), '.')
	for rest, digit := us%1e6, int64(1e5); digit > 0; digit /= 10 {
		t.line = append(t.line, byte('0'+rest/digit%10))
	}
}

// empty writes a cell that says nothing.
func (t *table) empty() { t.next() }

// end ends the line.
func (t *table) end() {
	t.line = append(t.line, '\n')
	_, _ = t.w.Write(t.line) // the error comes again with close
	t.line, t.cells = t.line[:0], 0
	t.rows++
}

// close writes what is left and returns the number of lines below the header.
func (t *table) close() (int64, error) { return t.rows, t.w.Flush() }
