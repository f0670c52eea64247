// Package rawbyte drives trigger outputs that put each byte they get on eight
// lines until the next one comes, such as Brain Products' TriggerBox (a virtual
// serial port) and home-made microcontroller boards.
package rawbyte

import (
	"context"
	"fmt"
	"io"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/trigger"
	"emolab/sensors/virtual"
)

// DefaultBaud is for a virtual port, which has no speed. A board with a real
// line needs its own in lab.yaml.
const DefaultBaud = 115200

// Options say which device to write to, and how.
type Options struct {
	device.Place     `yaml:",inline"`
	trigger.Settings `yaml:",inline"`
	// Exit is written at the end, for a device that others use in another state;
	// without it the lines stay low.
	Exit *int `yaml:"exit"`
}

// Driver is the device's entry in the catalogue. It never answers, so it cannot
// be recognised.
func Driver() device.Driver {
	return device.Driver{
		Name: "rawbyte", About: "trigger output that shows each byte on eight lines (Brain Products TriggerBox, boards)",
		Stream: "trigger", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
	}
}

// Open makes the source of the device.
func (o *Options) Open() (stream.Source, error) {
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	if err := o.Settings.Check(); err != nil {
		return nil, err
	}
	if o.Exit != nil && (*o.Exit < 0 || *o.Exit > 255) {
		return nil, fmt.Errorf("exit: %d, need 0 to 255", *o.Exit)
	}
	return New(*o), nil
}

// New makes the emitter of one device. Nothing is opened before it runs.
func New(o Options) *trigger.Emitter {
	return trigger.New(trigger.Config{
		Place: o.Place, Settings: o.Settings, Device: "trigger output, raw bytes", Baud: DefaultBaud,
		Begin: func(log *connection.Log) trigger.Language {
			log.Connected(o.Clock.Now(), "the port is open; a device of this kind does not say that it is there")
			return language{exit: o.Exit}
		},
	})
}

// language is trivial: a byte is a code.
type language struct{ exit *int }

// Greet takes off the lines what may be on them.
func (language) Greet(_ context.Context, w io.Writer) error {
	_, err := w.Write([]byte{0})
	return err
}

// Code is the byte.
func (language) Code(code uint8) []byte { return []byte{code} }

// EndsPulse is false: a byte stays until the next.
func (language) EndsPulse() bool { return false }

// Gap is none.
func (language) Gap() time.Duration { return 0 }

// Bye is what lab.yaml says.
func (l language) Bye() []byte {
	if l.exit == nil {
		return nil
	}
	return []byte{byte(*l.exit)}
}

// Hear has nothing to understand.
func (language) Hear([]byte, instant.Instant) error { return nil }

// Twin is a virtual device whose lines can be looked at.
type Twin struct{ trigger.Lines }

// Twin makes a virtual device. It plays nobody: it only takes codes.
func (o *Options) Twin(virtual.TwinOptions) virtual.Device { return &Twin{} }

// Run is one life of the device.
func (t *Twin) Run(ctx context.Context, _ *virtual.Alarm, in <-chan virtual.Arrived, _ func([]byte)) {
	for {
		select {
		case got := <-in:
			for _, b := range got.Bytes {
				t.Set(b, got.At)
			}
		case <-ctx.Done():
			return
		}
	}
}
