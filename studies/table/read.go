package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// Limits of what is read: a file beyond them is no recording of one person, or
// no table.
const (
	MaxBytes   = 2 << 30  // unpacked
	MaxLine    = 1 << 20  // bytes
	MaxColumns = 2048     // vendors' exports have a few hundred
	MaxCells   = 1 << 26  // 64 million numbers, 0.5 GiB: six hours at 1 kHz in 3 columns
	maxWords   = 10000    // different words in one column
	headLines  = 400      // lines that the form of the file is recognised from
	headBytes  = 64 << 10 // and no more bytes than that
)

// Options overrule what Read finds out. The zero value overrules nothing.
type Options struct {
	Separator byte   // ',', ';', '\t', ' ', '|'; 0 = found out
	Decimal   string // Point, Comma; "" = found out
	// Progress is called now and then with the bytes read and the file's size,
	// and may be nil.
	Progress func(done, total int64)
}

// Open reads the file of that name.
func Open(name string, o Options) (*Table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: name a file", name)
	}
	var r io.Reader = f
	if o.Progress != nil {
		r = &counted{r: f, total: info.Size(), progress: o.Progress}
	}
	return Read(r, filepath.Base(name), o)
}

// counted tells how much has been read.
type counted struct {
	r           io.Reader
	done, total int64
	progress    func(done, total int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.progress(c.done, c.total)
	return n, err
}

// Read reads a table. file names it in errors and notes.
//
// Lines that begin with #, %, // or ** are comments. A row that has another
// number of cells than the others is an error, except the last one, which a
// program that was killed leaves unfinished.
func Read(r io.Reader, file string, o Options) (*Table, error) {
	r, err := unpack(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lines := newLineReader(r)
	head, err := lines.head()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	f, err := recognise(head, dialectChoice{o.Separator, o.Decimal})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	t := &Table{File: file, Columns: make([]Column, f.columns), Notes: f.notes}
	for i := range t.Columns {
		t.Columns[i].Number = i + 1
		if f.names != nil {
			t.Columns[i].Name = f.names[i]
		}
		if f.units != nil {
			t.Columns[i].Unit = f.units[i]
		}
	}
	if err := t.fill(lines, head, f); err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	t.dropEmptyLast()
	t.empatica()
	t.Notes = append([]string{fmt.Sprintf("%d rows, %d %s, %s", t.Rows, len(t.Columns), plural(len(t.Columns), "column", "columns"), f.dialect)}, t.Notes...)
	return t, nil
}

// fill reads the rows: those of the lines that were looked at, then the rest.
func (t *Table) fill(lines *lineReader, head []string, f form) error {
	var cells []string
	words := make([]map[string]uint16, len(t.Columns))
	row := func(line string, number int) error {
		if _, is := comment(line); is || strings.TrimSpace(line) == "" {
			return nil
		}
		if cells = f.split(line, cells); len(cells) != len(t.Columns) {
			return &widthError{number, len(cells), len(t.Columns)}
		}
		if (t.Rows+1)*len(t.Columns) > MaxCells {
			return fmt.Errorf("line %d: more than %d million numbers: cut the file into parts, or keep only the columns that are needed", number, MaxCells>>20)
		}
		for i := range t.Columns {
			t.Columns[i].add(f.dialect, cells[i], t.Rows, number, words)
		}
		t.lines = append(t.lines, int32(number))
		t.Rows++
		return nil
	}
	var number int
	var unfinished *widthError
	each := func(line string) error {
		number++
		if unfinished != nil && strings.TrimSpace(line) != "" {
			return unfinished
		}
		err := row(line, number)
		if unfinished == nil && errors.As(err, &unfinished) {
			return nil // if nothing follows, the file breaks off here
		}
		return err
	}
	number = f.first
	for _, line := range head[f.first:] {
		if err := each(line); err != nil {
			return err
		}
	}
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := each(line); err != nil {
			return err
		}
	}
	if unfinished != nil {
		if unfinished.cells > unfinished.columns || t.Rows == 0 {
			return unfinished
		}
		t.Notes = append(t.Notes, fmt.Sprintf("the last line (%d) is unfinished and was left out", unfinished.line))
	}
	return nil
}

// widthError is a row that has not as many cells as the others.
type widthError struct{ line, cells, columns int }

func (e *widthError) Error() string {
	return fmt.Sprintf("line %d: has %d %s, the other rows have %d; mend the line or delete it", e.line, e.cells, plural(e.cells, "cell", "cells"), e.columns)
}

// add keeps one cell.
func (c *Column) add(d dialect, s string, row, line int, words []map[string]uint16) {
	v, k := d.read(s)
	switch k {
	case number:
		c.numbers++
	case clock:
		c.numbers++
		c.Clock = true
	case text:
		if c.texts == 0 {
			c.bad = cell{line, shortened(readable(s))}
			c.codes = make([]uint16, row, max(row, 64))
			words[c.Number-1] = map[string]uint16{}
		}
		c.texts++
	}
	c.Values = append(c.Values, v)
	if c.codes == nil {
		return
	}
	var code uint16
	if k == text {
		seen := words[c.Number-1]
		known := false
		if code, known = seen[s]; !known && len(c.words) < maxWords {
			c.words = append(c.words, shortened(readable(strings.Clone(s))))
			code = uint16(len(c.words))
			seen[strings.Clone(s)] = code
		}
	}
	c.codes = append(c.codes, code)
}

// shortened keeps an error readable whatever stands in the file.
func shortened(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// dropEmptyLast leaves out the column that a separator at the end of every line
// makes.
func (t *Table) dropEmptyLast() {
	last := len(t.Columns) - 1
	if c := t.Columns[last]; last > 0 && c.Name == "" && c.numbers == 0 && c.texts == 0 {
		t.Columns = t.Columns[:last]
	}
}

// empatica recognises the one-column tables of the Empatica E4: the first row is
// the start in seconds since 1970, the second the rate in Hz.
func (t *Table) empatica() {
	if len(t.Columns) != 1 || t.Columns[0].Name != "" || t.Rows < 3 {
		return
	}
	v := t.Columns[0].Values
	const y2010 = 1.26e9 // s since 1970: the wristband is younger
	if v[0] < y2010 || v[0] > 4*y2010 || v[1] < 1 || v[1] > 1024 || v[1] != float64(int(v[1])) {
		return
	}
	t.start, t.rate = v[0], v[1]
	c := &t.Columns[0]
	c.Values, t.lines, t.Rows = v[2:], t.lines[2:], t.Rows-2
	c.numbers -= 2
	if c.codes != nil {
		c.codes = c.codes[2:]
	}
	t.Notes = append(t.Notes, fmt.Sprintf("the form of the Empatica E4: the first line is the start, the second the rate of %g Hz", t.rate))
}

// unpack sees through gzip and UTF-16, and takes off the byte order mark.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(2); bytes.Equal(mark, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		b = bufio.NewReader(z)
	}
	mark, _ := b.Peek(3)
	var wide io.Reader
	switch {
	case bytes.HasPrefix(mark, []byte{0xef, 0xbb, 0xbf}):
		_, err := b.Discard(3)
		return b, err
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}):
		wide = &wideReader{r: b, low: 0, high: 1}
	case bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		wide = &wideReader{r: b, low: 1, high: 0}
	default:
		return b, nil
	}
	_, err := b.Discard(2)
	return wide, err
}

