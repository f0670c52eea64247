package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// planted is one participant whose every word and number can be told from all others'.
type planted struct {
	id      string // of the session
	code    string
	words   []string  // that stand in the file
	stay    []string  // of them those of the registry: the code, the consent and the bundle
	numbers []float64 // likewise
	marks   [][]byte  // the first three landmarks of frames, in the bytes that they are kept in
}

// secret is a word that nobody else has.
func secret(rnd *rand.Rand) string {
	return fmt.Sprintf("S%016x", rnd.Uint64())
}

// plant records a whole session of a participant and seals it: in its consents, answers,
// texts of events and reasons, marks and decisions, in every number of its samples and
// in its landmarks stands something that is found nowhere else.
func plant(t *testing.T, s *Store, id, code string, rnd *rand.Rand, retain ...study.Retain) planted {
	t.Helper()
	p := planted{id: id, code: code, words: []string{code}, stay: []string{code}}
	word := func() string {
		p.words = append(p.words, secret(rnd))
		return p.words[len(p.words)-1]
	}
	lasting := func() string {
		p.stay = append(p.stay, word())
		return p.stay[len(p.stay)-1]
	}
	number := func() float64 {
		p.numbers = append(p.numbers, 1+rnd.Float64()) // 52 random bits
		return p.numbers[len(p.numbers)-1]
	}
	h := intakeHeader(t, id)
	h.Participant = code
	for _, r := range retain {
		h.Study.Retain = r
	}
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.Reached(ctx, 0, 0))
	must(r.Answer(ctx, session.Answer{Step: 0, Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": word()}, How: word()}))
	must(r.Consent(ctx, session.Consent{Scope: session.Traces, Granted: true, How: lasting()}))
	must(r.Record(ctx, h.Segment, lab(t)))
	must(r.Withdrawable(ctx, "hash of "+id)) // which stays
	for _, info := range lab(t) {
		c := run(info, 0, int(often(info)*4))
		for i := range c.Samples {
			for k, ch := range info.Channels {
				switch ch.Name {
				case "presentation", "frame", "media_ns", "presented_frames", "quality", "face_found", "gaze_valid", "scr_onset", "eda_range", "eda_hold", "code":
				default:
					if i%7 != 0 {
						continue
					}
					if !strings.HasPrefix(ch.Name, "lm") {
						c.Samples[i].Values[k] = number()
						continue
					}
					v := rnd.Float32()
					c.Samples[i].Values[k] = float64(v)
					if ch.Name == "lm00_x_px" {
						p.marks = append(p.marks, nil)
					}
					if m := &p.marks[len(p.marks)-1]; len(*m) < 12 {
						*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
					}
				}
			}
		}
		if info.Kind == stream.EDA {
			c.Events = []stream.Event{{Kind: stream.Fault, At: origin + 1e9, Count: 1, Detail: word()}, {Kind: stream.Disconnected, At: origin + 2e9, Detail: word()}}
		}
		appendAll(t, r, c)
	}
	must(r.Reached(ctx, 3, origin+2e9))
	must(r.Answer(ctx, session.Answer{Step: 3, Sheet: "form", Kind: study.FormSheet, Values: study.Answers{"remarks": word() + strings.Repeat(" and so on", 150) + word()}, At: origin + 3e9}))
	must(r.Target(ctx, session.Target{Purpose: session.ToFixate, X: number(), Y: number(), From: origin, Until: origin + 1e9}))
	must(r.Decision(ctx, session.Decision{Choice: session.Accept, Reason: word(), How: session.ByLimits, At: origin}))
	must(r.Video(ctx, session.Video{File: word() + ".mkv"}))
	must(r.Stopped(ctx, word()))
	must(r.Seal(ctx, nil))
	must(s.AddExport(ctx, Export{Session: id, Path: "/bundles/" + lasting(), Recipient: "Anna <anna@example.org>"}))
	must(s.Judge(ctx, id, false, word()))
	return p
}

// found lists what of a participant stands in any file of a folder.
func (p planted) found(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		out = append(out, p.in(b, filepath.Base(path))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// secrets is how many there are.
func (p planted) secrets() int { return len(p.words) + len(p.numbers) + len(p.marks) }

// in lists what of a participant stands in some bytes. A REAL is eight bytes, the
// highest first.
func (p planted) in(b []byte, name string) []string {
	var out []string
	for _, w := range p.words {
		if bytes.Contains(b, []byte(w)) {
			out = append(out, name+": "+w)
		}
	}
	wanted := make(map[[8]byte]bool, len(p.numbers))
	for _, v := range p.numbers {
		wanted[[8]byte(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))] = true
	}
	for i := 0; i+8 <= len(b); i++ {
		if b[i] == 0x3f && wanted[[8]byte(b[i:i+8])] { // of a number from 1 to 2
			out = append(out, fmt.Sprintf("%s: a number at %d", name, i))
		}
	}
	for _, m := range p.marks {
		if bytes.Contains(b, m) {
			out = append(out, name+": landmarks")
		}
	}
	return out
}

func TestErasedIsInNoByteOfTheFolder(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 7))
	s := open(t)
	dir := filepath.Dir(s.Path())
	var all []planted
	for i, code := range []string{secret(rnd), secret(rnd), secret(rnd)} {
		all = append(all, plant(t, s, fmt.Sprintf("s%d-%s", i, secret(rnd)), code, rnd))
	}
	gone := plant(t, s, "again-"+secret(rnd), all[1].code, rnd) // the second one comes twice
	// A session that was first under the wrong code names it in the audit.
	moved := all[2].id
	for _, to := range []string{all[1].code, all[2].code} {
		if err := s.Move(t.Context(), moved, to, "typed for "+all[1].code+", by mistake"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(all[1].found(t, dir)); n < all[1].secrets() {
		t.Fatalf("%d of %d secrets are found before: the test would prove nothing", n, all[1].secrets())
	}
	tomb, err := s.Erase(t.Context(), all[1].id, Tombstone{CodeHash: "c0de", Files: 3, Bytes: 5, Recipients: []string{"Zoe <z@example.org>"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []planted{all[1], gone} {
		if left := p.found(t, dir); len(left) > 0 {
			t.Errorf("%d secrets are left, the first: %v", len(left), left[:min(3, len(left))])
		}
	}
	for _, p := range []planted{all[0], all[2]} {
		if n := len(p.found(t, dir)); n < p.secrets() {
			t.Errorf("of somebody else %d of %d are left", n, p.secrets())
		}
	}
	want := Tombstone{Class: WholeParticipant, CodeHash: "c0de", Sessions: 2, Files: 3, Bytes: 5, Recipients: []string{"Anna <anna@example.org>", "Zoe <z@example.org>"}}
	list, err := s.Tombstones(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d tombstones, %v", len(list), err)
	}
	got := list[0]
	if got.Rows < 1000 || got.Rows != tomb.Rows || got.Scrubbed.IsZero() || got.At.IsZero() || !got.Scrubbed.Equal(tomb.Scrubbed) {
		t.Errorf("the tombstone is %+v, returned as %+v", got, tomb)
	}
	got.Rows, got.Scrubbed, got.At = 0, time.Time{}, time.Time{}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the tombstone is %+v, want %+v", got, want)
	}
	if _, err := s.Erase(t.Context(), all[1].id, Tombstone{}); !errors.Is(err, ErrNoSession) {
		t.Errorf("erasing again gave %v", err)
	}
	c, err := s.Cohort(t.Context(), study.Quota{})
	if err != nil || c.Withdrawn != 1 || len(c.People) != 2 {
		t.Errorf("the cohort is %+v, %v", c, err)
	}
	if d := detail(t, s, all[0].id); d.State != session.Sealed || d.Frames != 120 {
		t.Errorf("the session of somebody else is %+v", d.Summary)
	}
}

// Every table about a session is erased: who adds one has to say so.
func TestEveryTableIsErased(t *testing.T) {
	t.Parallel()
	s := open(t)
	tables, err := texts(t.Context(), s.read, `SELECT m.name FROM sqlite_master m WHERE m.type = 'table'
		AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'session_id') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	known := append(append(ofTraces(), ofRegistry()...), "erasing", "reprocess")
	slices.Sort(known)
	if !slices.Equal(tables, known) {
		t.Errorf("tables about a session are\n%v, erased are\n%v", tables, known)
	}
}

func TestOnlyAnErasureDeletes(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := recorded(t, s, "s1").Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r := recorded(t, s, "s2") // of the same participant, and still recording
	if _, err := s.Erase(t.Context(), "s1", Tombstone{}); err == nil || !strings.Contains(err.Error(), "still running") {
		t.Errorf("a participant who is being recorded was erased: %v", err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"DELETE FROM trace_row WHERE session_id = 's1'", "DELETE FROM audit", "UPDATE audit SET detail = ''", "UPDATE session SET usable_why = '' WHERE id = 's1'", "DELETE FROM session WHERE id = 's1'",
		"INSERT INTO erasing (session_id, tombstone) VALUES ('s1', 1)", // no such tombstone
		"INSERT INTO tombstone VALUES (1, 'participant', '', '2026-01-01T00:00:00.000Z', 1, 0, 0, 0, '[]', NULL); INSERT INTO erasing (session_id, tombstone) VALUES ('s1', 1); DELETE FROM gap WHERE session_id = 's1'", // left open
	} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
	if _, err := s.ErasePart(t.Context(), "s1", Traces); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"UPDATE tombstone SET rows = 0", "UPDATE tombstone SET recipients = '[]'", "DELETE FROM tombstone"} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
}

// A reader of another program keeps old pages alive. That is said, and made good at the
// next start.
func TestAReaderDelaysScrubbing(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(8, 8))
	path := filepath.Join(t.TempDir(), "study.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	p := plant(t, s, "s-"+secret(rnd), secret(rnd), rnd)
	v, err := View(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := v.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM session").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := s.write.Exec("PRAGMA busy_timeout = 50"); err != nil { // this reader stays anyway
		t.Fatal(err)
	}
	tomb, err := s.Erase(t.Context(), p.id, Tombstone{})
	if !errors.Is(err, ErrNotScrubbed) || tomb.Sessions != 1 || !tomb.Scrubbed.IsZero() {
		t.Errorf("with a reader it gave %+v, %v", tomb, err)
	}
	if len(p.found(t, filepath.Dir(path))) == 0 {
		t.Error("nothing is left although somebody reads: the test would prove nothing")
	}
	if err := errors.Join(tx.Rollback(), v.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if left := p.found(t, filepath.Dir(path)); len(left) > 0 {
		t.Errorf("after the next start %d secrets are left: %v", len(left), left[:min(3, len(left))])
	}
	if list, err := s.Tombstones(t.Context()); err != nil || len(list) != 1 || list[0].Scrubbed.IsZero() {
		t.Errorf("the tombstones are %+v, %v", list, err)
	}
}

func TestPartsAreErasedWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(9, 9))
	s := open(t)
	keep := study.Retain{FaceVideo: 30 * 24 * time.Hour, Traces: 700 * 24 * time.Hour, Identity: time.Hour}
	p := plant(t, s, "s-"+secret(rnd), secret(rnd), rnd, keep)
	if got, err := s.Retain(t.Context()); err != nil || got != keep {
		t.Errorf("the study keeps %+v, %v", got, err)
	}
	id := p.id
	now := time.Now()
	due := func(after time.Duration) (out []Class) {
		t.Helper()
		list, err := s.Due(t.Context(), now.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Session != id || d.State != session.Sealed || !d.Until.Before(now.Add(after)) {
				t.Errorf("due is %+v", d)
			}
			out = append(out, d.Class)
		}
		return out
	}
	if got := due(29 * 24 * time.Hour); got != nil {
		t.Errorf("after 29 days %v is due", got)
	}
	if got := due(31 * 24 * time.Hour); !slices.Equal(got, []Class{FaceVideos}) {
		t.Errorf("after 31 days %v is due", got)
	}
	if got := due(701 * 24 * time.Hour); !slices.Equal(got, []Class{FaceVideos, Traces}) {
		t.Errorf("after 701 days %v is due", got)
	}
	if n, err := s.ErasePart(t.Context(), id, FaceVideos); err != nil || n != 1 {
		t.Errorf("%d rows of video were erased, %v", n, err)
	}
	if got := due(701 * 24 * time.Hour); !slices.Equal(got, []Class{Traces}) {
		t.Errorf("with the video gone %v is due", got)
	}
	if n, err := s.ErasePart(t.Context(), id, Traces); err != nil || n < 1000 {
		t.Errorf("%d rows of traces were erased, %v", n, err)
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := due(9999 * 24 * time.Hour); got != nil {
		t.Errorf("with all gone %v is due", got)
	}
	stay := planted{words: p.stay}
	if got := len(stay.found(t, filepath.Dir(s.Path()))); got < len(p.stay) {
		t.Errorf("of the registry, the consent and the bundles %d of %d are left", got, len(p.stay))
	}
	gone := planted{numbers: p.numbers, marks: p.marks, words: slices.DeleteFunc(slices.Clone(p.words), func(w string) bool { return slices.Contains(p.stay, w) })}
	if left := gone.found(t, filepath.Dir(s.Path())); len(left) > 0 {
		t.Errorf("%d secrets are left: %v", len(left), left[0])
	}
	d := detail(t, s, id)
	if d.Usable == nil || *d.Usable || d.JudgedBy != byPerson || d.UsableWhy != "" || d.Reason != "" {
		t.Errorf("it counts as %+v", d.Summary)
	}
	audit, err := texts(t.Context(), s.read, "SELECT DISTINCT action FROM audit WHERE detail = '' ORDER BY 1")
	if want := []string{"judge", "seal", "stop"}; err != nil || !slices.Equal(audit, want) {
		t.Errorf("without words the audit has %v, %v; want %v", audit, err, want)
	}
	exports, err := s.Exports(t.Context(), id)
	if err != nil || d.Participant != p.code || len(d.Consents) != 1 || len(exports) != 1 || exports[0].Stale == "" {
		t.Errorf("the registry has %+v, exports %+v, %v", d, exports, err)
	}
	people, err := s.Cohort(t.Context(), study.Quota{})
	if err != nil || len(people.People) != 1 || len(people.People[0].Bands) != 0 {
		t.Errorf("the registry still has the bands of a screening that is gone: %+v, %v", people.People, err)
	}
	if _, err := s.ErasePart(t.Context(), id, WholeParticipant); err == nil {
		t.Error("a participant was erased as a part of a session")
	}
}

// Why somebody was turned away tells what they answered. With the answers it goes, but for
// the word by which sessions are counted.
func TestWhyItEndedGoesWithTheAnswers(t *testing.T) {
	t.Parallel()
	s := open(t)
	for id, c := range map[string]struct {
		end  func(r session.Recorder, why string) error
		why  string
		left string
	}{
		"full":    {func(r session.Recorder, why string) error { return r.Decline(t.Context(), why) }, "quota: age 18-24", "quota"},
		"age":     {func(r session.Recorder, why string) error { return r.Decline(t.Context(), why) }, "screening: age", "screening"},
		"refused": {func(r session.Recorder, why string) error { return r.Decline(t.Context(), why) }, "consent", "consent"},
		"failed":  {func(r session.Recorder, why string) error { return r.Fail(t.Context(), why) }, "Ann felt sick", ""},
	} {
		h := intakeHeader(t, id)
		r, err := s.Begin(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Answer(t.Context(), session.Answer{Step: 0, Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": "18-24"}})
		if err := errors.Join(err, c.end(r, c.why)); err != nil {
			t.Fatal(err)
		}
		if err := byHand(s, "UPDATE session SET reason = '' WHERE id = '"+id+"'"); err == nil {
			t.Error("a closed session lost its reason without an erasure")
		}
		if _, err := s.ErasePart(t.Context(), id, Traces); err != nil {
			t.Fatal(err)
		}
		if d := detail(t, s, id); d.Reason != c.left || d.UsableWhy != "" {
			t.Errorf("of %q is left %q, %q", c.why, d.Reason, d.UsableWhy)
		}
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := (planted{words: []string{"18-24", "felt sick", "screening: age"}}).found(t, filepath.Dir(s.Path())); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// A killed program leaves video that no row names yet. Whoever agreed to video may have
// some, until it was erased once.
func TestVideoThatNoRowNamesIsDue(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := intakeHeader(t, "s1")
	h.Study.Retain = study.Retain{FaceVideo: time.Hour}
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		r.Consent(t.Context(), session.Consent{Scope: session.FaceVideo, Granted: true}),
		r.Consent(t.Context(), session.Consent{Scope: session.FaceVideo}), // and changed their mind
		r.Decline(t.Context(), "consent"),
	); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(2 * time.Hour)
	due, err := s.Due(t.Context(), later)
	if err != nil || len(due) != 1 || due[0].Class != FaceVideos || due[0].Noted {
		t.Errorf("due is %+v, %v", due, err)
	}
	if _, err := s.ErasePart(t.Context(), "s1", FaceVideos); err != nil {
		t.Fatal(err)
	}
	if due, err = s.Due(t.Context(), later); err != nil || len(due) > 0 {
		t.Errorf("with the video gone due is %+v, %v", due, err)
	}
}

// SQLite leaves a copy of a row in the free space of a page when it moves the row to
// another one, and secure_delete does not know of it. With this order of sessions that
// happens: without writing the whole file anew three numbers are left.
func TestNothingIsLeftInFreeSpace(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 7))
	s := open(t)
	var all []planted
	for i := range 6 {
		all = append(all, plant(t, s, fmt.Sprintf("%04x-%d", rnd.Uint64()&0xffff, i), secret(rnd), rnd))
	}
	for _, p := range all[:5] {
		if _, err := s.Erase(t.Context(), p.id, Tombstone{}); err != nil {
			t.Fatal(err)
		}
		if left := p.found(t, filepath.Dir(s.Path())); len(left) > 0 {
			t.Errorf("of session %s are left %v", p.id, left)
		}
	}
}
