package main

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/calibration/gaze"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/eyetribe"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
	"emolab/studies/session"
)

// The flags' degrees are those that the screen gives.
func TestTrackerErrsByTheDegreesAskedFor(t *testing.T) {
	screen := session.AssumedScreen()
	tracker := virtualFlags{GazeBias: 2, GazeNoise: .3}.tracker(screen)
	if off := screen.Degrees(.5, .5, .5+tracker.OffsetX, .5+tracker.OffsetY); math.Abs(off-2) > .01 {
		t.Errorf("off by %.3f°, want 2", off)
	}
	for _, off := range []float64{screen.Degrees(.5, .5, .5+tracker.NoiseX, .5), screen.Degrees(.5, .5, .5, .5+tracker.NoiseY)} {
		if math.Abs(off-.3) > .001 {
			t.Errorf("noise of %.3f°, want .3", off)
		}
	}
	if (virtualFlags{}).tracker(screen) != (script.Tracker{}) {
		t.Error("a tracker errs although nobody asked for it")
	}
}

// The participant looks where the screen shows something, and the tracker slips
// once between a calibration and its validation, and not again at a later one.
func TestParticipantLooksAtTargets(t *testing.T) {
	r := &rig{truth: script.NewTruth(script.New(1), 0), screen: session.AssumedScreen(), slip: 1.5, slips: 1}
	const second = instant.Instant(time.Second)
	shown := func(purpose session.Purpose, index int, x, y float64, from, until instant.Instant) {
		r.shown(session.Target{Purpose: purpose, Index: index, X: x, Y: y, From: from})
		r.shown(session.Target{Purpose: purpose, Index: index, X: x, Y: y, From: from, Until: until})
	}
	shown(session.ToCalibrate, 0, .1, .2, 10*second, 12*second)
	shown(session.ToValidate, 0, .3, .4, 20*second, 22*second)
	shown(session.ToValidate, 1, .7, .8, 22*second, 24*second)
	shown(session.ToBreathe, 0, .5, .5, 30*second, 32*second)
	r.breathed(30 * second)
	shown(session.ToValidate, 0, .3, .4, 40*second, 42*second) // of another step
	got := r.truth.Record()
	if len(got.Looks) != 7 || len(got.Slips) != 1 || len(got.Breaths) != 1 { // the second target came while the eyes were still at the first
		t.Fatalf("looks %+v, slips %+v, breaths %+v", got.Looks, got.Slips, got.Breaths)
	}
	for at, want := range map[instant.Instant][2]float64{11 * second: {.1, .2}, 21 * second: {.3, .4}, 23 * second: {.7, .8}} {
		if x, y := got.Gaze(at); math.Hypot(x-want[0], y-want[1]) > .002 {
			t.Errorf("at %v the eyes are at %.2f %.2f, want %v", at, x, y, want)
		}
	}
	if x, y := got.Slipped(12*second, 24*second); math.Abs(r.screen.Degrees(.5, .5, .5+x, .5+y)-1.5) > .001 {
		t.Errorf("slipped by %v %v", x, y)
	}
}

// Only a tracker that speaks Open Gaze calibrates itself, and only the first counts.
func TestWhichTrackerCalibratesItself(t *testing.T) {
	open := gazepoint.New(gazepoint.Options{Place: device.Place{ID: "a"}})
	other := eyetribe.New(eyetribe.Options{Place: device.Place{ID: "b"}})
	r := &rig{}
	if r.tracker() != nil {
		t.Error("a lab without a tracker has one that calibrates itself")
	}
	if r.sources = append(r.sources, open, other); r.tracker() != (openGaze{open, arrives}) {
		t.Error("the tracker that calibrates itself is not used")
	}
	r.sources[0], r.sources[1] = other, open
	if r.tracker() != nil {
		t.Error("a tracker was driven whose gaze is not the one that counts")
	}
}

// A line that loses what the tracker says of a point does not leave the participant
// at the one before.
func TestEveryPointIsTurnedToOnce(t *testing.T) {
	points := []gaze.Point{{X: .5, Y: .5}, {X: .1, Y: .1}, {X: .9, Y: .1}, {X: .1, Y: .9}}
	rapid.Check(t, func(t *rapid.T) {
		var turned []gaze.Point
		w := waymarks{points: points, turn: func(p gaze.Point) { turned = append(turned, p) }}
		w.to(1, points[0])
		for i, p := range points {
			told := gazepoint.Step{Point: i + 1, Target: gazepoint.Target{X: p.X, Y: p.Y}}
			// One of the two that follow each other is lost, or none.
			lost := rapid.IntRange(0, 2).Draw(t, "lost")
			if i > 0 && lost != 1 {
				done := gazepoint.Step{Point: i, Target: gazepoint.Target{X: points[i-1].X, Y: points[i-1].Y}}
				w.step(done)
			}
			if i == 0 && lost != 1 || i > 0 && lost != 2 {
				told.Begins = true
				w.step(told)
			}
			if len(turned) != i+1 || turned[i] != p {
				t.Fatalf("at point %d: turned to %v", i+1, turned)
			}
		}
		w.step(gazepoint.Step{Point: len(points)})
		if len(turned) != len(points) {
			t.Fatalf("turned to %v", turned)
		}
	})
}

// A tracker calibrates itself on targets that others show, and states its result.
func TestOpenGazeTrackerCalibratesItself(t *testing.T) {
	t.Parallel()
	clock := instant.Monotonic{}
	truth := script.NewTruth(script.New(1), clock.Now())
	truth.Tracker = virtualFlags{GazeBias: 2, GazeNoise: .1}.tracker(session.AssumedScreen())
	o := gazepoint.Options{Place: device.Place{ID: "gaze", Clock: clock, Simulated: true}}
	link, err := virtual.NewLink("tcp://127.0.0.1:0", o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, Seed: 1}), virtual.Disturbance{}, 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	o.Address = link.Path()
	source := gazepoint.New(o)
	got := serialtest.Record(t, source)
	got.AwaitSamples(10)
	points := []gaze.Point{{X: .5, Y: .5}, {X: .1, Y: .9}, {X: .9, Y: .1}}
	var turned []gaze.Point
	value, err := openGaze{source, arrives}.Calibrate(t.Context(), points, func(p gaze.Point) {
		turned = append(turned, p)
		truth.Look(clock.Now(), p.X, p.Y, true)
	})
	if err != nil || len(turned) != len(points) {
		t.Fatalf("%v; turned to %v", err, turned)
	}
	var result struct {
		Points []gazepoint.PointResult `json:"points"`
		Mean   float64                 `json:"mean_error_px"`
		Valid  int                     `json:"valid_points"`
	}
	if err := json.Unmarshal(value, &result); err != nil {
		t.Fatal(err)
	}
	if len(result.Points) != 3 || result.Valid < 2 || result.Mean <= 0 || result.Mean > 20 {
		t.Errorf("%s", value)
	}
}
