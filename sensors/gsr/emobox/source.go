// Package emobox drives Emolab's own skin-conductance box, which speaks the
// protocol of firmware-bridge/wire over a serial line. It answers clock pings, so
// its samples are placed on the lab clock to a fraction of a millisecond.
package emobox

import (
	"context"
	"fmt"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
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
	device.Place `yaml:",inline"`
	Rate         int `yaml:"rate"` // samples per second, 1..1000; 0 = DefaultRate

	// Circuit converts readings; the zero value is conductance.Emobox().
	Circuit conductance.Circuit `yaml:"-"`
	// Calibration corrects the circuit's nominal values; nil = uncorrected.
	Calibration *conductance.Calibration `yaml:"-"`
}

// Driver is the box's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "emobox", About: "Emolab EDA box, our own microcontroller",
		Stream: "eda", Kind: stream.EDA, Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: serialport.DefaultBaud, Ask: [][]byte{wire.AppendIdentify([]byte{0})},
			Again: identifyEvery, Within: identifyFor, Recognise: recognise,
		},
	}
}

// recognise finds the box's Hello in what was heard.
func recognise(heard []byte) (string, bool) {
	var d wire.Decoder
	for len(heard) > 0 {
		m, rest, ok := d.Next(heard)
		if ok && m.Type == wire.TypeHello {
			h := m.Hello()
			return fmt.Sprintf("%s, firmware %d.%d.%d", h.Model, h.Firmware[0], h.Firmware[1], h.Firmware[2]), true
		}
		heard = rest
	}
	return "", false
}

// Open makes the source of the box.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	if set.Rate < 1 || set.Rate > maxRate {
		return nil, fmt.Errorf("rate: %d samples per second, the box can do 1 to %d", set.Rate, maxRate)
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
	if o.Circuit == (conductance.Circuit{}) {
		o.Circuit = conductance.Emobox()
	}
	return o
}

// Source is one box. It delivers one stream with the channels raw and eda_us.
type Source struct {
	o     Options
	pings pinger // ids go on over reconnects, so that a late pong is never mistaken
}

// New makes the source of one box. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:     s.o.ID,
		Kind:   stream.EDA,
		Device: "Emolab box",
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		Clock:  stream.PingedClock,
		TickHz: tickHz,
		Rate:   float64(s.o.Rate),
		// One range, and it never repeats a value: the optional channels are left out.
		Channels:  device.EDAChannels("Oversampled reading of the converter; 65535 is the supply voltage.")[:2],
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the box's samples and clock probes to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(serialport.DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log, &s.pings) },
	}.Run(ctx, out)
}
