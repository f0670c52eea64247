package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
)

// twoHands is a lab with a skin-conductance sensor on each hand, the right one
// listed first, and two eye trackers.
func twoHands(t testing.TB) []stream.Info {
	infos := lab(t)
	right, left, spare := infos[0], infos[0], infos[1]
	right.ID, left.ID, spare.ID = "right", "left", "a-spare"
	left.Channels = everyChannel(t, stream.EDA)
	spare.Channels = everyChannel(t, stream.Gaze)
	return append([]stream.Info{right, left}, append(infos[1:5:5], spare)...)
}

// begunWith begins a session of the given streams.
func begunWith(t testing.TB, s *Store, id string, streams []stream.Info) session.Recorder {
	t.Helper()
	h := header(t, id)
	h.Streams = streams
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Two devices of one kind are two streams to the end: samples, instants, gaps,
// statements and responses are of each. The trace is joined from the first in the
// lab's order, whatever the ids are, live and at last.
func TestTwoDevicesOfOneKind(t *testing.T) {
	t.Parallel()
	s := open(t)
	streams := twoHands(t)
	r := begunWith(t, s, "s1", streams)
	live := trace.NewLive(streams)
	for _, info := range streams {
		if info.Kind == stream.Trace {
			continue
		}
		c := run(info, 0, int(30*info.Rate))
		switch info.ID {
		case "right":
			c = responses(c)
		case "left": // another level
			for i, v := range responses(c).Samples {
				c.Samples[i].Values = []float64{v.Values[0], v.Values[1] + 10, 2, 0}
			}
		case "gaze":
			for i := range c.Samples {
				c.Samples[i].Values = []float64{.5, .5, 1, 3, 3}
			}
		}
		appendAll(t, r, c)
		if info.Kind != stream.Face {
			live.Add(c)
		}
	}
	appendAll(t, r, pings("right", 30), pings("left", 30), pings("stimulus", 30),
		stream.Chunk{Stream: "left", Events: []stream.Event{{Kind: stream.Disconnected, At: origin + 40e9, Detail: "cable"}}})
	face := run(streams[3], 0, 900)
	for i := range face.Samples { // live values are the latest: look at the end
		face.Samples[i].At += 1e9
	}
	joined := live.Add(face)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	d := detail(t, s, "s1")
	var ids []string
	for _, v := range d.Segments[0].Streams {
		ids = append(ids, v.ID)
		if v.Kind != stream.Trace && (v.Rows != int64(30*v.Rate) || v.Statement.Samples != v.Rows || v.Usable != 1) {
			t.Errorf("%s: %d rows, statement %+v, usable %v", v.ID, v.Rows, v.Statement, v.Usable)
		}
	}
	if want := []string{"right", "left", "gaze", "face", "stimulus", "trace", "a-spare"}; !slices.Equal(ids, want) {
		t.Errorf("streams in the order %v, want the lab's %v", ids, want)
	}
	if len(d.Gaps) != 1 || d.Gaps[0].Stream != "left" {
		t.Errorf("gaps %+v, want one, of the left hand", d.Gaps)
	}
	if got := rowsOf(t, s, "s1", "left")[7].Values; len(got) != 4 || got[2] != 2 || got[3] != 0 {
		t.Errorf("range and hold came back as %v", got)
	}

	found, err := s.Responses(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, v := range found {
		count[v.Stream]++
		if i > 0 && v.Onset < found[i-1].Onset {
			t.Error("responses are not in order of time")
		}
	}
	if count["right"] != 2 || count["left"] != 2 || len(found) != 4 {
		t.Errorf("responses %v, want two of each hand", count)
	}

	info := trace.Info()
	us, right := info.Index("eda_us"), 0
	for row, err := range s.Trace(t.Context(), "s1", info) {
		if err != nil {
			t.Fatal(err)
		}
		if v := row.Values[us]; v > 4 && v < 8 {
			right++
		} else if !math.IsNaN(v) {
			t.Fatalf("row %d has %v µS: that is the other hand", row.Seq, v)
		}
	}
	if right < 890 {
		t.Errorf("%d of 900 rows have the right hand's conductance", right)
	}
	right = 0
	for _, row := range joined {
		if v := row.Values[us]; v > 8 {
			t.Fatalf("the live row %d has %v µS: that is the other hand", row.Seq, v)
		} else if v > 4 {
			right++
		}
	}
	if right < 30 { // of the last two seconds, which are kept
		t.Errorf("%d live rows have the right hand's conductance", right)
	}
	for _, v := range d.Derivations {
		if p := string(v.Parameters); !strings.Contains(p, `"eda_stream":"right"`) || !strings.Contains(p, `"gaze_stream":"gaze"`) {
			t.Errorf("%s does not name what it is joined from: %s", v.Name, p)
		}
	}
	// Derived again, it is the same.
	again, err := s.Rederive(t.Context(), "s1", RederiveOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var other int
	if err := s.read.QueryRow(`SELECT count(*) FROM trace_row a JOIN trace_row b USING (session_id, segment, seq)
		WHERE a.derivation = 'final' AND b.derivation = ? AND (a.eda_us IS NOT b.eda_us OR a.gaze_x IS NOT b.gaze_x)`, again.Name).Scan(&other); err != nil || other != 0 {
		t.Errorf("%d rows differ when derived again, %v", other, err)
	}
}

// What comes as it likes is kept like everything else, but nothing is expected of it.
func TestLightAndTriggers(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	light, codes := lab(t)[5], lab(t)[6]
	burst := run(light, 0, 50)
	code := run(codes, 0, 3)
	for i := range code.Samples {
		code.Samples[i].Values = []float64{float64(i + 1), 12.5}
	}
	code.Samples[1].Values[1] = math.NaN()
	appendAll(t, r, burst, code, run(lab(t)[0], 0, 3000))
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := rowsOf(t, s, "s1", "light"); len(got) != 50 || got[7].Values[0] != 7 {
		t.Errorf("%d readings of light came back", len(got))
	}
	var n, empty int
	if err := s.read.QueryRow("SELECT count(*), sum(lag_ms IS NULL) FROM trigger_sample WHERE code = seq + 1 AND typeof(code) = 'integer'").Scan(&n, &empty); err != nil || n != 3 || empty != 1 {
		t.Errorf("%d codes, %d without a lag, %v", n, empty, err)
	}
	d := detail(t, s, "s1")
	for _, g := range d.Gaps {
		if g.Stream == "light" || g.Stream == "codes" || g.Stream == "eda" {
			t.Errorf("a gap where there was none: %+v", g)
		}
	}
	for _, v := range d.Segments[0].Streams {
		irregular := v.Kind == stream.Light || v.Kind == stream.Trigger
		b, err := json.Marshal(v.Usable)
		if err != nil || irregular != (string(b) == "null") {
			t.Errorf("%s: usable share %s, %v", v.ID, b, err)
		}
	}
	var told int
	if err := s.read.QueryRow("SELECT count(*) FROM quality WHERE stream IN ('light', 'codes') AND usable_share IS NULL AND samples > 0").Scan(&told); err != nil || told != 2 {
		t.Errorf("%d statements without a usable share, want 2: %v", told, err)
	}
}

// A device that repeats its last reading has not measured it: the value counts as
// missing, and costs the rows of the trace nothing.
func TestHeldReadings(t *testing.T) {
	t.Parallel()
	s := open(t)
	streams := lab(t)
	streams[0].Channels = everyChannel(t, stream.EDA)
	r := begunWith(t, s, "s1", streams)
	c := responses(run(streams[0], 0, 3000))
	held := 0
	for i := range c.Samples {
		v := c.Samples[i].Values
		hold := 0.0
		if i%250 >= 100 && i%250 < 108 { // 80 ms, every 2.5 s
			v[1], hold, held = math.NaN(), 1, held+1
		}
		c.Samples[i].Values = []float64{v[0], v[1], 1, hold}
	}
	appendAll(t, r, c, run(streams[2], 0, 900), pings("eda", 30))
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	eda := detail(t, s, "s1").Segments[0].Streams[0]
	if want := Share(3000-held) / 3000; eda.Usable != want || eda.Statement.Samples != 3000 || eda.Statement.Lost != 0 {
		t.Errorf("usable %v, want %v; statement %+v", eda.Usable, want, eda.Statement)
	}
	if found, err := s.Responses(t.Context(), "s1"); err != nil || len(found) != 2 {
		t.Errorf("%d responses, %v; want the two that were put in", len(found), err)
	}
	var rows, without, raw int
	if err := s.read.QueryRow("SELECT count(*), sum(eda_us IS NULL OR scl_us IS NULL) FROM trace WHERE at_ns > ? AND at_ns < ?", int64(origin+1e9), int64(origin+29e9)).Scan(&rows, &without); err != nil || rows < 800 || without != 0 {
		t.Errorf("%d of %d rows have no conductance, %v", without, rows, err)
	}
	if err := s.read.QueryRow("SELECT count(*) FROM eda_sample WHERE eda_hold = 1 AND raw > 0 AND eda_us IS NULL").Scan(&raw); err != nil || raw != held {
		t.Errorf("%d held readings kept with their raw value, want %d: %v", raw, held, err)
	}
}

// Every time that a device is unplugged is one row, which says from when until when
// and why, however short it was, and no two overlap.
func TestAHundredReplugs(t *testing.T) {
	t.Parallel()
	const ms = 1_000_000
	const cycles = 100
	for _, tt := range []struct {
		name    string
		samples int           // between two disconnections; none: it comes and goes
		away    time.Duration // how long it is gone
		batch   int           // cycles in one transaction
	}{
		{"with samples between", 5, 40 * time.Millisecond, 1},
		{"very short", 3, 0, 4},
		{"without a sample between", 0, 3 * time.Millisecond, 10},
		{"all in one batch", 4, 20 * time.Millisecond, cycles},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			r := begin(t, s, "s1")
			now := origin
			var seq int64
			var want []Gap
			var batch []stream.Chunk
			last := origin // when it was last known to be there
			for i := range cycles {
				before := stream.Chunk{Stream: "eda", Epoch: i}
				for range tt.samples {
					now += 10 * ms
					before.Samples = append(before.Samples, stream.Sample{Seq: seq, Arrival: now, Values: []float64{1, 2}})
					seq, last = seq+1, now
				}
				now += 2 * ms
				why := fmt.Sprintf("pulled the %d. time", i+1)
				before.Events = []stream.Event{{Kind: stream.Disconnected, At: now, Detail: why}, {Kind: stream.Disconnected, At: now + 1, Detail: "still gone"}}
				now += 2 + instant.Instant(tt.away)
				back := stream.Chunk{Stream: "eda", Epoch: i + 1, Events: []stream.Event{{Kind: stream.Connected, At: now}}}
				want = append(want, Gap{Stream: "eda", From: last, Until: now, Closed: true, Reason: "disconnected", Detail: why})
				last = now
				if batch = append(batch, before, back); (i+1)%tt.batch == 0 {
					appendAll(t, r, batch...)
					batch = nil
				}
			}
			got := detail(t, s, "s1").Gaps
			if !slices.Equal(got, want) {
				t.Fatalf("%d gaps, want %d; the first are\n%+v, want\n%+v", len(got), len(want), got[:min(3, len(got))], want[:3])
			}
			if n := len(rowsOf(t, s, "s1", "eda")); int64(n) != seq {
				t.Errorf("%d samples were kept of %d", n, seq)
			}
		})
	}
}

// A device that is not there for all of a segment has a gap over all of it.
func TestAbsentThroughout(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	appendAll(t, r, run(lab(t)[0], 0, 1000), stream.Chunk{Stream: "codes", Events: []stream.Event{{Kind: stream.Disconnected, At: origin, Detail: "not there"}}})
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(segment int, start instant.Instant, streams ...string) {
		t.Helper()
		var got []string
		for _, g := range detail(t, s, "s1").Gaps {
			if g.Segment != segment {
				continue
			}
			got = append(got, g.Stream)
			if g.From != start || g.Closed || g.Reason != "disconnected" || g.Detail == "" {
				t.Errorf("gap %+v, want one from the start of the segment, %d, without an end", g, start)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, streams) {
			t.Errorf("segment %d has gaps of %v, want %v", segment, got, streams)
		}
	}
	// The eye tracker, the camera and the screen never delivered anything. Of light
	// nothing can be expected, and of the codes an event said that nothing can come.
	check(0, origin, "codes", "face", "gaze", "stimulus")

	d := detail(t, s, "s1")
	start := origin + instant.Instant(time.Hour)
	r, _, err := s.Resume(t.Context(), "s1", d.Study.Hash, session.Segment{Start: start, Wall: time.Now()}, lab(t)[:2])
	if err != nil {
		t.Fatal(err)
	}
	gaze := run(lab(t)[1], 240_000, 100)
	gaze.Epoch = 4
	for i := range gaze.Samples {
		gaze.Samples[i].Arrival = start + instant.Instant(i+1)*1e7
	}
	appendAll(t, r, gaze)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	check(0, origin, "codes", "face", "gaze", "stimulus") // closed once
	check(1, start, "eda")
}

// Sessions of before have the responses of one stream only; which one is filled in.
func TestOldResponsesGetTheirStream(t *testing.T) {
	t.Parallel()
	path := oldFile(t)
	db, err := sql.Open("sqlite3", dsn(path, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"UPDATE session SET state = 'recording' WHERE id = 'cut'",
		"INSERT INTO stream VALUES ('cut', 0, 'wrist', 'eda', 'box', '', '', 'pinged', 1e6, 100, '[]', 0)",
		"INSERT INTO stream VALUES ('cut', 0, 'ankle', 'eda', 'box', '', '', 'pinged', 1e6, 100, '[]', 0)",
		"INSERT INTO eda_response VALUES ('cut', 'live', 0, 1, 5, 6, .1, 1, NULL)",
		"UPDATE session SET state = 'sealed' WHERE id = 'cut'",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	found, err := s.Responses(t.Context(), "cut")
	if err != nil || len(found) != 1 || found[0].Stream != "ankle" {
		t.Errorf("responses %+v, %v; want one, of the first stream by its id", found, err)
	}
	if d := detail(t, s, "cut"); d.Segments[0].Streams[0].ID != "ankle" || d.Segments[0].Streams[2].ID != "wrist" {
		t.Errorf("the streams stand in the order %v", d.Segments[0].Streams)
	}
	if err := byHand(s, "UPDATE eda_response SET stream = 'wrist'"); err == nil {
		t.Error("a sealed response was given another stream")
	}
}
