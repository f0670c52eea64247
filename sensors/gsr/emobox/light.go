package emobox

import "emolab/firmware-bridge/wire"

const (
	lightBefore     = 8    // readings sent before an edge, at least
	lightAfter      = 16   // and after it
	lightEvery      = 84   // blocks between two that show the level: 1.008 s
	lightWindow     = 2048 // readings of one of the two windows of the extremes
	lightLeastSwing = 2048 // between them, below which nothing is an edge
	lightMargin     = 512  // hysteresis of a given threshold
)

// level is on which side of the threshold the light is.
type level uint8

const (
	unknown level = iota
	dark
	bright
)

// judge decides which blocks of readings are worth sending, as PROTOCOL.md says
// under LIGHT and the firmware does in light.c.
type judge struct {
	threshold uint16    // 0 = automatic
	low, high [2]uint16 // of the present window and the one before
	filled    int       // readings in the present window
	level     level
	begun     bool
	kept      bool // the block before was not sent
	after     int  // readings still due after the last edge
	quiet     int  // blocks since the last that was sent
}

// block takes the next block, and tells whether it is to be sent and whether the
// one before it first. joins tells whether it follows that one without a hole.
func (j *judge) block(raw *[wire.LightReadings]uint16, joins bool) (send, last bool) {
	send = !j.begun || j.after > 0 || j.quiet >= lightEvery-1
	for i, v := range raw {
		j.after = max(0, j.after-1)
		if !j.edge(v) {
			continue
		}
		send, j.after = true, lightAfter
		if i < lightBefore {
			last = true
		}
	}
	last = last && j.kept && joins
	j.kept = !send
	j.quiet++
	if send {
		j.quiet = 0
	}
	return send, last
}

// edge enters one reading and tells whether it crossed the threshold.
func (j *judge) edge(v uint16) bool {
	j.extremes(v)
	first := !j.begun
	j.begun = true

	middle, margin := j.threshold, uint16(lightMargin)
	if middle == 0 {
		low, high := min(j.low[0], j.low[1]), max(j.high[0], j.high[1])
		swing := high - low
		if swing < lightLeastSwing {
			j.level = unknown
			return false
		}
		middle, margin = low+swing/2, swing/8
	}
	before := j.level
	switch {
	case v > middle && v-middle > margin:
		j.level = bright
	case v < middle && middle-v > margin:
		j.level = dark
	}
	return j.level != before && !first
}

// extremes enters v in the windows.
func (j *judge) extremes(v uint16) {
	switch {
	case !j.begun:
		j.low, j.high = [2]uint16{v, v}, [2]uint16{v, v}
	case j.filled == lightWindow:
		j.low, j.high, j.filled = [2]uint16{v, j.low[0]}, [2]uint16{v, j.high[0]}, 0
	}
	j.filled++
	j.low[0], j.high[0] = min(j.low[0], v), max(j.high[0], v)
}
