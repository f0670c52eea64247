package client

import (
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/stage/protocol"
)

// resolution is the grain of performance.now() in an isolated page.
const resolution = 5 // µs

// clock is the client's own clock: linear against the lab's, with an offset and
// a rate that are known.
type clock struct {
	at0       instant.Instant
	tick0     int64
	nsPerTick float64
}

// newClock starts a clock at at0. ppm > 0 runs slow: its ticks are longer.
func newClock(at0 instant.Instant, offset time.Duration, ppm float64) clock {
	return clock{at0: at0, tick0: offset.Microseconds(), nsPerTick: 1e9 / protocol.TickHz * (1 + ppm/1e6)}
}

// read returns the clock's reading at an instant, in its grain.
func (c clock) read(at instant.Instant) protocol.Tick {
	t := c.tick0 + int64(math.Floor(float64(at-c.at0)/c.nsPerTick))
	return protocol.Tick(t - t%resolution)
}

// until returns how long it is from now to a tick.
func (c clock) until(t protocol.Tick, now instant.Instant) time.Duration {
	return c.at0.Add(time.Duration(float64(int64(t)-c.tick0) * c.nsPerTick)).Sub(now)
}
