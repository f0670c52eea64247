package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/device"
	"emolab/sensors/inspect"
	"emolab/sensors/virtual"
)

// speaksWhenTold are devices that are silent until they are told to stream, which
// nobody tells a device that is not known: they must be named in lab.yaml.
var speaksWhenTold = map[string]bool{"iscan": true}

// Every device that can be recognised is, among all the others' questions; and the
// questions leave it able to work.
func TestEveryDeviceIsRecognised(t *testing.T) {
	for _, d := range drivers() {
		if !d.Greeting.Can() || d.Line != "serial" || speaksWhenTold[d.Name] {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			name := "ttyUSB7"
			if d.Greeting.Bluetooth {
				name = "rfcomm7"
			}
			clock := instant.Monotonic{}
			s := d.Settings()
			*s.At() = device.Place{Driver: d.Name, ID: "x", Clock: clock, Simulated: true}
			twin := s.Twin(virtual.TwinOptions{Truth: script.NewTruth(script.New(1), clock.Now()), Clock: clock, Seed: 1})
			link, err := virtual.NewLink(filepath.Join(t.TempDir(), name), twin, virtual.Disturbance{Baud: d.Greeting.Baud}, 1, clock)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := link.Close(); err != nil {
					t.Error(err)
				}
			})
			f := inspect.Port(t.Context(), link.Path(), clock, drivers())
			if f.State != inspect.Known || f.Driver != d.Name || f.Baud != d.Greeting.Baud {
				t.Fatalf("%+v, want %s at %d baud", f, d.Name, d.Greeting.Baud)
			}
			s.At().Port = link.Path()
			if r, err := inspect.Watch(t.Context(), s, watchTime); err != nil || r.Health != inspect.Well {
				t.Errorf("after it was asked: %+v, %v", r, err)
			}
		})
	}
}

// The table of devices names every driver.
func TestSensorsReadme(t *testing.T) {
	b, err := os.ReadFile("../../sensors/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drivers() {
		if !strings.Contains(string(b), "`"+d.Name+"`") {
			t.Errorf("sensors/README.md does not name %s", d.Name)
		}
	}
}
