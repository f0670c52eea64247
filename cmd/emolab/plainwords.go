package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"emolab/studies/study"
)

// inPlainWords is the text of an error that ends the program. The system's words for a
// file that is not there are put into plain ones, with the name that may be meant.
func inPlainWords(err error) string {
	text := err.Error()
	var at *fs.PathError
	if !errors.As(err, &at) || !errors.Is(at.Err, fs.ErrNotExist) {
		return text
	}
	dir, name := filepath.Split(at.Path)
	if dir == "" {
		dir = "."
	}
	plain := "there is no file " + at.Path + "; " + study.Nearest(name, study.FilesOf(dir))
	// What kong puts before it is the form of the command: "<file> ...", "--study=FILE".
	var parsing *kong.ParseError
	if errors.As(err, &parsing) {
		return plain
	}
	return strings.Replace(text, at.Error(), plain, 1)
}
