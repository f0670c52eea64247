// Package xid drives the trigger outputs of Cedrus's XID devices: c-pod,
// StimTracker, and the accessory connectors of response pads. What their keys and
// sensors say is recorded as markers.
package xid

import (
	"bytes"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/trigger"
	"emolab/sensors/virtual"
)

const (
	// Baud is the speed that the devices are set to when they are delivered.
	Baud = 115200
	// askMode is the query that every XID device answers with helloPrefix and its
	// mode; it changes nothing.
	askMode     = "_c1"
	helloPrefix = "_xid"
)

// Options say which device to write to, and how.
type Options struct {
	device.Place     `yaml:",inline"`
	trigger.Settings `yaml:",inline"`
}

// Driver is the device's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "xid", About: "Cedrus XID trigger outputs (c-pod, StimTracker, response pads)",
		Stream: "trigger", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: Baud, Ask: [][]byte{[]byte(askMode)},
			Recognise: recognise,
		},
	}
}

// recognise finds the answer to askMode.
func recognise(heard []byte) (string, bool) {
	at := bytes.Index(heard, []byte(helloPrefix))
	if at < 0 || len(heard) < at+helloLength {
		return "", false
	}
	mode := heard[at+helloLength-1]
	return "Cedrus XID device", mode >= '0' && mode <= '9'
}

// Open makes the source of the device.
func (o *Options) Open() (stream.Source, error) {
	if err := o.Place.Check(); err != nil {
		return nil, err
	}
	if err := o.Settings.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// New makes the emitter of one device. Nothing is opened before it runs.
func New(o Options) *trigger.Emitter {
	return trigger.New(trigger.Config{
		Place: o.Place, Settings: o.Settings, Device: "Cedrus XID", Baud: Baud,
		Begin: func(log *connection.Log) trigger.Language {
			return newLanguage(log, o.Clock, o.Settings.Pulse())
		},
	})
}

// Twin makes a virtual StimTracker of the second generation.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device { return NewTwin(t, StimTracker, 2) }

// milliseconds returns d as the devices count it.
func milliseconds(d time.Duration) uint32 { return uint32(d / time.Millisecond) }
