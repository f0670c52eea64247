package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/outlook"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// golden compares an output with the file that a person has read and found right.
// UPDATE_GOLDEN=1 writes it anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "study", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", name, diff)
	}
}

// plannedStudy writes a study study with the example's clips.
func plannedStudy(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	clips, err := filepath.Abs(filepath.Join("..", "..", "studies", "study", "example", "stimuli"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(clips, "silk.mp4")); err != nil {
		t.Skipf("run `make clips`: %v", err)
	}
	if err := os.Symlink(clips, filepath.Join(dir, "stimuli")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "study.yaml")
	if err := os.WriteFile(file, []byte("id: walk\n"+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestStudyPlan(t *testing.T) {
	file := plannedStudy(t, `title: A walk
seed: 7
stimuli:
  folder: stimuli
  list:
    - {id: silk, brand: A}
    - {id: pleats, brand: B}
    - {id: veil, brand: C}
    - {id: velvet, role: filler}
flow:
  - block: {name: main, order: {method: latin, over: [silk, pleats, veil]}, insert: {filler: velvet, every: 2}, trial: [fixation: 5s, play, rest: 4s]}
analysis: {primary: [NET, ARO], compare: brand}
`)
	code, out, errOut := emolab(t, "study", "plan", file, "--participants", "4")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	golden(t, "plan.txt", out)
	code, out, errOut = emolab(t, "study", "plan", file, "--participants", "4", "--all")
	if each := "\n1       0 "; code != exitFine || !strings.Contains(out, each) || !strings.Contains(out, "\n4       0 ") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, out, errOut = emolab(t, "study", "plan", file, "--participants", "2", "--csv")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	golden(t, "plan.csv", out)

	code, out, errOut = emolab(t, "study", "plan", file, "--json", "--participants", "7")
	var o outlook.Outlook
	if err := json.Unmarshal([]byte(out), &o); code != exitFine || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errOut)
	}
	s, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(outlook.Of(s, 7), o); diff != "" {
		t.Errorf("the JSON is another outlook: %s", diff)
	}
}

// Without a number of people, as many are planned as the quota wants.
func TestStudyPlanOfAQuota(t *testing.T) {
	file := plannedStudy(t, "stimuli: {folder: stimuli}\nquota: {total_usable: 10}\n")
	code, out, errOut := emolab(t, "study", "plan", file, "--json")
	var o outlook.Outlook
	if err := json.Unmarshal([]byte(out), &o); code != exitFine || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errOut)
	}
	if len(o.People) != 10 || o.Days.Invite != 13 {
		t.Errorf("%d people are planned, and %d to be invited", len(o.People), o.Days.Invite)
	}
}

func TestStudyPlanRefuses(t *testing.T) {
	file := plannedStudy(t, "titel: A walk\n")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{file}, exitFailed, "study.yaml:2: "},
		{[]string{file, "--participants", "0"}, exitUsage, "1 to 10000"},
		{[]string{file, "--csv", "--json"}, exitUsage, "--csv"},
		{[]string{file + "x"}, exitUsage, "emolab: there is no file " + file + "x; did you mean study.yaml?"},
	} {
		code, out, errOut := emolab(t, append([]string{"study", "plan"}, c.args...)...)
		if code != c.code || out != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%q: exit %d, says %q, prints %q", c.args, code, errOut, out)
		}
	}
}

func TestManyVideosInOrder(t *testing.T) {
	var many []outlook.Shown
	for range 40 {
		many = append(many, outlook.Shown{Block: "a", Stimulus: "x"})
	}
	many[2].Block, many[2].Filler, many[2].Depends = "b", true, true
	if got, want := shownInOrder(many), "x x | (x)? | "+strings.Repeat("x ", 21)+"... and 16 more (--csv has all)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := shownInOrder(many[3:28]); got != strings.TrimSpace(strings.Repeat("x ", 25)) {
		t.Errorf("%q", got) // one more than fits is no reason to leave it out
	}
}

func TestManyPeopleOfOneOrder(t *testing.T) {
	var two, same []outlook.Person
	for n := range 80 {
		two = append(two, outlook.Person{Number: n + 1, Row: n % 2, Shown: []outlook.Shown{{Stimulus: "ab"[n%2 : n%2+1]}}})
		same = append(same, outlook.Person{Number: n + 1, Row: n})
	}
	lines := inLines(two, false)
	if len(lines) != 2 || len(inLines(two, true)) != 80 {
		t.Fatalf("%d lines", len(lines))
	}
	if got := numbers(lines[1]); !strings.HasPrefix(got, "2, 4, 6, 8, ") || !strings.HasSuffix(got, ", 60 and 10 more (--all has each)") || orderOf(lines[1]) != "1" {
		t.Errorf("%q", got)
	}
	if lines := inLines(same, false); len(lines) != 1 || numbers(lines[0]) != "1 to 80" || orderOf(lines[0]) != "-" {
		t.Errorf("%d lines of one order", len(lines))
	}
}

