// Package gazepoint drives eye trackers that send Open Gaze records (Gazepoint
// GP3 and GP3HD, API 2) as text over a serial line. The trackers themselves
// serve TCP; a bridge such as socat puts the same bytes on a line.
//
// The tracker stamps its records but cannot be asked for its clock, so the
// delay on the way to the host cannot be seen: alignment carries it in its bound.
package gazepoint

import (
	"context"
	"fmt"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// DefaultRate is that of the GP3; the GP3HD makes 150 records a second.
	DefaultRate = 60
	// DefaultBaud carries the fields that this driver asks for, about 130 bytes a
	// record, at 60 Hz. A GP3HD at 150 Hz needs 230400.
	DefaultBaud = 115200

	tickHz = 1e6 // TIME is read in microseconds

	// silence is how long the tracker may be quiet: it sends records also when it
	// sees no eyes, and answers each command.
	silence = 5 * time.Second
)

// Options say which tracker to drive.
type Options struct {
	device.Place `yaml:",inline"`
	Rate         int `yaml:"rate"` // nominal records per second; 0 = DefaultRate
}

// Driver is the tracker's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "gazepoint", About: "eye tracker with Open Gaze records (Gazepoint GP3)",
		Stream: "gaze", Kind: stream.Gaze, Line: "serial",
		Settings: func() device.Settings { return &Options{} },
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	if o.Rate < 0 {
		return nil, fmt.Errorf("rate: %d records a second, need a positive number", o.Rate)
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
	return o
}

// Source is one tracker. It delivers one stream with the channels gaze_x,
// gaze_y, gaze_valid, pupil_left_mm and pupil_right_mm.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.Gaze,
		Device: "Gazepoint (Open Gaze)",
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		Clock:  stream.TickedClock,
		TickHz: tickHz,
		Rate:   float64(s.o.Rate),
		// It reports shares of the screen and millimetres: nothing is left in units of its own.
		Channels:  device.GazeChannels("1", "mm")[:5],
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's records to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
