package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const origin = instant.Instant(5_000_000_000_000)

func channels(names ...string) []stream.Channel {
	out := make([]stream.Channel, len(names))
	for i, n := range names {
		out[i] = stream.Channel{Name: n, Unit: "1", Note: "Test channel, " + n + "."}
	}
	return out
}

func lab() []stream.Info {
	face := strings.Fields("face_found face_confidence box_x_px box_y_px box_w_px box_h_px p_neutral p_happy p_sad p_angry p_fearful p_disgusted p_surprised valence arousal face_tracked faces frame_w_px frame_h_px luma_face luma_around face_clipped face_sharpness mouth_cover")
	for i := range 68 {
		face = append(face, fmt.Sprintf("lm%02d_x_px", i), fmt.Sprintf("lm%02d_y_px", i))
	}
	return []stream.Info{
		{ID: "eda", Kind: stream.EDA, Device: "box", Port: "/dev/ttySECRET", Clock: stream.HostClock, TickHz: 1e9, Rate: 100, Channels: channels("raw", "eda_us")},
		{ID: "gaze", Kind: stream.Gaze, Device: "tracker", Clock: stream.TickedClock, TickHz: 1e9, Rate: 60, Channels: channels("gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm")},
		{ID: "face", Kind: stream.Face, Device: "camera", Port: "/home/somebody/film.mp4", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channels(face...)},
		{ID: "stimulus", Kind: stream.Stimulus, Device: "screen", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Simulated: true,
			Channels: channels("presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h")},
		trace.Info(),
	}
}

// short is channel k of sample seq in few digits, so that tests can name it.
func short(seq int64, k int) float64 { return float64(seq%50) + float64(k)/8 }

// begin begins a session with the given streams.
func begin(t testing.TB, s *store.Store, id string, infos []stream.Info) session.Recorder {
	t.Helper()
	st := &study.Study{ID: "pilot", Title: "Pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"),
		Stimuli: []study.Stimulus{{ID: "a", File: "a, \"best\".mp4", Brand: "Maison", Tags: []string{"x", "y"}, Duration: time.Second}}}
	plan := study.Plan{Steps: []study.Step{{Index: 0, Action: study.Play, Stimulus: "a", Presentation: 1, Duration: time.Second}}}
	r, err := s.Begin(t.Context(), session.Header{ID: id, Study: st, Plan: plan, Participant: "P01", Software: "emolab test", Streams: infos,
		Segment: session.Segment{Boot: "boot-SECRET", Start: origin, Wall: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record keeps a session in the store.
func record(t testing.TB, s *store.Store, id string, long time.Duration, value func(seq int64, k int) float64) session.Recorder {
	t.Helper()
	infos := lab()
	r := begin(t, s, id, infos)
	var batch []stream.Chunk
	for _, info := range infos[:4] {
		c := stream.Chunk{Stream: info.ID}
		for seq := range int64(long.Seconds() * info.Rate) {
			at := origin + instant.Instant(float64(seq)*1e9/info.Rate)
			v := make([]float64, len(info.Channels))
			for k := range v {
				v[k] = value(seq, k)
			}
			switch info.Kind {
			case stream.Face:
				v[0] = 1
				// A smile from 0.5 to 1.5 s, in p_neutral to p_surprised.
				copy(v[6:13], []float64{.94, .01, .01, .01, .01, .01, .01})
				if seq >= 15 && seq < 45 {
					v[6], v[7] = .01, .94
				}
				if seq == 3 {
					v = slices.Repeat([]float64{math.NaN()}, len(v))
					v[0] = 0
				}
			case stream.Gaze:
				v[2] = 1
			case stream.Stimulus:
				copy(v, []float64{1, float64(seq), float64(seq) * 1e9 / 30, float64(seq), 0.25, 0, 0.5, 1})
			}
			c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at + 1e6, At: at, Values: v})
		}
		batch = append(batch, c)
	}
	batch = append(batch, stream.Chunk{Stream: "eda",
		Events: []stream.Event{{Kind: stream.Marker, At: origin + 7, Detail: "said \"hello\",\nthen left"}, {Kind: stream.Disconnected, At: origin + 9e9}},
		Probes: []stream.Probe{{T0: origin, Rx: 1, Tx: 2, T3: origin + 3}}})
	if err := r.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return r
}

// exported makes a sealed session and its bundle.
func exported(t testing.TB) (*Exporter, string) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := record(t, s, "s1", 2*time.Second, short).Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	e := NewExporter(s, t.TempDir())
	e.wall = func() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }
	path, err := e.Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, path
}

