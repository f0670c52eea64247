package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// labFile is lab.yaml: which devices this workstation has.
type labFile struct {
	Camera  cameraEntry   `yaml:"camera"`
	Devices []deviceEntry `yaml:"devices"`
}

// cameraEntry names the camera.
type cameraEntry struct {
	Source string  `yaml:"source"` // "/dev/video0", a video file, a URL
	Width  int     `yaml:"width"`
	Height int     `yaml:"height"`
	FPS    float64 `yaml:"fps"`
}

// deviceEntry names one device on a serial line.
type deviceEntry struct {
	ID     string `yaml:"id"`     // of its stream; default: what it measures ("eda")
	Driver string `yaml:"driver"` // see drivers
	Serial string `yaml:"serial"` // the USB serial number; finds the port wherever it is plugged in
	Port   string `yaml:"port"`   // "/dev/ttyUSB0"; used when there is no serial number
	Baud   int    `yaml:"baud"`   // default: the driver's

	simulated bool // a virtual device is at the other end
}

// exampleLab is what a person without a lab.yaml is told to write.
const exampleLab = `camera:
  source: /dev/video0
devices:
  - {driver: emobox, port: /dev/ttyUSB0}
  - {driver: gazepoint, port: /dev/ttyUSB1}`

// readLab reads lab.yaml. Unknown keys are errors, with their line.
func readLab(path string) (labFile, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return labFile{}, fmt.Errorf("%w: write it, for example\n\n%s\n\n(`emolab devices` lists what is plugged in), or start with --virtual", err, exampleLab)
	}
	if err != nil {
		return labFile{}, err
	}
	var lab labFile
	if err := yaml.UnmarshalWithOptions(b, &lab, yaml.Strict()); err != nil {
		return labFile{}, fmt.Errorf("%s:\n%s", path, yaml.FormatError(err, false, true))
	}
	for i, d := range lab.Devices {
		if d.Driver == "" || (d.Port == "" && d.Serial == "") {
			return labFile{}, fmt.Errorf("%s: device %d needs a driver and a port or serial, for example {driver: emobox, port: /dev/ttyUSB0}", path, i+1)
		}
	}
	return lab, nil
}
