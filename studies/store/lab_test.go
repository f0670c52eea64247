package store

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// origin is the instant at which test sessions begin.
const origin = instant.Instant(1_000_000_000_000)

// channelsOf are the channels that the table of a kind asks for, without those that
// a stream may leave out.
func channelsOf(t testing.TB, k stream.Kind) []stream.Channel {
	t.Helper()
	tab, err := tableOf(k)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.DeleteFunc(slices.Clone(tab.channels), func(n string) bool { return slices.Contains(tab.optional, n) })
	if tab.landmarks {
		names = slices.Concat(names, landmarkNames())
	}
	out := make([]stream.Channel, len(names))
	for i, n := range names {
		out[i] = stream.Channel{Name: n, Unit: "1", Note: "Test channel " + n + "."}
	}
	return out
}

// everyChannel are the channels of a kind with those that a stream may leave out.
func everyChannel(t testing.TB, k stream.Kind) []stream.Channel {
	t.Helper()
	tab, err := tableOf(k)
	if err != nil {
		t.Fatal(err)
	}
	out := channelsOf(t, k)
	for _, n := range tab.optional {
		out = append(out, stream.Channel{Name: n, Unit: "1", Note: "Test channel " + n + "."})
	}
	return out
}

// often is how many samples a second tests make of a stream.
func often(info stream.Info) float64 {
	if info.Rate == 0 {
		return 10
	}
	return info.Rate
}

// lab is the streams of a whole lab.
func lab(t testing.TB) []stream.Info {
	return []stream.Info{
		{ID: "eda", Kind: stream.EDA, Device: "test box", Port: "/dev/ttyTEST", Clock: stream.PingedClock, TickHz: 1e6, Rate: 100, Channels: channelsOf(t, stream.EDA)},
		{ID: "gaze", Kind: stream.Gaze, Device: "test tracker", Clock: stream.TickedClock, TickHz: 1e6, Rate: 60, Channels: channelsOf(t, stream.Gaze), Simulated: true},
		{ID: "face", Kind: stream.Face, Device: "test camera", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channelsOf(t, stream.Face)},
		{ID: "stimulus", Kind: stream.Stimulus, Device: "test screen", Clock: stream.PingedClock, TickHz: 1e6, Rate: 30, Channels: channelsOf(t, stream.Stimulus)},
		{ID: "trace", Kind: stream.Trace, Device: "join", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channelsOf(t, stream.Trace)},
		{ID: "light", Kind: stream.Light, Device: "test box", Clock: stream.PingedClock, TickHz: 1e6, Channels: channelsOf(t, stream.Light)},
		{ID: "codes", Kind: stream.Trigger, Device: "test cable", Clock: stream.HostClock, TickHz: 1e9, Channels: channelsOf(t, stream.Trigger)},
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
	b, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	return openCopy(t, b)
}

// openCopy opens a copy of a study file in a folder of the test's own.
func openCopy(t testing.TB, file []byte) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return openAt(t, path)
}

// template is a study file that several tests begin with. It is made once.
type template struct {
	once sync.Once
	file []byte
}

// open opens a copy of it; whoever is the first fills it.
func (m *template) open(t *testing.T, fill func(t *testing.T, s *Store)) *Store {
	t.Helper()
	m.once.Do(func() {
		s := open(t)
		fill(t, s)
		err := s.checkpoint(t.Context())
		if err == nil {
			m.file, err = os.ReadFile(s.Path())
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if m.file == nil {
		t.Fatal("the file that this test begins with could not be made: see the test that was the first to ask for it")
	}
	return openCopy(t, m.file)
}

// empty is a study file without a session. It is made once: a copy costs a hundredth of
// all the migrations.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "emolab-store-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "study.db")
	s, err := Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

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
		at := origin + instant.Instant(float64(seq)*1e9/often(info))
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