// A bundle of a session that did not go its whole way says so where people and
// programs look.
func TestIncompleteSessionsSaySo(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := record(t, s, "s1", time.Second, short)
	if err := r.Stopped(t.Context(), "fire alarm"); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	for _, name := range []string{"README.txt", "manifest.json"} {
		if !strings.Contains(string(files[name]), "fire alarm") {
			t.Errorf("%s does not say why the session ended:\n%s", name, files[name])
		}
	}
	_, whole := exported(t)
	if readme := string(unpack(t, whole)["README.txt"]); strings.Contains(readme, "INCOMPLETE") {
		t.Errorf("a whole session is called incomplete:\n%s", readme)
	}
}

// A consent that is taken back after the session has no instant in it.
func TestConsentTakenBackAfterTheSession(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := record(t, s, "s1", time.Second, short)
	if err := r.Consent(t.Context(), session.Consent{Scope: session.FaceVideo, Granted: true, At: origin + 25e8, How: session.OnScreen}); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context(), "s1", session.FaceVideo, "by letter"); err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := parse(t, unpack(t, path)["consents.csv"])
	if len(rows) != 3 || rows[2][0] != "" || rows[2][1] != "" || rows[2][5] != "0" || rows[2][8] != "by letter" {
		t.Errorf("consents %q", rows)
	}
}

