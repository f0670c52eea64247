package eyetrac

import (
	"fmt"
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

// begin sends frames until the driver enters them, from a number on: those that
// come while it still opens the port are dropped. It returns the next number, and
// how many samples are there when all is entered that came.
func begin(t *testing.T, far *serialtest.Port, got *serialtest.Recording, from int) (next, samples int) {
	t.Helper()
	before := len(got.Samples())
	serialtest.Eventually(t, "frames are entered", func() bool {
		far.Send(AppendFrame(nil, run(from, 1)[0]))
		from++
		return len(got.Samples()) > before
	})
	awaitTick(t, got, from-2) // the last one has no successor yet
	return from, len(got.Samples())
}

// awaitTick waits for the sample with a tick.
func awaitTick(t *testing.T, got *serialtest.Recording, tick int) {
	t.Helper()
	serialtest.Eventually(t, fmt.Sprintf("tick %d", tick), func() bool {
		s := got.Samples()
		return len(s) > 0 && s[len(s)-1].Tick == int64(tick)
	})
}

// A whole conversation through a real port: joined in the middle of a frame,
// garbage, a cable pulled in the middle of another, and plugged in again.
func TestConversation(t *testing.T) {
	t.Parallel()
	const restarted = 40000 // numbers after the second plugging in
	far := serialtest.Open(t)
	got := serialtest.Record(t, New(options(far.Path())))
	far.AwaitOpen()
	far.Send(AppendFrame(nil, run(99, 1)[0])[5:])
	next, before := begin(t, far, got, 100)
	r := rand.New(rand.NewPCG(1, 2))
	var line []byte
	for _, f := range run(next, 30) {
		line = AppendFrame(line, f)
	}
	line = append(line, serialtest.Garbage(r, 100)...)
	for _, f := range run(next+30, 30) {
		line = AppendFrame(line, f)
	}
	half := AppendFrame(nil, run(next+60, 1)[0])[:7]
	far.SendSplit(r, append(line, half...))
	awaitTick(t, got, next+59)
	// The frame before those was held, the one that the garbage touched is lost.
	if n := len(got.Samples()); n != before+1+59 {
		t.Errorf("%d samples, want %d", n, before+1+59)
	}
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	far.Plug()
	far.AwaitOpen()
	far.Send(half[3:])
	begin(t, far, got, restarted)
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
			if s.Tick >= restarted {
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
	if late := s.Arrival.Sub(at); late < 0 || late > serialtest.Deadline {
		t.Fatalf("sample %d arrived %v after it was made", s.Seq, late)
	}
	elapsed := truth.Elapsed(at)
	if truth.Script().Closure(elapsed) > shut {
		return s.Values[2] == 0 && math.IsNaN(s.Values[0]) && s.Values[7] == 0
	}
	x, y := truth.Script().Gaze(elapsed)
	span := scene()
	const rounding = .5 + 1e-9
	return s.Values[2] == 1 &&
		math.Abs(s.Values[0]-x) <= rounding/span.Right && math.Abs(s.Values[1]-y) <= rounding/span.Bottom &&
		math.Abs(s.Values[7]-truth.Script().PupilMM(elapsed)*pupilPerMM) <= rounding
}
