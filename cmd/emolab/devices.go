package main

import (
	"fmt"

	"emolab/capture/webcam"
	"emolab/sensors/serialport"
)

// devicesCmd lists what is plugged in.
type devicesCmd struct {
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (devicesCmd) Help() string {
	return "Example:\n  emolab devices\n\nNothing is opened: opening a port can reset a device that is in use."
}

// present is what devicesCmd prints as JSON.
type present struct {
	Cameras []webcam.Found     `json:"cameras"`
	Ports   []serialport.Found `json:"ports"`
	Drivers map[string]string  `json:"drivers"`
}

// Run is the command.
func (c *devicesCmd) Run(a *app) error {
	cameras, err := webcam.List()
	if err != nil {
		return err
	}
	ports, err := serialport.List()
	if err != nil {
		return err
	}
	all := drivers()
	if c.JSON {
		p := present{cameras, ports, map[string]string{}}
		for _, d := range all {
			p.Drivers[d.Name] = d.About
		}
		return printJSON(a.out, p)
	}
	fmt.Fprintln(a.out, "Cameras")
	for _, cam := range cameras {
		fmt.Fprintf(a.out, "  %s\n", cam)
	}
	if len(cameras) == 0 {
		fmt.Fprintln(a.out, "  none: plug one in, or give a video file with --camera")
	}
	fmt.Fprintln(a.out, "\nSerial ports")
	for _, port := range ports {
		fmt.Fprintf(a.out, "  %s\n", port)
	}
	if len(ports) == 0 {
		fmt.Fprintln(a.out, "  none: plug a sensor in, or try --virtual")
	}
	fmt.Fprintln(a.out, "\nDrivers that lab.yaml can name")
	for _, d := range all {
		fmt.Fprintf(a.out, "  %-10s %s\n", d.Name, d.About)
	}
	return nil
}
