package bundle

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/store"
)

// row is a sample of the lab clock, ms after the session's start.
func row(seq int64, ms int64, values ...float64) stream.Sample {
	at := origin + instant.Instant(ms)*1e6
	return stream.Sample{Seq: seq, Tick: int64(at), Arrival: at, At: at, Values: values}
}

// shown is the row of a frame at 25 frames a second, which is the presented-th.
func shown(seq, ms, frame, presented int64) stream.Sample {
	return row(seq, ms, 1, float64(frame), float64(frame)*40e6, float64(presented), .25, 0, .5, 1)
}

// blank is the row of a screen without a clip.
func blank(seq, ms int64) stream.Sample {
	nan := math.NaN()
	return row(seq, ms, 0, nan, nan, nan, nan, nan, nan, nan)
}

// watched exports a session in which a clip is shown: a frame is not told, one is
// skipped, and the page goes.
func watched(t *testing.T, shift *stream.Shift) map[string][]byte {
	t.Helper()
	return exporting(t, shift, stream.Chunk{Samples: []stream.Sample{
		blank(0, 10), shown(1, 100, 0, 1), shown(2, 140, 1, 2),
		shown(4, 220, 4, 4), // 2 or 3 was not told, the other skipped
	}}, stream.Chunk{Events: []stream.Event{{Kind: stream.Disconnected, At: origin + 250e6, Detail: "closed"}}})
}

