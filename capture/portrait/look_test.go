package portrait

import (
	"math"
	"testing"
	"time"

	"emolab/fusion/script"
)

func TestLookPlaysTheScript(t *testing.T) {
	s, w := script.New(3), newSway(3)
	for at := time.Duration(0); at < s.Period; at += 37 * time.Millisecond {
		l := lookAt(s, at, w)
		name, intensity := s.Expression(at)
		if l.Expression != name || l.Intensity != intensity || l.Closure != s.Closure(at) {
			t.Fatalf("at %v the look is %+v, but the script says %s %v, closure %v", at, l, name, intensity, s.Closure(at))
		}
		x, y := s.Gaze(at)
		// Opposite the participant, left is right.
		if (l.GazeX > 0) != (x < .5) || (l.GazeY > 0) != (y > .5) || max(math.Abs(l.GazeX), math.Abs(l.GazeY)) > 1 {
			t.Fatalf("at %v the eyes turn to (%v, %v), but the gaze is at (%v, %v) of the screen", at, l.GazeX, l.GazeY, x, y)
		}
		if l != lookAt(s, at, w) {
			t.Fatalf("at %v two looks differ", at)
		}
	}
}

func TestSwayIsSmallAndSmooth(t *testing.T) {
	const step = time.Second / 30
	for seed := range uint64(3) {
		w := newSway(seed)
		last := w.at(0)
		var yawLo, yawHi float64
		for at := step; at < time.Minute; at += step {
			l := w.at(at)
			if max(math.Abs(l.Yaw), math.Abs(l.Pitch), math.Abs(l.Roll)) > 2 ||
				max(math.Abs(l.ShiftX), math.Abs(l.ShiftY)) > 4 || math.Abs(l.Scale-1) > .01 {
				t.Fatalf("at %v the head is out of bounds: %+v", at, l)
			}
			if math.Abs(l.Yaw-last.Yaw) > .1 || math.Abs(l.ShiftX-last.ShiftX) > .2 {
				t.Fatalf("at %v the head jerks from %+v to %+v", at, last, l)
			}
			yawLo, yawHi, last = min(yawLo, l.Yaw), max(yawHi, l.Yaw), l
		}
		if yawHi-yawLo < 1 {
			t.Errorf("seed %d: the head turns over %v degrees only", seed, yawHi-yawLo)
		}
	}
	if newSway(1).at(0) == newSway(2).at(0) {
		t.Error("two seeds give the same sway")
	}
}
