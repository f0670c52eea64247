package store

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// legOut is the least time that a clock ping of the test devices takes on its way out.
const legOut = 500 * time.Microsecond

// clockwork is a device as a test session needs it: a clock that is wrong, on a cable
// that delays.
type clockwork struct {
	info   stream.Info
	drift  float64 // of its clock, parts of one
	resets bool    // after a third of the segment
	loss   float64
}

// everyClock is a lab with every kind of clock, with measured latencies and without.
func everyClock(t testing.TB) []clockwork {
	infos := map[string]stream.Info{}
	for _, info := range lab(t) {
		infos[info.ID] = info
	}
	of := func(id, as string, clock stream.ClockKind, shift *stream.Shift) stream.Info {
		info := infos[id]
		info.ID, info.Clock, info.Shift = as, clock, shift
		if clock == stream.CountedClock {
			info.TickHz = info.Rate
		}
		return info
	}
	glass := &stream.Shift{By: -12700 * time.Microsecond, Within: 2 * time.Millisecond, Calibration: json.RawMessage(`{"kind":"display","median_ms":-12.7}`)}
	lens := &stream.Shift{By: -21 * time.Millisecond, Within: 9 * time.Millisecond}
	return []clockwork{
		{info: of("eda", "eda", stream.PingedClock, nil), drift: 2000e-6, resets: true, loss: .02},
		{info: of("gaze", "gaze", stream.TickedClock, nil), drift: -800e-6, resets: true, loss: .01},
		{info: of("face", "face", stream.HostClock, lens)},
		{info: of("stimulus", "stimulus", stream.PingedClock, glass), drift: 20e-6, resets: true},
		{info: of("trace", "trace", stream.HostClock, nil)},
		{info: of("eda", "left", stream.CountedClock, nil), drift: 3000e-6, loss: .01},
		{info: of("face", "door", stream.ArrivalClock, nil)},
		{info: of("light", "light", stream.PingedClock, nil), drift: 2000e-6},
		{info: of("codes", "codes", stream.HostClock, nil)},
	}
}

// observe is what arrives of a device from start on: samples and, of one that can be
// asked, a ping a second.
func (d clockwork) observe(rng *rand.Rand, segment int, start instant.Instant, length time.Duration) []stream.Chunk {
	c := stream.Chunk{Stream: d.info.ID, Epoch: 10 * segment}
	var out []stream.Chunk
	hz := d.info.TickHz * (1 + d.drift)
	from := start // of the device's clock
	tick := func(at instant.Instant) int64 { return 77 + int64(at.Sub(from).Seconds()*hz) }
	pinged := d.info.Clock == stream.PingedClock
	n := int64(often(d.info) * length.Seconds())
	for i := range n {
		seq := int64(segment)*1e6 + i
		at := start.Add(time.Duration(float64(i) / often(d.info) * 1e9))
		if d.resets && i == n/3 {
			out = append(out, c)
			c = stream.Chunk{Stream: c.Stream, Epoch: c.Epoch + 1, Events: []stream.Event{
				{Kind: stream.Disconnected, At: at.Add(-900 * time.Millisecond), Detail: "cable"}, {Kind: stream.Connected, At: at.Add(5 * time.Millisecond)}}}
			from = at.Add(-time.Millisecond)
		}
		away := d.resets && i < n/3 && i > n/3-int64(often(d.info))
		if pinged && i%int64(often(d.info)) == 0 && !away {
			t0 := at.Add(-20 * time.Millisecond)
			out, back := legOut+time.Duration(rng.ExpFloat64()*2e5), legOut+time.Duration(rng.ExpFloat64()*4e6)
			rx := tick(t0.Add(out))
			c.Probes = append(c.Probes, stream.Probe{T0: t0, Rx: rx, Tx: rx, T3: t0.Add(out).Add(back)})
		}
		if away || rng.Float64() < d.loss {
			continue
		}
		s := stream.Sample{Seq: seq, Arrival: at.Add(time.Millisecond + time.Duration(rng.Float64()*16e6)), At: at, Err: 20 * time.Millisecond, Values: values(d.info, i)}
		switch d.info.Clock {
		case stream.HostClock:
			s.Tick = int64(at)
		case stream.ArrivalClock:
			s.Tick = int64(s.Arrival)
		case stream.CountedClock:
			s.Tick = seq
		default:
			s.Tick = tick(at)
		}
		if d.info.Kind == stream.Stimulus {
			// The second presentation begins with the reset, and anew with the next segment.
			presentation, frame := 1, i
			if segment > 0 || i >= n/3 {
				presentation = 2
			}
			if segment == 0 && i >= n/3 {
				frame = i - n/3
			}
			copy(s.Values, []float64{float64(presentation), float64(frame), math.Round(float64(frame) * 1e9 / 30), float64(frame + 1), 0, 0, 1, 1})
		}
		c.Samples = append(c.Samples, s)
	}
	return append(out, c)
}