// A bundle tells truly what became of the participant's pictures.
func TestPicturesAreToldOf(t *testing.T) {
	yes := session.Consent{Scope: session.FaceVideo, Granted: true, TextSHA256: "ab", Language: "en", At: origin + 25e8, How: session.OnScreen}
	no := yes
	no.Granted = false
	films := []session.Video{{File: "video/0.mkv", Frames: 60}, {File: "video/1.mkv", Frames: 42}}
	for _, c := range []struct {
		name    string
		answers []session.Consent
		films   []session.Video
		frames  int64
		readme  string
	}{
		{"nobody asked", nil, nil, 0, "No picture of the participant was ever written"},
		{"refused", []session.Consent{no}, nil, 0, "No picture of the participant was ever written"},
		{"kept", []session.Consent{yes}, films, 102, "102 frames of face video were kept"},
		{"taken back", []session.Consent{yes, no}, films, 102, "which was taken back later"},
		{"cut off", []session.Consent{yes}, nil, 0, "there may be unfinished ones"},
	} {
		s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := record(t, s, "s1", time.Second, short)
		for _, a := range c.answers {
			if err := r.Consent(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range c.films {
			if err := r.Video(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
		if err != nil {
			t.Fatal(err)
		}
		files := unpack(t, path)
		var m manifest
		if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
			t.Fatal(err)
		}
		if m.FaceFramesWritten != c.frames || !strings.Contains(string(files["README.txt"]), c.readme) {
			t.Errorf("%s: %d frames written; README:\n%s", c.name, m.FaceFramesWritten, files["README.txt"])
		}
		rows := parse(t, files["consents.csv"])
		if len(rows) != 1+len(c.answers) {
			t.Fatalf("%s: %d answers", c.name, len(rows)-1)
		}
		if len(rows) > 1 {
			want := []string{"2.500000", "5002500000000", "2026-11-22T09:00:02.500Z", "0", "face_video", "1", "ab", "en", session.OnScreen}
			if !c.answers[0].Granted {
				want[5] = "0"
			}
			if !slices.Equal(rows[1], want) {
				t.Errorf("%s: the answer is %q, want %q", c.name, rows[1], want)
			}
		}
	}
}

// unpack reads all members.
func unpack(t testing.TB, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

func parse(t testing.TB, b []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll() // refuses rows of unequal length
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestExportHoldsTheSession(t *testing.T) {
	e, path := exported(t)
	report, err := Verify(path)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	if report.Session != "s1" || report.Participant != "P01" || report.Files != len(files)-2 {
		t.Errorf("report %+v of %d files", report, len(files))
	}
	want := []string{"README.txt", "alignment.json", "answers.csv", "calibrations.json", "clock/models.csv", "clock/probes.csv", "codebook.csv", "consents.csv", "decisions.json", "displayed.csv", "eda_responses.csv", "eda_summaries.csv", "events.csv", "eye_events.csv",
		"face_events.csv", "gaps.csv", "gaze_targets.csv", "items.csv", "manifest.json", "manifest.json.sha256", "presentations.csv", "ratings.csv", "session.sqlite", "steps.csv", "stimuli.csv", "stimuli_luminance.csv", "stimulus_measures.csv", "streams/eda.csv",
		"streams/face.csv", "streams/gaze.csv", "streams/stimulus.csv", "study.yaml", "texts.json", "trace.csv", "usable.csv", "versions.json"}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("members\n%v, want\n%v", names, want)
	}
	var m manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	book := map[string]bool{}
	for _, row := range parse(t, files["codebook.csv"])[1:] {
		book[row[0]+"/"+row[1]] = true
		if row[3] == "" {
			t.Errorf("codebook: %s of %s has no description", row[1], row[0])
		}
	}
	for _, f := range m.Files {
		if f.About == "" {
			t.Errorf("%s is not described", f.Path)
		}
		if !strings.HasSuffix(f.Path, ".csv") {
			continue
		}
		rows := parse(t, files[f.Path])
		if int64(len(rows)-1) != f.Rows {
			t.Errorf("%s has %d rows, the manifest says %d", f.Path, len(rows)-1, f.Rows)
		}
		for _, column := range rows[0] {
			if !book[f.Path+"/"+column] {
				t.Errorf("codebook misses %s of %s", column, f.Path)
			}
		}
	}
	for name, b := range files {
		for _, secret := range []string{"SECRET", "/home/somebody", filepath.Dir(e.store.Path())} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s tells of the machine: %q", name, secret)
			}
		}
	}
	all, err := e.store.Exports(t.Context(), "s1")
	if err != nil || len(all) != 1 || all[0].Path != path || all[0].Manifest != report.Manifest {
		t.Errorf("noted exports %+v, %v", all, err)
	}
	if left, err := filepath.Glob(filepath.Join(e.dir, ".export-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestTablesSayWhatWasRecorded(t *testing.T) {
	_, path := exported(t)
	files := unpack(t, path)

	eda := parse(t, files["streams/eda.csv"])
	if got := eda[0][:3]; !slices.Equal(got, []string{"t_s", "at_ns", "err_ns"}) {
		t.Errorf("the header begins with %v", got)
	}
	if len(eda) != 201 || eda[51][0] != "0.500000" || eda[51][len(eda[51])-1] != "0.125" {
		t.Errorf("eda has %d lines; sample 50 is %v", len(eda), eda[51])
	}
	face := parse(t, files["streams/face.csv"])
	if n := len(face[0]); n != 8+4+24+136 {
		t.Errorf("face has %d columns", n)
	}
	if lost := face[4]; lost[12] != "0" || lost[13] != "" || lost[len(lost)-1] != "" {
		t.Errorf("the frame without a face is %v", lost)
	}
	if v, err := strconv.ParseFloat(face[1][len(face[1])-1], 32); err != nil || v != 159.0/8 {
		t.Errorf("the last landmark is %v, %v", v, err)
	}
	tr := parse(t, files["trace.csv"])
	if len(tr) != 61 || tr[31][5] != "a" || tr[31][7] != "30" {
		t.Errorf("trace has %d lines; row 30 begins %v", len(tr), tr[31][:9])
	}
	fe := parse(t, files["face_events.csv"])
	if !slices.ContainsFunc(fe[1:], func(row []string) bool {
		from, err := strconv.ParseFloat(row[0], 64)
		return err == nil && row[4] == "bout" && row[5] == "happy" && math.Abs(from-.5) < .1 && row[7] == "0.94"
	}) {
		t.Errorf("the smile from 0.5 s on is not among the face events %q", fe)
	}
	if ev := parse(t, files["events.csv"]); len(ev) != 3 || ev[1][7] != "said \"hello\",\nthen left" {
		t.Errorf("events %q", ev)
	}
	if gaps := parse(t, files["gaps.csv"]); len(gaps) != 2 || gaps[1][2] != "" {
		t.Errorf("gaps %q: an open gap has no end", gaps)
	}
	if st := parse(t, files["stimuli.csv"]); st[1][1] != "a, \"best\".mp4" {
		t.Errorf("stimulus file is %q", st[1][1])
	}
	// The extract is a study file of its own.
	db := filepath.Join(t.TempDir(), "session.sqlite")
	if err := os.WriteFile(db, files["session.sqlite"], 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.View(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d, err := s.Session(t.Context(), "s1"); err != nil || d.State != session.Sealed || d.Frames != 60 {
		t.Errorf("the extract holds %+v, %v", d.Summary, err)
	}
}

func TestExportTwiceIsTheSame(t *testing.T) {
	e, path := exported(t)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The audit of the first export belongs to the session and is new in the
	// second; everything else must be byte for byte the same.
	if _, err := e.Export(t.Context(), "s1", nil); err != nil {
		t.Fatal(err)
	}
	second := unpack(t, path)
	before := filepath.Join(t.TempDir(), "before.zip")
	if err := os.WriteFile(before, first, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, b := range unpack(t, before) {
		changes := name == "session.sqlite" || strings.HasPrefix(name, "manifest.json")
		if !changes && !bytes.Equal(b, second[name]) {
			t.Errorf("%s differs between two exports", name)
		}
	}
}

// A withdrawal erases the bundle that is there; what an export has thrown away before it
// must hold nothing. A second name of the same file shows what its blocks hold.
func TestExportOverwritesWhatItThrowsAway(t *testing.T) {
	e, path := exported(t)
	seen := t.TempDir()
	earlier, extract := filepath.Join(seen, "earlier"), filepath.Join(seen, "extract")
	if err := os.Link(path, earlier); err != nil {
		t.Fatal(err)
	}
	_, err := e.Export(t.Context(), "s1", func(done, of int, _ string) {
		if done < of { // the extract is there when all is written
			return
		}
		at, err := filepath.Glob(filepath.Join(e.dir, ".export-s1.*", "session.sqlite"))
		if err != nil || len(at) != 1 {
			t.Fatal(at, err)
		}
		if err := os.Link(at[0], extract); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{earlier, extract} {
		left, err := os.ReadFile(name)
		if err != nil || len(left) == 0 || !bytes.Equal(left, make([]byte, len(left))) {
			t.Errorf("%s still has its contents: %v", filepath.Base(name), err)
		}
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

func TestOnlySealedSessionsAreExported(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	record(t, s, "s1", time.Second, short)
	dir := t.TempDir()
	if _, err := NewExporter(s, dir).Export(t.Context(), "s1", nil); err == nil || !strings.Contains(err.Error(), "recording") {
		t.Errorf("a session that records gave %v", err)
	}
	if _, err := NewExporter(s, dir).Export(t.Context(), "nobody", nil); err == nil {
		t.Error("a session that is not there was exported")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestCancelledExportLeavesNothing(t *testing.T) {
	e, path := exported(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := e.Export(ctx, "s1", func(done, _ int, _ string) {
		if done == 5 {
			cancel()
		}
	})
	if err == nil {
		t.Error("a cancelled export succeeded")
	}
	if left, _ := os.ReadDir(e.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
