package eyetrac

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// A whole conversation through a real port: joined in the middle of a frame,
// garbage, a cable pulled in the middle of another, and plugged in again.
func TestConversation(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, New(options(far.Path())))
	far.AwaitOpen()
	r := rand.New(rand.NewPCG(1, 2))
	line := AppendFrame(nil, run(99, 1)[0])[5:]
	for _, f := range run(100, 30) {
		line = AppendFrame(line, f)
	}
	line = append(line, serialtest.Garbage(r, 100)...)
	for _, f := range run(130, 30) {
		line = AppendFrame(line, f)
	}
	half := AppendFrame(nil, run(160, 1)[0])[:7]
	far.SendSplit(r, append(line, half...))
	got.AwaitSamples(59) // what the garbage touched was the last before it
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	before := len(got.Samples())
	far.Plug()
	far.AwaitOpen()
	line = half[3:]
	for _, f := range run(500, 20) {
		line = AppendFrame(line, f)
	}
	far.SendSplit(r, append(line, statusGood))
	got.AwaitSamples(before + 20)
	got.Stop()
	if n := len(got.Events(stream.Connected)); n != 2 {
		t.Errorf("connected %d times, want 2", n)
	}
	if got.Total(stream.Fault) == 0 {
		t.Error("no fault counted")
	}
	seq := int64(-1)
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			want := 0
			if s.Tick >= 500 {
				want = 1
			}
			if s.Seq <= seq || c.Epoch != want || s.Values[7] != float64(uint16(s.Tick)|1) || s.Values[0] != .25 {
				t.Fatalf("epoch %d, sample %+v after number %d", c.Epoch, s, seq)
			}
			seq = s.Seq
		}
	}
}

// The virtual tracker, over an adapter that batches and a line that loses and
// damages: every value is the script's, within the protocol's resolution.
func TestTwin(t *testing.T) {
	for name, c := range map[string]struct {
		rate    int
		what    virtual.Disturbance
		samples int
	}{
		"perfect line":       {60, virtual.Disturbance{}, 100},
		"batches and losses": {240, virtual.FTDI(2), 500},
		"damage":             {120, virtual.Disturbance{Batch: 16 * time.Millisecond, LossPercent: 2, CorruptPercent: 3}, 250},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := instant.Monotonic{}
			truth := script.NewTruth(script.New(7), clock.Now())
			o := Options{Place: device.Place{ID: "gaze", Clock: clock, Simulated: true}, Rate: c.rate}
			link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyEYE"),
				o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: 2000, Seed: 1}), c.what, 3, clock)
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			o.Port = link.Path()
			source, err := o.Open()
			if err != nil {
				t.Fatal(err)
			}
			got := serialtest.Record(t, source)
			got.AwaitSamples(c.samples)
			got.Stop()
			wrong := 0
			next := int64(0)
			var holes int64
			for _, s := range got.Samples() {
				holes += s.Seq - next
				next = s.Seq + 1
				if !fits(t, truth, s) {
					wrong++
				}
			}
			if lost := got.Total(stream.Lost); lost != holes || (c.what.LossPercent > 0) != (lost > 0) {
				t.Errorf("%d lost, holes of %d", lost, holes)
			}
			// A damaged byte that leaves a frame whole cannot be known.
			if limit := int(c.what.CorruptPercent / 100 * float64(c.samples)); wrong > limit {
				t.Errorf("%d of %d samples differ from the script, want at most %d", wrong, len(got.Samples()), limit)
			}
		})
	}
}

// fits compares a sample with the script at the true instant of its tick.
func fits(t *testing.T, truth *script.Truth, s stream.Sample) bool {
	t.Helper()
	clock, ok := truth.Clock("gaze", s.Arrival)
	if !ok {
		t.Fatal("no clock of the tracker in the truth")
	}
	at := clock.Near(s.Tick, s.Arrival)
	if late := s.Arrival.Sub(at); late < 0 || late > time.Second {
		t.Fatalf("sample %d arrived %v after it was made", s.Seq, late)
	}
	elapsed := truth.Elapsed(at)
	if truth.Script.Closure(elapsed) > shut {
		return s.Values[2] == 0 && math.IsNaN(s.Values[0]) && s.Values[7] == 0
	}
	x, y := truth.Script.Gaze(elapsed)
	span := scene()
	const rounding = .5 + 1e-9
	return s.Values[2] == 1 &&
		math.Abs(s.Values[0]-x) <= rounding/span.Right && math.Abs(s.Values[1]-y) <= rounding/span.Bottom &&
		math.Abs(s.Values[7]-truth.Script.PupilMM(elapsed)*pupilPerMM) <= rounding
}
