package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"emolab/studies/study"
)

// typed has a person type that on standard input.
func typed(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "typed")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = f
	t.Cleanup(func() {
		os.Stdin = before
		f.Close()
	})
}

// withClips puts the example's clips into the folder of a study's videos.
func withClips(t *testing.T, folder string) {
	t.Helper()
	if err := os.Remove(folder); err != nil { // fails if anything is in it
		t.Fatal(err)
	}
	clips := filepath.Join(filepath.Dir(plannedStudy(t, "")), "stimuli")
	if err := os.Symlink(clips, folder); err != nil {
		t.Fatal(err)
	}
}

func TestStudyNewAsks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Été 26")
	typed(t, "w26\nA walk: \"in\" the park\nFR, en\n\nclips\ny\nwhat\nn\noui\ny\nn\n")
	code, out, errOut := emolab(t, "study", "new", dir)
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if !strings.Contains(errOut, "Id of the study, a part of file names [Ete-26]:") || !strings.Contains(errOut, "Please answer y or n. Is an eye tracker needed? [y/N]") {
		t.Errorf("asks %q", errOut)
	}
	file := filepath.Join(dir, "study.yaml")
	if !strings.Contains(out, "emolab study lint '"+file+"'\n") {
		t.Errorf("says %q", out)
	}
	withClips(t, filepath.Join(dir, "clips"))
	s, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != "w26" || s.Title != `A walk: "in" the park` || !slices.Equal(s.Languages, []string{"fr", "en"}) || len(s.Stimuli) != 4 {
		t.Errorf("%q %q %q, %d stimuli", s.ID, s.Title, s.Languages, len(s.Stimuli))
	}
	if d := s.Devices; !d.NeedsCamera || d.NeedsGaze || !d.NeedsEDA || len(s.Screening) != 0 {
		t.Errorf("%+v, %d questions", d, len(s.Screening))
	}
	if code, out, _ := emolab(t, "study", "lint", file); code != exitFine {
		t.Errorf("lint of a new study: exit %d, %s", code, out)
	}
}

func TestStudyNewOfFlags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "walk")
	if code, _, errOut := emolab(t, "study", "new", dir, "--yes", "--no-camera", "--gaze", "--no-screening", "--title", "Walk"); code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	withClips(t, filepath.Join(dir, "stimuli"))
	s, err := study.Load(filepath.Join(dir, "study.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Devices; s.ID != "walk" || s.Title != "Walk" || d.NeedsCamera || !d.NeedsGaze || d.NeedsEDA || len(s.Screening) != 0 {
		t.Errorf("%q %q %+v, %d questions", s.ID, s.Title, d, len(s.Screening))
	}

	// What is there is not written over, whatever it is.
	before, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	code, _, errOut := emolab(t, "study", "new", dir, "--yes")
	after, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
	if err != nil || code != exitFailed || !strings.Contains(errOut, "is there already") || string(before) != string(after) {
		t.Errorf("exit %d, %v: %s", code, err, errOut)
	}
}

func TestStudyNewFromConditions(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "conditions.csv")
	if err := os.WriteFile(table, []byte("stimID,movie,brand,pace\na1,films/silk.mp4,Maison A,slow\nb1,films/velvet.mp4,Maison B,quick\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := emolab(t, "study", "new", dir, "--id", "w", "--conditions", table, "--yes")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, want := range []string{`files: column "movie"`, `brands: column "brand"`, `tags: "pace"`, "put your videos, as they are, into " + filepath.Join(dir, "films")} {
		if !strings.Contains(out, want) {
			t.Errorf("%q does not say %q", out, want)
		}
	}
	withClips(t, filepath.Join(dir, "films"))
	s, err := study.Load(filepath.Join(dir, "study.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Stimuli) != 2 || s.Stimuli[0].ID != "a1" || s.Stimuli[1].Brand != "Maison B" || !slices.Equal(s.Stimuli[1].Tags, []string{"pace=quick"}) {
		t.Errorf("%+v", s.Stimuli)
	}
}

// A film that browsers do not play is written down as what  study import --convert  makes
// of it.
func TestStudyNewFromFilmsToConvert(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "conditions.csv")
	if err := os.WriteFile(table, []byte("movie\nfilms/Défilé été (final).mov\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := emolab(t, "study", "new", dir, "--id", "w", "--conditions", table, "--yes")
	if code != exitFine || !strings.Contains(out, "emolab study import --convert "+filepath.Join(dir, "films")) {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	text, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
	if err != nil || !strings.Contains(string(text), "Defile-ete-final") || strings.Contains(string(text), ".mov") {
		t.Errorf("%v in\n%s", err, text)
	}
}

func TestStudyNewRefuses(t *testing.T) {
	for _, c := range []struct {
		args  []string
		typed string
		says  string
	}{
		{[]string{"--yes", "--id", "a b/c"}, "", "for example a-b-c"},
		{[]string{"--yes", "--stimuli", "../films"}, "", "has to be below the study's folder"},
		{[]string{"--yes", "--conditions", os.DevNull}, "", "no rows below its header"},
		{nil, "w\n", "nobody answers: standard input is at its end (--yes takes what is suggested)"},
		{nil, "w\nW\nen\nno-such-table.csv\n", "no-such-table.csv"},
		{[]string{"--yes", "--languages", "deutsch"}, "", "use its tag, such as en, fr, de"},
	} {
		dir := filepath.Join(t.TempDir(), "s")
		typed(t, c.typed)
		code, _, errOut := emolab(t, append([]string{"study", "new", dir}, c.args...)...)
		if code == exitFine || !strings.Contains(errOut, c.says) {
			t.Errorf("%q: exit %d, %s", c.args, code, errOut)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: a folder was made", c.args)
		}
	}
}

// The words of a language that is not built in are there to be translated, and the study
// loads with them.
func TestStudyNewInAnotherLanguage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spaziergang")
	code, out, errOut := emolab(t, "study", "new", dir, "--yes", "--languages", "de,en")
	words := filepath.Join(dir, "words", "de.yaml")
	if code != exitFine || !strings.Contains(out, "wrote "+words) {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	withClips(t, filepath.Join(dir, "stimuli"))
	code, out, errOut = emolab(t, "study", "lint", filepath.Join(dir, "study.yaml"))
	if code != exitFine || !strings.Contains(out, `texts of the pages are still in English in the file of "de"`) {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := emolab(t, "study", "words", "de", "--dir", dir); code != exitFailed || !strings.Contains(errOut, "nothing is written over") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, out, _ := emolab(t, "study", "words", "it", "--dir", dir); code != exitFine || !strings.Contains(out, "words: {it: words/it.yaml}") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errOut := emolab(t, "study", "words", "fr", "--dir", dir); code != exitUsage || !strings.Contains(errOut, "built in") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
