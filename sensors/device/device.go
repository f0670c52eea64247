// Package device says what a driver of a lab device is: what the catalogue knows
// of it (Driver), what lab.yaml can set (Settings, Place), how it is recognised on
// a port (Greeting), and the channels that devices of one kind have in common.
package device

import (
	"errors"
	"fmt"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/network"
	"emolab/sensors/serialport"
	"emolab/sensors/virtual"
)

// Driver is one entry of the catalogue. The package of a device has a function
// Driver that returns it.
type Driver struct {
	Name   string // in lab.yaml: "shimmer3"
	About  string // for people: "Shimmer3 GSR+ over Bluetooth"
	Stream string // default id of its stream: "eda", "gaze"
	// Line is what its virtual twin is plugged into: "serial", "tcp" or "udp".
	Line string
	// Settings returns the defaults, as a pointer to a struct with yaml tags that
	// embeds Place inline. lab.yaml is decoded into it.
	Settings func() Settings
	// Greeting is how it is recognised on a port that nobody has named. The zero
	// value: it cannot be.
	Greeting Greeting
}

// Settings are what lab.yaml says of one device.
type Settings interface {
	// At is where the device is and what its stream is called; embedding Place
	// provides it.
	At() *Place
	// Open makes the source. Nothing is touched before it runs. An error names
	// the setting that is wrong.
	Open() (stream.Source, error)
	// Twin makes the simulated device that these settings fit, playing a script.
	Twin(o virtual.TwinOptions) virtual.Device
}

// Place says which device is meant and how it is reached. One of Serial, Port and
// Address is needed; Serial wins over Port.
type Place struct {
	Driver  string `yaml:"driver"`
	ID      string `yaml:"id"`      // of its stream; default: what it measures ("eda")
	Serial  string `yaml:"serial"`  // the USB serial number; finds the port wherever it is plugged in
	Port    string `yaml:"port"`    // "/dev/ttyUSB0"
	Baud    int    `yaml:"baud"`    // 0 = the driver's
	Address string `yaml:"address"` // "tcp://127.0.0.1:4242", see package network

	Clock     instant.Clock `yaml:"-"`
	Simulated bool          `yaml:"-"` // a virtual device is at the other end
	// Through is a line of another kind, such as one within this process
	// (virtual.Wire). Where it is given, it wins over all others.
	Through Opener `yaml:"-"`
}

// Opener opens a line. silence is how long its Read may wait for a byte before it
// fails; 0 = for ever.
type Opener interface {
	Open(silence time.Duration) (connection.Line, error)
}

// At returns the place itself.
func (p *Place) At() *Place { return p }

// Check tells what is missing.
func (p *Place) Check() error {
	if p.Through != nil {
		return nil
	}
	if p.Serial == "" && p.Port == "" && p.Address == "" {
		return errors.New("the device needs one of serial (USB serial number), port or address")
	}
	if p.Address != "" && (p.Serial != "" || p.Port != "") {
		return errors.New("the device has an address and a port: keep one")
	}
	if p.Address != "" {
		return network.Check(p.Address)
	}
	return nil
}

// Where names the place as a person would: for stream.Info.Port.
func (p *Place) Where() string {
	if p.Address != "" {
		return p.Address
	}
	return p.Port
}

// Dial returns what opens the line to the device, at the driver's speed unless
// the place has one of its own. silence is how long a device of this kind may be
// quiet before it counts as hung; 0 = for ever.
func (p *Place) Dial(baud int, silence time.Duration) func() (connection.Line, error) {
	if p.Through != nil {
		return func() (connection.Line, error) { return p.Through.Open(silence) }
	}
	if p.Address != "" {
		return func() (connection.Line, error) {
			return network.Open(network.Config{Address: p.Address, Silence: silence, Clock: p.Clock})
		}
	}
	if p.Baud != 0 {
		baud = p.Baud
	}
	return func() (connection.Line, error) {
		return serialport.Open(serialport.Config{
			Serial: p.Serial, Path: p.Port, Baud: baud, Silence: silence, Clock: p.Clock})
	}
}

// Span is the device's own coordinates at the edges of the screen, for trackers
// that report pixels or units of their scene camera.
type Span struct {
	Left   float64 `yaml:"left"`
	Top    float64 `yaml:"top"`
	Right  float64 `yaml:"right"`
	Bottom float64 `yaml:"bottom"`
}

// Check tells whether the span can be used.
func (s Span) Check() error {
	if s.Left == s.Right || s.Top == s.Bottom {
		return fmt.Errorf("screen: left %v, right %v, top %v, bottom %v: need the device's coordinates at the four edges of the screen, for example {left: 0, top: 0, right: 1920, bottom: 1080}",
			s.Left, s.Right, s.Top, s.Bottom)
	}
	return nil
}

// Share turns the device's coordinates into shares of the screen's width and
// height, 0..1 from the top left. NaN stays NaN.
func (s Span) Share(x, y float64) (float64, float64) {
	return (x - s.Left) / (s.Right - s.Left), (y - s.Top) / (s.Bottom - s.Top)
}

// Units is the inverse of Share.
func (s Span) Units(x, y float64) (float64, float64) {
	return s.Left + x*(s.Right-s.Left), s.Top + y*(s.Bottom-s.Top)
}
