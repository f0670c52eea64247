// Package conditions reads the table of conditions of a PsychoPy experiment, one row a
// trial, and makes of it the list of stimuli of a study. PsychoPy fixes no names of
// columns; which one was taken for what is said in words, to be checked by a person.
package conditions

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Table is what a table of conditions says about stimuli.
type Table struct {
	Folder  string // of all files, relative to the table's own; "" = the same
	Stimuli []Stimulus
	// Taken says in sentences which column was taken for what, and what was left out.
	Taken []string
}

// Stimulus is one video of the table.
type Stimulus struct {
	ID    string
	File  string // relative to Table.Folder, with slashes
	Brand string // "" = none
	Tags  []string
}

// Bounds of a table. Conditions that people write have a hundredth of all three.
const (
	maxBytes   = 4 << 20
	maxColumns = 200
	maxName    = 100  // bytes of a column's name
	maxStimuli = 1000 // of a study
)

// ReadFile reads a table of comma, semicolon or tab separated values.
func ReadFile(name string) (Table, error) {
	if ending := strings.ToLower(filepath.Ext(name)); slices.Contains([]string{".xlsx", ".xls", ".ods"}, ending) {
		return Table{}, fmt.Errorf("%s: %w", name, errWorkbook)
	}
	f, err := os.Open(name)
	if err != nil {
		return Table{}, err
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return Table{}, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Read reads a table of comma, semicolon or tab separated values with a header.
func Read(r io.Reader) (Table, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return Table{}, err
	}
	if len(raw) > maxBytes {
		return Table{}, fmt.Errorf("the table is larger than %d MB; is it a table of conditions?", maxBytes>>20)
	}
	s, err := readSheet(raw)
	if err != nil {
		return Table{}, err
	}
	c, err := s.columns()
	if err != nil {
		return Table{}, err
	}
	return s.stimuli(c)
}

// stimuli makes one stimulus of all rows that show the same file.
func (s sheet) stimuli(c columns) (Table, error) {
	t := Table{Taken: slices.Concat(s.notes, c.words(s))}
	files := make([]string, len(s.rows))
	elsewhere := map[string]bool{}
	example := ""
	for i, row := range s.rows {
		file, moved := local(row.cell(c.file))
		files[i] = file
		if moved && len(elsewhere) == 0 {
			example = file
		}
		if moved {
			elsewhere[file] = true
		}
	}
	if len(elsewhere) > 0 {
		t.Taken = append(t.Taken, fmt.Sprintf("%d files lie outside of the table's folder, such as %q: put them there, or give their folder", len(elsewhere), example))
	}
	t.Folder = commonFolder(files)
	ids := map[string]bool{}
	at := map[string]int{} // index of a file's stimulus
	var varying []string   // columns that say different things about one stimulus
	again, nameless := 0, 0
	for i, row := range s.rows {
		file := strings.TrimPrefix(files[i], t.Folder+"/")
		if file == "" {
			nameless++
			continue
		}
		n := Stimulus{File: file, Brand: row.cell(c.brand)}
		for _, k := range c.tags {
			if v := row.cell(k); v != "" {
				n.Tags = append(n.Tags, s.header[k]+"="+v)
			}
		}
		k, known := at[file]
		if !known {
			if len(t.Stimuli) == maxStimuli {
				return Table{}, fmt.Errorf("line %d: more than %d stimuli; a study has 1 to %[2]d", row.line, maxStimuli)
			}
			n.ID = unique(ids, row.cell(c.id), file)
			at[file] = len(t.Stimuli)
			t.Stimuli = append(t.Stimuli, n)
			continue
		}
		again++
		if first := t.Stimuli[k].Brand; first != n.Brand {
			return Table{}, fmt.Errorf("line %d: %s is of brand %q, and of %q in an earlier line; write the same in both", row.line, file, n.Brand, first)
		}
		kept := t.Stimuli[k].Tags[:0]
		for _, tag := range t.Stimuli[k].Tags {
			if slices.Contains(n.Tags, tag) {
				kept = append(kept, tag)
			} else if name, _, _ := strings.Cut(tag, "="); !slices.Contains(varying, name) {
				varying = append(varying, name)
			}
		}
		t.Stimuli[k].Tags = kept
	}
	if len(t.Stimuli) == 0 {
		return Table{}, fmt.Errorf("column %q names no file", s.header[c.file])
	}
	if nameless > 0 {
		t.Taken = append(t.Taken, fmt.Sprintf("%d rows name no file and are left out", nameless))
	}
	if again > 0 {
		t.Taken = append(t.Taken, fmt.Sprintf("%d rows show a file again and are left out; a study says with repeats and blocks how often", again))
	}
	if len(varying) > 0 {
		t.Taken = append(t.Taken, fmt.Sprintf("%s: differs between rows with the same file, where it is left out", list(varying)))
	}
	return t, nil
}
