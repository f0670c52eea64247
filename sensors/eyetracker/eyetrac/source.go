// Package eyetrac drives ASL Eye-Trac trackers (5000, 6) through their "Serial
// Out" port. See PROTOCOL.md.
//
// The tracker numbers its camera fields and cannot be asked for its clock, so the
// number is the tick: alignment carries the delay on the way in its bound.
package eyetrac

import (
	"context"
	"errors"
	"fmt"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// DefaultRate is that of the standard camera.
	DefaultRate = 60
	// maxRate is that of the fastest camera.
	maxRate = 360
	// DefaultBaud is what the tracker's port is set to.
	DefaultBaud = 57600

	// silence is how long the tracker may be quiet: it sends a frame for each
	// field of its camera while its output is on.
	silence = 5 * time.Second
)

// Options say which tracker to drive.
type Options struct {
	device.Place `yaml:",inline"`
	Rate         int         `yaml:"rate"`   // camera fields a second: 60, 120, 240, 360; 0 = DefaultRate
	Screen       device.Span `yaml:"screen"` // what the tracker reports at the edges of the screen
}

// Driver is the tracker's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "eyetrac", About: "ASL Eye-Trac 5000 and 6, Serial Out",
		Stream: "gaze", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{Baud: DefaultBaud, Within: listenFor, Recognise: recognise},
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	if set.Rate < 1 || set.Rate > maxRate {
		return nil, fmt.Errorf("rate: %d camera fields a second, the trackers have 60, 120, 240 or 360", o.Rate)
	}
	if err := set.Screen.Check(); err != nil {
		return nil, err
	}
	if o.Address != "" {
		return nil, errors.New("address: the tracker has a serial line only, name its port")
	}
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// withDefaults fills in what is not set. What a real tracker reports at the edges
// of the screen must be stated; the virtual one reports the whole of its scene.
func (o Options) withDefaults() Options {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Simulated && o.Screen == (device.Span{}) {
		o.Screen = scene()
	}
	return o
}

// Source is one tracker. It delivers one stream of gaze.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.Gaze,
		Device: "ASL Eye-Trac",
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		// The number counts the fields of the camera, sent or not: it is a clock,
		// of a tick a field, and holes in it are exact.
		Clock:  stream.TickedClock,
		TickHz: float64(s.o.Rate),
		Rate:   float64(s.o.Rate),
		// One eye: the last channel is left out.
		Channels:  device.GazeChannels("1", "1")[:8],
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's frames to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