// wideReader turns UTF-16, which Tobii's and SMI's exports are in, into UTF-8.
// Characters beyond the first plane become U+FFFD: numbers need none.
type wideReader struct {
	r         *bufio.Reader
	low, high int // which byte of a pair
	rest      []byte
}

func (w *wideReader) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		var pair [2]byte
		if _, err := io.ReadFull(w.r, pair[:]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // half a character at the end
			}
			return 0, err
		}
		w.rest = append(w.rest, string(utf16.Decode([]uint16{uint16(pair[w.high])<<8 | uint16(pair[w.low])}))...)
	}
	n := copy(p, w.rest)
	w.rest = w.rest[:copy(w.rest, w.rest[n:])]
	return n, nil
}

// lineReader reads lines of bounded length.
type lineReader struct {
	b      *bufio.Reader
	number int   // of the line read last, from 1
	read   int64 // bytes
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{b: bufio.NewReaderSize(r, MaxLine)}
}

// next returns the next line without its end; io.EOF after the last one.
func (l *lineReader) next() (string, error) {
	line, err := l.b.ReadSlice('\n')
	l.number++
	l.read += int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("line %d: is longer than a million characters: is this a table?", l.number)
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("line %d: %w", l.number, err)
	case l.read > MaxBytes:
		return "", fmt.Errorf("line %d: the table is larger than %d GiB: cut it into parts", l.number, MaxBytes>>30)
	case err != nil && len(line) == 0:
		return "", io.EOF
	case bytes.IndexByte(line, 0) >= 0:
		return "", fmt.Errorf("line %d: holds a zero byte: this is not a text file; export it as CSV", l.number)
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

// head returns the first lines.
func (l *lineReader) head() ([]string, error) {
	var lines []string
	for len(lines) < headLines && l.read < headBytes {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}
