package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/gsr/emobox"
)

// driver is one entry of the catalogue: a device that lab.yaml can name.
type driver struct {
	about string // for people
	id    string // default id of its stream
	open  func(deviceEntry) stream.Source
}

// drivers is the catalogue. A new device is one package and one entry here.
func drivers() map[string]driver {
	var clock instant.Monotonic
	return map[string]driver{
		"emobox": {"Emolab EDA box, our own microcontroller", "eda", func(d deviceEntry) stream.Source {
			return emobox.New(emobox.Options{
				ID: d.ID, Port: d.Port, Serial: d.Serial, Baud: d.Baud, Clock: clock, Simulated: d.simulated})
		}},
		"gazepoint": {"eye tracker with Open Gaze records (Gazepoint GP3)", "gaze", func(d deviceEntry) stream.Source {
			return gazepoint.New(gazepoint.Options{
				ID: d.ID, Port: d.Port, Serial: d.Serial, Baud: d.Baud, Clock: clock, Simulated: d.simulated})
		}},
	}
}

// open makes the source of one device. Nothing is touched before it runs.
func (d deviceEntry) open() (stream.Source, error) {
	all := drivers()
	known, ok := all[d.Driver]
	if !ok {
		return nil, fmt.Errorf("lab.yaml: there is no driver %q; there are: %s", d.Driver,
			strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	if d.ID == "" {
		d.ID = known.id
	}
	return known.open(d), nil
}
