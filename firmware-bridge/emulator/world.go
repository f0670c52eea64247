package emulator

import (
	"fmt"
	"io"
	"time"

	"emolab/fusion/instant"
)

// Supply is the voltage of the board and the reference of its converter, in
// millivolts.
const Supply = 5000

// World is what the firmware's inputs are connected to, as functions of the lab's
// clock. It is asked ahead of time, by one goroutine, in order of time.
type World interface {
	// Skin returns the voltage at the skin-conductance input (ADC0) in mV. It is
	// asked every 5 ms, and straight lines join what it returns.
	Skin(at instant.Instant) float64
	// Light returns the voltage at the photodiode's input (ADC1) in mV. It is
	// constant between two of Jumps.
	Light(at instant.Instant) float64
	// Trigger returns the level of the trigger input (ICP1, PB0). It is constant
	// between two of Jumps.
	Trigger(at instant.Instant) bool
	// Jumps returns the instants in [from, until), in order, at which Light or
	// Trigger change.
	Jumps(from, until instant.Instant) []instant.Instant
}

const (
	// skinStep is how often the skin's voltage is handed over. Skin conductance
	// moves below 5 Hz.
	skinStep = 5 * time.Millisecond
	// ahead is how far the world is handed over in advance: longer than a loaded
	// machine keeps this program waiting.
	ahead = 3 * time.Second
	// feedEvery is how often more is handed over.
	feedEvery = 100 * time.Millisecond
)

// Channels of the converter, as the firmware is wired.
const (
	skinChannel  = 0
	lightChannel = 1
)

// feeder hands a world to the host program, as lines.
type feeder struct {
	world   World
	fed     instant.Instant // all before this has been handed over
	light   float64         // its latest voltage, and
	trigger bool            // the trigger's latest level
}

// begin writes the state at an instant, from which on feed goes on.
func (f *feeder) begin(w io.Writer, at instant.Instant) error {
	f.fed = at
	f.light, f.trigger = f.world.Light(at), f.world.Trigger(at)
	_, err := fmt.Fprintf(w, "L %d %d %g\nS %d %d %g\nT %d %d\n", skinChannel, at, f.world.Skin(at),
		lightChannel, at, f.light, at, level(f.trigger))
	return err
}

// feed writes what happens until an instant.
func (f *feeder) feed(w io.Writer, until instant.Instant) error {
	for at := f.fed.Add(skinStep); at <= until; at = f.fed.Add(skinStep) {
		if _, err := fmt.Fprintf(w, "L %d %d %g\n", skinChannel, at, f.world.Skin(at)); err != nil {
			return err
		}
		for _, jump := range f.world.Jumps(f.fed, at) {
			if err := f.jump(w, jump); err != nil {
				return err
			}
		}
		f.fed = at
	}
	return nil
}

func (f *feeder) jump(w io.Writer, at instant.Instant) error {
	if mv := f.world.Light(at); mv != f.light {
		f.light = mv
		if _, err := fmt.Fprintf(w, "S %d %d %g\n", lightChannel, at, mv); err != nil {
			return err
		}
	}
	if high := f.world.Trigger(at); high != f.trigger {
		f.trigger = high
		if _, err := fmt.Fprintf(w, "T %d %d\n", at, level(high)); err != nil {
			return err
		}
	}
	return nil
}

func level(high bool) int {
	if high {
		return 1
	}
	return 0
}
