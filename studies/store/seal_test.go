package store

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
	"emolab/studies/study"
)

// responses puts skin-conductance responses of 1 µS on a level of about 5 µS, at 10 s,
// 20 s and so on, into the EDA samples of a chunk.
func responses(c stream.Chunk) stream.Chunk {
	for i := range c.Samples {
		t := math.Mod(c.Samples[i].At.Sub(origin).Seconds(), 10)
		us := 5 + .02*math.Sin(c.Samples[i].At.Sub(origin).Seconds()) // flat is no skin
		if c.Samples[i].At.Sub(origin) >= 10*time.Second {
			us += 1.6 * (math.Exp(-t/4) - math.Exp(-t/0.8))
		}
		c.Samples[i].Values = []float64{us * 100, us}
	}
	return c
}

// resting makes a chunk of gaze rest at one place of the screen.
func resting(c stream.Chunk) stream.Chunk {
	for i := range c.Samples {
		c.Samples[i].Values = []float64{0.4, 0.5, 1, 3, 3.5}
	}
	return c
}

// recorded records half a minute of a whole lab.
func recorded(t testing.TB, s *Store, id string) session.Recorder {
	t.Helper()
	r := begin(t, s, id)
	for _, info := range lab(t) {
		c := run(info, 0, int(30*often(info)))
		switch info.Kind {
		case stream.EDA:
			c = responses(c)
		case stream.Gaze:
			c = resting(c)
		case stream.Stimulus:
			for i := range c.Samples {
				p := 1.0
				if i >= 450 {
					p = 2
				}
				copy(c.Samples[i].Values, []float64{p, float64(i % 450), float64(i%450) * 1e9 / 30, float64(i), 0.25, 0, 0.5, 1})
			}
		}
		appendAll(t, r, c)
	}
	appendAll(t, r, pings("eda", 30), pings("stimulus", 30))
	return r
}

