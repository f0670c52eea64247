// Package gazepoint drives eye trackers that send Open Gaze records (Gazepoint
// GP3 and GP3HD, API 2) as text over a serial line. The trackers themselves
// serve TCP; a bridge such as socat puts the same bytes on a line.
//
// The tracker stamps its records but cannot be asked for its clock, so the
// delay on the way to the host cannot be seen: alignment carries it in its bound.
package gazepoint

import (
	"context"
	"errors"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/serialport"
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
	ID        string // of the stream
	Port      string // path of the port
	Serial    string // USB serial number of the adapter; where given, the port is found by it
	Baud      int    // 0 = DefaultBaud
	Rate      int    // nominal records per second; 0 = DefaultRate
	Clock     instant.Clock
	Simulated bool // whether a virtual tracker is at the other end
}

// Source is one tracker. It delivers one stream with the channels gaze_x,
// gaze_y, gaze_valid, pupil_left_mm and pupil_right_mm.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Baud == 0 {
		o.Baud = DefaultBaud
	}
	return &Source{o: o}
}

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.Gaze,
		Device: "Gazepoint (Open Gaze)",
		Serial: s.o.Serial,
		Port:   s.o.Port,
		Clock:  stream.TickedClock,
		TickHz: tickHz,
		Rate:   float64(s.o.Rate),
		Channels: []stream.Channel{
			{Name: "gaze_x", Unit: "1", Note: "Best point of gaze, 0 to 1 of the screen's width from the left; may lie outside; empty when not valid."},
			{Name: "gaze_y", Unit: "1", Note: "Best point of gaze, 0 to 1 of the screen's height from the top; may lie outside; empty when not valid."},
			{Name: "gaze_valid", Unit: "1", Note: "1 where the tracker states a valid point of gaze, otherwise 0."},
			{Name: "pupil_left_mm", Unit: "mm", Note: "Diameter of the left pupil; empty when not valid."},
			{Name: "pupil_right_mm", Unit: "mm", Note: "Diameter of the right pupil; empty when not valid."},
		},
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's records to out until ctx ends. It fails only for
// options that cannot work.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	if s.o.Port == "" && s.o.Serial == "" {
		return errors.New("gazepoint: neither a port nor a USB serial number is given")
	}
	if s.o.Rate < 1 {
		return errors.New("gazepoint: the rate must be positive")
	}
	return connection.Keeper{
		Stream: s.o.ID,
		Port: serialport.Config{
			Serial: s.o.Serial, Path: s.o.Port, Baud: s.o.Baud,
			Silence: silence, Clock: s.o.Clock,
		},
		Begin: func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
