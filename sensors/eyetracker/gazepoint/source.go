// Package gazepoint drives eye trackers that send Open Gaze records (Gazepoint
// GP3 and GP3HD, API 2) as text: over TCP, as their server speaks it, or over a
// serial line, where a bridge such as socat carries the same bytes. PROTOCOL.md
// beside this file has the messages.
//
// The tracker stamps its records but cannot be asked for its clock, so the
// delay on the way to the host cannot be seen: alignment carries it in its bound.
package gazepoint

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// DefaultBaud carries the fields that this driver asks for, about 130 bytes a
	// record (155 with biometrics), at 60 Hz. A GP3HD at 150 Hz needs 230400 (460800).
	DefaultBaud = 115200

	tickHz = 1e6 // TIME is read in microseconds

	// silence is how long the tracker may be quiet: it sends records also when it
	// sees no eyes, and answers each command.
	silence = 5 * time.Second
)

// The models, and how many records they make in a second.
const (
	GP3   = "GP3"
	GP3HD = "GP3HD"

	rateGP3   = 60
	rateGP3HD = 150 // 60 on a USB 2 port: set rate
)

// Options say which tracker to drive.
type Options struct {
	device.Place `yaml:",inline"`
	Model        string `yaml:"model"` // GP3 or GP3HD; "" = GP3
	// Rate is the records per second, against what the tracker says of itself; 0 =
	// as it says, and as its model makes where it says nothing.
	Rate int `yaml:"rate"`
	// Biometrics makes a second stream of the kit's finger block.
	Biometrics bool   `yaml:"biometrics"`
	EDAID      string `yaml:"eda_id"` // of that stream; "" = eda
}

// Driver is the tracker's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "gazepoint", About: "eye tracker with Open Gaze records (Gazepoint GP3, GP3HD)",
		Stream: "gaze", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: DefaultBaud, Ask: [][]byte{get(productID).text},
			Recognise: recognise,
		},
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	if o.Model != "" && o.Model != GP3 && o.Model != GP3HD {
		return nil, fmt.Errorf("model: %q, need %s or %s", o.Model, GP3, GP3HD)
	}
	if o.Rate < 0 || o.Rate > maxRate {
		return nil, fmt.Errorf("rate: %d records a second, need 1 to %d, or none for what the tracker says", o.Rate, maxRate)
	}
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(o.Address, "udp:") {
		return nil, fmt.Errorf("address: %s: the tracker's server speaks TCP, for example tcp://127.0.0.1:4242", o.Address)
	}
	return New(*o), nil
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.Model == "" {
		o.Model = GP3
	}
	if o.EDAID == "" {
		o.EDAID = "eda"
	}
	return o
}

// nominal is how many records a second are to be expected before the tracker has
// said anything.
func (o Options) nominal() int {
	switch {
	case o.Rate != 0:
		return o.Rate
	case o.Model == GP3HD:
		return rateGP3HD
	}
	return rateGP3
}

// streams are the ids of the tracker's streams, gaze first.
func (o Options) streams() []string {
	if o.Biometrics {
		return []string{o.ID, o.EDAID}
	}
	return []string{o.ID}
}

// Source is one tracker. It delivers one stream with the channels gaze_x,
// gaze_y, gaze_valid, pupil_left_mm and pupil_right_mm, and with biometrics
// another with raw (Ω) and eda_us.
type Source struct {
	o           Options
	jobs        chan *job  // calibrations, from Calibrate to who speaks
	calibrating sync.Mutex // held by the one that is under way
}

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults(), jobs: make(chan *job)} }

// Info describes the streams.
func (s *Source) Info() []stream.Info {
	info := stream.Info{
		ID:     s.o.ID,
		Kind:   stream.Gaze,
		Device: "Gazepoint " + s.o.Model,
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		Clock:  stream.TickedClock,
		TickHz: tickHz,
		Rate:   float64(s.o.nominal()),
		// It reports shares of the screen and millimetres: nothing is left in units of its own.
		Channels:  device.GazeChannels("1", "mm")[:5],
		Simulated: s.o.Simulated,
	}
	if !s.o.Biometrics {
		return []stream.Info{info}
	}
	skin := info
	skin.ID, skin.Kind, skin.Device = s.o.EDAID, stream.EDA, info.Device+", biometrics kit"
	skin.Channels = device.EDAChannels("Resistance between the electrodes in ohm, as the kit said it; also where it is not that of skin.")[:2]
	return []stream.Info{info, skin}
}

// Run delivers the tracker's records to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: s.o.streams(),
		Open:    s.o.Dial(DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log, s.jobs) },
	}.Run(ctx, out)
}
