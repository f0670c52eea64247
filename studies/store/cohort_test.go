package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/session"
	"emolab/studies/study"
)

// stand makes a session of a participant in a row that ends as asked: usable, unusable,
// dropped, left, declined, failed, recording, prepared.
func stand(t testing.TB, s *Store, id, participant string, row int, age, end string) {
	t.Helper()
	h := intakeHeader(t, id)
	h.Participant, h.Plan.Row = participant, row
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(r.Answer(ctx, session.Answer{Step: 0, Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": age}}))
	switch end {
	case "prepared":
		return
	case "declined":
		must(r.Decline(ctx, "screening: age"))
		return
	case "left":
		must(r.Decline(ctx, "left"))
		return
	}
	must(r.Record(ctx, h.Segment, lab(t)))
	appendAll(t, r, run(lab(t)[0], 0, 50))
	switch end {
	case "recording":
		return
	case "failed":
		must(r.Fail(ctx, "the disk is full"))
		return
	case "dropped":
		must(r.Reached(ctx, 4, origin+1e8))
		must(r.Reached(ctx, 5, origin+2e8))
		must(r.Stopped(ctx, "the participant stopped it"))
	case "unusable":
		must(r.Stopped(ctx, "fire alarm"))
	}
	must(r.Seal(ctx, nil))
}

func TestCohort(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i, v := range []struct {
		participant string
		row         int
		age, end    string
	}{
		{"P01", 0, "18-24", "usable"},
		{"P02", 1, "25-29", "unusable"},
		{"P02", 1, "25-29", "usable"},
		{"P03", 2, "18-24", "dropped"},
		{"P04", 2, "fail", "declined"},
		{"P05", 2, "25-29", "left"},
		{"P06", 3, "25-29", "failed"},
		{"P07", 3, "18-24", "recording"},
		{"P08", 0, "18-24", "prepared"},
	} {
		stand(t, s, fmt.Sprintf("s%d", i), v.participant, v.row, v.age, v.end)
	}
	c, err := s.Cohort(t.Context(), study.Quota{Total: 20, Cells: []study.Cell{{Question: "age", Band: "18-24", Usable: 10}, {Question: "age", Band: "25-29", Usable: 10}}})
	if err != nil {
		t.Fatal(err)
	}
	people := c.People
	c.People = nil
	want := session.Cohort{
		Rows: []session.RowCount{{Row: 0, Usable: 1, Open: 1}, {Row: 1, Usable: 1, Other: 1}, {Row: 2, Other: 3}, {Row: 3, Open: 1, Other: 1}},
		Cells: []session.CellNow{
			{Cell: study.Cell{Question: "age", Band: "18-24", Usable: 10}, Have: 3, Open: 2},
			{Cell: study.Cell{Question: "age", Band: "25-29", Usable: 10}, Have: 1},
		},
		Usable: 2, Wanted: 20, Declined: 1, Dropped: 2, Unusable: 2, Videos: []session.Tally{}, Brands: []session.Tally{},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if len(people) != 8 || people[1].Code != "P02" || people[1].Bands["age"] != "25-29" {
		t.Fatalf("the registry is %+v", people)
	}
	yes, no := true, false
	started := header(t, "").Segment.Wall
	if diff := cmp.Diff([]session.Standing{
		{Session: "s1", State: session.Sealed, Row: 1, Run: 1, Started: started, Usable: &no, Why: "it ended before its plan did: fire alarm"},
		{Session: "s2", State: session.Sealed, Row: 1, Run: 2, Started: started, Usable: &yes},
	}, people[1].Sessions); diff != "" {
		t.Error(diff)
	}
	if got := people[3].Sessions[0]; got.Why != "screening: age" || got.State != session.Declined {
		t.Errorf("who was screened out stands as %+v", got)
	}
	for rows, next := range map[int]int{4: 2, 2: 1, 0: 4, 5: 2, 6: 2} {
		if got, err := s.NextRow(t.Context(), rows); err != nil || got != next {
			t.Errorf("of %d rows the next is %d, %v; want %d", rows, got, err, next)
		}
	}
}

// A quota counts people: who came twice, or came back after a session that was cut off,
// fills one place.
func TestAQuotaCountsPeople(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i, v := range []struct{ participant, age, end string }{
		{"P01", "18-24", "usable"}, {"P01", "18-24", "usable"}, {"P01", "18-24", "failed"}, // a repeat, and a third visit
		{"P02", "18-24", "usable"}, {"P02", "18-24", "recording"}, // again, and not over yet
		{"P03", "18-24", "recording"}, {"P03", "18-24", "prepared"},
		{"P04", "25-29", "unusable"}, {"P04", "25-29", "usable"},
		{"P05", "25-29", "unusable"}, {"P05", "25-29", "dropped"},
	} {
		stand(t, s, fmt.Sprintf("s%02d", i), v.participant, i%4, v.age, v.end)
	}
	c, err := s.Cohort(t.Context(), study.Quota{Total: 9, Cells: []study.Cell{{Question: "age", Band: "18-24", Usable: 5}, {Question: "age", Band: "25-29", Usable: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []session.CellNow{
		{Cell: study.Cell{Question: "age", Band: "18-24", Usable: 5}, Have: 3, Open: 1},
		{Cell: study.Cell{Question: "age", Band: "25-29", Usable: 5}, Have: 1},
	}; !slices.Equal(c.Cells, want) || c.Usable != 3 {
		t.Errorf("%d people are usable, the cells are %+v", c.Usable, c.Cells)
	}
	orders := 0
	for _, r := range c.Rows {
		orders += r.Usable
	}
	if orders != 4 {
		t.Errorf("%d sessions count for the balance of the orders", orders)
	}
}

// However sessions end, those that count stay even, where one participant comes after
// the other.
func TestRowsStayEven(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 1))
	s := open(t)
	const rows = 4
	ends := []string{"usable", "usable", "usable", "unusable", "dropped", "left", "declined", "failed"}
	var usable [rows]int
	for i := range 40 {
		row, err := s.NextRow(t.Context(), rows)
		if err != nil || row < 0 || row >= rows {
			t.Fatal(row, err)
		}
		end := ends[rnd.IntN(len(ends))]
		stand(t, s, fmt.Sprintf("s%02d", i), fmt.Sprintf("P%02d", i), row, "18-24", end)
		if end == "usable" {
			usable[row]++
		}
		if slices.Max(usable[:])-slices.Min(usable[:]) > 1 {
			t.Fatalf("after %d participants rows are filled %v", i+1, usable)
		}
	}
	if slices.Min(usable[:]) < 2 {
		t.Errorf("rows are filled %v: the test proves little", usable)
	}
	// Who withdraws is made up for first.
	if _, err := s.Erase(t.Context(), firstUsable(t, s, 2), Tombstone{}); err != nil {
		t.Fatal(err)
	}
	usable[2]--
	least := slices.Min(usable[:])
	if row, err := s.NextRow(t.Context(), rows); err != nil || usable[row] != least {
		t.Errorf("with rows filled %v the next is %d, %v", usable, row, err)
	}
}

// firstUsable is a session of a row that counts.
func firstUsable(t *testing.T, s *Store, row int) string {
	t.Helper()
	var id string
	if err := s.read.QueryRow("SELECT id FROM session WHERE plan_row = ? AND usable = 1", row).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// In an edited study rows are filled anew, and of equals the one that was used least before.
func TestRowsOfAnEditedStudy(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i, row := range []int{0, 1, 2, 0} {
		stand(t, s, fmt.Sprintf("s%d", i), fmt.Sprintf("P%d", i), row, "18-24", "usable")
	}
	h := header(t, "edited")
	h.Study.Hash, h.Plan.Row, h.Participant = "c0ffee2", 1, "Q1"
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "edited"); d.Study.Version != 2 {
		t.Errorf("it is version %d", d.Study.Version)
	}
	if got, err := s.NextRow(t.Context(), 3); err != nil || got != 2 {
		t.Errorf("the next row is %d, %v", got, err)
	}
	if err := r.Fail(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.NextRow(t.Context(), 3); err != nil || got != 1 {
		t.Errorf("after it failed the next row is %d, %v", got, err)
	}
}

// A file that is edited before anything was sealed is still the first version; and the
// primary indicators are locked with the first sealed session of a person.
func TestVersionsAndLock(t *testing.T) {
	t.Parallel()
	s := open(t)
	try := func(id, hash string, virtual bool, primary ...string) (session.Recorder, error) {
		h := header(t, id)
		h.Study.Hash, h.Study.Analysis.Primary = hash, primary
		for i := range h.Streams {
			h.Streams[i].Simulated = virtual
		}
		return s.Begin(t.Context(), h)
	}
	must := func(r session.Recorder, err error) session.Recorder {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	seal := func(r session.Recorder) {
		t.Helper()
		appendAll(t, r, run(lab(t)[0], 0, 50))
		if err := r.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	version := func(id string) int { return detail(t, s, id).Study.Version }
	must(try("s1", "h1", false, "NET", "ARO"))
	seal(must(try("s2", "h2", true, "NET", "SYNC"))) // a rehearsal
	if version("s1") != 1 || version("s2") != 1 {
		t.Errorf("versions are %d and %d", version("s1"), version("s2"))
	}
	seal(must(try("s3", "h3", false, "ARO", "NET")))
	if version("s3") != 2 {
		t.Errorf("after a sealed session the next file is version %d", version("s3"))
	}
	seal(must(try("s4", "h4", false, "NET", "ARO"))) // the same in another order
	if version("s4") != 3 {
		t.Errorf("after another one it is %d", version("s4"))
	}
	for _, primary := range [][]string{{"NET"}, {"NET", "ARO", "SYNC"}, {}} {
		_, err := try("s5", "h5", false, primary...)
		if err == nil || !strings.Contains(err.Error(), "ARO, NET") || !strings.Contains(err.Error(), "locked") {
			t.Errorf("with %v it gave %v", primary, err)
		}
	}
	if _, err := s.Session(t.Context(), "s5"); !errors.Is(err, ErrNoSession) {
		t.Errorf("of the refused one there is %v", err)
	}
	for _, q := range []string{"UPDATE study SET primary_indicators = '[]'", "UPDATE study SET version = 9", "UPDATE study SET locked_utc = NULL WHERE locked_utc IS NOT NULL"} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
}

// The code of who a session was begun for is nowhere after the move but in the audit; and
// when that person withdraws, nowhere at all.
func TestAMovedSessionForgetsTheFormerCode(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(4, 4))
	s := open(t)
	former, owner := planted{words: []string{secret(rnd)}}, secret(rnd)
	stand(t, s, session.NewID(time.Now()), former.words[0], 0, "18-24", "usable")
	moved := firstUsable(t, s, 0)
	if err := s.Move(t.Context(), moved, owner, "typed wrongly"); err != nil {
		t.Fatal(err)
	}
	for table, rows := range dump(t, s) {
		for _, row := range rows {
			if strings.Contains(row, former.words[0]) && (table != "audit" || !strings.Contains(row, "move-from")) {
				t.Errorf("the former code is in %s: %s", table, row)
			}
		}
	}
	own := session.NewID(time.Now())
	stand(t, s, own, former.words[0], 1, "18-24", "usable")
	if len(former.found(t, filepath.Dir(s.Path()))) == 0 {
		t.Fatal("their own session does not name them: the test would prove nothing")
	}
	if _, err := s.Erase(t.Context(), own, Tombstone{}); err != nil {
		t.Fatal(err)
	}
	if left := former.found(t, filepath.Dir(s.Path())); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
	audit, err := texts(t.Context(), s.read, "SELECT action || ' ' || (participant = ?) || ' ' || detail FROM audit WHERE session_id = ? AND action LIKE 'move%'", owner, moved)
	if want := []string{"move 1 typed wrongly"}; err != nil || !slices.Equal(audit, want) {
		t.Errorf("of the move the audit says %q, %v", audit, err)
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	s := open(t)
	stand(t, s, "s1", "P01", 0, "18-24", "usable")
	stand(t, s, "s2", "P02", 1, "25-29", "usable")
	stand(t, s, "s3", "P03", 1, "25-29", "recording")
	if err := s.AddExport(t.Context(), Export{Session: "s1", Path: "/x", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no reason":    s.Move(t.Context(), "s1", "P02", " "),
		"a name":       s.Move(t.Context(), "s1", "Anna Smith", "x"),
		"its own":      s.Move(t.Context(), "s1", "P01", "x"),
		"running":      s.Move(t.Context(), "s3", "P01", "x"),
		"no session":   s.Move(t.Context(), "s9", "P01", "x"),
		"past the way": byHand(s, "UPDATE session SET participant = 'P02' WHERE id = 's1'"),
	} {
		if err == nil {
			t.Errorf("%s: it was moved", name)
		}
	}
	if err := s.Move(t.Context(), "s1", "P02", "typed wrongly"); err != nil {
		t.Fatal(err)
	}
	c, err := s.Cohort(t.Context(), study.Quota{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.People) != 2 || c.People[0].Code != "P02" || len(c.People[0].Sessions) != 2 || c.People[0].Sessions[1].Session != "s1" || c.People[0].Sessions[1].Run != 2 {
		t.Errorf("the registry is %+v", c.People)
	}
	if got := c.People[0].Bands["age"]; got != "18-24" {
		t.Errorf("the band is %s, want that of the latest run", got)
	}
	exports, err := s.Exports(t.Context(), "s1")
	if err != nil || len(exports) != 1 || exports[0].Stale != movedSince {
		t.Errorf("the bundles are %+v, %v", exports, err)
	}
	audit, err := texts(t.Context(), s.read, "SELECT action || ' ' || participant || ': ' || detail FROM audit WHERE action LIKE 'move%' ORDER BY n")
	if want := []string{"move-from P01: typed wrongly", "move P02: typed wrongly"}; err != nil || !slices.Equal(audit, want) {
		t.Errorf("the audit says %q, %v", audit, err)
	}
	if code, err := s.ParticipantOf(t.Context(), "s1"); err != nil || code != "P02" {
		t.Errorf("it is %s's, %v", code, err)
	}
}
