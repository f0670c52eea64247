package bitalino

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// remembered is how many reads tell how late frames usually are: few enough to
	// follow the drift of the board's clock, enough that one late read is no rule.
	remembered = 15
	// doubtFor is how long a hole may seem too long before it is believed. Frames
	// that come late look like frames that are missing, until those behind them
	// have caught up.
	doubtFor = time.Second
)

// numbered is a frame with its number, and how many are missing before it.
type numbered struct {
	Received
	number int64
	lost   int64
}

// counter numbers the frames of one conversation. A frame says its number modulo
// 16 only; after a hole, the time that passed tells how many times 16 are missing.
// While that is in doubt, the frames after the hole are held back.
type counter struct {
	rate float64 // frames per second, nominal
	next int64   // number of the next frame

	begun bool
	zero  instant.Instant     // arrival of the first frame
	reads int                 // observed so far
	lags  [remembered]float64 // of the latest reads: frames due less frames numbered

	// The frames from a hole on, until it is decided how long that is. Of each hole
	// they say what is missing by the sequence number.
	held    []numbered
	since   instant.Instant // arrival of the first of them
	turns   float64         // times 16 missing besides, the least that a read suggested
	pending int64           // numbers that they take, with what is missing
}

// take numbers the frames that one read brought, appending to dst those of which
// the number is certain. fresh tells that the last one was the newest when the
// read returned.
func (c *counter) take(dst []numbered, read []Received, arrival instant.Instant, fresh bool) []numbered {
	for _, f := range read {
		switch {
		case f.Relocked && !c.begun:
			c.begun, c.zero, c.next = true, arrival, int64(f.Seq)
			dst = c.number(dst, f, 0)
		case f.Relocked:
			c.hole(f, arrival)
		case len(c.held) > 0:
			c.hold(f, 0)
		default:
			dst = c.number(dst, f, 0)
		}
	}
	newest := fresh && len(read) > 0
	if len(c.held) > 0 {
		if newest {
			c.weigh(arrival)
		}
		if c.turns == 0 || arrival.Sub(c.since) >= doubtFor {
			dst = c.decide(dst)
		}
	}
	if newest && len(c.held) == 0 {
		c.lags[c.reads%remembered] = c.due(arrival) - float64(c.next-1)
		c.reads++
	}
	return dst
}

func (c *counter) number(dst []numbered, f Received, lost int64) []numbered {
	dst = append(dst, numbered{f, c.next + lost, lost})
	c.next += lost + 1
	return dst
}

// hole holds the first frame after damage back.
func (c *counter) hole(f Received, arrival instant.Instant) {
	if len(c.held) == 0 {
		c.since, c.pending = arrival, 0
	}
	c.turns = math.Inf(1) // what was suggested so far knows nothing of this one
	c.hold(f, (int64(f.Seq)-c.next-c.pending)&15)
}

func (c *counter) hold(f Received, lost int64) {
	c.held = append(c.held, numbered{Received: f, lost: lost})
	c.pending += lost + 1
}

// weigh asks how many times 16 frames must be missing for the newest one to come
// as late as frames usually do.
func (c *counter) weigh(arrival instant.Instant) {
	if c.reads == 0 { // nothing is known of the time yet
		c.turns = 0
		return
	}
	expected := c.due(arrival) - c.lag()
	newest := float64(c.next + c.pending - 1)
	c.turns = min(c.turns, max(0, math.Round((expected-newest)/16)))
}

// decide numbers the frames that were held back.
func (c *counter) decide(dst []numbered) []numbered {
	if !math.IsInf(c.turns, 1) {
		c.held[0].lost += 16 * int64(c.turns)
	}
	for _, f := range c.held {
		dst = c.number(dst, f.Received, f.lost)
	}
	c.held = c.held[:0]
	return dst
}

// due is how many frames the board took until at, by its nominal rate.
func (c *counter) due(at instant.Instant) float64 { return at.Sub(c.zero).Seconds() * c.rate }

// lag is the median of those remembered.
func (c *counter) lag() float64 {
	known := slices.Clone(c.lags[:min(c.reads, remembered)])
	slices.Sort(known)
	return known[len(known)/2]
}
