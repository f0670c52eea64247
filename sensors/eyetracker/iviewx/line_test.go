package iviewx

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

// A whole conversation through a real port: the questions, garbage, a cable
// pulled in the middle of a message, plugged in again, the goodbye.
func TestConversation(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options()
	o.Port = far.Path()
	got := serialtest.Record(t, New(o))
	opening := []byte("ET_FRM \"%TU %ET %SX %SY %DX %DY\"\nET_SRT\nET_STR 60\n")
	far.Take(opening)
	r := rand.New(rand.NewPCG(1, 2))
	text := "ET_SRT 60\r\n"
	for i := range 30 {
		text += line(i)
	}
	text += string(serialtest.Garbage(r, 100)) + "\r\n"
	for i := 30; i < 60; i++ {
		text += line(i)
	}
	far.SendSplit(r, []byte(text+line(60)[:20]))
	got.AwaitSamples(60)
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	far.Plug()
	far.Take(opening)
	text = line(499)[9:]
	for i := 500; i < 520; i++ {
		text += line(i)
	}
	far.SendSplit(r, []byte(text))
	got.AwaitSamples(80)
	got.Stop()
	far.Take([]byte("ET_EST\n"))
	if n := len(got.Events(stream.Connected)); n != 2 {
		t.Errorf("connected %d times, want 2", n)
	}
	if got.Total(stream.Fault) == 0 {
		t.Error("no fault counted")
	}
	n := 0
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			epoch, i := 0, n
			if n >= 60 {
				epoch, i = 1, 500+n-60
			}
			if c.Epoch != epoch || s.Seq != int64(n) || s.Tick != stamp(i) || s.Values[7] != float64(i) {
				t.Fatalf("epoch %d, sample %+v, want sample %d of epoch %d", c.Epoch, s, i, epoch)
			}
			n++
		}
	}
}

// The virtual tracker, over a network and over a serial line that batches, loses
// and damages: every value is the script's, within the protocol's resolution.
func TestTwin(t *testing.T) {
	for name, c := range map[string]struct {
		udp     bool
		rate    int
		what    virtual.Disturbance
		samples int
	}{
		"network":             {true, 250, virtual.Disturbance{}, 400},
		"network with losses": {true, 120, virtual.Disturbance{Jitter: 3 * time.Millisecond, LossPercent: 2}, 200},
		"serial line":         {false, 60, virtual.FTDI(2), 100},
		"damage":              {false, 120, virtual.Disturbance{Batch: 16 * time.Millisecond, LossPercent: 2, CorruptPercent: 3}, 250},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := instant.Monotonic{}
			truth := script.NewTruth(script.New(7), clock.Now())
			o := Options{Place: device.Place{ID: "gaze", Clock: clock, Simulated: true}, Rate: c.rate}
			where := filepath.Join(t.TempDir(), "ttyEYE")
			if c.udp {
				where = "udp://127.0.0.1:0"
			}
			link, err := virtual.NewLink(where, o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: 2000, Seed: 1}), c.what, 3, clock)
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			if o.Port = link.Path(); c.udp {
				o.Port, o.Address = "", link.Path()
			}
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
				if !fits(truth, s) {
					wrong++
				}
			}
			// Datagrams can be lost on a busy machine as well.
			lost := got.Total(stream.Lost)
			if lost != holes || c.what.LossPercent > 0 && lost == 0 {
				t.Errorf("%d lost, holes of %d", lost, holes)
			}
			first, last := got.Samples()[0], got.Samples()[len(got.Samples())-1]
			made := math.Round(float64(last.Tick-first.Tick)/tickHz*float64(c.rate)) + 1
			if c.what.CorruptPercent == 0 && int64(made) != int64(len(got.Samples()))+lost {
				t.Errorf("%d samples and %d lost, the stamps are those of %.0f", len(got.Samples()), lost, made)
			}
			// A damaged digit that leaves a message whole cannot be known.
			if limit := int(2 * c.what.CorruptPercent / 100 * float64(c.samples)); wrong > limit {
				t.Errorf("%d of %d samples differ from the script, want at most %d", wrong, len(got.Samples()), limit)
			}
		})
	}
}

// fits compares a sample with the script at the true instant of its tick.
func fits(truth *script.Truth, s stream.Sample) bool {
	clock, _ := truth.Clock("gaze", s.Arrival)
	at := clock.At(s.Tick)
	if late := s.Arrival.Sub(at); late < 0 || late > serialtest.Deadline {
		return false
	}
	elapsed := truth.Elapsed(at)
	if truth.Script().Closure(elapsed) > shut {
		return s.Values[2] == 0 && math.IsNaN(s.Values[0]) && s.Values[7] == 0
	}
	x, y := truth.Script().Gaze(elapsed)
	span := area()
	const rounding = .5 + 1e-6
	return s.Values[2] == 1 &&
		math.Abs(s.Values[0]-x) <= rounding/span.Right && math.Abs(s.Values[1]-y) <= rounding/span.Bottom &&
		math.Abs(s.Values[7]-truth.Script().PupilMM(elapsed)*pupilPerMM) <= rounding && s.Values[7] == s.Values[8]
}
