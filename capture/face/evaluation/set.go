package evaluation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"emolab/capture/picture"
	"emolab/fusion/expression"
)

// Labelled is one picture file with the expression that people say it shows.
type Labelled struct {
	File  string
	Class int // position in expression.Names
}

// Set is a collection of labelled pictures.
type Set struct {
	Pictures []Labelled
	// Ignored counts what was left out, by the reason.
	Ignored map[string]int
}

// ErrNothing is the answer to a collection without a single usable picture.
var ErrNothing = errors.New("no labelled pictures")

// Open reads a folder of class folders, or a CSV table.
func Open(path string) (Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Set{}, fmt.Errorf("evaluation: %w", err)
	}
	if info.IsDir() {
		return folder(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return Set{}, fmt.Errorf("evaluation: %w", err)
	}
	defer file.Close()
	set, err := table(file, filepath.Dir(path))
	if err != nil {
		return Set{}, fmt.Errorf("evaluation: %s: %w", path, err)
	}
	return set, nil
}

// folder reads the pictures of every class folder in dir, at any depth. Hidden
// files and folders are passed over.
func folder(dir string) (Set, error) {
	set := Set{Ignored: map[string]int{}}
	classes, err := os.ReadDir(dir)
	if err != nil {
		return Set{}, fmt.Errorf("evaluation: %w", err)
	}
	for _, entry := range classes {
		name := entry.Name()
		if hidden(name) {
			continue
		}
		class, ok := ParseLabel(name)
		switch {
		case !entry.IsDir():
			set.Ignored["files beside the class folders"]++
			continue
		case !ok:
			set.Ignored[fmt.Sprintf("the folder %q, which names none of the seven expressions", name)]++
			continue
		}
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case hidden(d.Name()) && d.IsDir():
				return fs.SkipDir
			case d.IsDir() || hidden(d.Name()):
			case !picture.Known(d.Name()):
				set.Ignored["files that are no JPEG, PNG or GIF by their names"]++
			default:
				set.Pictures = append(set.Pictures, Labelled{path, class})
			}
			return nil
		})
		if err != nil {
			return Set{}, fmt.Errorf("evaluation: %w", err)
		}
	}
	if len(set.Pictures) == 0 {
		return Set{}, fmt.Errorf("evaluation: %s: %w: put them into folders named %s", dir, ErrNothing, strings.Join(names(), ", "))
	}
	return set, nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func names() []string {
	n := expression.Names()
	return n[:]
}

// table reads a CSV table with the columns file and label, in any order, others
// ignored. Names of files are taken from dir where they are not absolute.
func table(r io.Reader, dir string) (Set, error) {
	rows := csv.NewReader(r)
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return Set{}, fmt.Errorf("%w: the table is empty", ErrNothing)
	}
	if err != nil {
		return Set{}, err
	}
	file, label := column(header, "file", "path", "image", "filename"), column(header, "label", "expression", "emotion", "class")
	if file < 0 || label < 0 {
		return Set{}, fmt.Errorf("the first line is %q: it must name the columns file and label", strings.Join(header, ","))
	}
	set := Set{Ignored: map[string]int{}}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Set{}, err
		}
		if class, ok := ParseLabel(row[label]); ok {
			path := filepath.FromSlash(row[file])
			if !filepath.IsAbs(path) {
				path = filepath.Join(dir, path)
			}
			set.Pictures = append(set.Pictures, Labelled{path, class})
		} else {
			set.Ignored[fmt.Sprintf("rows labelled %q, which is none of the seven expressions", row[label])]++
		}
	}
	if len(set.Pictures) == 0 {
		return Set{}, fmt.Errorf("%w: label rows %s", ErrNothing, strings.Join(names(), ", "))
	}
	return set, nil
}

// column returns the position of the first header with one of the names, -1
// where there is none. A byte order mark, as spreadsheets write it, is no part
// of a name.
func column(header []string, names ...string) int {
	return slices.IndexFunc(header, func(h string) bool {
		return slices.Contains(names, strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))))
	})
}
