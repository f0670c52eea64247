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
		if yaw, pitch, roll := s.Head(at); l.Yaw != yaw || l.Pitch != pitch || l.Roll != roll {
			t.Fatalf("at %v the head is turned by %v, %v, %v, but the script says %v, %v, %v", at, l.Yaw, l.Pitch, l.Roll, yaw, pitch, roll)
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
		var lo, hi float64
		for at := step; at < time.Minute; at += step {
			l := w.at(at)
			if max(math.Abs(l.ShiftX), math.Abs(l.ShiftY)) > 4 || math.Abs(l.Scale-1) > .01 {
				t.Fatalf("at %v the head is out of bounds: %+v", at, l)
			}
			if math.Abs(l.ShiftX-last.ShiftX) > .2 || math.Abs(l.ShiftY-last.ShiftY) > .2 {
				t.Fatalf("at %v the head jerks from %+v to %+v", at, last, l)
			}
			lo, hi, last = min(lo, l.ShiftX), max(hi, l.ShiftX), l
		}
		if hi-lo < 2 {
			t.Errorf("seed %d: the head shifts over %v pixels only", seed, hi-lo)
		}
	}
	if newSway(1).at(0) == newSway(2).at(0) {
		t.Error("two seeds give the same sway")
	}
}
