package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
)

// labFile is lab.yaml: which devices this workstation has.
type labFile struct {
	Camera  cameraEntry   `yaml:"camera"`
	Screen  screenEntry   `yaml:"screen"`
	Devices []deviceEntry `yaml:"devices"`
}

// cameraEntry names the camera.
type cameraEntry struct {
	Source string  `yaml:"source"` // "/dev/video0", a video file, a URL, "browser"
	Width  int     `yaml:"width"`
	Height int     `yaml:"height"`
	FPS    float64 `yaml:"fps"`
}

// screenEntry is the participant's screen: how large its picture is, and how far
// away the eyes are. With it gaze becomes degrees of visual angle.
type screenEntry struct {
	size struct {
		Width    float64 `yaml:"width_mm"`
		Height   float64 `yaml:"height_mm"`
		Distance float64 `yaml:"distance_mm"`
	}
	line int // 0 = lab.yaml names none
	err  error
}

// UnmarshalYAML reads the screen and keeps its line.
func (s *screenEntry) UnmarshalYAML(node ast.Node) error {
	s.line = node.GetToken().Position.Line
	if err := yaml.NodeToValue(node, &s.size, yaml.Strict()); err != nil {
		s.err = fmt.Errorf("screen: %s\nwant for example %s", strings.TrimSpace(yaml.FormatError(err, false, true)), exampleScreen)
		return nil
	}
	for _, length := range []struct {
		key          string
		mm, from, to float64
	}{
		{"width_mm", s.size.Width, 50, 5000}, {"height_mm", s.size.Height, 50, 5000},
		{"distance_mm", s.size.Distance, 150, 5000},
	} {
		if !(length.mm >= length.from && length.mm <= length.to) {
			s.err = fmt.Errorf("screen: %s: %v is not between %v and %v: measure the picture and the distance of the eyes from it in millimetres, for example %s",
				length.key, length.mm, length.from, length.to, exampleScreen)
			return nil
		}
	}
	return nil
}

// exampleScreen is what a person is told to write.
const exampleScreen = "screen: {width_mm: 531, height_mm: 299, distance_mm: 650}"

// screen is the participant's; the zero value where lab.yaml names none.
func (l labFile) screen() eyemovement.Screen {
	s := l.Screen.size
	return eyemovement.Screen{WidthMM: s.Width, HeightMM: s.Height, DistanceMM: s.Distance}
}

// deviceEntry is one device: its driver, and that driver's settings.
type deviceEntry struct {
	driver   device.Driver
	settings device.Settings
	source   stream.Source // made of the settings; nothing is touched before it runs
	line     int
	err      error // what is wrong with it; readLab reports all devices' at once
}

// UnmarshalYAML reads the driver's name first and then all into that driver's
// own settings, so that an unknown key is an error with its line.
func (d *deviceEntry) UnmarshalYAML(node ast.Node) error {
	d.line = node.GetToken().Position.Line
	d.err = d.read(node)
	return nil
}

func (d *deviceEntry) read(node ast.Node) error {
	var keys map[string]any
	if err := yaml.NodeToValue(node, &keys); err != nil {
		return errors.New("this is no device: want for example {driver: emobox, port: /dev/ttyUSB0}")
	}
	name, _ := keys["driver"].(string)
	if name == "" {
		return errors.New("the device has no driver: want for example {driver: emobox, port: /dev/ttyUSB0}")
	}
	var err error
	if d.driver, err = driverNamed(name); err != nil {
		return err
	}
	d.settings = d.driver.Settings()
	if err := yaml.NodeToValue(node, d.settings, yaml.Strict()); err != nil {
		return fmt.Errorf("%s\n%s knows the keys %s", strings.TrimSpace(yaml.FormatError(err, false, true)), name, strings.Join(keysOf(d.settings), ", "))
	}
	place := d.settings.At()
	place.Clock = instant.Monotonic{}
	if place.ID == "" {
		place.ID = d.driver.Stream
	}
	if !goodID.MatchString(place.ID) {
		return fmt.Errorf("id %q: want letters, digits, - and _, for example left_hand", place.ID)
	}
	// Opening touches nothing yet: it tells a wrong setting while the file is read.
	if d.source, err = d.settings.Open(); err != nil {
		return fmt.Errorf("%s (%s): %w", place.ID, name, err)
	}
	return nil
}

// goodID is what a stream may be called: it becomes a file name and a word in SQL.
var goodID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// keysOf lists the keys that lab.yaml may set, in the order of the struct.
func keysOf(settings any) []string {
	var keys []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(settings).Elem()) {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// exampleLab is what a person without a lab.yaml is told to write.
const exampleLab = `camera:
  source: /dev/video0
` + exampleScreen + `
devices:
  - {driver: emobox, port: /dev/ttyUSB0}
  - {driver: gazepoint, port: /dev/ttyUSB1}`

// readLab reads lab.yaml. Unknown keys are errors, with their line.
func readLab(path string) (labFile, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return labFile{}, fmt.Errorf("%w: write it, for example\n\n%s\n\n(`emolab devices` lists what is plugged in)", err, exampleLab)
	}
	if err != nil {
		return labFile{}, err
	}
	var lab labFile
	if err := yaml.UnmarshalWithOptions(b, &lab, yaml.Strict()); err != nil {
		return labFile{}, fmt.Errorf("%s:\n%s", path, yaml.FormatError(err, false, true))
	}
	var wrong []error
	if lab.Screen.err != nil {
		wrong = append(wrong, fmt.Errorf("%s, line %d: %w", path, lab.Screen.line, lab.Screen.err))
	}
	for i, d := range lab.Devices {
		switch {
		case d.err != nil:
			wrong = append(wrong, fmt.Errorf("%s, line %d: %w", path, d.line, d.err))
		case d.settings == nil:
			wrong = append(wrong, fmt.Errorf("%s: device %d is empty: write what it is behind the -, or delete the line", path, i+1))
		}
	}
	wrong = append(wrong, lab.twins(path)...)
	return lab, errors.Join(wrong...)
}

// twins finds devices that would deliver a stream of the same id, or that are the
// same port.
func (l labFile) twins(path string) []error {
	var wrong []error
	ids := map[string]int{"face": 0, "stimulus": 0, "trace": 0} // by the line that has them; 0 = Emolab itself
	places := map[string]int{}
	for _, d := range l.Devices {
		if d.source == nil {
			continue // what is wrong with it is said already
		}
		for _, info := range d.source.Info() {
			switch line, taken := ids[info.ID]; {
			case taken && line == 0:
				wrong = append(wrong, fmt.Errorf("%s, line %d: id %s is Emolab's own: give the device another, for example id: %s2", path, d.line, info.ID, info.ID))
			case taken:
				wrong = append(wrong, fmt.Errorf("%s, lines %d and %d: both devices deliver a stream %q: give one an id of its own, for example id: %s2", path, line, d.line, info.ID, info.ID))
			}
			ids[info.ID] = d.line
		}
		p := d.settings.At()
		where := p.Where()
		if p.Serial != "" {
			where = "serial number " + p.Serial
		}
		if line, taken := places[where]; taken {
			wrong = append(wrong, fmt.Errorf("%s, lines %d and %d: both devices are at %s", path, line, d.line, where))
		}
		places[where] = d.line
	}
	return wrong
}
