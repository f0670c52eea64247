package store

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
)

// dump is every row of every table but those that may grow, as text.
func dump(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	tables, err := texts(t.Context(), s.read, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		columns, err := texts(t.Context(), s.read, "SELECT 'quote(' || name || ')' FROM pragma_table_info(?)", table)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := texts(t.Context(), s.read, "SELECT concat_ws('|', "+strings.Join(columns, ", ")+") FROM "+table+" ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		out[table] = rows
	}
	return out
}

// grew tells what of before is not in after, table by table, and which tables grew.
func grew(t *testing.T, before, after map[string][]string) []string {
	t.Helper()
	var grown []string
	for _, table := range slices.Sorted(maps.Keys(after)) {
		have := map[string]bool{}
		for _, row := range after[table] {
			have[row] = true
		}
		for _, row := range before[table] {
			if !have[row] {
				t.Errorf("%s: a row was changed or deleted: %.200s", table, row)
				break
			}
		}
		if len(after[table]) > len(before[table]) {
			grown = append(grown, table)
		}
	}
	return grown
}

func sealedSession(t *testing.T) *Store {
	t.Helper()
	return sealed.open(t, func(t *testing.T, s *Store) {
		if err := recorded(t, s, "s1").Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

var sealed template

func TestRederiveStandsBesideTheOldRows(t *testing.T) {
	t.Parallel()
	s := sealedSession(t)
	before := dump(t, s)
	var doing []string
	again, err := s.Rederive(t.Context(), "s1", RederiveOptions{Software: "emolab later"}, func(done, total int, what string) {
		doing = append(doing, fmt.Sprintf("%d/%d %s", done, total, what))
	})
	if err != nil {
		t.Fatal(err)
	}
	if again.Name != "final-2" || again.Streams != nil {
		t.Errorf("the new derivation is %+v", again)
	}
	if last := doing[len(doing)-1]; last != fmt.Sprintf("%d/%[1]d done", len(doing)-1) {
		t.Errorf("progress ended with %q", last)
	}
	after := dump(t, s)
	if got, want := grew(t, before, after), []string{"audit", "clock_model", "derivation", "displayed", "eda_response", "eda_summary", "eye_event", "quality", "trace_row", "usable"}; !slices.Equal(got, want) {
		t.Errorf("rows were added to %v, want %v", got, want)
	}
	d := detail(t, s, "s1")
	if k := slices.IndexFunc(d.Derivations, func(v Derivation) bool { return v.Current }); d.Derivations[k].Name != Final || d.Frames != 900 {
		t.Errorf("the view shows %d rows of %s", d.Frames, d.Derivations[k].Name)
	}
	// The same observations, the same code: the same rows.
	var differ int
	if err := s.read.QueryRow(`SELECT count(*) FROM trace_row a JOIN trace_row b USING (session_id, segment, seq)
		WHERE a.derivation = 'final' AND b.derivation = 'final-2' AND (a.at_ns, a.err_ns, a.frame, a.gaze_x, a.scl_us, a.quality, a.valence, a.ear_left)
		IS (b.at_ns, b.err_ns, b.frame, b.gaze_x, b.scl_us, b.quality, b.valence, b.ear_left)`).Scan(&differ); err != nil {
		t.Fatal(err)
	}
	if differ != 900 {
		t.Errorf("%d of 900 rows are the same when derived again", differ)
	}

	if again, err = s.Rederive(t.Context(), "s1", RederiveOptions{Current: true}, nil); err != nil || again.Name != "final-3" {
		t.Fatalf("derived a third time as %q, %v", again.Name, err)
	}
	d = detail(t, s, "s1")
	if k := slices.IndexFunc(d.Derivations, func(v Derivation) bool { return v.Current }); d.Derivations[k].Name != "final-3" || d.Frames != 900 {
		t.Errorf("the view shows %d rows of %s", d.Frames, d.Derivations[k].Name)
	}
	if all, err := s.Responses(t.Context(), "s1"); err != nil || len(all) != 2 {
		t.Errorf("%d responses of the derivation that is shown, %v", len(all), err)
	}
	n := 0
	for _, err := range s.Trace(t.Context(), "s1", trace.Info()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 900 {
		t.Errorf("%d rows of the trace", n)
	}
	if err := s.Show(t.Context(), "s1", Final); err != nil {
		t.Fatal(err)
	}
	if d = detail(t, s, "s1"); !d.Derivations[slices.IndexFunc(d.Derivations, func(v Derivation) bool { return v.Name == Final })].Current {
		t.Error("the first derivation is not shown again")
	}
	if err := s.Show(t.Context(), "s1", "nothing"); err == nil {
		t.Error("a derivation that is not there is shown")
	}
}

func TestRederiveRefuses(t *testing.T) {
	t.Parallel()
	s := sealedSession(t)
	begin(t, s, "running")
	before := dump(t, s)
	for name, tt := range map[string]struct {
		id   string
		o    RederiveOptions
		want string
	}{
		"a session that records":    {"running", RederiveOptions{}, "only a sealed session"},
		"a session that is not":     {"nobody", RederiveOptions{}, "no such session"},
		"a name that is taken":      {"s1", RederiveOptions{Name: Final}, "already"},
		"the live rows' name":       {"s1", RederiveOptions{Name: Live}, "already"},
		"a name for no file":        {"s1", RederiveOptions{Name: "../x"}, "cannot name"},
		"a stream that is not":      {"s1", RederiveOptions{FaceStream: "face-2"}, `no face stream "face-2"`},
		"a stream of another kind":  {"s1", RederiveOptions{FaceStream: "gaze"}, `no face stream "gaze"`},
		"a stretch the wrong way":   {"s1", RederiveOptions{NeutralFrom: 2, NeutralUntil: 1}, "ends after it begins"},
		"a stretch without a face":  {"s1", RederiveOptions{NeutralFrom: time.Hour, NeutralUntil: 2 * time.Hour}, "neutral"},
		"a stretch of a segment 99": {"s1", RederiveOptions{NeutralSegment: 99, NeutralUntil: 9}, "no segment 99"},
	} {
		if _, err := s.Rederive(t.Context(), tt.id, tt.o, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s gave %v, want %q", name, err, tt.want)
		}
	}
	if got := grew(t, before, dump(t, s)); len(got) > 0 {
		t.Errorf("what was refused left rows in %v", got)
	}
	if _, err := s.Rederive(t.Context(), "running", RederiveOptions{}, nil); !errors.Is(err, ErrNotSealed) {
		t.Errorf("a session that records gave %v, want ErrNotSealed", err)
	}
}

// What is opened for new rows is the new derivation or stream and nothing else,
// for one transaction.
func TestReopenedSessionsTakeNothingElse(t *testing.T) {
	t.Parallel()
	s := sealedSession(t)
	const (
		derivation = "INSERT INTO reprocess (session_id, derivation) VALUES ('s1', 'new'); "
		face       = "INSERT INTO reprocess (session_id, segment, stream) VALUES ('s1', 0, 'face-2'); "
		closed     = "; DELETE FROM reprocess"
		row        = "(session_id, derivation, segment, seq, at_ns, err_ns) VALUES "
	)
	before := dump(t, s)
	for _, q := range []string{
		// Without opening, and after closing.
		"INSERT INTO derivation VALUES ('s1', 'new', '', '', '{}', '', '')",
		"INSERT INTO trace_row " + row + "('s1', 'new', 0, 1, 1, 1)",
		derivation + "DELETE FROM reprocess; INSERT INTO trace_row " + row + "('s1', 'new', 0, 1, 1, 1)",
		face + "DELETE FROM reprocess; INSERT INTO face_frame SELECT * FROM face_frame LIMIT 1",
		// Left open at the commit.
		derivation,
		face,
		// What is there already.
		"INSERT INTO reprocess (session_id, derivation) VALUES ('s1', 'final')" + closed,
		"INSERT INTO reprocess (session_id, derivation) VALUES ('s1', 'live')" + closed,
		"INSERT INTO reprocess (session_id, segment, stream) VALUES ('s1', 0, 'face')" + closed,
		derivation + "UPDATE reprocess SET derivation = 'final'" + closed,
		// Something beside what was opened.
		derivation + "INSERT INTO trace_row " + row + "('s1', 'final', 0, 100000, 1, 1)" + closed,
		derivation + "INSERT INTO trace_row " + row + "('s1', 'other', 0, 1, 1, 1)" + closed,
		derivation + "INSERT INTO derivation VALUES ('s1', 'other', '', '', '{}', '', '')" + closed,
		derivation + "INSERT INTO eda_response VALUES ('s1', 'final', 0, 99, 1, 1, 1, 1, 1, 'eda', 1, 0)" + closed,
		derivation + "INSERT INTO face_event VALUES ('s1', 'final', 0, 99, 'blink', '', 1, 1, 1, 1)" + closed,
		derivation + "INSERT INTO calibration VALUES ('s1', 'live', 9, 0, '', 'neutral', NULL, NULL, 1, '{}', 1, 1, 1, '', '')" + closed,
		derivation + "INSERT INTO eye_event VALUES ('s1', 'final', 0, 9999, 'gaze', 'fixation', 1, 2, .5, .5, NULL, NULL, NULL, NULL, 0, 0, 0, 0)" + closed,
		derivation + "INSERT INTO gaze_target VALUES ('s1', 0, 9, 'fixation', 0, 0, 0, .5, .5, 1, 2, 1)" + closed,
		derivation + "INSERT INTO decision VALUES ('s1', 0, 9, 0, 0, 'accept', '', '', '', 1)" + closed,
		derivation + "INSERT INTO face_frame (session_id, stream, segment, seq, epoch, tick, arrival_ns, at_ns, err_ns) VALUES ('s1', 'face', 0, 100000, 0, 0, 0, 0, 0)" + closed,
		derivation + "INSERT INTO consent VALUES ('s1', 9, 0, 'face_video', 1, '', '', 1, '', '')" + closed,
		derivation + "INSERT INTO video VALUES ('s1', 0, 9, 'x.mkv', 1, 1, 1, 1, '')" + closed,
		face + "INSERT INTO face_frame (session_id, stream, segment, seq, epoch, tick, arrival_ns, at_ns, err_ns) VALUES ('s1', 'face', 0, 100000, 0, 0, 0, 0, 0)" + closed,
		face + "INSERT INTO face_frame (session_id, stream, segment, seq, epoch, tick, arrival_ns, at_ns, err_ns) VALUES ('s1', 'face-2', 1, 1, 0, 0, 0, 0, 0)" + closed,
		face + "INSERT INTO eda_sample (session_id, stream, segment, seq, epoch, tick, arrival_ns, at_ns, err_ns) VALUES ('s1', 'face-2', 0, 1, 0, 0, 0, 0, 0)" + closed,
		face + "INSERT INTO event VALUES ('s1', 0, 9, 'face', 0, 'marker', 1, 1, '')" + closed,
		face + "INSERT INTO gap VALUES ('s1', 'face', 0, 9, 1, 1, 1, 'lost', '')" + closed,
		derivation + "INSERT INTO displayed VALUES ('s1', 'final', 0, 99, 1, 2, 1, 1, 1, 1, 1, 0, 0)" + closed,
		derivation + "INSERT INTO clock_model VALUES ('s1', 'final', 'face', 0, 9, 0, 1, 1, 1, 1, 1)" + closed,
		derivation + "INSERT INTO quality VALUES ('s1', 'live', 0, 'face', '', 0, 0, 0, 0, 0, 0, 0, 0)" + closed,
		face + "INSERT INTO quality VALUES ('s1', 'live', 0, 'face', '', 0, 0, 0, 0, 0, 0, 0, 0)" + closed,
		face + "INSERT INTO clock_model VALUES ('s1', 'final', 'face', 0, 9, 0, 1, 1, 1, 1, 1)" + closed,
		// Changing and deleting, whatever is open.
		derivation + "UPDATE trace_row SET valence = 0" + closed,
		derivation + "DELETE FROM trace_row WHERE derivation = 'live'" + closed,
		derivation + "UPDATE derivation SET version = '9'" + closed,
		face + "UPDATE face_frame SET at_ns = 0" + closed,
		face + "DELETE FROM face_frame" + closed,
		face + "UPDATE stream SET model = 'better'" + closed,
		derivation + "UPDATE session SET state = 'recording'" + closed,
		derivation + "UPDATE session SET trace_derivation = 'nothing'" + closed,
		derivation + "UPDATE session SET trace_derivation = 'live', software = ''" + closed,
		"UPDATE session SET trace_derivation = 'live'",
	} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was not refused", q)
		}
	}
	if got := grew(t, before, dump(t, s)); len(got) > 0 {
		t.Errorf("what was refused left rows in %v", got)
	}
	begin(t, s, "running")
	if err := byHand(s, "INSERT INTO reprocess (session_id, derivation) VALUES ('running', 'new'); DELETE FROM reprocess"); err == nil {
		t.Error("a session that records was opened for another derivation")
	}
}

// again is a face stream that a newer model makes of frames that were recorded.
func again(t *testing.T, seqs ...int64) (stream.Info, iter.Seq2[stream.Sample, error]) {
	info := stream.Info{ID: "face-2", Kind: stream.Face, Device: "kept video", Model: "a newer net", Channels: channelsOf(t, stream.Face)}
	return info, func(yield func(stream.Sample, error) bool) {
		for _, seq := range seqs {
			v := values(info, seq)
			v[1] = .5 // face_confidence
			if !yield(stream.Sample{Seq: seq, Values: v}, nil) {
				return
			}
		}
	}
}

func TestAddStream(t *testing.T) {
	t.Parallel()
	s := sealedSession(t)
	before := dump(t, s)
	var seqs []int64
	for seq := range int64(800) {
		seqs = append(seqs, seq+50)
	}
	info, samples := again(t, seqs...)
	n, err := s.AddStream(t.Context(), "s1", 0, info, samples)
	if err != nil || n != 800 {
		t.Fatalf("%d samples were added, %v", n, err)
	}
	if got, want := grew(t, before, dump(t, s)), []string{"audit", "clock_model", "face_frame", "quality", "stream"}; !slices.Equal(got, want) {
		t.Errorf("rows were added to %v, want %v", got, want)
	}
	old, added := rowsOf(t, s, "s1", "face"), rowsOf(t, s, "s1", "face-2")
	for i, row := range added {
		o := old[i+50]
		if row.Seq != o.Seq || row.At != o.At || row.Err != o.Err || row.Tick != o.Tick || row.Arrival != o.Arrival || row.Values[1] != .5 {
			t.Fatalf("frame %d was added as %+v, recorded as %+v", i, row.Sample, o.Sample)
		}
	}
	streams := detail(t, s, "s1").Segments[0].Streams
	k := slices.IndexFunc(streams, func(v Stream) bool { return v.ID == "face-2" })
	if v := streams[k]; v.Model != "a newer net" || v.FramesOf != "face" || v.Clock != stream.HostClock || v.Rate != 30 || v.Statement.Lost != 100 || v.Statement.Samples != 800 {
		t.Errorf("the added stream is %+v", v)
	}

	// The trace can be derived from it, and is from the recorded one unless asked.
	for of, want := range map[string]int64{"": 900, "face": 900, "face-2": 800} {
		made, err := s.Rederive(t.Context(), "s1", RederiveOptions{FaceStream: of, Current: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := detail(t, s, "s1")
		v := d.Derivations[slices.IndexFunc(d.Derivations, func(v Derivation) bool { return v.Name == made.Name })]
		if d.Frames != want || of == "face-2" && (v.Model != "a newer net" || v.FaceStream != of) {
			t.Errorf("of %q: %d rows, made of %q by %q", of, d.Frames, v.FaceStream, v.Model)
		}
	}
}

func TestAddStreamRefuses(t *testing.T) {
	t.Parallel()
	s := sealedSession(t)
	begin(t, s, "running")
	before := dump(t, s)
	broken := errors.New("the video ends in the middle")
	for name, tt := range map[string]struct {
		id      string
		segment int
		change  func(info *stream.Info)
		seqs    []int64
		fail    error
		want    string
	}{
		"a session that records":      {id: "running", want: "only a sealed session"},
		"a segment that is not":       {id: "s1", segment: 3, want: "no such segment"},
		"an id that is taken":         {id: "s1", change: func(i *stream.Info) { i.ID = "face" }, want: "already"},
		"an id that names no file":    {id: "s1", change: func(i *stream.Info) { i.ID = "a/b" }, want: "for its id"},
		"another kind":                {id: "s1", change: func(i *stream.Info) { i.Kind = stream.EDA }, want: "only faces"},
		"channels that do not fit":    {id: "s1", change: func(i *stream.Info) { i.Channels = i.Channels[1:] }, want: "face_found"},
		"a frame that is not there":   {id: "s1", seqs: []int64{1, 900}, want: "sample 900"},
		"a frame twice":               {id: "s1", seqs: []int64{1, 2, 1}, want: "twice"},
		"a video that cannot be read": {id: "s1", seqs: []int64{1, 2}, fail: broken, want: broken.Error()},
	} {
		info, samples := again(t, tt.seqs...)
		if tt.change != nil {
			tt.change(&info)
		}
		with := func(yield func(stream.Sample, error) bool) {
			for sample, err := range samples {
				if !yield(sample, err) {
					return
				}
			}
			if tt.fail != nil {
				yield(stream.Sample{}, tt.fail)
			}
		}
		if _, err := s.AddStream(t.Context(), tt.id, tt.segment, info, with); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s gave %v, want %q", name, err, tt.want)
		}
	}
	if got := grew(t, before, dump(t, s)); len(got) > 0 {
		t.Errorf("what was refused left rows in %v", got)
	}
}

func TestConsentAndVideo(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "s1")
	yes := func(scope string) bool {
		t.Helper()
		ok, err := s.Consented(t.Context(), "s1", scope)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if yes(session.FaceVideo) {
		t.Error("who was not asked has agreed")
	}
	ask := session.Consent{Scope: session.FaceVideo, Granted: true, TextSHA256: "ab", Language: "en", At: origin + 5e9, How: session.OnScreen}
	for _, granted := range []bool{true, false, true} {
		ask.Granted = granted
		if err := r.Consent(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
		if yes(session.FaceVideo) != granted {
			t.Errorf("the latest answer was %v and does not hold", granted)
		}
	}
	if yes("anything else") {
		t.Error("an answer about one thing counts for another")
	}
	film := session.Video{File: "video/s1/0.mkv", From: origin + 1, Until: origin + 2e9, Frames: 60, Bytes: 12345, SHA256: "cd"}
	if err := r.Video(t.Context(), film); err != nil {
		t.Fatal(err)
	}
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	r, back, err := s.Resume(t.Context(), "s1", d.Study.Hash, session.Segment{Start: origin, Wall: time.Now()}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Consents) != 3 || back.Consents[2] != ask {
		t.Errorf("the continued session knows the answers %+v", back.Consents)
	}
	if err := r.Video(t.Context(), film); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d = detail(t, s, "s1")
	if len(d.Consents) != 3 || d.Consents[0].Consent != ask || d.Consents[0].Wall.Format(wallFormat) != "2026-11-22T09:15:08.000Z" {
		t.Errorf("answers %+v", d.Consents)
	}
	if len(d.Videos) != 2 || d.Videos[0].Video != film || d.Videos[1].Segment != 1 {
		t.Errorf("videos %+v", d.Videos)
	}
	if err := r.Consent(t.Context(), ask); err == nil {
		t.Error("a sealed session took an answer")
	}
	if err := r.Video(t.Context(), film); err == nil {
		t.Error("a sealed session took a video")
	}
	if err := s.Withdraw(t.Context(), "s1", "anything else", "told the experimenter"); err == nil {
		t.Error("an answer that was never given was taken back")
	}
	if err := s.Withdraw(t.Context(), "s1", session.FaceVideo, "told the experimenter"); err != nil {
		t.Fatal(err)
	}
	if yes(session.FaceVideo) {
		t.Error("what was taken back holds")
	}
	if d = detail(t, s, "s1"); len(d.Consents) != 4 || d.Consents[3].Granted || d.Consents[3].How != "told the experimenter" || d.Consents[3].Wall.IsZero() {
		t.Errorf("answers %+v", d.Consents)
	}
}
