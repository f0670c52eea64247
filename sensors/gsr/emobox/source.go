// Package emobox drives Emolab's own skin-conductance box, which speaks the
// protocol of firmware-bridge/wire over a serial line. It answers clock pings, so
// its samples are placed on the lab clock to a fraction of a millisecond.
package emobox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"emolab/calibration/conductance"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/serialport"
)

const (
	// DefaultRate is enough for skin conductance (below 5 Hz) and fine enough
	// that a lost sample costs nothing.
	DefaultRate = 100

	tickHz = 1e6

	// silence is how long the box may be quiet. A reset board needs 2 s until it
	// answers; after that it answers a ping a second.
	silence = 5 * time.Second
)

// Options say which box to drive, and how.
type Options struct {
	ID        string // of the stream
	Port      string // path of the port
	Serial    string // USB serial number; where given, the port is found by it
	Baud      int    // 0 = 115200
	Rate      int    // samples per second, 1..1000; 0 = DefaultRate
	Clock     instant.Clock
	Simulated bool // whether a virtual box is at the other end

	// Circuit converts readings; the zero value is conductance.Emobox().
	Circuit conductance.Circuit
	// Calibration corrects the circuit's nominal values; nil = uncorrected.
	Calibration *conductance.Calibration
}

// Source is one box. It delivers one stream with the channels raw and eda_us.
type Source struct {
	o     Options
	pings pinger // ids go on over reconnects, so that a late pong is never mistaken
}

// New makes the source of one box. Nothing is opened before Run.
func New(o Options) *Source {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Circuit == (conductance.Circuit{}) {
		o.Circuit = conductance.Emobox()
	}
	return &Source{o: o}
}

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.EDA,
		Device: "Emolab box",
		Serial: s.o.Serial,
		Port:   s.o.Port,
		Clock:  stream.PingedClock,
		TickHz: tickHz,
		Rate:   float64(s.o.Rate),
		Channels: []stream.Channel{
			{Name: "raw", Unit: "1", Note: "Oversampled reading of the converter; 65535 is the supply voltage."},
			{Name: "eda_us", Unit: "µS", Note: "Skin conductance; empty when the electrodes are open or the amplifier is saturated."},
		},
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the box's samples and clock probes to out until ctx ends. It
// fails only for options that cannot work.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	if s.o.Port == "" && s.o.Serial == "" {
		return errors.New("emobox: neither a port nor a USB serial number is given")
	}
	if s.o.Rate < 1 || s.o.Rate > maxRate {
		return fmt.Errorf("emobox: %d samples per second, can do 1 to %d", s.o.Rate, maxRate)
	}
	return connection.Keeper{
		Stream: s.o.ID,
		Port: serialport.Config{
			Serial: s.o.Serial, Path: s.o.Port, Baud: s.o.Baud,
			Silence: silence, Clock: s.o.Clock,
		},
		Begin: func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log, &s.pings) },
	}.Run(ctx, out)
}
