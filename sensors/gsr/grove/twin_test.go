package grove_test

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/gsr/grove"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// plug plugs a virtual board in, and records it.
func plug(t *testing.T, o *grove.Options, what virtual.Disturbance) (*script.Truth, *virtual.Link, *serialtest.Recording) {
	t.Helper()
	truth := script.NewTruth(script.New(7), o.Clock.Now())
	twin := o.Twin(virtual.TwinOptions{Truth: truth, Clock: o.Clock, DriftPPM: 2000, Seed: 1})
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyGSR"), twin, what, 3, o.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Port = link.Path()
	return truth, link, serialtest.Record(t, grove.New(*o))
}

// step is what one step of the converter means at a conductance, µS.
func step(o grove.Options, us float64) float64 {
	x := o.Reading(us)
	return o.Microsiemens(x-1) - o.Microsiemens(x)
}

func TestTwinWithTimes(t *testing.T) {
	t.Parallel()
	o := options("")
	o.Rate, o.Millis, o.Column, o.Bits, o.Cal = 60, 2, 1, 12, 2000
	truth, link, got := plug(t, &o, virtual.FTDI(0))
	got.AwaitSamples(120)
	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	got.AwaitEvents(stream.Disconnected, 1)
	if err := link.Plug(); err != nil {
		t.Fatal(err)
	}
	got.AwaitEvents(stream.Connected, 2)
	got.AwaitSamples(180)
	got.Stop()
	for _, s := range got.Samples() {
		clock, ok := truth.Clock("eda", s.Arrival)
		if !ok {
			t.Fatal("no clock of the board in the truth")
		}
		at := clock.Near(s.Tick, s.Arrival)
		want := truth.Script().Conductance(truth.Elapsed(at))
		if late := s.Arrival.Sub(at); late < 0 || late > serialtest.Deadline {
			t.Fatalf("reading %d came %v after it was taken", s.Seq, late)
		}
		// Its tick is cut to a millisecond.
		if math.Abs(s.Values[1]-want) > step(o, want)/2+.002 {
			t.Fatalf("reading %d: %v µS, scripted %v", s.Seq, s.Values[1], want)
		}
	}
	if n := got.Total(stream.Fault) + got.Total(stream.Lost); n != 0 {
		t.Errorf("%d faults and losses on a perfect line: %v", n, got.Events(stream.Fault))
	}
}

// With plain lines the arrival is all there is to compare by.
func TestTwin(t *testing.T) {
	t.Parallel()
	o := options("")
	truth, _, got := plug(t, &o, virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: 3 * time.Millisecond})
	got.AwaitSamples(60)
	got.Stop()
	if _, ok := truth.Clock("eda", o.Clock.Now()); ok {
		t.Error("the truth has a clock that nobody can know")
	}
	set := grove.Options{Bits: grove.DefaultBits, Cal: 512}
	// off is by how much more than half a step a reading differs from all that was
	// scripted in the time before it came.
	off := func(s stream.Sample, within time.Duration) float64 {
		least := math.Inf(1)
		for back := time.Duration(0); back < within; back += time.Millisecond {
			want := truth.Script().Conductance(truth.Elapsed(s.Arrival.Add(-back)))
			least = min(least, math.Abs(s.Values[1]-want)-step(set, want)/2)
		}
		return least
	}
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Tick != int64(i) {
			t.Fatalf("number %d, tick %d, want %d", s.Seq, s.Tick, i)
		}
		if by := off(s, 5*time.Second); by > .002 { // long enough for a busy machine
			t.Errorf("reading %d: %v µS is not as scripted, by %v", i, s.Values[1], by)
		}
	}
	if n := got.Total(stream.Fault) + got.Total(stream.Lost); n != 0 {
		t.Errorf("%d faults and losses on a perfect line: %v", n, got.Events(stream.Fault))
	}
}

func TestTwinOnABadLine(t *testing.T) {
	t.Parallel()
	o := options("")
	o.Rate = 60
	_, _, got := plug(t, &o, virtual.Disturbance{Batch: 16 * time.Millisecond, LossPercent: 2, CorruptPercent: 5})
	got.AwaitSamples(240)
	got.Stop()
	if n := len(got.Events(stream.Connected)); n != 1 {
		t.Errorf("connected %d times: %v", n, got.Events(stream.Disconnected))
	}
	if got.Total(stream.Fault) == 0 || got.Total(stream.Lost) == 0 {
		t.Errorf("%d faults and %d lost on a line that damages 5 %%", got.Total(stream.Fault), got.Total(stream.Lost))
	}
	if last := got.Samples()[len(got.Samples())-1]; last.Tick != last.Seq {
		t.Errorf("tick %d, number %d", last.Tick, last.Seq)
	}
}
