package store

import (
	"context"
	"errors"
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
)

func TestWhatIsAppendedComesBack(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
			{From: at(10), Until: at(90), Closed: true, Lost: 7, Reason: "disconnected", Detail: "cable"},
			{From: at(95), Until: at(110), Closed: true, Lost: 1, Reason: "lost"},
		}},
		{"never back", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(12)}}},
		}, []Gap{{From: at(10), Until: at(10), Reason: "disconnected"}}},
		{"not there at the beginning", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Connected, At: at(500)}}},
			{Samples: []stream.Sample{sample(0, 510)}},
		}, []Gap{{From: origin, Until: at(500), Closed: true, Reason: "disconnected", Detail: "not there when the segment began"}}},
		{"gone just before the beginning", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(-5), Detail: "cable"}}},
			{Events: []stream.Event{{Kind: stream.Connected, At: at(60)}}},
		}, []Gap{{From: origin, Until: at(60), Closed: true, Reason: "disconnected", Detail: "cable"}}},
		{"gone before the first sample", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(5), Detail: "cable"}}},
			{Events: []stream.Event{{Kind: stream.Connected, At: at(60)}}},
			{Samples: []stream.Sample{sample(0, 70)}},
		}, []Gap{{From: origin, Until: at(60), Closed: true, Reason: "disconnected", Detail: "cable"}}},
		{"back without a word", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10), sample(1, 20)}, Events: []stream.Event{{Kind: stream.Disconnected, At: at(30)}}},
			{Samples: []stream.Sample{sample(2, 25)}}, // was on its way
			{Samples: []stream.Sample{sample(3, 80), sample(4, 90)}},
		}, []Gap{{From: at(20), Until: at(80), Closed: true, Reason: "disconnected"}}},
		{"gone again before anything came", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(12)}, {Kind: stream.Connected, At: at(20)}}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(30)}, {Kind: stream.Connected, At: at(40)}}},
		}, []Gap{
			{From: at(10), Until: at(20), Closed: true, Reason: "disconnected"},
			{From: at(20), Until: at(40), Closed: true, Reason: "disconnected"},
		}},
		{"lost while it is away", []stream.Chunk{
			{Samples: []stream.Sample{sample(0, 10)}},
			{Events: []stream.Event{{Kind: stream.Disconnected, At: at(12)}, {Kind: stream.Lost, At: at(15), Count: 2}, {Kind: stream.Connected, At: at(20)}}},
		}, []Gap{{From: at(10), Until: at(20), Closed: true, Lost: 2, Reason: "disconnected"}}},
		{"connected twice", []stream.Chunk{
			{Events: []stream.Event{{Kind: stream.Connected, At: at(5)}, {Kind: stream.Connected, At: at(9)}}},
		}, []Gap{{From: origin, Until: at(5), Closed: true, Reason: "disconnected", Detail: "not there when the segment began"}}},
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
	t.Parallel()
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
	t.Parallel()
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
	if err := r.Reached(ctx, 1, 0); err != nil {
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
	if _, _, err := s.Resume(ctx, "s1", "another", seg, lab(t)); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("continued with a changed study: %v", err)
	}
	r, back, err := s.Resume(ctx, "s1", d.Study.Hash, seg, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if back.Segment != 1 || back.From != 1 || back.Participant != "P01" || len(back.Plan.Steps) != 3 || back.Plan.Row != 3 {
		t.Errorf("resumption %+v", back)
	}
	appendAll(t, r, run(lab(t)[0], 0, 10)) // numbers begin again in a new process
	if _, _, err := s.Resume(ctx, "s1", d.Study.Hash, seg, lab(t)); err == nil {
		t.Error("a session that records was resumed")
	}
	got := rowsOf(t, s, "s1", "eda")
	if len(got) != 210 || got[200].Segment != 1 {
		t.Errorf("%d samples; the first of the second segment is in segment %d", len(got), got[200].Segment)
	}
	if _, _, err := s.Resume(ctx, "nobody", d.Study.Hash, seg, lab(t)); !errors.Is(err, ErrNoSession) {
		t.Errorf("resuming a session that is not there gave %v", err)
	}
	actions, err := texts(ctx, s.read, "SELECT action FROM audit ORDER BY n")
	if err != nil || !slices.Equal(actions, []string{"begin", "recover", "continue"}) {
		t.Errorf("audit %v, %v", actions, err)
	}
}

// A session of real devices that is continued on simulated ones must not pass
// for real.
func TestContinuedOnSimulatedDevices(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := header(t, "s1")
	for i := range h.Streams {
		h.Streams[i].Simulated = false
	}
	if _, err := s.Begin(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.Simulated {
		t.Fatal("real devices are called simulated")
	}
	if _, _, err := s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Start: origin, Wall: time.Now()}, lab(t)); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); !d.Simulated {
		t.Error("a session continued on simulated devices is not called simulated")
	}
}
