package iscan

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// run is n frames whose pupil counts from a number on.
func run(from, n uint16) []byte {
	var b []byte
	for i := range n {
		b = AppendFrame(b, 7, 600, 1700, from+i)
	}
	return b
}

// A whole conversation through a real port: the start command, garbage, a cable
// pulled in the middle of a frame, plugged in again, the stop command.
func TestConversation(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, New(options(far.Path())))
	far.Take([]byte{DefaultStart})
	r := rand.New(rand.NewPCG(1, 2))
	line := append(run(1000, 30), serialtest.Garbage(r, 101)...)
	line = append(line, run(2000, 30)...)
	far.SendSplit(r, append(line, run(2030, 1)[:5]...))
	got.AwaitSamples(28 + 29)
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	before := len(got.Samples())
	if before != 28+29 {
		t.Errorf("%d samples, want 57", before)
	}
	far.Plug()
	far.Take([]byte{DefaultStart})
	far.SendSplit(r, run(3000, 22))
	got.AwaitSamples(before + 20)
	got.Stop()
	far.Take([]byte{DefaultStop})
	if n := len(got.Events(stream.Connected)); n != 2 {
		t.Errorf("connected %d times, want 2", n)
	}
	if got.Total(stream.Fault) == 0 {
		t.Error("no fault counted")
	}
	last := -1.
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			want := 0
			if s.Values[7] >= 300 {
				want = 1
			}
			if c.Epoch != want || s.Values[7] <= last || s.Values[0] != .25 || s.Values[1] != .75 {
				t.Fatalf("epoch %d, sample %+v after pupil %v", c.Epoch, s, last)
			}
			last = s.Values[7]
		}
	}
}

func TestUnaskedSendsNothing(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	end()
	for unasked, want := range map[bool][]byte{true: nil, false: {DefaultStart, DefaultStop}} {
		o := options("x").withDefaults()
		o.Unasked = unasked
		var sent bytes.Buffer
		if err := newDialogue(o, nil).Speak(ctx, &sent); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sent.Bytes(), want) {
			t.Errorf("unasked %v: sent % X, want % X", unasked, sent.Bytes(), want)
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
		"perfect line": {60, virtual.Disturbance{}, 100},
		"batches":      {240, virtual.FTDI(0), 500},
		"losses":       {60, virtual.FTDI(2), 100},
		"damage":       {120, virtual.Disturbance{Batch: 16 * time.Millisecond, LossPercent: 2, CorruptPercent: 3}, 250},
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
			samples := got.Samples()
			if c.what.LossPercent == 0 {
				if !gapless(truth, samples) {
					t.Error("the samples are not one field of the camera after the other")
				}
				return
			}
			field := int64(0) // of the camera, of the sample before
			wrong := 0
			for _, s := range samples {
				found := find(truth, s, field)
				if found == 0 {
					wrong++
					continue
				}
				field = found
			}
			// A damaged byte that leaves a frame whole cannot be known.
			if limit := int(2 * c.what.CorruptPercent / 100 * float64(len(samples))); wrong > limit {
				t.Errorf("%d of %d samples are in no field of the camera, want at most %d", wrong, len(samples), limit)
			}
		})
	}
}

// gapless tells whether tick n of the samples is field from+n of the camera, for
// one number from that the first sample can be.
func gapless(truth *script.Truth, samples []stream.Sample) bool {
	first := samples[0]
	clock, _ := truth.Clock("gaze", first.Arrival)
	for from := int64(0); clock.At(from) <= first.Arrival; from++ {
		if !slices.ContainsFunc(samples, func(s stream.Sample) bool { return !shows(truth, s, from+s.Tick) }) {
			return true
		}
	}
	return false
}

// find returns which field of the camera, later than the one given and not after
// the arrival, shows what the sample says; 0 = none.
func find(truth *script.Truth, s stream.Sample, after int64) int64 {
	clock, _ := truth.Clock("gaze", s.Arrival)
	for n := after + 1; clock.At(n) <= s.Arrival; n++ {
		if shows(truth, s, n) {
			return n
		}
	}
	return 0
}

// shows tells whether the sample says what field n of the camera shows.
func shows(truth *script.Truth, s stream.Sample, n int64) bool {
	clock, _ := truth.Clock("gaze", s.Arrival)
	elapsed := truth.Elapsed(clock.At(n))
	if truth.Script().Closure(elapsed) > shut {
		return s.Values[2] == 0 && math.IsNaN(s.Values[0]) && s.Values[5] == 0 && s.Values[7] == 0
	}
	x, y := truth.Script().Gaze(elapsed)
	span := field()
	const rounding = .05 + 1e-9
	return s.Values[2] == 1 &&
		math.Abs(s.Values[0]-x) <= rounding/span.Right && math.Abs(s.Values[1]-y) <= rounding/span.Bottom &&
		math.Abs(s.Values[7]-truth.Script().PupilMM(elapsed)*pupilPerMM) <= rounding
}