// everyClockSession is a sealed session of two segments, whose process had died in
// between, on a lab with every kind of clock.
func everyClockSession(t *testing.T, s *Store) {
	t.Helper()
	const length = 24 * time.Second
	rng := rand.New(rand.NewPCG(1, 2))
	devices := everyClock(t)
	var infos []stream.Info
	for _, d := range devices {
		infos = append(infos, d.info)
	}
	record := func(r session.Recorder, segment int, start instant.Instant) {
		for _, d := range devices {
			for _, c := range d.observe(rng, segment, start, length) {
				switch d.info.Kind {
				case stream.EDA:
					c = responses(c)
				case stream.Gaze:
					c = resting(c)
				}
				if d.info.Kind == stream.Face {
					c = person(t, d.info, c)
				}
				appendAll(t, r, c)
			}
		}
	}
	record(begunWith(t, s, "s1", infos), 0, origin)
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := origin.Add(5 * time.Minute)
	r, _, err := s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Start: start, Wall: time.Now()}, infos)
	if err != nil {
		t.Fatal(err)
	}
	record(r, 1, start)
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Seal(t.Context(), "s1", nil); err != nil {
		t.Fatal(err)
	}
}

var everyClockFile template

// TestEveryClock looks at one such session from several sides.
func TestEveryClock(t *testing.T) {
	t.Parallel()
	s := everyClockFile.open(t, everyClockSession)
	for name, look := range map[string]func(t *testing.T, s *Store){
		"measured latencies": shiftsComeBack,
		"in JSON":            detailInJSON,
		"clock model":        clockModelPlacesTheSamples,
		"displayed":          displayedIsTheCourse,
		"beside each sample": shownBesideEachSample,
	} {
		t.Run(name, func(t *testing.T) { look(t, s) })
	}
}

// What was measured of a stream's latency comes back from the file as it was, and so
// does that nothing was.
func shiftsComeBack(t *testing.T, s *Store) {
	t.Helper()
	for _, g := range detail(t, s, "s1").Segments {
		for i, d := range everyClock(t) {
			k := slices.IndexFunc(g.Streams, func(v Stream) bool { return v.ID == d.info.ID })
			if k != i {
				t.Fatalf("stream %s has place %d", d.info.ID, k)
			}
			got, want := g.Streams[k].Shift, d.info.Shift
			switch {
			case got == nil || want == nil:
				if got != want {
					t.Errorf("%s: latency %v came back, %v was kept", d.info.ID, got, want)
				}
			case got.By != want.By || got.Within != want.Within || string(got.Calibration) != string(want.Calibration):
				t.Errorf("%s: latency %+v came back, %+v was kept", d.info.ID, got, want)
			}
		}
	}
}

// What is printed of a session has keys that do not change with the names in the code.
func detailInJSON(t *testing.T, s *Store) {
	t.Helper()
	b, err := json.Marshal(detail(t, s, "s1"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile("^[a-z][a-z0-9_]*$")
	var look func(at string, v any)
	look = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				look(at, one)
			}
		case map[string]any:
			for k, one := range v {
				if !key.MatchString(k) {
					t.Errorf("%s has the key %q", at, k)
				}
				look(at+"."+k, one)
			}
		}
	}
	look("session", all)
	segment := all["segments"].([]any)[0].(map[string]any)
	for _, v := range segment["streams"].([]any) {
		st := v.(map[string]any)
		shift, measured := st["shift"].(map[string]any)
		if want := st["id"] == "face" || st["id"] == "stimulus"; measured != want {
			t.Errorf("%s: latency %v", st["id"], st["shift"])
		}
		if st["id"] == "stimulus" && (shift["by_ns"] != -12.7e6 || shift["calibration"].(map[string]any)["kind"] != "display") {
			t.Errorf("the latency of the display is %v", shift)
		}
	}
}

// The pieces in the file are the mapping by which the samples in it were placed,
// measured latency and all: whoever has only the file can do it.
func clockModelPlacesTheSamples(t *testing.T, s *Store) {
	t.Helper()
	for _, kind := range sampleKinds() {
		tab, err := tableOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		const tick = "CASE WHEN s.clock = 'counted' THEN x.seq ELSE x.tick END"
		var n, off, bound int
		err = s.read.QueryRow(`SELECT count(*), sum(abs(x.at_ns - (m.at0_ns + m.ns_per_tick * (`+tick+` - m.tick0))) > 1), sum(x.err_ns <> m.err_ns)
			FROM `+tab.name+` x JOIN stream s ON s.session_id = x.session_id AND s.segment = x.segment AND s.id = x.stream
			JOIN clock_model m ON m.session_id = x.session_id AND m.derivation = 'final' AND m.stream = x.stream
			AND m.segment = x.segment AND m.epoch = x.epoch AND `+tick+` >= m.tick0 AND (`+tick+` < m.until_tick OR `+tick+` = m.tick0)`).Scan(&n, &off, &bound)
		if err != nil {
			t.Fatal(err)
		}
		var all int
		if err := s.read.QueryRow("SELECT count(*) FROM " + tab.name).Scan(&all); err != nil {
			t.Fatal(err)
		}
		// Each code has a piece of its own; of the others the last of an epoch ends one.
		if n < all*99/100 || off > 0 || bound > 0 {
			t.Errorf("%s: pieces for %d of %d samples, %d of them placed elsewhere, %d with another bound", tab.name, n, all, off, bound)
		}
	}
}
