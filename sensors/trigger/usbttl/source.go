// Package usbttl drives the USB TTL module of the Black Box ToolKit, which puts
// codes on eight lines. Its codes are two hexadecimal digits.
package usbttl

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
)

const (
	// Baud is the module's only speed.
	Baud = 115200
	// settle is how long the module takes to reset.
	settle = 25 * time.Millisecond
	// reset makes the module ready; whatever was half sent before is forgotten.
	reset = "RR"
)

// Options say which module to write to, and how.
type Options struct {
	device.Place     `yaml:",inline"`
	trigger.Settings `yaml:",inline"`
}

// Driver is the module's entry in the catalogue. It answers nothing, so it cannot
// be recognised.
func Driver() device.Driver {
	return device.Driver{
		Name: "usbttl", About: "USB TTL module for trigger codes (Black Box ToolKit)",
		Stream: "trigger", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
	}
}

// Open makes the source of the module.
func (o *Options) Open() (stream.Source, error) {
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	if err := o.Settings.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// New makes the emitter of one module. Nothing is opened before it runs.
func New(o Options) *trigger.Emitter {
	return trigger.New(trigger.Config{
		Place: o.Place, Settings: o.Settings, Device: "BBTK USB TTL module", Baud: Baud,
		Begin: func(log *connection.Log) trigger.Language {
			log.Connected(o.Clock.Now(), "the port is open; the module does not say that it is there")
			return language{}
		},
	})
}

// language is what the module understands.
type language struct{}

// Greet resets the module.
func (language) Greet(ctx context.Context, w io.Writer) error {
	if _, err := io.WriteString(w, reset); err != nil {
		return err
	}
	ready := time.NewTimer(settle)
	defer ready.Stop()
	select {
	case <-ready.C:
	case <-ctx.Done():
	}
	return nil
}

// Code is two digits, in capitals, with nothing after them.
func (language) Code(code uint8) []byte { return fmt.Appendf(nil, "%02X", code) }

// EndsPulse is false: a code stays until the next.
func (language) EndsPulse() bool { return false }

// Gap is none.
func (language) Gap() time.Duration { return 0 }

// Bye is none: the lines are low already.
func (language) Bye() []byte { return nil }

// Hear lets pass what the module says of its inputs.
func (language) Hear([]byte, instant.Instant) error { return nil }
