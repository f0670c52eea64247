package study

import (
	"fmt"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"
	"time"
)

// beside is a source whose videos are made up: each lasts 20 s, and its hash is its name.
type beside struct{ files fs.FS }

func (b beside) read(name string, most int64) ([]byte, error) {
	text, err := fs.ReadFile(b.files, name)
	return text[:min(int64(len(text)), most+1)], err
}

func (b beside) measure(name string) (Stimulus, error) {
	return Stimulus{SHA256: fmt.Sprintf("%x", name), Duration: 20 * time.Second}, nil
}

func (b beside) names(dir string) []string {
	entries, _ := fs.ReadDir(b.files, path.Clean(dir))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (b beside) String() string { return "beside" }

// built makes the study of a file's text; files are those beside it, by name.
func built(t *testing.T, text string, files map[string]string) (*Study, error) {
	t.Helper()
	beside := beside{fstest.MapFS{}}
	for name, content := range files {
		beside.files.(fstest.MapFS)[name] = &fstest.MapFile{Data: []byte(content)}
	}
	d, err := parseDocument("s.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return d.build(beside)
}

// mustBuild is built of a text that has to be right.
func mustBuild(t *testing.T, text string, files map[string]string) *Study {
	t.Helper()
	s, err := built(t, text, files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
