package bitalino_test

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/gsr/bitalino"
	"emolab/sensors/serialport"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// lab is a virtual board that the driver records.
type lab struct {
	truth *script.Truth
	link  *virtual.Link
	o     bitalino.Options
}

func openLab(t *testing.T, o bitalino.Options, what virtual.Disturbance) lab {
	t.Helper()
	truth := script.NewTruth(script.New(7), o.Clock.Now())
	twin := o.Twin(virtual.TwinOptions{Truth: truth, Clock: o.Clock, DriftPPM: 150, Seed: 1})
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyBIT"), twin, what, 3, o.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Port = link.Path()
	return lab{truth, link, o}
}

// halfStep is half of what one step of the converter means at a reading, µS.
func (l lab) halfStep(reading float64) float64 {
	sensor := l.o.Sensor
	if sensor == "" {
		sensor = bitalino.R2
	}
	return (sensor.Convert(uint16(reading)+1) - sensor.Convert(uint16(reading))) / 2
}

// check compares each sample with the script at the true instant of its number,
// and returns how many differ by more than the converter's step.
func (l lab) check(t *testing.T, got *serialtest.Recording) (wrong int) {
	t.Helper()
	next := int64(0)
	for _, s := range got.Samples() {
		clock, ok := l.truth.Clock("eda", s.Arrival)
		if !ok {
			t.Fatal("no clock of the board in the truth")
		}
		at := clock.At(s.Tick)
		late := s.Arrival.Sub(at)
		want := l.truth.Script().Conductance(l.truth.Elapsed(at))
		if late < 0 || late > serialtest.Deadline || !(math.Abs(s.Values[1]-want) < l.halfStep(s.Values[0])+1e-6) {
			wrong++
			t.Logf("number %d, %v after it was taken: %v µS, scripted %v", s.Tick, late, s.Values[1], want)
		}
		if s.Seq < next {
			t.Fatalf("number %d, want %d or later", s.Seq, next)
		}
		next = s.Seq + 1
	}
	return wrong
}

func TestTwin(t *testing.T) {
	for name, c := range map[string]struct {
		rate    int
		sensor  bitalino.Sensor
		samples int
	}{
		"100 Hz":      {100, "", 150},
		"1000 Hz, A1": {1000, "", 1500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options("")
			o.Rate, o.Sensor = c.rate, c.sensor
			l := openLab(t, o, virtual.FTDI(0))
			got := serialtest.Record(t, bitalino.New(l.o))
			got.AwaitSamples(c.samples)
			got.Stop()
			if wrong := l.check(t, got); wrong > 0 {
				t.Errorf("%d of %d samples are not as scripted", wrong, len(got.Samples()))
			}
			if n := got.Total(stream.Lost) + got.Total(stream.Fault); n != 0 {
				t.Errorf("%d losses and faults: %v", n, got.Events(stream.Fault))
			}
			if n := len(got.Events(stream.Connected)); n != 1 {
				t.Errorf("connected %d times: %v", n, got.Events(stream.Disconnected))
			}
		})
	}
}

// On a line that loses and damages frames, the numbers still tell the time of
// those that came; of the damaged ones, one in 25 passes the checksum.
func TestTwinOnABadLine(t *testing.T) {
	t.Parallel()
	l := openLab(t, options(""), virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: 3 * time.Millisecond, LossPercent: 2, CorruptPercent: 2})
	got := serialtest.Record(t, bitalino.New(l.o))
	got.AwaitSamples(300)
	got.Stop()
	all := len(got.Samples())
	if wrong := l.check(t, got); wrong > 3 {
		t.Errorf("%d of %d samples are not as scripted", wrong, all)
	}
	lost := got.Total(stream.Lost)
	if share := float64(lost) / float64(int(lost)+all); share < .01 || share > .25 {
		t.Errorf("%d lost besides %d on a line that loses and damages 2 %% each", lost, all)
	}
	if got.Total(stream.Fault) == 0 {
		t.Error("no fault counted")
	}
}

// A host that dies leaves the board streaming; the next one stops it first. When
// it is unplugged it forgets.
func TestTwinOutlivesItsHost(t *testing.T) {
	t.Parallel()
	l := openLab(t, options(""), virtual.FTDI(0))
	killed, err := serialport.Open(serialport.Config{Path: l.link.Path(), Clock: l.o.Clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := killed.Write([]byte{0xFD}); err != nil { // all six inputs
		t.Fatal(err)
	}
	if n, _, err := killed.Read(make([]byte, 100)); err != nil || n == 0 {
		t.Fatalf("%d bytes: %v", n, err)
	}
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}

	got := serialtest.Record(t, bitalino.New(l.o))
	got.AwaitSamples(50)
	if err := l.link.Unplug(); err != nil {
		t.Fatal(err)
	}
	got.AwaitEvents(stream.Disconnected, 1)
	if err := l.link.Plug(); err != nil {
		t.Fatal(err)
	}
	got.AwaitEvents(stream.Connected, 2)
	got.AwaitSamples(len(got.Samples()) + 50)
	got.Stop()
	if wrong := l.check(t, got); wrong > 0 {
		t.Errorf("%d samples are not as scripted", wrong)
	}
}
