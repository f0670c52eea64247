package eyemovement_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// TestCut: the pieces of a pursuit cover it without a hole, none is longer than
// allowed, and each lies where the eyes were at its time.
func TestCut(t *testing.T) {
	var g eyemovement.Gaze
	for i := range 500 {
		x, y := desk.At(-10+20*float64(i)/500, 0) // 20 degrees in 2 s
		g.At = append(g.At, instant.Instant(i)*instant.Instant(4*time.Millisecond))
		g.X, g.Y = append(g.X, x), append(g.Y, y)
	}
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.IntRange(0, 498).Draw(t, "first")
		last := rapid.IntRange(first, 499).Draw(t, "last")
		whole := eyemovement.Event{Class: eyemovement.Pursuit, First: first, Last: last, From: g.At[first], Until: g.At[last].Add(4 * time.Millisecond)}
		before := eyemovement.Event{Class: eyemovement.Fixation, First: 0, Last: 0, Until: 1}
		longest := time.Duration(rapid.IntRange(1, 3000).Draw(t, "longest in ms")) * time.Millisecond
		got := eyemovement.Cut(g, desk, []eyemovement.Event{before, whole}, longest)
		if got[0] != before {
			t.Fatalf("the fixation became %+v", got[0])
		}
		now, next := whole.From, first
		for _, p := range got[1:] {
			// A piece has whole samples, so it may be one longer.
			if p.Class != eyemovement.Pursuit || p.From != now || p.First != next || p.Until.Sub(p.From) > longest+4*time.Millisecond {
				t.Fatalf("piece %+v of at most %v after %v", p, longest, now)
			}
			now, next = p.Until, p.Last+1
			right, _ := desk.Direction(p.X, p.Y)
			if middle := -10 + 10*(float64(p.From)+float64(p.Until)-4e6)/2e9; len(got) > 2 && math.Abs(right-middle) > .2 {
				t.Fatalf("piece of %v to %v has its centre %.2f degrees to the right, want %.2f", p.From, p.Until, right, middle)
			}
		}
		if now != whole.Until || next != last+1 {
			t.Fatalf("the pieces end at %v, sample %d", now, next)
		}
	})
}
