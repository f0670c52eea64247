package emobox

import (
	"errors"
	"fmt"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

// Options say which box to drive, and how.
type Options struct {
	device.Place `yaml:",inline"`

	Rate int `yaml:"rate"` // samples per second, 1..500; 0 = DefaultRate

	// Light adds the stream "<id>_light": the photodiode, in bursts around its
	// edges and once a second.
	Light bool `yaml:"light"`
	// LightThreshold is what counts as an edge of the light, on the scale of its
	// readings (65535 = supply voltage); 0 = found by the box.
	LightThreshold int `yaml:"light_threshold"`
	// Trigger adds the stream "<id>_trigger": the edges of the trigger input.
	Trigger bool `yaml:"trigger"`

	// Circuit are the parts of the amplifier, where they are not those of the
	// parts list.
	Circuit Circuit `yaml:"circuit"`
	// Calibration is what the box read on known resistors, two or more; none =
	// the nominal values of the parts are trusted.
	Calibration []Resistor `yaml:"calibration"`
}

// Circuit are the parts of the amplifier; 0 = as in conductance.Emobox.
type Circuit struct {
	VrefMV float64 `yaml:"vref_mv"` // across the electrodes, mV
	RfKohm float64 `yaml:"rf_kohm"` // feedback resistor, kΩ
	VccMV  float64 `yaml:"vcc_mv"`  // supply, mV
}

// Resistor is one known resistor across the electrode leads, and what the box
// then read without calibration.
type Resistor struct {
	Kohm       float64 `yaml:"kohm"`
	MeasuredUS float64 `yaml:"measured_us"`
}

// Driver is the box's entry in the catalogue.
func Driver() device.Driver {
	return device.Driver{
		Name: "emobox", About: "Emolab EDA box, our own microcontroller",
		Stream: "eda", Line: "serial",
		Settings: func() device.Settings { return &Options{} },
		Greeting: device.Greeting{
			Baud: serialport.DefaultBaud, Ask: [][]byte{wire.AppendIdentify([]byte{0})},
			Recognise: recognise,
		},
	}
}

// recognise finds the box's Hello in what was heard.
func recognise(heard []byte) (string, bool) {
	var d wire.Decoder
	for len(heard) > 0 {
		m, rest, ok := d.Next(heard)
		if ok && m.Type == wire.TypeHello {
			return describe(m.Hello()), true
		}
		heard = rest
	}
	return "", false
}

// describe names a box as a person would.
func describe(h wire.Hello) string {
	return fmt.Sprintf("%s, firmware %d.%d.%d, serial number %d", h.Model, h.Firmware[0], h.Firmware[1], h.Firmware[2], h.Serial)
}

// Open makes the source of the box.
func (o *Options) Open() (stream.Source, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return New(*o), nil
}

// Check names the setting that is wrong.
func (o *Options) Check() error {
	if err := o.Place.Check(); err != nil {
		return err
	}
	if o.Rate < 0 || o.Rate > wire.MaxRate {
		return fmt.Errorf("rate: %d samples per second, the box can do 1 to %d", o.Rate, wire.MaxRate)
	}
	if o.LightThreshold < 0 || o.LightThreshold > 65535 {
		return fmt.Errorf("light_threshold: %d is not on the scale of the readings, 1 to 65535 (0 = found by the box)", o.LightThreshold)
	}
	c := o.circuit()
	if !(c.VrefMV > 0 && c.RfKohm > 0 && c.VccMV > c.VrefMV) {
		return fmt.Errorf("circuit: vref_mv %v, rf_kohm %v, vcc_mv %v: need positive values, and a supply above the reference", c.VrefMV, c.RfKohm, c.VccMV)
	}
	_, err := o.correction()
	return err
}

// circuit returns the amplifier, with the parts list's values where none is given.
func (o *Options) circuit() conductance.Circuit {
	c := conductance.Emobox()
	for _, part := range []struct {
		value float64
		of    *float64
	}{{o.Circuit.VrefMV, &c.VrefMV}, {o.Circuit.RfKohm, &c.RfKohm}, {o.Circuit.VccMV, &c.VccMV}} {
		if part.value != 0 {
			*part.of = part.value
		}
	}
	return c
}

// correction fits the calibration. Without one it changes nothing.
func (o *Options) correction() (conductance.Calibration, error) {
	if len(o.Calibration) == 0 {
		return conductance.Calibration{Gain: 1}, nil
	}
	points := make([]conductance.Point, len(o.Calibration))
	for i, r := range o.Calibration {
		points[i] = conductance.Point{Kohm: r.Kohm, MeasuredUS: r.MeasuredUS}
	}
	c, err := conductance.Fit(points)
	if err == nil && !(c.Gain > 0) {
		err = errors.New("the higher conductance reads lower: check which value belongs to which resistor")
	}
	if err != nil {
		return conductance.Calibration{}, fmt.Errorf("calibration: %w", err)
	}
	return c, nil
}

// rate returns the samples per second.
func (o *Options) rate() int {
	if o.Rate == 0 {
		return DefaultRate
	}
	return o.Rate
}

// wants returns what is to be turned on beside skin conductance.
func (o *Options) wants() wire.Capabilities {
	var c wire.Capabilities
	if o.Light {
		c |= wire.HasLight
	}
	if o.Trigger {
		c |= wire.HasTrigger
	}
	return c
}

// delays returns, for each of streams, how many ticks before its tick the instant
// lies of which a reading speaks.
func (o *Options) delays() []int64 {
	all := []int64{wire.DelayTicks}
	if o.Light {
		all = append(all, wire.LightDelayTicks)
	}
	if o.Trigger {
		all = append(all, 0)
	}
	return all
}

// streams returns the ids of the streams, in the order of Info.
func (o *Options) streams() []string {
	ids := []string{o.ID}
	if o.Light {
		ids = append(ids, o.ID+"_light")
	}
	if o.Trigger {
		ids = append(ids, o.ID+"_trigger")
	}
	return ids
}
