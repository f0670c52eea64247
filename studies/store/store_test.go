package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// origin is the instant at which test sessions begin.
const origin = instant.Instant(1_000_000_000_000)

// channelsOf are the channels that the table of a kind asks for.
func channelsOf(t testing.TB, k stream.Kind) []stream.Channel {
	t.Helper()
	tab, err := tableOf(k)
	if err != nil {
		t.Fatal(err)
	}
	names := tab.channels
	if tab.landmarks {
		names = slices.Concat(names, landmarkNames())
	}
	out := make([]stream.Channel, len(names))
	for i, n := range names {
		out[i] = stream.Channel{Name: n, Unit: "1", Note: "Test channel " + n + "."}
	}
	return out
}

// lab is the streams of a whole lab.
func lab(t testing.TB) []stream.Info {
	return []stream.Info{
		{ID: "eda", Kind: stream.EDA, Device: "test box", Port: "/dev/ttyTEST", Clock: stream.PingedClock, TickHz: 1e6, Rate: 100, Channels: channelsOf(t, stream.EDA)},
		{ID: "gaze", Kind: stream.Gaze, Device: "test tracker", Clock: stream.TickedClock, TickHz: 1e6, Rate: 60, Channels: channelsOf(t, stream.Gaze), Simulated: true},
		{ID: "face", Kind: stream.Face, Device: "test camera", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channelsOf(t, stream.Face)},
		{ID: "stimulus", Kind: stream.Stimulus, Device: "test screen", Clock: stream.PingedClock, TickHz: 1e6, Rate: 30, Channels: channelsOf(t, stream.Stimulus)},
		{ID: "trace", Kind: stream.Trace, Device: "join", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channelsOf(t, stream.Trace)},
	}
}

func header(t testing.TB, id string) session.Header {
	return session.Header{
		ID: id,
		Study: &study.Study{
			ID: "pilot", Title: "A pilot", Seed: math.MaxUint64, Hash: "c0ffee", Canonical: []byte("id: pilot\n"),
			Stimuli: []study.Stimulus{
				{ID: "a", File: "a.mp4", Brand: "Maison A", Tags: []string{"calm"}, SHA256: "aa", Width: 360, Height: 640, Duration: 6 * time.Second, FrameTimes: make([]time.Duration, 180)},
				{ID: "b", File: "b.mp4", SHA256: "bb", Width: 360, Height: 640, Duration: 6 * time.Second},
			},
		},
		Plan: study.Plan{Row: 3, Steps: []study.Step{
			{Index: 0, Action: study.Fixation, Duration: time.Second, Stimulus: "b"},
			{Index: 1, Action: study.Play, Duration: 6 * time.Second, Stimulus: "b", Presentation: 1},
			{Index: 2, Action: study.Play, Duration: 6 * time.Second, Stimulus: "a", Presentation: 2},
		}},
		Participant: "P01",
		Segment:     session.Segment{Boot: "boot-0", Start: origin, Wall: time.Date(2026, 11, 22, 9, 15, 3, 0, time.UTC)},
		Streams:     lab(t),
		Software:    "emolab test",
	}
}

