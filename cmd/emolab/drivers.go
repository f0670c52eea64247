package main

import (
	"fmt"
	"slices"
	"strings"

	"emolab/sensors/device"
	"emolab/sensors/eyetracker/eyetrac"
	"emolab/sensors/eyetracker/eyetribe"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/eyetracker/iscan"
	"emolab/sensors/eyetracker/iviewx"
	"emolab/sensors/gsr/bitalino"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/gsr/grove"
	"emolab/sensors/gsr/shimmer3"
	"emolab/sensors/trigger/rawbyte"
	"emolab/sensors/trigger/usbttl"
	"emolab/sensors/trigger/xid"
)

// drivers is the catalogue. A new device is one package and one line here. On a
// port of which nothing is known they are asked in this order: shimmer3 before
// bitalino, whose question would start it.
func drivers() []device.Driver {
	return []device.Driver{
		emobox.Driver(),
		shimmer3.Driver(),
		bitalino.Driver(),
		grove.Driver(),
		gazepoint.Driver(),
		eyetribe.Driver(),
		iscan.Driver(),
		eyetrac.Driver(),
		iviewx.Driver(),
		usbttl.Driver(),
		xid.Driver(),
		rawbyte.Driver(),
	}
}

// freeID numbers the devices of a kind: eda, eda2, eda3.
func freeID(usual string, taken func(id string) bool) string {
	id := usual
	for n := 2; taken(id); n++ {
		id = fmt.Sprint(usual, n)
	}
	return id
}

// driverNamed finds a driver in the catalogue.
func driverNamed(name string) (device.Driver, error) {
	all := drivers()
	if i := slices.IndexFunc(all, func(d device.Driver) bool { return d.Name == name }); i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.Name
	}
	return device.Driver{}, fmt.Errorf("there is no driver %q; there are: %s", name, strings.Join(names, ", "))
}