func TestStudyCohort(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data [1]") // which a pattern would take for another name
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(dir, "walk.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := plannedStudy(t, `stimuli: {folder: stimuli}
quota: {total_usable: 8}
`)
	code, out, errOut := emolab(t, "study", "cohort", "--data", dir, "--study", file)
	if want := "0 of 8 people have a usable session; 0 sessions are not usable, 0 were stopped by the participant, 0 did not take part; people who withdrew: 0\n"; code != exitFine || out != want {
		t.Errorf("exit %d, %q, want %q: %s", code, out, want, errOut)
	}
	code, out, _ = emolab(t, "study", "cohort", "--data", dir, "--json")
	var c session.Cohort
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != exitFine || c.People == nil {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, _, errOut := emolab(t, "study", "cohort", "--data", t.TempDir()); code != exitUsage || !strings.Contains(errOut, "holds no study") {
		t.Errorf("an empty folder: exit %d, %s", code, errOut)
	}
}

func TestCohortInTables(t *testing.T) {
	yes, no := true, false
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cell := func(band string, have int) session.CellNow {
		return session.CellNow{Cell: study.Cell{Question: "age", Band: band, Usable: 2}, Have: have, Open: have / 2}
	}
	var b bytes.Buffer
	err := printCohort(&b, session.Cohort{
		Usable: 2, Wanted: 4, Unusable: 1, Dropped: 1, Declined: 1, Withdrawn: 1,
		Cells: []session.CellNow{cell("18-24", 2), cell("25-34", 0)},
		Rows:  []session.RowCount{{Row: 0, Usable: 1}, {Row: 1, Usable: 1, Open: 1, Other: 2}},
		People: []session.Person{
			{Code: "P-1", Bands: study.Answers{"relation": "pass", "age": "18-24"}, Sessions: []session.Standing{
				{Session: "s1", State: session.Sealed, Run: 1, Started: at, Usable: &yes},
				{Session: "s4", State: session.Recovered, Row: 1, Run: 2, Started: at, Usable: &yes, Why: "by hand: the light was fine"}}},
			{Code: "P-2", Sessions: []session.Standing{
				{Session: "s2", State: session.Declined, Run: 1, Started: at, Why: "consent"},
				{Session: "s3", State: session.Sealed, Row: 1, Run: 2, Started: at, Usable: &no, Why: "face: 2 of 4 videos below 70 %"},
				{Session: "s5", State: session.Recording, Row: 1, Run: 3, Started: at}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cohort.txt", b.String())
}

func TestStudyLint(t *testing.T) {
	example := filepath.Join("..", "..", "studies", "study", "example", "study.yaml")
	broken := plannedStudy(t, "titel: A walk\nstimuli: {folder: stimuli}\n")
	doubtful := plannedStudy(t, "stimuli: {folder: stimuli}\nanalysis: {primary: [NET, RET], min_n: {show: 3}}\n")
	for _, c := range []struct {
		name  string
		files []string
		code  int
		says  []string
		ends  string
	}{
		{"fine enough", []string{example}, exitFine, nil, ""},
		{"broken", []string{broken}, exitFailed, []string{broken + ":2: error: ", "titel"}, "emolab: one thing has to be changed before the study can run\n"},
		{"two", []string{broken, broken}, exitFailed, []string{broken + ":2: error: "}, "emolab: 2 things have to be changed before the study can run\n"},
		{"doubtful", []string{doubtful}, exitFine, []string{doubtful + ":"}, ""},
	} {
		code, out, errOut := emolab(t, append([]string{"study", "lint"}, c.files...)...)
		if code != c.code || errOut != c.ends || strings.Contains(out, ": error: ") != (c.code != exitFine) {
			t.Errorf("%s: exit %d, %q, prints %q", c.name, code, errOut, out)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q does not say %q", c.name, out, want)
			}
		}
		code, out, _ = emolab(t, append([]string{"study", "lint", "--json"}, c.files...)...)
		var all []fault
		if err := json.Unmarshal([]byte(out), &all); err != nil || code != c.code || all == nil {
			t.Errorf("%s: exit %d, %v: %s", c.name, code, err, out)
		}
		wrong := 0
		for _, f := range all {
			if f.Severity == study.Error {
				wrong++
			}
			if f.File == "" || f.Text == "" {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if (wrong > 0) != (c.code != exitFine) {
			t.Errorf("%s: exit %d with %d errors", c.name, c.code, wrong)
		}
	}
}
