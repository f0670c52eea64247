package emobox

import (
	"context"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// latencyTimer is how long an FTDI adapter collects bytes unless it is told
	// otherwise. It runs freely, so how long an answer waits is a matter of phase.
	latencyTimer = 16 * time.Millisecond

	// goldenPart is the golden ratio's part of it, .618. Multiples of that ratio lie
	// as evenly on a circle as those of any number can, however many there are: pings
	// that are a whole number of latency timers and this apart meet all its phases.
	goldenPart = latencyTimer * 618_034 / 1_000_000
)

// beat is a steady pulse. It is counted from its start, so that the lateness of a
// timer does not add up: rounded up to whole milliseconds, 1003 would become 1004,
// which meets a timer of 16 at four phases only.
type beat struct {
	clock instant.Clock
	start instant.Instant
	every time.Duration
	n     int // beats waited for
}

// startBeat begins a pulse now; its first beat comes after one period.
func startBeat(clock instant.Clock, every time.Duration) *beat {
	return &beat{clock: clock, start: clock.Now(), every: every}
}

// wait waits for the next beat, and tells whether ctx still lasts. Beats that have
// passed meanwhile are left out.
func (b *beat) wait(ctx context.Context) bool {
	passed := b.clock.Now().Sub(b.start)
	b.n = max(b.n, int(passed/b.every)) + 1
	return connection.Wait(ctx, time.Duration(b.n)*b.every-passed)
}
