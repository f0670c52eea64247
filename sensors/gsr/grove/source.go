// Package grove drives boards that print readings of a skin-conductance sensor as
// lines of text: the Grove GSR sensor on an Arduino with the sketch of its maker,
// and the many sketches like it. PROTOCOL.md says what they print.
package grove

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// DefaultBaud and DefaultRate are those of the maker's sketch: a line for each
	// ten conversions of 0.1 ms, with pauses of 5 ms.
	DefaultBaud = 9600
	DefaultRate = 19.6
	// DefaultBits is the resolution of an Arduino's converter.
	DefaultBits = 10

	// minRate is the slowest sketch that can be told from a board that hangs.
	minRate = 1

	// silence is how long the board may be quiet, or say nothing that is a reading:
	// opening the port resets most boards, and their boot loader takes 2 s.
	silence = 5 * time.Second
)

// Options say which board to drive, and what it prints.
type Options struct {
	device.Place `yaml:",inline"`
	Rate         float64 `yaml:"rate"`   // lines per second; 0 = DefaultRate
	Column       int     `yaml:"column"` // the reading's place among the numbers of a line, 1 = first; 0 = last
	Millis       int     `yaml:"millis"` // the place of the board's time in ms, if it prints it; 0 = it does not
	Bits         int     `yaml:"bits"`   // of the converter, 10 or 12; 0 = DefaultBits
	Cal          float64 `yaml:"cal"`    // the reading without skin, set by the trimmer; 0 = half of the range
}

// Driver is the board's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "grove", About: "Grove GSR or another sensor on an Arduino that prints numbers",
		Stream: "eda", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{Baud: DefaultBaud, Within: silence, Recognise: recognise},
	}
}

// recognise finds enough lines of numbers in a row.
func recognise(heard []byte) (string, bool) {
	const enough = 10
	o := Options{}.withDefaults()
	var lines Lines
	inARow := 0
	for _, c := range heard {
		line, ok := lines.Put(c)
		if !ok {
			continue
		}
		if _, isReading := o.reading(line); !isReading {
			inARow = 0
			continue
		}
		if inARow++; inARow == enough {
			return "a board that prints numbers, such as the Grove GSR", true
		}
	}
	return "", false
}

// Open makes the source of the board.
func (o *Options) Open() (stream.Source, error) {
	set := o.withDefaults()
	switch {
	case !(set.Rate >= minRate) || math.IsInf(set.Rate, 1):
		return nil, fmt.Errorf("rate: %v lines a second, need %v or more", set.Rate, minRate)
	case set.Column < 0 || set.Millis < 0:
		return nil, errors.New("column and millis: places in a line are counted from 1")
	case set.Millis > 0 && set.Millis == set.Column:
		return nil, errors.New("column and millis: the reading and the time are in the same column")
	case set.Bits != 10 && set.Bits != 12:
		return nil, fmt.Errorf("bits: %d, the sensor's formula is known for 10 and 12", set.Bits)
	case !(set.Cal > 0) || set.Cal > set.fullScale():
		return nil, fmt.Errorf("cal: %v, the reading without skin must be above 0 and at most %v", set.Cal, set.fullScale())
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
	if o.Bits == 0 {
		o.Bits = DefaultBits
	}
	if o.Cal == 0 {
		o.Cal = o.fullScale() / 2
	}
	return o
}

// Source is one board. It delivers one stream with the channels raw and eda_us.
type Source struct{ o Options }

// New makes the source of one board. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	info := stream.Info{
		ID:     s.o.ID,
		Kind:   stream.EDA,
		Device: "Grove GSR or alike",
		Serial: s.o.Serial,
		Port:   s.o.Where(),
		Clock:  stream.CountedClock,
		TickHz: s.o.Rate,
		Rate:   s.o.Rate,
		Channels: device.EDAChannels(fmt.Sprintf(
			"Reading as printed, of a %d-bit converter; it falls as conductance rises, and is %v without skin.", s.o.Bits, s.o.Cal))[:2],
		Simulated: s.o.Simulated,
	}
	if s.o.Millis > 0 {
		info.Clock, info.TickHz = stream.TickedClock, tickHz
	}
	return []stream.Info{info}
}

// Run delivers the board's readings to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
