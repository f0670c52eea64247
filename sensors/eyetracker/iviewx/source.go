// Package iviewx drives SMI eye trackers (RED, Hi-Speed, iView X) through the
// remote commands of the iView X software: lines of text over UDP, or over a
// serial line. See PROTOCOL.md.
//
// The tracker stamps its samples but cannot be asked for its clock, so the delay
// on the way to the host cannot be seen: alignment carries it in its bound.
package iviewx

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
	// DefaultRate is that of the smaller RED trackers.
	DefaultRate = 60
	// maxRate is that of the Hi-Speed trackers.
	maxRate = 1250
	// DefaultBaud carries 120 samples a second of both eyes.
	DefaultBaud = 115200

	tickHz = 1e6 // the stamps are microseconds

	// silence is how long the tracker may be quiet: it sends samples also when it
	// sees no eyes.
	silence = 5 * time.Second
)

// Options say which tracker to drive.
type Options struct {
	device.Place `yaml:",inline"`
	Rate         int         `yaml:"rate"`   // samples a second to ask for, at most the tracker's own; 0 = DefaultRate
	Screen       device.Span `yaml:"screen"` // the calibration area in px: {right: 1680, bottom: 1050}
}

// Driver is the tracker's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "iviewx", About: "SMI iView X, RED and Hi-Speed, remote commands",
		Stream: "gaze", Line: "udp",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: DefaultBaud, Ask: [][]byte{[]byte(askRate)},
			Recognise: recognise,
		},
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	if set.Rate < 1 || set.Rate > maxRate {
		return nil, fmt.Errorf("rate: %d samples a second, the trackers can do 1 to %d", o.Rate, maxRate)
	}
	if err := set.Screen.Check(); err != nil {
		return nil, err
	}
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// withDefaults fills in what is not set. The calibration area of a real tracker
// must be stated; the virtual one has an answer of its own.
func (o Options) withDefaults() Options {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Simulated && o.Screen == (device.Span{}) {
		o.Screen = area()
	}
	return o
}

// datagrams tells whether the line keeps messages apart by itself.
func (o Options) datagrams() bool { return strings.HasPrefix(o.Address, "udp:") }

// Source is one tracker. It delivers one stream of gaze.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:        s.o.ID,
		Kind:      stream.Gaze,
		Device:    "SMI iView X",
		Serial:    s.o.Serial,
		Port:      s.o.Where(),
		Clock:     stream.TickedClock,
		TickHz:    tickHz,
		Rate:      float64(s.o.Rate),
		Channels:  device.GazeChannels("px", "px/32"),
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's samples to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
