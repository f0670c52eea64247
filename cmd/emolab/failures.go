package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// failures are the files of a batch that could not be analysed, while the others
// went on.
type failures struct {
	of    int // files of the batch
	files []string
	errs  []error
}

func (f *failures) add(file string, err error) {
	f.files, f.errs = append(f.files, file), append(f.errs, err)
}

// err lists them; nil without any. That of a batch of one is returned as it is.
func (f *failures) err() error {
	switch {
	case len(f.errs) == 0:
		return nil
	case f.of == 1:
		return f.errs[0]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d files could not be analysed:", len(f.errs), f.of)
	for i, err := range f.errs {
		name, text := f.files[i], err.Error()
		if short, has := strings.CutPrefix(text, filepath.Base(name)); has {
			text = name + short // two folders may hold files of one name
		} else if !strings.Contains(text, name) {
			text = name + ": " + text
		}
		b.WriteString("\n  " + text)
	}
	return fmt.Errorf("%s", b.String())
}
