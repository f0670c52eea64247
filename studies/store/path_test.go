package store

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// intakeHeader is a session whose participant reads and answers first: screening,
// consent, then the recording with one stimulus and a form.
func intakeHeader(t testing.TB, id string) session.Header {
	h := header(t, id)
	h.Streams = nil
	h.Plan.Steps = []study.Step{
		{Index: 0, Action: study.Fill, Sheet: "screening"},
		{Index: 1, Action: study.Begin},
		{Index: 2, Action: study.Play, Duration: 6 * time.Second, Stimulus: "b", Presentation: 1},
		{Index: 3, Action: study.Fill, Sheet: "form"},
		{Index: 4, Action: study.Fill, Sheet: "leave", Aside: true},
		{Index: 5, Action: study.Fill, Sheet: "left", Aside: true},
	}
	return h
}

func intake(t testing.TB, s *Store, id string) session.Recorder {
	t.Helper()
	r, err := s.Begin(t.Context(), intakeHeader(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ageSheet is a page of a screening.
func ageSheet() study.Sheet {
	return study.Sheet{ID: "screening", Kind: study.ScreeningSheet, Heading: study.Text{"fr": "Avant de commencer"},
		Fields: []study.Field{{ID: "age", Type: study.Integer, Ask: study.Text{"fr": "Votre âge ?"}}}, Go: study.Text{"fr": "Continuer"}}
}

// screened is what somebody answered on it, as it may be kept.
func screened() session.Answer {
	sheet := ageSheet()
	return session.Answer{
		Step: 0, Sheet: sheet.ID, Kind: sheet.Kind, Values: study.Answers{"age": "18-24", "income": study.Passed},
		ResponseMs: map[string]float64{"age": 1250.5}, Language: "fr", Text: sheet.Words("fr"), TextSHA256: sheet.SHA256("fr"),
		Wall: time.Date(2026, 11, 22, 9, 15, 30, 5e6, time.UTC), How: session.OnScreen,
	}
}

// Before Record nothing is recorded, and what was answered is kept; after it the session
// is like any other.
func TestASessionIsPreparedThenRecords(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := intake(t, s, "s1")
	if err := r.Append(t.Context(), nil); err != nil {
		t.Errorf("an empty batch gave %v", err)
	}
	if err := r.Append(t.Context(), chunksOf(t)); err == nil {
		t.Error("a prepared session took samples")
	}
	before := detail(t, s, "s1")
	if before.State != session.Prepared || before.Segments == nil || len(before.Segments) != 0 || len(before.Derivations) != 0 || before.Run != 1 || before.Usable != nil {
		t.Errorf("it is %+v", before)
	}
	agreed := session.Consent{Scope: session.Traces, Granted: true, TextSHA256: screened().TextSHA256, Language: "fr", How: session.OnScreen, At: 77}
	rating := session.Answer{Step: 3, Sheet: "rate.sam", Kind: study.RatingSheet, Stimulus: "b", Presentation: 1, Values: study.Answers{"sam.valence": "7", "note": "-2.5", "free": "1e3"},
		ResponseMs: map[string]float64{"sam.valence": 400}, Language: "fr", At: origin + 9e9, Wall: time.Date(2026, 11, 22, 9, 15, 12, 0, time.UTC), How: session.OnScreen}
	h := intakeHeader(t, "s1")
	for i, err := range []error{
		r.Reached(t.Context(), 0, 5),
		r.Answer(t.Context(), screened()),
		r.Consent(t.Context(), agreed),
		r.Reached(t.Context(), 1, 6),
		r.Record(t.Context(), h.Segment, lab(t)),
		r.Append(t.Context(), chunksOf(t)),
		r.Reached(t.Context(), 3, origin+8e9),
		r.Answer(t.Context(), rating),
		r.Answer(t.Context(), session.Answer{Step: 0, Sheet: "consent", Kind: study.ConsentSheet, Declined: true, Wall: rating.Wall, At: origin + 9e9}),
		r.Withdrawable(t.Context(), "hash-1"),
		r.Withdrawable(t.Context(), "hash-2"),
	} {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := r.Record(t.Context(), h.Segment, lab(t)); err == nil {
		t.Error("a recording began twice")
	}
	if err := r.Decline(t.Context(), "consent"); err == nil {
		t.Error("a recorded session was declined")
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if d.State != session.Sealed || len(d.Segments) != 1 || d.Segments[0].First != 1 || d.Segments[0].Wall != h.Segment.Wall || !d.Simulated {
		t.Errorf("sealed it is %+v", d)
	}
	answers, err := s.Answers(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	kept := screened()
	kept.Text = ""
	no := session.Answer{Step: 0, Sheet: "consent", Kind: study.ConsentSheet, Declined: true, Wall: rating.Wall, At: origin + 9e9, Values: study.Answers{}, ResponseMs: map[string]float64{}}
	if diff := cmp.Diff([]Answer{{-1, kept}, {0, rating}, {0, no}}, answers); diff != "" {
		t.Error(diff)
	}
	words, err := s.Texts(t.Context(), "s1")
	if want := []Text{{kept.TextSHA256, "fr", "Avant de commencer\nVotre âge ?\nContinuer"}}; err != nil || !slices.Equal(words, want) {
		t.Errorf("the texts are %v, %v, want %v", words, err, want)
	}
	steps, err := s.Steps(t.Context(), "s1")
	if want := []StepBegun{{-1, 0, study.Fill, 0}, {-1, 1, study.Begin, 0}, {0, 3, study.Fill, origin + 8e9}}; err != nil || !slices.Equal(steps, want) {
		t.Errorf("the steps are %v, %v, want %v", steps, err, want)
	}
	if c := d.Consents; len(c) != 1 || c[0].Segment != -1 || c[0].At != 0 || time.Since(c[0].Wall).Abs() > time.Hour || !c[0].Granted {
		t.Errorf("the consents are %+v", c)
	}
	for _, hash := range []string{"hash-1", "hash-2"} { // who left with the first one can still withdraw
		if id, err := s.SessionByCode(t.Context(), hash); err != nil || id != "s1" {
			t.Errorf("the code %s leads to %q, %v", hash, id, err)
		}
	}
	if hash, err := s.CodeHash(t.Context(), "s1"); err != nil || hash != "hash-2" {
		t.Errorf("the latest code is %q, %v", hash, err)
	}
	var bands string
	if err := s.read.QueryRow("SELECT bands FROM participant WHERE code = 'P01'").Scan(&bands); err != nil || bands != `{"age":"18-24","income":"pass"}` {
		t.Errorf("the registry has the bands %s, %v", bands, err)
	}
	numbers, err := texts(t.Context(), s.read, "SELECT item || ' ' || coalesce(number, '-') || ' ' || stimulus FROM rating ORDER BY item")
	if want := []string{"free - b", "note -2.5 b", "sam.valence 7.0 b"}; err != nil || !slices.Equal(numbers, want) {
		t.Errorf("the ratings are %q, %v, want %q", numbers, err, want)
	}
}

// A sheet that began anew is answered again: the latest counts as the rating, and both
// are kept.
func TestTheLatestAnswerIsTheRating(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	for _, v := range []string{"3", "8"} {
		if err := r.Answer(t.Context(), session.Answer{Step: 2, Sheet: "rate.sam", Kind: study.RatingSheet, Stimulus: "b", Presentation: 1, Values: study.Answers{"valence": v}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := texts(t.Context(), s.read, "SELECT value FROM rating")
	if err != nil || !slices.Equal(got, []string{"8"}) {
		t.Errorf("ratings are %q, %v", got, err)
	}
	if all, err := s.Answers(t.Context(), "s1"); err != nil || len(all) != 2 {
		t.Errorf("%d answers are kept, %v", len(all), err)
	}
}

// A text that does not have the hash that is signed for is refused, with its answer.
func TestATextHasItsHash(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := intake(t, s, "s1")
	a := screened()
	a.Text += "!"
	if err := r.Answer(t.Context(), a); err == nil || !strings.Contains(err.Error(), "hash") {
		t.Errorf("an answer to another text gave %v", err)
	}
	c := session.Consent{Scope: session.Traces, Granted: true, Text: a.Text, TextSHA256: a.TextSHA256}
	if err := r.Consent(t.Context(), c); err == nil {
		t.Error("a consent to another text was kept")
	}
	if all, err := s.Answers(t.Context(), "s1"); err != nil || len(all) != 0 {
		t.Errorf("kept were %v, %v", all, err)
	}
}

func TestWhoDeclinesIsNotRecorded(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := intake(t, s, "s1")
	if err := errors.Join(r.Answer(t.Context(), screened()), r.Decline(t.Context(), "screening: age")); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if d.State != session.Declined || d.Reason != "screening: age" || d.Ended.IsZero() || d.Duration != 0 || d.Frames != 0 {
		t.Errorf("it is %+v", d)
	}
	if err := r.Record(t.Context(), intakeHeader(t, "s1").Segment, lab(t)); err == nil {
		t.Error("a declined session was recorded")
	}
	for _, q := range []string{
		"DELETE FROM answer", "UPDATE session SET state = 'recording'", "UPDATE session SET reason = ''", "UPDATE answer SET value = ''",
		"INSERT INTO step VALUES ('s1', NULL, 9, 0, 'fill', NULL)", "INSERT INTO segment (session_id, number, boot, start_ns, start_utc, first_step) VALUES ('s1', 0, '', 0, '', 0)",
		"INSERT INTO consent VALUES ('s1', 0, NULL, 'traces', 1, '', '', 0, '2026-01-01T00:00:00.000Z', '')",
	} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
	if err := s.Seal(t.Context(), "s1", nil); err == nil {
		t.Error("a declined session was sealed")
	}
}

// The process may end before the recording: the session goes on as prepared, with what
// was answered, or is declined as it is.
func TestAPreparedSessionIsRecovered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "study.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"goes-on", "ends"} {
		r := intake(t, s, id)
		if err := errors.Join(r.Reached(t.Context(), 0, 0), r.Answer(t.Context(), screened()), r.Consent(t.Context(), session.Consent{Scope: session.Traces, Granted: true})); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	for _, id := range []string{"goes-on", "ends"} {
		if d := detail(t, s, id); d.State != session.Recovered {
			t.Errorf("%s is %s", id, d.State)
		}
	}
	if err := s.Seal(t.Context(), "ends", nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "ends"); d.State != session.Declined || !strings.HasPrefix(d.Reason, "cut off") {
		t.Errorf("sealed it is %s: %s", d.State, d.Reason)
	}
	h := intakeHeader(t, "goes-on")
	r, back, err := s.Resume(t.Context(), "goes-on", h.Study.Hash, session.Segment{Start: 1}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if back.Segment != -1 || len(back.Answers) != 1 || back.Answers[0].Values["age"] != "18-24" || len(back.Consents) != 1 || back.From != 0 || back.Plan.Recorded() != 1 {
		t.Errorf("it goes on as %+v", back)
	}
	if d := detail(t, s, "goes-on"); d.State != session.Prepared || len(d.Segments) != 0 {
		t.Errorf("it goes on as %s with %d segments", d.State, len(d.Segments))
	}
	if err := errors.Join(r.Reached(t.Context(), 1, 0), r.Record(t.Context(), h.Segment, lab(t)), r.Append(t.Context(), chunksOf(t)), r.Seal(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "goes-on"); d.State != session.Sealed || len(d.Segments) != 1 || d.Segments[0].Number != 0 {
		t.Errorf("in the end it is %+v", d.Summary)
	}
}

// A recording that cannot begin, because a stream does not fit, leaves the session
// prepared.
func TestARecordingThatCannotBegin(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := intake(t, s, "s1")
	bad := lab(t)
	bad[0].Channels = bad[0].Channels[:1]
	if err := r.Record(t.Context(), intakeHeader(t, "s1").Segment, bad); err == nil {
		t.Fatal("a stream without its channels was taken")
	}
	if d := detail(t, s, "s1"); d.State != session.Prepared {
		t.Errorf("it is %s", d.State)
	}
	if err := errors.Join(r.Record(t.Context(), intakeHeader(t, "s1").Segment, lab(t)), r.Append(t.Context(), chunksOf(t))); err != nil {
		t.Error(err)
	}
}

// chunksOf is a second of every stream of the lab.
func chunksOf(t testing.TB) []stream.Chunk {
	var out []stream.Chunk
	for _, info := range lab(t) {
		out = append(out, run(info, 0, int(often(info))))
	}
	return out
}
