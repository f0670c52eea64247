package script

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// A clock that warms up runs at the rate that its temperature gives it.
func TestWarmingChangesTheRate(t *testing.T) {
	const from = instant.Instant(24 * time.Hour)
	w := Warming{From: from, PPMPerMinute: 10, For: time.Hour}
	for _, c := range []struct {
		at  time.Duration
		ppm float64
	}{
		{-time.Minute, 0}, {0, 0}, {30 * time.Minute, 300}, {time.Hour, 600}, {90 * time.Minute, 300},
		{2 * time.Hour, 0}, {150 * time.Minute, 300}, {9*time.Hour + 30*time.Minute, 300},
	} {
		// Over a second around it, in which the rate changes by 0.17 ppm.
		gained := w.Gained(from.Add(c.at-time.Second/2), from.Add(c.at+time.Second/2))
		if got := gained.Seconds() * 1e6; math.Abs(got-c.ppm) > .1 {
			t.Errorf("%v after it began to warm up the clock is %.3f ppm fast, want %v", c.at, got, c.ppm)
		}
	}
	// Up for an hour and down for one, by 300 ppm in the mean.
	if got, want := w.Gained(from, from.Add(10*time.Hour)), time.Duration(300e-6*float64(10*time.Hour)); (got - want).Abs() > time.Microsecond {
		t.Errorf("%v gained in ten hours, want %v", got, want)
	}
}

// Tick and At are inverse to one another, on whatever day.
func TestClockTellsTheInstantOfItsTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Clock{
			At0:       instant.Instant(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "at0")),
			Tick0:     rapid.Int64Range(-1<<32, 1<<40).Draw(t, "tick0"),
			NsPerTick: rapid.Float64Range(900, 1e8).Draw(t, "ns per tick"),
		}
		if rapid.Bool().Draw(t, "warms up") {
			c.Warming.For = time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute
			c.Warming.From = c.At0.Add(time.Duration(rapid.Int64Range(int64(-24*time.Hour), int64(24*time.Hour)).Draw(t, "from")))
			c.Warming.PPMPerMinute = rapid.Float64Range(-10, 10).Draw(t, "ppm a minute")
		}
		at := c.At0.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "after")))
		tick := c.Tick(at)
		// The tick is the last one before at; two roundings of a float are a nanosecond or two.
		const rounding = 3
		if from, until := c.At(tick), c.At(tick+1); at < from-rounding || at > until+rounding {
			t.Fatalf("tick %d is from %d to %d, but was read at %d", tick, from, until, at)
		}
		if earlier := c.At(tick - 1); tick > c.Tick0 && earlier >= c.At(tick) {
			t.Fatalf("tick %d is not after the one before", tick)
		}
	})
}