func TestSealDerivesAndCloses(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "s1")
	type line struct {
		done, total int
		doing       string
	}
	var told []line
	if err := r.Seal(t.Context(), func(done, total int, doing string) { told = append(told, line{done, total, doing}) }); err != nil {
		t.Fatal(err)
	}
	if last := told[len(told)-1]; last.done != last.total {
		t.Errorf("progress ended with %+v", last)
	}
	d := detail(t, s, "s1")
	if d.State != session.Sealed || d.Frames != 900 || d.Ended.IsZero() {
		t.Fatalf("sealed session is %+v", d.Summary)
	}
	for _, st := range d.Segments[0].Streams {
		if st.Kind == stream.Trace {
			continue
		}
		if st.Statement.Method == "" || st.Statement.Samples != st.Rows || st.Rows != int64(30*often(st.Info)) {
			t.Errorf("%s: statement %+v of %d rows", st.ID, st.Statement, st.Rows)
		}
		irregular := st.Kind == stream.Light || st.Kind == stream.Trigger
		if irregular != math.IsNaN(float64(st.Usable)) || (!irregular && st.Usable != 1) {
			t.Errorf("%s: usable share %v, want 1, and none of what comes as it likes", st.ID, st.Usable)
		}
	}
	models, err := s.Models(t.Context(), "s1")
	if err != nil || len(models) < 4 {
		t.Fatalf("%d pieces of clocks, %v", len(models), err)
	}

	// The instants in the file are what a fit of the observations in the file gives.
	eda := d.Segments[0].Streams[0].Info
	var stamps []align.Stamp
	rows := rowsOf(t, s, "s1", "eda")
	for _, row := range rows {
		stamps = append(stamps, align.Stamp{Epoch: row.Epoch, Seq: row.Seq, Tick: row.Tick, Arrival: row.Arrival})
	}
	probes, err := s.Probes(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	var asked []align.Ping
	for _, p := range probes {
		if p.Stream == "eda" {
			asked = append(asked, p.Ping)
		}
	}
	timeline, err := align.Fit(eda, stamps, asked)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		at, bound := timeline.At(row.Epoch, timeline.Tick(stamps[i]))
		if row.At != at || row.Err != bound {
			t.Fatalf("sample %d is at %d ± %v in the file, the fit says %d ± %v", i, row.At, row.Err, at, bound)
		}
	}

	found, err := s.Responses(t.Context(), "s1")
	if err != nil || len(found) != 2 {
		t.Fatalf("%d responses, %v; two were put in", len(found), err)
	}
	for i, r := range found {
		if off := r.Onset.Sub(origin) - time.Duration(i+1)*10*time.Second; off.Abs() > 500*time.Millisecond || r.AmplitudeUS < 0.5 {
			t.Errorf("response %d begins %v off with %.2f µS", i, off, r.AmplitudeUS)
		}
	}

	info := trace.Info()
	final := map[int64]Row{}
	for row, err := range s.Trace(t.Context(), "s1", info) {
		if err != nil {
			t.Fatal(err)
		}
		final[row.Seq] = row
	}
	at := func(seq int64, name string) float64 { return final[seq].Values[info.Index(name)] }
	if len(final) != 900 || at(100, "presentation") != 1 || at(800, "presentation") != 2 || math.IsNaN(at(500, "scl_us")) {
		t.Errorf("%d rows of the final trace; presentation %v then %v, level %v", len(final), at(100, "presentation"), at(800, "presentation"), at(500, "scl_us"))
	}
	if trace.Quality(at(500, "quality"))&trace.NotFinal != 0 {
		t.Error("a final row says that it is not final")
	}
	var both, shown int
	if err := s.read.QueryRow("SELECT (SELECT count(*) FROM trace_row), (SELECT count(*) FROM trace)").Scan(&both, &shown); err != nil {
		t.Fatal(err)
	}
	if both != 1800 || shown != 900 {
		t.Errorf("%d rows in both derivations, %d in the view; want 1800 and 900", both, shown)
	}
	if info, err := os.Stat(s.Path() + "-wal"); err == nil && info.Size() != 0 {
		t.Errorf("the log still has %d bytes", info.Size())
	}
	if err := s.Seal(t.Context(), "s1", nil); err == nil {
		t.Error("a sealed session was sealed again")
	}
}

func TestSealARecoveredSessionAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	recorded(t, s, "s1")
	if err := s.Seal(t.Context(), "s1", nil); err == nil {
		t.Error("a session that still records was sealed from outside")
	}
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Seal(t.Context(), "s1", nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.State != session.Sealed || d.Frames != 900 {
		t.Errorf("it is %s with %d frames", d.State, d.Frames)
	}
	if err := s.Seal(t.Context(), "nobody", nil); !errors.Is(err, ErrNoSession) {
		t.Errorf("sealing a session that is not there gave %v", err)
	}
}

func TestSealAnEmptySession(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := begin(t, s, "s1").Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.State != session.Sealed || d.Frames != 0 || d.Duration != 0 {
		t.Errorf("it is %+v", d.Summary)
	}
}

// TestInterruptedSealCanBeRepeated stops sealing at each of its steps: nothing
// of it may stay, and it must succeed the next time.
func TestInterruptedSealCanBeRepeated(t *testing.T) {
	t.Parallel()
	s := open(t)
	recorded(t, s, "s1")
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		err := s.read.QueryRow(`SELECT (SELECT count(*) FROM clock_model) + (SELECT count(*) FROM quality) + (SELECT count(*) FROM eda_response)
			+ (SELECT count(*) FROM derivation) + (SELECT count(*) FROM trace_row)`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for stop := range 7 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Seal(ctx, "s1", func(done, _ int, _ string) {
			if done == stop {
				cancel()
			}
		})
		cancel()
		if err == nil {
			t.Fatalf("sealing went on after it was stopped at step %d", stop)
		}
		if d := detail(t, s, "s1"); d.State != session.Recovered || count() != before {
			t.Fatalf("stopped at step %d it is %s with %d derived rows, want %d", stop, d.State, count(), before)
		}
	}
	if err := s.Seal(t.Context(), "s1", nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); !strings.Contains(d.Reason, "cut off in step") {
		t.Errorf("sealed as it was, its reason is %q", d.Reason)
	}
}

func TestSealedRowsAreReadOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "s1")
	appendAll(t, r, stream.Chunk{Stream: "eda", Events: []stream.Event{{Kind: stream.Lost, At: origin + 1e9, Count: 2}}})
	for _, q := range []string{
		"INSERT INTO face_event VALUES ('s1', 'live', 0, 1, 'blink', '', 1, 2, .9, .5)",
		"INSERT INTO eye_event VALUES ('s1', 'live', 0, 1, 'gaze', 'fixation', 1, 2, .5, .5, NULL, NULL, NULL, NULL, 0, 0, 0, 0)",
		"INSERT INTO calibration VALUES ('s1', 'live', 1, 0, '', 'neutral', NULL, NULL, 1, '{}', .01, 1, 2, 'emolab test', '2026-11-22T09:15:03.000Z')",
	} {
		if err := byHand(s, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Consent(t.Context(), session.Consent{Scope: session.FaceVideo, Granted: true}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Video(t.Context(), session.Video{File: "s1/0.mkv"}),
		r.Target(t.Context(), session.Target{Purpose: session.ToFixate, X: .5, Y: .5, From: origin, Until: origin + 1e9}),
		r.Decision(t.Context(), session.Decision{Choice: session.Accept, How: session.ByLimits, At: origin}),
		r.Reached(t.Context(), 1, origin+1e9),
		r.Answer(t.Context(), session.Answer{Step: 2, Sheet: "form", Values: study.Answers{"a": "b"}}),
		r.Withdrawable(t.Context(), "hash"),
		byHand(s, "INSERT INTO usable VALUES ('s1', 'live', 1, 'face', 6, 5, .83)"),
		byHand(s, "INSERT INTO annotation VALUES ('s1', 1, 0, 1, 2, 'laughs', '', 'Anna', '2026-11-22T09:15:03.000Z', NULL, NULL)")); err != nil {
		t.Fatal(err)
	}

	refused := func(when, query, why string) {
		t.Helper()
		if err := byHand(s, query); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s, %q gave %v; want it refused: %s", when, query, err, why)
		}
	}
	for _, q := range []string{
		"UPDATE eda_sample SET raw = 0", "UPDATE gaze_sample SET tick = 0", "UPDATE face_frame SET landmarks = NULL",
		"UPDATE stimulus_frame SET frame = 0", "UPDATE eda_sample SET session_id = 'x'", "UPDATE event SET detail = ''", "UPDATE clock_probe SET t0_ns = 0",
		"UPDATE face_frame SET mouth_cover = 0", "UPDATE consent SET granted = 1", "UPDATE video SET file = ''",
		"UPDATE gaze_target SET x = 0", "UPDATE decision SET choice = 'redo'",
		"UPDATE step SET at_ns = 0", "UPDATE answer SET value = ''",
	} {
		refused("while it records", q, "never rewritten")
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	tables, err := texts(t.Context(), s.read, `SELECT m.name FROM sqlite_master m WHERE m.type = 'table'
		AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'session_id') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table == "export" || table == "reprocess" || table == "erasing" { // the one grows after sealing, the others are always empty
			continue
		}
		var n int
		if err := s.read.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n == 0 {
			t.Errorf("%s has %d rows, %v: the test would prove nothing", table, n, err)
		}
		refused("sealed", "DELETE FROM "+table, "")
		columns, err := texts(t.Context(), s.read, "SELECT name FROM pragma_table_info(?)", table)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			refused("sealed", "UPDATE "+table+" SET "+c+" = "+c, "")
		}
		if table != "audit" {
			refused("sealed", "INSERT INTO "+table+" SELECT * FROM "+table+" LIMIT 1", "")
		}
	}
	refused("sealed", "UPDATE session SET state = 'recording'", "read-only")
	refused("sealed", "DELETE FROM session", "read-only")
	refused("sealed", "UPDATE study SET canonical = ''", "never rewritten")
	if err := r.Append(t.Context(), []stream.Chunk{run(lab(t)[0], 1e6, 1)}); err == nil {
		t.Error("a sealed session took a sample")
	}
}

func TestExtractHoldsOneSessionOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.AddLuminance(t.Context(), "aa", []float64{0, .5, 1}); err != nil {
		t.Fatal(err)
	}
	first := recorded(t, s, "s1")
	page := screened()
	if err := errors.Join(first.Answer(t.Context(), page), first.Reached(t.Context(), 1, origin+1e9), first.Withdrawable(t.Context(), "HASH-OF-A-CODE"), first.Seal(t.Context(), nil),
		s.Move(t.Context(), "s1", "WRONG-PERSON", "a slip"), s.Move(t.Context(), "s1", "P01", "it was not WRONG-PERSON"),
		byHand(s, "INSERT INTO annotation VALUES ('s1', 1, 0, 1, 2, 'laughs', '', 'Anna', '2026-11-22T09:15:03.000Z', NULL, NULL), ('s1', 2, 0, 1, 2, 'TAKEN-BACK', '', 'Anna', '2026-11-22T09:15:03.000Z', 'Anna', '2026-11-22T09:15:04.000Z')"),
		byHand(s, "INSERT INTO aoi_set VALUES ('aa', 1, '{}', '', 'Anna', ''), ('aa', 2, '{}', '', 'Anna', ''), ('cc', 1, '{}', '', 'OF-ANOTHER-STUDY', '')"),
		byHand(s, "INSERT INTO audit (at_utc, session_id, action, detail, who, role) VALUES ('', 's1', 'show', '', 'STAFF', 'analyst')")); err != nil {
		t.Fatal(err)
	}
	h := header(t, "OTHER-SESSION")
	h.Participant = "SOMEBODY-ELSE"
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, run(lab(t)[0], 0, 500))

	path := filepath.Join(t.TempDir(), "one.sqlite")
	if err := s.Extract(t.Context(), "s1", path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"SOMEBODY-ELSE", "OTHER-SESSION", "/dev/ttyTEST", "boot-0", "WRONG-PERSON", "HASH-OF-A-CODE", "TAKEN-BACK", "OF-ANOTHER-STUDY", "STAFF"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the extract holds %q", secret)
		}
	}
	v, err := View(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	tables, err := texts(t.Context(), s.read, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('export', 'erasing', 'tombstone', 'withdrawable') ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		own := " WHERE session_id = 's1'"
		switch table {
		case "study", "stimulus", "stimulus_luminance", "stimulus_measure", "text":
			own = ""
		case "aoi_set":
			own = " WHERE sha256 IN ('aa', 'bb')"
		case "annotation":
			own += " AND removed_utc IS NULL"
		case "participant":
			own = " WHERE code = 'P01'"
		case "session":
			own = " WHERE id = 's1'"
		}
		var want, got int
		if err := s.read.QueryRow("SELECT count(*) FROM " + table + own).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if err := v.read.QueryRow("SELECT count(*) FROM " + table).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s has %d rows of %d", table, got, want)
		}
	}
	if d := detail(t, v, "s1"); d.State != session.Sealed || d.Frames != 900 {
		t.Errorf("the extract's session is %+v", d.Summary)
	}
	if a, b := rowsOf(t, s, "s1", "face"), rowsOf(t, v, "s1", "face"); !slices.EqualFunc(a, b, func(a, b Row) bool {
		return a.Seq == b.Seq && a.At == b.At && slices.Equal(a.Values, b.Values)
	}) {
		t.Error("the extract's face frames differ")
	}
	if err := s.Extract(t.Context(), "s1", path); err == nil {
		t.Error("an existing file was written over")
	}
	if err := s.Extract(t.Context(), "nobody", path+"2"); !errors.Is(err, ErrNoSession) {
		t.Errorf("extracting a session that is not there gave %v", err)
	}
}
