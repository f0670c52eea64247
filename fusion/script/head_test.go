package script

import (
	"math"
	"testing"
	"time"
)

// The head turns slowly, within what the drawn face can show, to both sides, and
// not while an expression is held.
func TestHead(t *testing.T) {
	const step = time.Second / 30
	for seed := range uint64(20) {
		s := New(seed)
		lastYaw, lastPitch, _ := s.Head(0)
		var left, right float64
		for at := time.Duration(0); at < 3*s.Period; at += step {
			yaw, pitch, roll := s.Head(at)
			if math.Abs(yaw) > 10 || math.Abs(pitch) > 6 || math.Abs(roll) > 2 {
				t.Fatalf("seed %d: at %v the head is turned by %.1f, %.1f, %.1f degrees", seed, at, yaw, pitch, roll)
			}
			// 15 degrees a second
			if math.Abs(yaw-lastYaw) > .5 || math.Abs(pitch-lastPitch) > .5 {
				t.Fatalf("seed %d: at %v the head jerks from %.2f, %.2f to %.2f, %.2f degrees", seed, at, lastYaw, lastPitch, yaw, pitch)
			}
			if name, _ := s.Expression(at); name != "neutral" && (math.Abs(yaw) > swayYawDeg || math.Abs(pitch) > swayPitchDeg) {
				t.Fatalf("seed %d: at %v, while %s, the head is turned by %.1f, %.1f degrees", seed, at, name, yaw, pitch)
			}
			left, right, lastYaw, lastPitch = min(left, yaw), max(right, yaw), yaw, pitch
		}
		if left > -4 || right < 4 {
			t.Errorf("seed %d: the head turns from %.1f to %.1f degrees only", seed, left, right)
		}
		if first := s.Turns[0].From; first < 2*time.Second {
			t.Errorf("seed %d: the first turn is at %v, when the neutral face should be seen", seed, first)
		}
	}
}

// What was recorded under a script without turns can still be scored.
func TestHeadOfAScriptWithoutTurns(t *testing.T) {
	s := New(4)
	s.Turns = nil
	for at := time.Duration(0); at < s.Period; at += 100 * time.Millisecond {
		if yaw, pitch, _ := s.Head(at); math.Abs(yaw) > swayYawDeg || math.Abs(pitch) > swayPitchDeg {
			t.Fatalf("at %v the head is turned by %.1f, %.1f degrees", at, yaw, pitch)
		}
	}
}
