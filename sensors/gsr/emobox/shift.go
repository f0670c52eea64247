package emobox

import (
	"encoding/json"
	"fmt"
	"time"

	"emolab/firmware-bridge/wire"
	"emolab/fusion/stream"
)

// A reading speaks of an instant before its tick. The ticks are handed on as they
// came all the same: alignment compares them with their arrivals, and a tick that
// had been moved back would seem to have been on its way for as long. What they
// speak of is stated beside them.

const (
	// tickLength is by design.
	tickLength = time.Second / tickHz
	// clockOff is by how much the length of a tick may differ from it: a ceramic
	// resonator's tolerance, in millionths.
	clockOff = 5000
	// adcClock is the converter's clock, in the steps of which a conversion starts.
	adcClock = 8 * time.Microsecond
)

// averaging is the shift of skin conductance.
func averaging() *stream.Shift {
	const by = wire.DelayTicks * tickLength
	return shift(by, by*clockOff/1e6, wire.DelayTicks, "the mean of 120 conversions in the 20 ms before the tick")
}

// holding is the shift of the photodiode.
func holding() *stream.Shift {
	return shift(wire.LightDelayTicks*tickLength, adcClock, wire.LightDelayTicks, "a conversion, done at the tick")
}

func shift(by, within time.Duration, ticks int, of string) *stream.Shift {
	from, err := json.Marshal(struct {
		Kind  string `json:"kind"`
		Ticks int    `json:"delay_ticks"`
		Of    string `json:"of"`
	}{"design", ticks, of})
	if err != nil { // strings and numbers always can
		panic(fmt.Sprintf("emobox: %v", err))
	}
	return &stream.Shift{By: -by, Within: within, Calibration: from}
}
