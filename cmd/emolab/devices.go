package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"emolab/capture/webcam"
	"emolab/sensors/serialport"
)

// devicesCmd lists what is plugged in, and how it does.
type devicesCmd struct {
	Lab  string   `help:"The devices of this workstation, if the file exists. Default: lab.yaml here." default:"lab.yaml" type:"path" placeholder:"FILE"`
	Port []string `help:"Look at this port as well: one that is not listed by itself." placeholder:"PATH"`
	Ask  bool     `help:"Ask what is on the ports. --no-ask only lists them and opens nothing." default:"true" negatable:""`
	JSON bool     `help:"Print JSON."`
}

// Help shows examples below the flags.
func (devicesCmd) Help() string {
	return `Examples:
  emolab devices               what is on each port, its rate and a live value
  emolab devices --no-ask      the list only; nothing is opened
  emolab devices --port /dev/rfcomm0

A port that another program holds is not opened. The others are listened to, and
then asked harmless questions only. Opening a port resets some boards (Arduino).`
}

// present is what devicesCmd prints as JSON.
type present struct {
	Cameras  []webcam.Found    `json:"cameras"`
	Ports    []*sighting       `json:"ports"`
	LabLines []string          `json:"lab_lines"` // for lab.yaml: devices that were recognised
	Drivers  map[string]string `json:"drivers"`
}

// Run is the command.
func (c *devicesCmd) Run(a *app) error {
	cameras, err := webcam.List()
	if err != nil {
		return err
	}
	found, err := serialport.List()
	if err != nil {
		return err
	}
	lab, err := readLab(c.Lab)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	all := sightings(found, c.Port, lab)
	if c.Ask && len(all) > 0 {
		progress := newBar(a.err, len(all), "asking the ports")
		asked := 0
		survey(a.ctx, all, func() {
			asked++
			progress.set(asked, len(all), "asking the ports")
		})
		progress.finish()
	}
	slices.SortFunc(all, byName)
	if c.JSON {
		p := present{cameras, all, labLines(all), map[string]string{}}
		for _, d := range drivers() {
			p.Drivers[d.Name] = d.About
		}
		return printJSON(a.out, p)
	}
	fmt.Fprintln(a.out, "Cameras")
	for _, cam := range cameras {
		fmt.Fprintf(a.out, "  %s\n", cam)
	}
	if len(cameras) == 0 {
		fmt.Fprintln(a.out, "  none: plug one in, or let serve take a video file with --camera")
	}
	fmt.Fprintln(a.out, "\nSensors")
	for _, s := range all {
		fmt.Fprintf(a.out, "  %-14s %s\n", s.name(), strings.Join(s.identity(), ", "))
		if c.Ask {
			fmt.Fprintf(a.out, "  %-14s %s\n", "", s.words())
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(a.out, "  no serial port is present: plug a sensor in, or try --virtual")
	}
	if lines := labLines(all); len(lines) > 0 {
		fmt.Fprintln(a.out, "\nNot in lab.yaml yet; add below devices:")
		for _, l := range lines {
			fmt.Fprintf(a.out, "  - %s\n", l)
		}
	}
	if !c.Ask {
		fmt.Fprintln(a.out, "\nDrivers that lab.yaml can name")
		for _, d := range drivers() {
			fmt.Fprintf(a.out, "  %-10s %s\n", d.Name, d.About)
		}
	}
	return nil
}

// identity is what is known of it without asking.
func (s *sighting) identity() []string {
	var words []string
	if s.Product != "" {
		words = append(words, s.Product)
	}
	if s.Serial != "" && s.Path != "" {
		words = append(words, "serial "+s.Serial)
	}
	if s.InLab {
		words = append(words, "lab.yaml: "+s.ID+" ("+s.Driver+")")
	}
	if len(words) == 0 {
		words = append(words, "no USB description")
	}
	return words
}