// exporting exports a session with what the screen says. A reading of skin conductance
// is taken every 10 ms.
func exporting(t *testing.T, shift *stream.Shift, said ...stream.Chunk) map[string][]byte {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	eda, screen := lab()[0], lab()[3]
	screen.Shift, screen.Rate, screen.Simulated = shift, 0, false
	r := begin(t, s, "s1", []stream.Info{eda, screen})
	for i := range said {
		said[i].Stream = screen.ID
	}
	skin := stream.Chunk{Stream: eda.ID}
	for i := range int64(31) {
		skin.Samples = append(skin.Samples, row(i, 10*i, 500, 5))
	}
	if err := r.Append(t.Context(), append(said, skin)); err != nil {
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
	return unpack(t, path)
}

func TestWhatWasOnTheScreen(t *testing.T) {
	files := watched(t, nil)
	var got []string
	for _, row := range parse(t, files["displayed.csv"]) {
		got = append(got, strings.Join(slices.Concat(row[:3], row[4:]), " "))
	}
	want := []string{
		"t_s from_ns until_ns segment known presentation stimulus frame media_s skipped unreported cut_off",
		"0.010000 5000010000000 5000100000000 0 1 0    0 0 0",
		"0.100000 5000100000000 5000140000000 0 1 1 a 0 0.000000 0 0 0",
		"0.140000 5000140000000 5000180000000 0 1 1 a 1 0.040000 0 0 0",
		"0.180000 5000180000000 5000220000000 0 0 1 a   0 0 0",
		"0.220000 5000220000000 5000250000000 0 1 1 a 4 0.160000 1 1 0",
		"0.250000 5000250000000  0 0     0 0 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("displayed.csv is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// From the first frame to when the page went.
	if row := parse(t, files["presentations.csv"])[1]; strings.Join(row[:5], " ") != "0.100000 5000100000000 0.250000 0 1" {
		t.Errorf("the presentation was %q", row)
	}
	// Beside the samples, at their instants.
	beside := map[string]string{}
	for _, row := range parse(t, files["streams/eda.csv"]) {
		beside[row[0]] = strings.Join(row[8:12], " ")
	}
	for at, want := range map[string]string{
		"t_s": "presentation stimulus frame media_s", "0.000000": "   ", "0.010000": "0   ", "0.090000": "0   ",
		"0.100000": "1 a 0 0.000000", "0.170000": "1 a 1 0.040000", "0.200000": "1 a  ", "0.240000": "1 a 4 0.160000", "0.260000": "   ",
	} {
		if got, ok := beside[at]; got != want || !ok {
			t.Errorf("beside the sample at %s stands %q, want %q", at, got, want)
		}
	}
	if header := parse(t, files["streams/stimulus.csv"])[0]; !slices.Equal(header[8:12], []string{"presentation", "frame", "media_ns", "presented_frames"}) {
		t.Errorf("the stimulus stream has %v", header)
	}
}

// A clip that began anew stands twice in the table of the screen, and once beside the
// samples.
func TestWhatWasCutOffCountsOnce(t *testing.T) {
	files := exporting(t, nil, stream.Chunk{Samples: []stream.Sample{
		shown(0, 20, 0, 1), shown(1, 60, 1, 2), blank(2, 100), shown(3, 160, 0, 1), shown(4, 200, 1, 2), blank(5, 240),
	}})
	table := parse(t, files["displayed.csv"])
	var cut []string
	for _, row := range table[1:] {
		cut = append(cut, row[6]+row[len(row)-1])
	}
	if want := []string{"11", "11", "00", "10", "10", "00"}; !slices.Equal(cut, want) {
		t.Errorf("presentation and cut_off are %v, want %v", cut, want)
	}
	if row := parse(t, files["presentations.csv"])[1]; row[0] != "0.160000" || row[2] != "0.240000" {
		t.Errorf("the presentation that began anew was %q", row)
	}
	times := map[string]int{}
	for _, row := range parse(t, files["streams/eda.csv"])[1:] {
		times[strings.Join(row[8:12], " ")]++
	}
	want := map[string]int{"   ": 2 + 8, "0   ": 6 + 7, "1 a 0 0.000000": 4, "1 a 1 0.040000": 4}
	if !maps.Equal(times, want) {
		t.Errorf("beside the samples stand %v, want %v", times, want)
	}
}

// Where the rest stands on newer clocks than the samples, the bundle says so.
func TestClocksFittedOnceMore(t *testing.T) {
	s := source{detail: store.Detail{Derivations: []store.Derivation{{Name: "final"}, {Name: "final-2", Realigned: true, Current: true}}}}
	if text := s.realigned(); !strings.Contains(text, "derivation final-2") {
		t.Errorf("of new clocks it is said %q", text)
	}
	s.detail.Derivations[0].Current, s.detail.Derivations[1].Current = true, false
	if text := s.realigned(); text != "" {
		t.Errorf("of the clocks of sealing it is said %q", text)
	}
}

// statements reads alignment.json.
func statements(t *testing.T, files map[string][]byte) map[string]statement {
	t.Helper()
	var all []statement
	if err := json.Unmarshal(files["alignment.json"], &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]statement{}
	for _, v := range all {
		out[v.Stream] = v
	}
	return out
}

func TestFramesAreCounted(t *testing.T) {
	said := statements(t, watched(t, nil))
	want := stimulus.Summary{Displayed: 3, Unreported: 1, Skipped: 1, UnknownS: .04 + .05} // until the last reading at 0.3 s
	got := said["stimulus"].Displayed
	if got == nil {
		t.Fatal("frames are not counted")
	}
	if math.Abs(got.UnknownS-want.UnknownS) > 1e-3 {
		t.Errorf("for %v s it is not known, want %v", got.UnknownS, want.UnknownS)
	}
	if got.UnknownS = want.UnknownS; *got != want {
		t.Errorf("%+v, want %+v", *got, want)
	}
	if said["eda"].Displayed != nil {
		t.Error("frames of a skin conductance are counted")
	}
}

// A bundle says what the latencies are, or that nobody measured them; where on the
// machine the light was seen it does not say.
func TestMeasuredLatencies(t *testing.T) {
	plain := watched(t, nil)
	if v := statements(t, plain)["stimulus"]; v.Shift != nil {
		t.Errorf("a latency that was not measured: %+v", v.Shift)
	}
	if text := string(plain["README.txt"]); !strings.Contains(text, "Latency of stimulus: NOT measured") {
		t.Errorf("README does not say that the display was not measured:\n%s", text)
	}
	files := watched(t, &stream.Shift{By: 23400 * time.Microsecond, Within: 1600 * time.Microsecond,
		Calibration: json.RawMessage(`{"kind":"display","measured_at":"2026-11-20T09:00:00Z","device":"box 17 /dev/ttySECRET","median_ms":23.4}`)})
	v := statements(t, files)["stimulus"].Shift
	if v == nil || v.By != 23400*time.Microsecond || v.Within != 1600*time.Microsecond {
		t.Fatalf("the latency is %+v", v)
	}
	var c struct {
		Device string  `json:"device"`
		Median float64 `json:"median_ms"`
	}
	if err := json.Unmarshal(v.Calibration, &c); err != nil || c.Device != "box 17 [path]" || c.Median != 23.4 {
		t.Errorf("the calibration is %s, %v", v.Calibration, err)
	}
	if text := string(files["README.txt"]); !strings.Contains(text, "Latency of stimulus: measured on 2026-11-20.") || !strings.Contains(text, "moved by +23.4 ms and true to 1.6 ms") {
		t.Errorf("README says of the latency:\n%s", text)
	}
	for name, b := range files {
		if bytes.Contains(b, []byte("SECRET")) {
			t.Errorf("%s tells where the light was seen", name)
		}
	}
	// The instants are those of the light.
	if first := parse(t, files["displayed.csv"])[1]; first[0] != "0.033400" {
		t.Errorf("the first showing begins at %s s, want 23.4 ms after what was announced", first[0])
	}
}
