package bundle

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
	"emolab/studies/store"
)

// hands is a lab with a sensor on each hand, the left one with a range of its own,
// a photodiode and a trigger line.
func hands() []stream.Info {
	right, face := lab()[0], lab()[2]
	left := right
	right.ID, left.ID = "right", "left"
	left.Channels = channels("raw", "eda_us", "eda_hold")
	return []stream.Info{right, left, face,
		{ID: "light", Kind: stream.Light, Device: "box", Clock: stream.HostClock, TickHz: 1e9, Channels: channels("light_raw")},
		{ID: "codes", Kind: stream.Trigger, Device: "cable", Clock: stream.HostClock, TickHz: 1e9, Channels: channels("code", "lag_ms")},
		trace.Info(),
	}
}

// conductance makes 30 s of skin conductance with responses of 1 µS at the seconds
// given.
func conductance(info stream.Info, level float64, seconds ...float64) stream.Chunk {
	c := stream.Chunk{Stream: info.ID}
	for seq := range int64(3000) {
		us := level
		for _, from := range seconds {
			if s := float64(seq)/100 - from; s > 0 {
				us += 1.6 * (math.Exp(-s/4) - math.Exp(-s/.8))
			}
		}
		at := origin + instant.Instant(seq)*1e7
		v := append([]float64{us * 100, us}, make([]float64, len(info.Channels)-2)...)
		c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at + 1e6, At: at, Values: v})
	}
	return c
}

// Every sensor has its own table with the columns that it has, and every response
// says whose it is.
func TestDevicesOfOneKind(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	infos := hands()
	r := begin(t, s, "s1", infos)
	code := stream.Sample{Tick: int64(origin) + 3e9, Arrival: origin + 3e9 + 2e5, Values: []float64{7, 12.5}}
	light := stream.Sample{Tick: int64(origin) + 3e9, Arrival: origin + 3e9 + 1e6, Values: []float64{60000}}
	if err := r.Append(t.Context(), []stream.Chunk{
		conductance(infos[0], 5, 8, 18), conductance(infos[1], 9, 12),
		{Stream: "light", Samples: []stream.Sample{light}}, {Stream: "codes", Samples: []stream.Sample{code}},
		{Stream: "left", Events: []stream.Event{{Kind: stream.Disconnected, At: origin + 31e9, Detail: "cable"}}},
	}); err != nil {
		t.Fatal(err)
	}
	// It goes on without the left hand's channel of repeated readings.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	again := hands()[:2]
	again[0].Channels = channels("eda_us", "eda_range", "raw")
	again[1].Channels = channels("raw", "eda_us")
	r, _, err = s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Start: origin, Wall: time.Date(2026, 11, 22, 9, 5, 0, 0, time.UTC)}, again)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Append(t.Context(), []stream.Chunk{
		{Stream: "right", Samples: []stream.Sample{{Tick: int64(origin), Arrival: origin + 1e6, Values: []float64{4, 2, 400}}}},
		{Stream: "left", Samples: []stream.Sample{{Tick: int64(origin), Arrival: origin + 1e6, Values: []float64{800, 8}}}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
	files := unpack(t, path)

	for name, want := range map[string]struct {
		columns []string // after those of every stream
		rows    int
		last    []string
	}{
		"streams/right.csv": {[]string{"raw", "eda_us", "eda_range"}, 3001, []string{"400", "4", "2"}},
		"streams/left.csv":  {[]string{"raw", "eda_us", "eda_hold"}, 3001, []string{"800", "8", ""}},
		"streams/light.csv": {[]string{"light_raw"}, 1, []string{"60000"}},
		"streams/codes.csv": {[]string{"code", "lag_ms"}, 1, []string{"7", "12.5"}},
	} {
		rows := parse(t, files[name])
		if got := rows[0][12:]; !slices.Equal(got, want.columns) || len(rows)-1 != want.rows {
			t.Errorf("%s has %d rows of %v, want %d of %v", name, len(rows)-1, got, want.rows, want.columns)
		}
		if got := rows[len(rows)-1][12:]; !slices.Equal(got, want.last) {
			t.Errorf("%s ends with %v, want %v", name, got, want.last)
		}
	}
	var whose []string
	for _, row := range parse(t, files["eda_responses.csv"])[1:] {
		whose = append(whose, row[4])
	}
	if !slices.Equal(whose, []string{"right", "left", "right"}) {
		t.Errorf("responses of %v, want right, left, right in order of time", whose)
	}
	lines := parse(t, files["gaps.csv"])
	if !slices.ContainsFunc(lines, func(row []string) bool { return row[4] == "left" && row[7] == "cable" }) {
		t.Errorf("gaps %v, want the left hand's", lines)
	}
	var statements []struct {
		Stream string   `json:"stream"`
		Usable *float64 `json:"usable_share"`
	}
	if err := json.Unmarshal(files["alignment.json"], &statements); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, v := range statements {
		said[v.Stream] = v.Usable != nil
	}
	if !said["left"] || !said["right"] || said["light"] || said["codes"] || len(said) != 5 {
		t.Errorf("usable shares are told of %v, want of both hands and the camera", said)
	}
	var versions struct {
		Derivations []struct {
			Name       string         `json:"name"`
			Parameters map[string]any `json:"parameters"`
		} `json:"derivations"`
	}
	if err := json.Unmarshal(files["versions.json"], &versions); err != nil {
		t.Fatal(err)
	}
	for _, d := range versions.Derivations {
		if d.Parameters["eda_stream"] != "right" {
			t.Errorf("%s is said to be joined from %v", d.Name, d.Parameters["eda_stream"])
		}
	}
}
