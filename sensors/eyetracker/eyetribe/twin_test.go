package eyetribe_test

import (
	"math"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/eyetribe"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// open plugs a virtual tracker into a free port and records it.
func open(t *testing.T, o eyetribe.Options, what virtual.Disturbance) (*virtual.Link, *script.Truth, *serialtest.Recording) {
	t.Helper()
	clock := instant.Monotonic{}
	truth := script.NewTruth(script.New(7), clock.Now())
	o.Place = device.Place{ID: "gaze", Clock: clock, Simulated: true}
	link, err := virtual.NewLink("tcp://127.0.0.1:0", o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: -1500, Seed: 2}), what, 4, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Address = link.Path()
	source, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	return link, truth, serialtest.Record(t, source)
}

// check compares each frame with the script at the true instant of its tick, and
// demands numbers and ticks that rise, with every hole accounted for.
func check(t *testing.T, truth *script.Truth, screen device.Span, got *serialtest.Recording) {
	t.Helper()
	next, epoch, tick, holes := int64(0), -1, int64(math.MinInt64), int64(0)
	for _, c := range got.Chunks() {
		if c.Epoch != epoch {
			epoch, tick = c.Epoch, math.MinInt64
		}
		for _, s := range c.Samples {
			if s.Seq < next || s.Tick <= tick {
				t.Fatalf("frame %d at tick %d, want number %d or later and a tick after %d", s.Seq, s.Tick, next, tick)
			}
			holes += s.Seq - next
			next, tick = s.Seq+1, s.Tick
			clock, _ := truth.Clock("gaze", s.Arrival)
			at := clock.At(s.Tick)
			if late := s.Arrival.Sub(at); late < 0 || late > serialtest.Deadline {
				t.Fatalf("frame %d arrived %v after it was made", s.Seq, late)
			}
			checkValues(t, truth, screen, s, truth.Elapsed(at))
		}
	}
	if lost := got.Total(stream.Lost); lost != holes {
		t.Errorf("Lost events count %d, the numbers have holes of %d", lost, holes)
	}
}

func checkValues(t *testing.T, truth *script.Truth, screen device.Span, s stream.Sample, elapsed time.Duration) {
	t.Helper()
	v := s.Values
	if len(v) != 9 || !math.IsNaN(v[3]) || !math.IsNaN(v[4]) {
		t.Fatalf("frame %d: %v, want nine values and no millimetres", s.Seq, v)
	}
	if truth.Script().Closure(elapsed) > .5 {
		if v[2] != 0 || !math.IsNaN(v[0]) || v[5] != 0 || v[6] != 0 || !math.IsNaN(v[7]) {
			t.Fatalf("frame %d: %v while the eyes are shut", s.Seq, v)
		}
		return
	}
	x, y := truth.Script().Gaze(elapsed)
	px, py := screen.Units(x, y)
	pupil := 7.5 * truth.Script().PupilMM(elapsed)
	width, height := screen.Right-screen.Left, screen.Bottom-screen.Top
	// Six deviations of the tracker's noise.
	if v[2] != 1 || math.Hypot(v[0]-x, v[1]-y) > .04 || math.Hypot((v[5]-px)/width, (v[6]-py)/height) > .04 ||
		math.Abs(v[7]-pupil) > .9 || math.Abs(v[8]-pupil) > .9 {
		t.Fatalf("frame %d: %v, the script has %v %v, %v %v px, pupil %v", s.Seq, v, x, y, px, py, pupil)
	}
}

func TestTwin(t *testing.T) {
	t.Parallel()
	screen := device.Span{Left: 100, Top: 50, Right: 1380, Bottom: 1074}
	for name, o := range map[string]eyetribe.Options{
		"screen and rate as the server says": {},
		"screen and rate as the lab says":    {Rate: 60, Screen: screen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, truth, got := open(t, o, virtual.Disturbance{})
			got.AwaitSamples(100) // longer than the virtual server lives without a heartbeat
			got.Stop()
			used := o.Screen
			if used == (device.Span{}) {
				used = device.Span{Right: 1920, Bottom: 1080}
			}
			check(t, truth, used, got)
			if n := got.Total(stream.Lost) + got.Total(stream.Fault); n != 0 {
				t.Errorf("%d losses and faults on a perfect line: %v", n, got.Events(stream.Fault))
			}
			if n := len(got.Events(stream.Connected)); n != 1 {
				t.Errorf("connected %d times", n)
			}
		})
	}
}

func TestTwinThatLosesFrames(t *testing.T) {
	t.Parallel()
	_, truth, got := open(t, eyetribe.Options{Rate: 60}, virtual.Disturbance{LossPercent: 5, Jitter: 3 * time.Millisecond})
	got.AwaitSamples(180)
	got.Stop()
	check(t, truth, device.Span{Right: 1920, Bottom: 1080}, got)
	lost, all := got.Total(stream.Lost), int64(len(got.Samples()))
	if share := float64(lost) / float64(lost+all); share <= 0 || share > .2 {
		t.Errorf("%d of %d lost on a line that loses 5 %%", lost, lost+all)
	}
}

func TestTwinUnpluggedAndReplugged(t *testing.T) {
	t.Parallel()
	link, truth, got := open(t, eyetribe.Options{Rate: 60}, virtual.Disturbance{})
	for round := 1; round <= 3; round++ {
		got.AwaitEvents(stream.Connected, round)
		before := len(got.Samples())
		got.AwaitSamples(before + 30)
		if err := link.Unplug(); err != nil {
			t.Fatal(err)
		}
		got.AwaitEvents(stream.Disconnected, round)
		if err := link.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	got.AwaitEvents(stream.Connected, 4)
	got.Stop()
	check(t, truth, device.Span{Right: 1920, Bottom: 1080}, got)
}
