// Package iscan drives ISCAN eye trackers (ETL-200, 300, 400; RK-464) through the
// binary format of their serial port. See PROTOCOL.md.
//
// Its frames have no number, no stamp and no checksum: they are counted as they
// come. That some are missing of which no byte came shows only in the arrivals of
// the others, which is alignment's business.
package iscan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

const (
	// DefaultRate is that of the standard camera; others have 120 or 240.
	DefaultRate = 60
	maxRate     = 240
	// DefaultDivisor: the tracker sends tenths.
	DefaultDivisor = 10

	// DefaultStart and DefaultStop switch the tracking on and off.
	DefaultStart = 0x80
	DefaultStop  = 0x81

	// silence is how long the tracker may be quiet: it sends a frame for each
	// field of its camera, also when it sees no pupil.
	silence = 5 * time.Second
)

// The outputs that the driver reads, as the setting names them.
const (
	porH  = "por_h" // point of regard, horizontal
	porV  = "por_v" // and vertical
	pupil = "pupil" // diameter of the pupil
	other = "other" // anything that is not of the eye
)

// outputs are all the names that the setting takes. Those that no channel exists
// for are there to be counted.
func outputs() []string {
	return []string{porH, porV, pupil, "pup_h", "pup_v", "cr_h", "cr_v", other}
}

// Options say which tracker to drive, and what it was told to send.
type Options struct {
	device.Place `yaml:",inline"`
	// Outputs are what is selected at the tracker's computer, in its order: see
	// outputs. por_h and por_v must be among them.
	Outputs []string    `yaml:"outputs"`
	Rate    int         `yaml:"rate"`    // camera fields a second: 60, 120, 240; 0 = DefaultRate
	Divisor float64     `yaml:"divisor"` // words are divided by it; 0 = DefaultDivisor, 1 = whole units
	Screen  device.Span `yaml:"screen"`  // what the tracker reports at the edges of the screen, after the division
	Start   int         `yaml:"start"`   // byte that switches the tracking on; 0 = DefaultStart
	Stop    int         `yaml:"stop"`    // and off; 0 = DefaultStop
	Unasked bool        `yaml:"unasked"` // send neither: the tracker is switched on at its own computer
}

// Driver is the tracker's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "iscan", About: "ISCAN ETL and RK trackers, binary serial output",
		Stream: "gaze", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{Baud: serialport.DefaultBaud, Within: listenFor, Recognise: recognise},
	}
}

// Open makes the source of the tracker.
func (o *Options) Open() (stream.Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

func (o *Options) check() error {
	set := o.withDefaults()
	if len(set.Outputs) == 0 {
		return errors.New("outputs: name what is selected at the tracker's computer, in its order, for example [por_h, por_v, pupil]")
	}
	if len(set.Outputs) > maxOutputs {
		return fmt.Errorf("outputs: %d, the tracker can send %d", len(set.Outputs), maxOutputs)
	}
	for i, name := range set.Outputs {
		if !slices.Contains(outputs(), name) {
			return fmt.Errorf("outputs: %q, there are: %s", name, strings.Join(outputs(), ", "))
		}
		if name != other && slices.Contains(set.Outputs[:i], name) {
			return fmt.Errorf("outputs: %s stands twice", name)
		}
	}
	if !slices.Contains(set.Outputs, porH) || !slices.Contains(set.Outputs, porV) {
		return fmt.Errorf("outputs: %v without por_h and por_v: select the point of regard at the tracker's computer", set.Outputs)
	}
	if set.Rate < 1 || set.Rate > maxRate {
		return fmt.Errorf("rate: %d camera fields a second, the trackers have 60, 120 or 240", o.Rate)
	}
	if !(set.Divisor > 0) {
		return fmt.Errorf("divisor: %v, want 10 where the tracker sends tenths, 1 where it sends whole units", o.Divisor)
	}
	for name, b := range map[string]int{"start": set.Start, "stop": set.Stop} {
		if b < 0 || b > 255 {
			return fmt.Errorf("%s: %d is no byte, want 1 to 255", name, b)
		}
	}
	if err := set.Screen.Check(); err != nil {
		return err
	}
	if o.Address != "" {
		return errors.New("address: the tracker has a serial line only, name its port")
	}
	return o.Place.Check()
}

// withDefaults fills in what is not set. What a real tracker was told to send,
// and what it reports at the edges of the screen, must be stated; the virtual one
// has an answer of its own.
func (o Options) withDefaults() Options {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Divisor == 0 {
		o.Divisor = DefaultDivisor
	}
	if o.Start == 0 {
		o.Start = DefaultStart
	}
	if o.Stop == 0 {
		o.Stop = DefaultStop
	}
	if o.Simulated && len(o.Outputs) == 0 {
		o.Outputs = []string{porH, porV, pupil}
	}
	if o.Simulated && o.Screen == (device.Span{}) {
		o.Screen = field()
	}
	return o
}

// Source is one tracker. It delivers one stream of gaze.
type Source struct{ o Options }

// New makes the source of one tracker. Nothing is opened before Run.
func New(o Options) *Source { return &Source{o: o.withDefaults()} }

// Info describes the stream.
func (s *Source) Info() []stream.Info {
	channels := device.GazeChannels("1", "1")[:8] // one eye
	if !slices.Contains(s.o.Outputs, pupil) {
		channels = channels[:7]
	}
	return []stream.Info{{
		ID:        s.o.ID,
		Kind:      stream.Gaze,
		Device:    "ISCAN",
		Serial:    s.o.Serial,
		Port:      s.o.Where(),
		Clock:     stream.CountedClock,
		TickHz:    float64(s.o.Rate),
		Rate:      float64(s.o.Rate),
		Channels:  channels,
		Simulated: s.o.Simulated,
	}}
}

// Run delivers the tracker's frames to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	return connection.Keeper{
		Streams: []string{s.o.ID},
		Open:    s.o.Dial(serialport.DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin:   func(log *connection.Log) connection.Dialogue { return newDialogue(s.o, log) },
	}.Run(ctx, out)
}
