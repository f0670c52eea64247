// Package shimmer3 drives Shimmer3 and Shimmer3R sensors with a GSR+ board that
// run the vendor's LogAndStream firmware, over the Bluetooth serial profile or a
// serial line. PROTOCOL.md beside this file has the bytes.
//
// Packets carry the sensor's own ticks, which cannot be asked for: the constant
// part of the radio's delay cannot be seen, and alignment carries it in its bound.
package shimmer3

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

const (
	// DefaultRate is the vendor's usual one, Hz: more than skin conductance needs.
	DefaultRate = 51.2
	// minRate and maxRate are Hz. Slower ones could not be told from a Shimmer
	// that hangs; faster ones are more than the radio is sure to carry.
	minRate, maxRate = 1, 1024

	// silence is how long a streaming Shimmer may be quiet: the radio can be away
	// for seconds.
	silence = 5 * time.Second

	// patience is how long an answer may take over a radio that is busy.
	patience = time.Second
)

// Options say which Shimmer to drive, and how.
type Options struct {
	device.Place `yaml:",inline"`
	// Rate is in samples per second, 1..1024; 0 = DefaultRate. The Shimmer has
	// 32768 Hz divided by a whole number: the nearest is taken.
	Rate  float64 `yaml:"rate"`
	Range Range   `yaml:"range"` // of the amplifier: auto, or 0 to 3
	// CRC asks for checksums after each message. Firmware that has none is driven
	// without.
	CRC bool `yaml:"crc"`
}

// Defaults are the options of a Shimmer of which nothing else is said.
func Defaults() Options { return Options{Rate: DefaultRate, CRC: true} }

// Range is the amplifier's range. The zero value is auto: the firmware switches
// by itself.
type Range struct {
	fixed  bool
	number uint8
}

// Fixed is range 0 (8 to 63 kΩ), 1 (to 220 kΩ), 2 (to 680 kΩ) or 3 (to 4.7 MΩ).
func Fixed(number uint8) Range { return Range{true, number} }

// UnmarshalYAML reads auto, 0, 1, 2 or 3.
func (r *Range) UnmarshalYAML(into func(any) error) error {
	var said any
	if err := into(&said); err != nil {
		return err
	}
	switch s := fmt.Sprint(said); s {
	case "auto":
		*r = Range{}
	case "0", "1", "2", "3":
		*r = Fixed(s[0] - '0')
	default:
		return fmt.Errorf("range: %q, want auto, 0, 1, 2 or 3", s)
	}
	return nil
}

// String returns what lab.yaml says.
func (r Range) String() string {
	if !r.fixed {
		return "auto"
	}
	return fmt.Sprint(r.number)
}

// code is what the Shimmer is told.
func (r Range) code() byte {
	if !r.fixed {
		return autoRange
	}
	return r.number
}

// Driver is the Shimmer's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "shimmer3", About: "Shimmer3 GSR+ over Bluetooth (LogAndStream firmware)",
		Stream: "eda", Line: "serial",
		Settings: func() device.Settings { o := Defaults(); return &o },
		Greeting: device.Greeting{
			Baud: serialport.DefaultBaud, Ask: [][]byte{{cmdGetDevice}, {cmdGetFirmware}},
			Pause: 200 * time.Millisecond, Bluetooth: true, Recognise: recognise,
			// Of other devices' questions, 07 (BITalino) makes it stream.
			Bye: []byte{cmdStop},
		},
	}
}

// recognise finds the answers to what it is and to what it runs in what was
// heard. They may have checksums, and data packets between them.
func recognise(heard []byte) (string, bool) {
	for _, h := range []hardware{shimmer3, shimmer3R} {
		i := bytes.Index(heard, []byte{ack, rspDevice, byte(h)})
		if i < 0 {
			continue
		}
		// Asked again, it may have answered in the other order by now.
		mark := []byte{ack, rspFirmware}
		for rest := heard; ; {
			at := bytes.Index(rest, mark)
			if at < 0 || len(rest) < at+len(mark)+firmwarePayload {
				break
			}
			rest = rest[at+len(mark):]
			if f := parseFirmware(rest); f.kind >= 1 && f.kind <= logAndStream {
				return fmt.Sprintf("%v, %v", h, f), true
			}
		}
	}
	return "", false
}

// Open makes the source of the Shimmer.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	if !(set.Rate >= minRate && set.Rate <= maxRate) {
		return nil, fmt.Errorf("rate: %v samples per second, the Shimmer is driven with %d to %d", set.Rate, minRate, maxRate)
	}
	if set.Range.fixed && set.Range.number > 3 {
		return nil, fmt.Errorf("range: %v, want auto, 0, 1, 2 or 3", set.Range)
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

// divider is the ticks between two samples.
func (o Options) divider() int { return int(math.Round(tickHz / o.Rate)) }

// Source is one Shimmer. It delivers one stream with the channels raw, eda_us,
// eda_range and eda_hold.
type Source struct {
	o    Options
	pace pace
}

// New makes the source of one Shimmer. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults(), pace: usual()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	return []stream.Info{{
		ID:        s.o.ID,
		Kind:      stream.EDA,
		Device:    "Shimmer3 GSR+",
		Serial:    s.o.Serial,
		Port:      s.o.Where(),
		Clock:     stream.TickedClock,
		TickHz:    tickHz,
		Rate:      tickHz / float64(s.o.divider()),
		Channels:  device.EDAChannels("Count of the converter in its range; 4095 is 3 V, and 682 and below are open electrodes."),
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the Shimmer's samples to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var before *dialogue
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(serialport.DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin: func(log *connection.Log) connection.Dialogue {
			if before != nil {
				before.leave() // what it still held is of the epoch that ends now
			}
			before = newDialogue(s.o, s.pace, log)
			return before
		},
	}.Run(ctx, out)
}
