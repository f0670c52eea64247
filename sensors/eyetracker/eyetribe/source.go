// Package eyetribe drives The Eye Tribe's trackers, whose server speaks JSON over
// TCP. PROTOCOL.md beside this file has the messages.
//
// The tracker stamps its frames to the millisecond but cannot be asked for its
// clock, so the delay on the way to the host cannot be seen: alignment carries it
// in its bound. Calibrating is left to the maker's own program.
package eyetribe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// DefaultRate is what the server runs at unless it is configured otherwise.
	DefaultRate = 30
	maxRate     = 240 // four times the fastest that it can be configured to

	tickHz = 1000 // frames are stamped in milliseconds

	// silence is how long the server may be quiet: it sends frames also when it
	// sees no eyes, and answers each heartbeat.
	silence = 5 * time.Second
)

// Options say which tracker to drive.
type Options struct {
	device.Place `yaml:",inline"`
	// Rate is the frames per second (30, 40 or 60), against what the server says of
	// itself; 0 = as it says, and DefaultRate where it says nothing.
	Rate int `yaml:"rate"`
	// Screen is the edges of the screen in the tracker's px, against what the server
	// says of its screen; none = as it says.
	Screen device.Span `yaml:"screen"`
}

// Driver is the tracker's entry in the catalogue. It is never on a serial port,
// so there is no greeting.
func Driver() device.Driver {
	return device.Driver{
		Name: "eyetribe", About: "eye tracker with JSON frames over TCP (The Eye Tribe)",
		Stream: "gaze", Line: "tcp",
		Settings: func() device.Settings { return &Options{} },
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	if o.Rate < 0 || o.Rate > maxRate {
		return nil, fmt.Errorf("rate: %d frames a second, need 30, 40 or 60, or none for what the tracker says", o.Rate)
	}
	if o.Screen != (device.Span{}) {
		if err := o.Screen.Check(); err != nil {
			return nil, err
		}
	}
	if !strings.HasPrefix(o.Address, "tcp:") {
		return nil, fmt.Errorf("the tracker is reached by the address of its server, for example address: tcp://127.0.0.1:6555")
	}
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// nominal is how many frames a second are to be expected before the server has
// said anything.
func (o Options) nominal() int {
	if o.Rate != 0 {
		return o.Rate
	}
	return DefaultRate
}

// Source is one tracker. It delivers one stream with all channels of an eye
// tracker; the pupils' diameters in mm are never known.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:        s.o.ID,
		Kind:      stream.Gaze,
		Device:    "The Eye Tribe",
		Port:      s.o.Where(),
		Clock:     stream.TickedClock,
		TickHz:    tickHz,
		Rate:      float64(s.o.nominal()),
		Channels:  device.GazeChannels("px", "1"),
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's frames to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(0, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
