package bitalino

import (
	"math"
	"slices"

	"emolab/fusion/instant"
)

// remembered is how many reads tell how late frames usually are: few enough to
// follow the drift of the device's clock, enough that one stalled read is no rule.
const remembered = 15

// counter numbers the frames of one conversation. A frame says its number modulo
// 16 only; after a hole, the time that passed tells how many times 16 are missing.
type counter struct {
	rate float64 // frames per second, nominal
	next int64   // number of the next frame

	begun bool
	zero  instant.Instant     // arrival of the first frame
	reads int                 // observed so far
	lags  [remembered]float64 // of the latest reads: frames due less frames numbered
}

// relock finds the number of the first frame after a hole and returns how many
// are missing before it. arrival is that of the read which brought it, and after
// how many more frames came in that read.
func (c *counter) relock(seq uint8, arrival instant.Instant, after int) (lost int64) {
	if !c.begun {
		c.begun, c.zero, c.next = true, arrival, int64(seq)
		return 0
	}
	lost = (int64(seq) - c.next) & 15
	if c.reads == 0 { // nothing is known of the time yet
		c.next += lost
		return lost
	}
	newest := c.next + lost + int64(after) // if no more than those are missing
	expected := c.due(arrival) - c.lag()
	if turns := math.Round((expected - float64(newest)) / 16); turns > 0 {
		lost += 16 * int64(turns)
	}
	c.next += lost
	return lost
}

// observe takes note of how late the newest frame of a read was.
func (c *counter) observe(arrival instant.Instant) {
	c.lags[c.reads%remembered] = c.due(arrival) - float64(c.next-1)
	c.reads++
}

// due is how many frames the device took until at, by its nominal rate.
func (c *counter) due(at instant.Instant) float64 { return at.Sub(c.zero).Seconds() * c.rate }

// lag is the median of those remembered.
func (c *counter) lag() float64 {
	known := slices.Clone(c.lags[:min(c.reads, remembered)])
	slices.Sort(known)
	return known[len(known)/2]
}
