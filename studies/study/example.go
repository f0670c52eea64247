package study

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// example is the study that comes with the program, made by example/make.sh.
//
//go:embed example/study.yaml example/stimuli/*.mp4
var example embed.FS

// WriteExample unpacks the example study below dir and returns the path of its
// study file. Files that are there already and equal are left alone; a file
// that differs is an error, because it may be someone's work.
func WriteExample(dir string) (string, error) {
	err := fs.WalkDir(example, "example", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel("example", filepath.FromSlash(name))
		if err != nil {
			return err
		}
		text, err := example.ReadFile(name)
		if err != nil {
			return err
		}
		return writeNew(filepath.Join(dir, rel), text)
	})
	if err != nil {
		return "", fmt.Errorf("study: unpack the example study: %w", err)
	}
	return filepath.Join(dir, "study.yaml"), nil
}

// writeNew writes a file that is not there yet, whole or not at all.
func writeNew(file string, text []byte) error {
	old, err := os.ReadFile(file)
	switch {
	case err == nil && bytes.Equal(old, text):
		return nil
	case err == nil:
		return fmt.Errorf("%s differs from the example: choose another folder, or remove it", file)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return writeWhole(file, text)
}

// writeWhole writes a file whole or not at all.
func writeWhole(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".unpack-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) // gone already when the rename succeeded
	if _, err := part.Write(text); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Chmod(0o644), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}
