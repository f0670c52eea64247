// Package bitalino drives the EDA sensor of a BITalino board, over Bluetooth (a
// port such as /dev/rfcomm0) or a serial cable. PROTOCOL.md has the bytes.
//
// The board stamps nothing: its frames are counted, and alignment places them by
// their number and its nominal rate.
package bitalino

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

const (
	// DefaultRate is enough for skin conductance (below 5 Hz) and fine enough
	// that a lost frame costs nothing.
	DefaultRate = 100
	// DefaultChannel is where the EDA sensor of the (r)evolution board sits: A3.
	DefaultChannel = 3

	// silence is how long the board may be quiet: at its lowest rate it sends a
	// frame a second.
	silence = 5 * time.Second

	// seenStreaming is how many frames in a row show that a board streams, where
	// nothing is known of the port.
	seenStreaming = 2 * lock
)

// Options say which board to drive, and how.
type Options struct {
	device.Place `yaml:",inline"`
	Rate         int    `yaml:"rate"`    // samples per second: 1, 10, 100 or 1000; 0 = DefaultRate
	Channel      int    `yaml:"channel"` // input of the EDA sensor, 1..6 for A1..A6; 0 = DefaultChannel
	Sensor       Sensor `yaml:"sensor"`  // "r1" or "r2"; empty = the one that came with the board
}

// Driver is the board's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "bitalino", About: "BITalino with its EDA sensor, over Bluetooth or serial",
		Stream: "eda", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: serialport.DefaultBaud, Ask: [][]byte{{askVersion}},
			Bluetooth: true, Recognise: recognise,
			// Of other devices' questions, 2E (Shimmer) makes it stream test frames.
			Bye: []byte{stop},
		},
	}
}

// recognise finds the board's version in what was heard, or frames of a board that
// was left streaming and answers nothing.
func recognise(heard []byte) (string, bool) {
	if v, ok := ParseVersion(heard); ok {
		return v.String(), true
	}
	for channels := 1; channels <= MaxChannels; channels++ {
		inARow := 0
		for _, f := range NewDecoder(channels).Put(nil, heard, 0) {
			if f.Relocked {
				inARow = 0
			}
			if inARow++; inARow >= seenStreaming {
				return "BITalino, left streaming", true
			}
		}
	}
	return "", false
}

// Open makes the source of the board.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	if allowed := rates(); !slices.Contains(allowed[:], set.Rate) {
		return nil, fmt.Errorf("rate: %d samples per second, the board can do %v", set.Rate, allowed)
	}
	if set.Channel < 1 || set.Channel > MaxChannels {
		return nil, fmt.Errorf("channel: %d, the board has 1 to %d (A1 to A%[2]d)", set.Channel, MaxChannels)
	}
	if set.Sensor != "" && set.Sensor != R1 && set.Sensor != R2 {
		return nil, fmt.Errorf("sensor: %q, there are %q and %q; leave it out for the one that came with the board", set.Sensor, R1, R2)
	}
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Channel == 0 {
		o.Channel = DefaultChannel
	}
	return o
}

// Source is one board. It delivers one stream with the channels raw and eda_us.
type Source struct {
	o    Options
	pace pace
}

// New makes the source of one board. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults(), pace: usual()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.EDA,
		Device: "BITalino",
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		Clock:  stream.CountedClock,
		TickHz: float64(s.o.Rate),
		Rate:   float64(s.o.Rate),
		// One range, and it never repeats a value: the optional channels are left out.
		Channels:  device.EDAChannels("Reading of the 10-bit converter; 1023 is the supply voltage.")[:2],
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the board's samples to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(serialport.DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, s.pace, log) },
	}.Run(ctx, out)
}