// open opens a study file in a folder of the test's own.
func open(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "study.db"))
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func begin(t testing.TB, s *Store, id string) session.Recorder {
	t.Helper()
	r, err := s.Begin(t.Context(), header(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// values are the values of sample n of a stream: channel k holds n + k/1000, so
// that any mix-up shows. Whole-numbered columns are left whole.
func values(info stream.Info, n int64) []float64 {
	out := make([]float64, len(info.Channels))
	for k, c := range info.Channels {
		switch c.Name {
		case "presentation":
			out[k] = 1
		case "frame", "media_ns", "presented_frames", "quality":
			out[k] = float64(n)
		case "face_found", "gaze_valid":
			out[k] = 1
		case "scr_onset":
			out[k] = 0
		default:
			out[k] = float64(n) + float64(k)/1024 // exact in float32 too
		}
	}
	return out
}

// run makes n samples of a stream from number first on, at the stream's rate.
func run(info stream.Info, first int64, n int) stream.Chunk {
	c := stream.Chunk{Stream: info.ID}
	for seq := first; seq < first+int64(n); seq++ {
		at := origin + instant.Instant(float64(seq)*1e9/info.Rate)
		tick := int64(at)
		if info.TickHz == 1e6 {
			tick = int64(at-origin) / 1000
		}
		c.Samples = append(c.Samples, stream.Sample{
			Seq: seq, Tick: tick, Arrival: at + 2e6, At: at, Err: 3 * time.Millisecond, Values: values(info, seq),
		})
	}
	return c
}

// pings makes one clock ping a second.
func pings(id string, seconds int) stream.Chunk {
	c := stream.Chunk{Stream: id}
	for i := range seconds {
		t0 := origin + instant.Instant(i)*1e9
		tick := (int64(t0-origin) + 500_000) / 1000
		c.Probes = append(c.Probes, stream.Probe{T0: t0, Rx: tick, Tx: tick, T3: t0 + 1_000_000})
	}
	return c
}

func appendAll(t testing.TB, r session.Recorder, chunks ...stream.Chunk) {
	t.Helper()
	if err := r.Append(t.Context(), chunks); err != nil {
		t.Fatal(err)
	}
}

func rowsOf(t testing.TB, s *Store, id, streamID string) []Row {
	t.Helper()
	var out []Row
	for row, err := range s.Samples(t.Context(), id, streamID) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func detail(t testing.TB, s *Store, id string) Detail {
	t.Helper()
	d, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatIsAppendedComesBack(t *testing.T) {
	s := open(t)
	r := begin(t, s, "s1")
	infos := lab(t)
	want := map[string]stream.Chunk{}
	for _, info := range infos {
		c := run(info, 0, 100) // three statements of 32 and four of one
		c.Samples[7].Values[0] = math.NaN()
		want[info.ID] = c
		appendAll(t, r, c)
	}
	noFace := run(infos[2], 100, 1)
	for k := range noFace.Samples[0].Values {
		noFace.Samples[0].Values[k] = math.NaN()
	}
	appendAll(t, r, noFace)

	for _, info := range infos {
		got := rowsOf(t, s, "s1", info.ID)
		if info.ID == "face" {
			last := got[len(got)-1]
			for k, v := range last.Values {
				if !math.IsNaN(v) {
					t.Errorf("face: %s of a frame without a face is %v", info.Channels[k].Name, v)
				}
			}
			got = got[:len(got)-1]
		}
		if len(got) != 100 {
			t.Fatalf("%s: %d samples came back of 100", info.ID, len(got))
		}
		for i, row := range got {
			w := want[info.ID].Samples[i]
			if info.ID == "trace" { // a row of the trace is stamped like its frame, and no more
				w.Tick, w.Arrival = 0, 0
			}
			if row.Seq != w.Seq || row.Tick != w.Tick || row.Arrival != w.Arrival || row.At != w.At || row.Err != w.Err {
				t.Fatalf("%s: sample %d came back as %+v, want %+v", info.ID, i, row.Sample, w)
			}
			for k := range w.Values {
				same := row.Values[k] == w.Values[k] || math.IsNaN(row.Values[k]) && math.IsNaN(w.Values[k])
				if !same {
					t.Fatalf("%s: sample %d, %s came back as %v, want %v", info.ID, i, info.Channels[k].Name, row.Values[k], w.Values[k])
				}
			}
		}
	}
}

func TestChannelsInAnyOrderFindTheirColumns(t *testing.T) {
	s := open(t)
	h := header(t, "s1")
	slices.Reverse(h.Streams[0].Channels)
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	c := run(h.Streams[0], 0, 1)
	c.Samples[0].Values = []float64{2.5, 512} // eda_us, raw
	appendAll(t, r, c)
	var raw, us float64
	if err := s.read.QueryRow("SELECT raw, eda_us FROM eda_sample").Scan(&raw, &us); err != nil {
		t.Fatal(err)
	}
	if raw != 512 || us != 2.5 {
		t.Errorf("raw is %v and eda_us %v, want 512 and 2.5", raw, us)
	}
}

func TestBeginRefusesWhatDoesNotFit(t *testing.T) {
	tests := []struct {
		name   string
		change func(h *session.Header)
		want   string
	}{
		{"a channel missing", func(h *session.Header) { h.Streams[0].Channels = h.Streams[0].Channels[:1] }, "eda_us"},
		{"a channel too many", func(h *session.Header) {
			h.Streams[1].Channels = append(h.Streams[1].Channels, stream.Channel{Name: "blink"})
		}, "blink"},
		{"a channel twice", func(h *session.Header) {
			h.Streams[1].Channels = append(h.Streams[1].Channels, stream.Channel{Name: "gaze_x"})
		}, "gaze_x"},
		{"an unknown kind", func(h *session.Header) { h.Streams[2].Kind = "smell" }, "smell"},
		{"an id twice", func(h *session.Header) { h.Streams[1].ID = "eda"; h.Streams[1].Kind = stream.Gaze }, `"eda"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			h := header(t, "s1")
			tt.change(&h)
			if _, err := s.Begin(t.Context(), h); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Begin gave %v, want an error that names %s", err, tt.want)
			}
			if all, err := s.Sessions(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("a refused session left %v, %v", all, err)
			}
		})
	}
}

func TestOneFileIsOneStudy(t *testing.T) {
	s := open(t)
	begin(t, s, "s1")
	h := header(t, "s2")
	other := *h.Study
	other.ID, other.Hash = "another", "decaf"
	h.Study = &other
	if _, err := s.Begin(t.Context(), h); err == nil || !strings.Contains(err.Error(), `"pilot"`) {
		t.Errorf("a second study was let in: %v", err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	s := open(t)
	_, err := Open(t.Context(), s.Path())
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), s.Path()) {
		t.Errorf("second Open gave %v, want ErrInUse naming the file", err)
	}
	v, err := View(t.Context(), s.Path())
	if err != nil {
		t.Fatalf("View beside a recording process: %v", err)
	}
	defer v.Close()
	begin(t, s, "s1")
	if all, err := v.Sessions(t.Context()); err != nil || len(all) != 1 || all[0].State != session.Recording {
		t.Errorf("View sees %+v, %v; want one session, recording", all, err)
	}
	if _, err := v.Begin(t.Context(), header(t, "s2")); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Begin through a View gave %v, want ErrReadOnly", err)
	}
}

func TestOddPathsWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Étude 50% #1?mode=ro", "study&co.db")
	s := openAt(t, path)
	begin(t, s, "s1")
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it was asked for: %v", err)
	}
	if err := s.Extract(t.Context(), "s1", filepath.Join(t.TempDir(), "a b?.sqlite")); err != nil {
		t.Error(err)
	}
}

func TestRepeatedNumbersKeepTheFirst(t *testing.T) {
	s := open(t)
	r := begin(t, s, "s1")
	eda := lab(t)[0]
	first := run(eda, 0, 40)
	appendAll(t, r, first)
	again := run(eda, 30, 40) // ten of them are repeated
	for i := range again.Samples {
		again.Samples[i].Values[1] = -1
	}
	appendAll(t, r, again)
	got := rowsOf(t, s, "s1", "eda")
	if len(got) != 70 {
		t.Fatalf("%d samples, want 70", len(got))
	}
	if v := got[35].Values[1]; v != first.Samples[35].Values[1] {
		t.Errorf("the first sample 35 was replaced: %v", v)
	}
	events, err := s.Events(t.Context(), "s1")
	if err != nil || len(events) != 1 || events[0].Kind != stream.Fault || events[0].Count != 10 {
		t.Errorf("events %+v, %v; want one fault that counts 10", events, err)
	}
}

func TestARefusedBatchLeavesNothing(t *testing.T) {
	s := open(t)
	r := begin(t, s, "s1")
	infos := lab(t)
	event := stream.Chunk{Stream: "eda", Events: []stream.Event{{Kind: stream.Disconnected, At: origin + 5}}}
	wrong := run(infos[1], 0, 1)
	wrong.Samples[0].Values = wrong.Samples[0].Values[:2]
	if err := r.Append(t.Context(), []stream.Chunk{run(infos[0], 0, 10), event, wrong}); err == nil {
		t.Fatal("a sample with too few values was taken")
	}
	if n := len(rowsOf(t, s, "s1", "eda")); n != 0 {
		t.Errorf("%d samples of a refused batch stayed", n)
	}
	// The bookkeeping went back too: the same rows fit a second time.
	appendAll(t, r, run(infos[0], 0, 10), event, pings("eda", 3))
	d := detail(t, s, "s1")
	if len(d.Gaps) != 1 || d.Gaps[0].Closed {
		t.Errorf("gaps %+v, want one open", d.Gaps)
	}
	if err := r.Append(t.Context(), []stream.Chunk{{Stream: "nose"}}); err == nil || !strings.Contains(err.Error(), "nose") {
		t.Errorf("a stream that was not announced gave %v", err)
	}
}

func TestGaps(t *testing.T) {
	const ms = 1_000_000
	at := func(n int) instant.Instant { return origin + instant.Instant(n)*ms }
	sample := func(seq int64, arrival int) stream.Sample {
		return stream.Sample{Seq: seq, Arrival: at(arrival), Values: []float64{1, 2}}
	}
	tests := []struct {
		name   string
		chunks []stream.Chunk
		want   []Gap
	}{
		{"lost in one chunk", []stream.Chunk{{
			Samples: []stream.Sample{sample(0, 10), sample(3, 40)},
			Events:  []stream.Event{{Kind: stream.Lost, At: at(40), Count: 2}},
		}}, []Gap{{From: at(10), Until: at(40), Closed: true, Lost: 2, Reason: "lost"}}},
		{"lost between chunks", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Samples: []stream.Sample{sample(2, 30)}, Events: []stream.Event{{Kind: stream.Lost, At: at(30), Count: 1}}},
		}, []Gap{{From: at(10), Until: at(30), Closed: true, Lost: 1, Reason: "lost"}}},
		{"unplugged and back", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(12), Detail: "cable"}}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(15)}}},
			{Events: []stream.Event{{Kind: stream.Connected, At: at(90)}}},
			{Samples: []stream.Sample{sample(8, 95)}, Events: []stream.Event{{Kind: stream.Lost, At: at(95), Count: 7}}},
			{Samples: []stream.Sample{sample(10, 110)}, Events: []stream.Event{{Kind: stream.Lost, At: at(110), Count: 1}}},
		}, []Gap{
			{From: at(12), Until: at(90), Closed: true, Lost: 7, Reason: "disconnected", Detail: "cable"},
			{From: at(95), Until: at(110), Closed: true, Lost: 1, Reason: "lost"},
		}},
		{"never back", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(12)}}},
		}, []Gap{{From: at(12), Until: at(12), Reason: "disconnected"}}},
		{"not there at the beginning", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Connected, At: at(500)}}},
			{Samples: []stream.Sample{sample(0, 510)}},
		}, []Gap{{From: origin, Until: at(500), Closed: true, Reason: "disconnected", Detail: "not there when the segment began"}}},
		{"a remark is no gap", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Marker, At: at(1), Detail: "door"}, {Kind: stream.Fault, At: at(2), Count: 3}}},
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			r := begin(t, s, "s1")
			for _, c := range tt.chunks {
				c.Stream = "eda"
				appendAll(t, r, c)
			}
			for i := range tt.want {
				tt.want[i].Stream = "eda"
			}
			if got := detail(t, s, "s1").Gaps; !slices.Equal(got, tt.want) {
				t.Errorf("gaps\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}

func TestFailKeepsWhatWasWritten(t *testing.T) {
	s := open(t)
	r := begin(t, s, "s1")
	appendAll(t, r, run(lab(t)[0], 0, 50))
	if err := r.Fail(t.Context(), "the disk did not answer"); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if d.State != session.Failed || d.Reason != "the disk did not answer" || d.Duration <= 0 {
		t.Errorf("failed session is %+v", d.Summary)
	}
	if n := len(rowsOf(t, s, "s1", "eda")); n != 50 {
		t.Errorf("%d samples are left of 50", n)
	}
	if err := r.Append(t.Context(), []stream.Chunk{run(lab(t)[0], 50, 1)}); err == nil {
		t.Error("a failed session took a sample")
	}
}

func TestRecoverAndContinue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Begin(ctx, header(t, "s1"))
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, run(lab(t)[0], 0, 200))
	if err := r.Reached(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // the process ends without sealing
		t.Fatal(err)
	}

	s = openAt(t, path)
	d := detail(t, s, "s1")
	if d.State != session.Recovered || d.Reached != 1 {
		t.Fatalf("after the restart the session is %s at step %d", d.State, d.Reached)
	}
	if want := time.Duration(1992) * time.Millisecond; d.Duration != want { // 200 samples at 100 Hz, 2 ms under way
		t.Errorf("it lasted %v, want %v", d.Duration, want)
	}
	seg := session.Segment{Number: 99, Boot: "boot-1", Start: origin / 2, Wall: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	r, back, err := s.Resume(ctx, "s1", seg, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if back.Segment != 1 || back.From != 1 || back.Participant != "P01" || len(back.Plan.Steps) != 3 || back.Plan.Row != 3 {
		t.Errorf("resumption %+v", back)
	}
	appendAll(t, r, run(lab(t)[0], 0, 10)) // numbers begin again in a new process
	if _, _, err := s.Resume(ctx, "s1", seg, lab(t)); err == nil {
		t.Error("a session that records was resumed")
	}
	got := rowsOf(t, s, "s1", "eda")
	if len(got) != 210 || got[200].Segment != 1 {
		t.Errorf("%d samples; the first of the second segment is in segment %d", len(got), got[200].Segment)
	}
	if _, _, err := s.Resume(ctx, "nobody", seg, lab(t)); !errors.Is(err, ErrNoSession) {
		t.Errorf("resuming a session that is not there gave %v", err)
	}
	actions, err := texts(ctx, s.read, "SELECT action FROM audit ORDER BY n")
	if err != nil || !slices.Equal(actions, []string{"begin", "recover", "continue"}) {
		t.Errorf("audit %v, %v", actions, err)
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, s, "s1")
	appendAll(t, r, run(lab(t)[2], 0, 500))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)/2+8192; i++ {
		b[i] = 0xA5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file gave %v", err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a text file gave %v", err)
	}
}

func TestNewerFileIsRefused(t *testing.T) {
	s := open(t)
	if _, err := s.write.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	if _, err := View(t.Context(), s.Path()); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("View of a newer file gave %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t)
	r := begin(t, s, "s1")
	eda := lab(t)[0]
	var pages int
	if err := s.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)); err != nil {
		t.Fatal(err)
	}
	kept := int64(0)
	var err error
	for err == nil {
		if err = r.Append(t.Context(), []stream.Chunk{run(eda, kept, 64)}); err == nil {
			kept += 64
		}
		if kept > 1e6 {
			t.Fatal("the disk never filled up")
		}
	}
	if !strings.Contains(err.Error(), "disk is full") || !strings.Contains(err.Error(), s.Path()) {
		t.Errorf("a full disk gave %v", err)
	}
	if got := rowsOf(t, s, "s1", "eda"); int64(len(got)) != kept {
		t.Errorf("%d samples are readable, %d were acknowledged", len(got), kept)
	}
	if _, err := s.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, run(eda, kept, 64)) // space was made: the recording goes on
}

// TestTruncatedLog cuts the write-ahead log at every kind of place: what was
// committed before the cut must be there, whole batches only.
func TestTruncatedLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	s := openAt(t, path)
	r := begin(t, s, "s1")
	const batch, batches = 5, 60
	for i := range batches {
		appendAll(t, r, run(lab(t)[0], int64(i*batch), batch))
	}
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for cut := len(wal); cut > len(wal)/2; cut -= 1777 {
		copied := filepath.Join(t.TempDir(), "cut.db")
		if err := errors.Join(os.WriteFile(copied, db, 0o600), os.WriteFile(copied+"-wal", wal[:cut], 0o600)); err != nil {
			t.Fatal(err)
		}
		c, err := Open(t.Context(), copied)
		if err != nil {
			t.Fatalf("cut at %d of %d bytes: %v", cut, len(wal), err)
		}
		n := len(rowsOf(t, c, "s1", "eda"))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n%batch != 0 || (last >= 0 && n > last) || (cut == len(wal) && n != batch*batches) {
			t.Errorf("cut at %d of %d bytes: %d samples", cut, len(wal), n)
		}
		last = n
	}
}

// byHand runs a statement on the writer, as a tool on the file might.
func byHand(s *Store, query string, args ...any) error {
	return inTx(context.Background(), s.write, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}
