package study

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// report writes findings a line each.
func report(found []Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "line %d, %s: %s\n", f.Line, f.Severity, f.Text)
	}
	return b.String()
}

// Each folder has a study file with a mistake that somebody could make, and what is said
// about it. The videos are made up and last 20 s.
func TestLint(t *testing.T) {
	dirs, err := filepath.Glob("testdata/lint/*")
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d folders, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		name := filepath.ToSlash(strings.TrimPrefix(dir, "testdata"+string(filepath.Separator)))
		t.Run(filepath.Base(dir), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			d, err := parseDocument("study.yaml", text)
			var found []Finding
			if err != nil {
				found = broken("study.yaml", err)
			} else {
				found = d.lint(beside{os.DirFS(dir)})
			}
			if len(found) == 0 {
				t.Error("nothing was found")
			}
			golden(t, name+"/want.txt", report(found))
		})
	}
}

// grave are the findings that are more than notes.
func grave(found []Finding) string {
	var all []Finding
	for _, f := range found {
		if f.Severity != Note {
			all = append(all, f)
		}
	}
	return report(all)
}

func TestTheExampleIsClean(t *testing.T) {
	if got := grave(Lint(unpack(t))); got != "" {
		t.Errorf("the example study is not clean:\n%s", got)
	}
}

func TestLintOfWhatCannotBeLoaded(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "study.yaml")
	for _, c := range []struct{ name, text, want string }{
		{"not there", "", "line 0, error: open " + file},
		{"no folder", "id: a\nstimuli: {folder: clips}\n", "line 0, error: the folder of the stimuli: open " + filepath.Join(dir, "clips")},
		{"no clip", "id: a\nstimuli:\n  folder: .\n  list: [{id: x}]\n", "line 4, error: stimuli.list: stimulus x: there is no file " + filepath.Join(dir, "x.mp4") + "; there is study.yaml"},
		{"misspelt", "id: a\nflwo: []\n", "line 2, error: flwo: unknown key; did you mean \"flow\"?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text != "" {
				if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := report(Lint(file)); !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("got %swant %s", got, c.want)
			}
		})
	}
}
