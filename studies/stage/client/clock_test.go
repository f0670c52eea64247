package client

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/studies/stage/protocol"
)

func TestClockCourse(t *testing.T) {
	c := newClock(1000, 2*time.Second, 500)
	if got := c.read(1000); got != 2_000_000 {
		t.Errorf("begins at %d, want 2000000", got)
	}
	// 500 ppm slow: after ten seconds it lacks 5 ms, less what the product of
	// the two errors makes.
	got := c.read(instant.Instant(1000).Add(10 * time.Second))
	if want := protocol.Tick(12_000_000 - 5_000); got < want || got > want+resolution {
		t.Errorf("after ten seconds it shows %d, want %d", got, want)
	}
}

// A wait that is computed from the clock ends where the clock shows the tick.
func TestClockReadsWhatItWaitsFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := instant.Instant(rapid.Int64Range(0, 1e15).Draw(t, "start"))
		c := newClock(start, time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "offset")), rapid.Float64Range(-5000, 5000).Draw(t, "ppm"))
		now := start.Add(time.Duration(rapid.Int64Range(0, 3.6e12).Draw(t, "now")))
		tick := c.read(now) + protocol.Tick(rapid.Int64Range(0, 1e7).Draw(t, "ahead"))
		then := now.Add(c.until(tick, now))
		if got := c.read(then); got < tick-2*resolution || got > tick+resolution {
			t.Fatalf("waited for %d, reads %d", tick, got)
		}
	})
}
