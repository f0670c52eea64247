package conditions

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// sheet is a table as it was read.
type sheet struct {
	header []string
	rows   []row
	notes  []string
}

// row is a row that is not empty.
type row struct {
	cells []string
	line  int // in the file, from 1
}

// cell returns a cell without blanks around it; "" of a row that is shorter, and of the
// column -1.
func (r row) cell(column int) string {
	if column < 0 || column >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[column])
}

// The beginnings of files that are no text.
var (
	utf8Mark  = []byte("\xef\xbb\xbf")
	utf16Mark = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
	zipMark   = []byte("PK\x03\x04")
	oldExcel  = []byte("\xd0\xcf\x11\xe0")
)

// errWorkbook says what to do with what a spreadsheet program keeps its tables in.
var errWorkbook = errors.New(`this is a workbook; save it as text first (in Excel: Save as, "CSV UTF-8")`)

func readSheet(raw []byte) (sheet, error) {
	switch {
	case bytes.HasPrefix(raw, zipMark), bytes.HasPrefix(raw, oldExcel):
		return sheet{}, errWorkbook
	case bytes.HasPrefix(raw, utf16Mark[0]), bytes.HasPrefix(raw, utf16Mark[1]):
		return sheet{}, errors.New(`this is "Unicode text" (UTF-16); save it as "CSV UTF-8"`)
	case bytes.IndexByte(raw, 0) >= 0:
		return sheet{}, errors.New("this is no table of text")
	}
	raw = bytes.TrimPrefix(raw, utf8Mark)
	var s sheet
	if !utf8.Valid(raw) {
		raw = latin1(raw)
		s.notes = append(s.notes, "the table is not in UTF-8 and was read as Western European; look at the accents")
	}
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma = separator(raw)
	r.FieldsPerRecord = -1
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return sheet{}, fmt.Errorf("line %d: a quote is in the wrong place, or not closed", bad.StartLine)
		}
		if err != nil {
			return sheet{}, err
		}
		line, _ := r.FieldPos(0)
		switch {
		case strings.TrimSpace(strings.Join(cells, "")) == "":
			continue
		case len(cells) > maxColumns:
			return sheet{}, fmt.Errorf("line %d has more than %d columns", line, maxColumns)
		case s.header == nil:
			for _, name := range cells {
				if name = strings.TrimSpace(name); len(name) > maxName {
					return sheet{}, fmt.Errorf("line %d: the name of a column is longer than %d characters; the first line has to name the columns", line, maxName)
				}
				s.header = append(s.header, name)
			}
			continue
		case len(cells) > len(s.header) && strings.TrimSpace(strings.Join(cells[len(s.header):], "")) != "":
			return sheet{}, fmt.Errorf("line %d has %d cells, the header has %d names; put quotes around cells with a %q in them",
				line, len(cells), len(s.header), r.Comma)
		}
		s.rows = append(s.rows, row{cells, line})
	}
	if len(s.rows) == 0 {
		return sheet{}, errors.New("the table has no rows below its header")
	}
	return s, nil
}

// separator is the sign that parts the cells: that which the header has most of.
func separator(raw []byte) rune {
	header, _, _ := bytes.Cut(bytes.TrimLeft(raw, "\n"), []byte("\n"))
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// latin1 makes UTF-8 of bytes that each are the character of that number.
func latin1(raw []byte) []byte {
	text := make([]rune, len(raw))
	for i, b := range raw {
		text[i] = rune(b)
	}
	return []byte(string(text))
}
