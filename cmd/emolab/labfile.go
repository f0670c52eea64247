package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"

	"emolab/fusion/instant"
	"emolab/sensors/device"
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

// deviceEntry is one device: its driver, and that driver's settings.
type deviceEntry struct {
	driver   device.Driver
	settings device.Settings
}

// UnmarshalYAML reads the driver's name first and then all into that driver's
// own settings, so that an unknown key is an error with its line.
func (d *deviceEntry) UnmarshalYAML(into func(any) error) error {
	var keys map[string]any
	if err := into(&keys); err != nil {
		return err
	}
	name, _ := keys["driver"].(string)
	if name == "" {
		return errors.New("a device needs a driver and a place, for example {driver: emobox, port: /dev/ttyUSB0}")
	}
	var err error
	if d.driver, err = driverNamed(name); err != nil {
		return err
	}
	d.settings = d.driver.Settings()
	if err := into(d.settings); err != nil {
		return err
	}
	place := d.settings.At()
	place.Clock = instant.Monotonic{}
	if place.ID == "" {
		place.ID = d.driver.Stream
	}
	// Opening touches nothing yet: it tells a wrong setting while the file is read.
	if _, err := d.settings.Open(); err != nil {
		return fmt.Errorf("device %s (%s): %w", place.ID, name, err)
	}
	return nil
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
	return lab, nil
}
