package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// plugIn plugs a driver's virtual device into a port of its own and returns the path.
func plugIn(t *testing.T, driver string, what virtual.Disturbance) string {
	t.Helper()
	d, err := driverNamed(driver)
	if err != nil {
		t.Fatal(err)
	}
	clock := instant.Monotonic{}
	s := d.Settings()
	s.At().ID, s.At().Clock = d.Stream, clock
	twin := s.Twin(virtual.TwinOptions{Truth: script.NewTruth(script.New(1), clock.Now()), Clock: clock, Seed: 1})
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyUSB7"), twin, what, 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link.Path()
}

func writeLab(t *testing.T, devices ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lab.yaml")
	text := "devices:\n"
	for _, d := range devices {
		text += "  - " + d + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// aHundred is what a rate of 100 Hz reads like. It is measured within a second by when
// samples arrive: on a machine that stands still for a while they come late and together.
// What is within half and twice the rate is well.
var aHundred = regexp.MustCompile(`\b([5-9]\d|1\d\d) of 100 samples a second; now raw`)

// What an experimenter sees of a bench full of ports.
func TestDevices(t *testing.T) {
	t.Parallel()
	box, other := plugIn(t, "emobox", virtual.Disturbance{}), plugIn(t, "emobox", virtual.Disturbance{})
	quiet := serialtest.Open(t)
	lab := writeLab(t,
		fmt.Sprintf("{driver: emobox, port: %s}", box),
		"{driver: gazepoint, serial: NOSUCH}")
	args := []string{"devices", "--lab", lab, "--port", other, "--port", quiet.Path()}

	code, out, errOut := emolab(t, args...)
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, want := range []string{
		"lab.yaml: eda (emobox)",
		"eda_us",
		"serial number NOSUCH",
		"no such port",
		"no answer",
		"- {driver: emobox, id: eda2, port: " + other + "}",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("devices does not say %q:\n%s", want, out)
		}
	}
	if !aHundred.MatchString(out) {
		t.Errorf("devices does not say %s:\n%s", aHundred, out)
	}

	code, out, errOut = emolab(t, append(args, "--no-ask", "--json")...)
	var p present
	if err := json.Unmarshal([]byte(out), &p); code != exitFine || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errOut)
	}
	if len(p.Drivers) != len(drivers()) {
		t.Errorf("%d drivers, want %d", len(p.Drivers), len(drivers()))
	}
	for _, s := range p.Ports {
		if s.Finding != nil || s.Report != nil {
			t.Errorf("%s was asked", s.Path)
		}
	}
}

// Each thing that keeps a device from working has its own words. It is the program as it is
// built for users: each speed is tried for a few seconds, of which the race detector would
// take most on a busy machine.
func TestDoctorOnDevices(t *testing.T) {
	t.Parallel()
	good, slow := plugIn(t, "emobox", virtual.Disturbance{}), plugIn(t, "emobox", virtual.Disturbance{Baud: 57600})
	lab := writeLab(t,
		fmt.Sprintf("{driver: emobox, id: good, port: %s}", good),
		fmt.Sprintf("{driver: emobox, id: speed, port: %s}", slow),
		"{driver: emobox, id: absent, port: /dev/ttyNONE}")
	_, out, errOut := program(t, "doctor", "--lab", lab, "--data", t.TempDir(), "--json")
	var findings []finding
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		t.Fatalf("%v: %s", err, errOut)
	}
	got := map[string]finding{}
	for _, f := range findings {
		got[f.What] = f
	}
	for what, want := range map[string]struct {
		verdict verdict
		text    string
	}{
		"good":   {fine, " of 100 samples"},
		"speed":  {bad, "57600"},
		"absent": {bad, "no such port"},
	} {
		f := got[what]
		if f.Verdict != want.verdict || !strings.Contains(f.Text+f.Advice, want.text) {
			t.Errorf("%s: %+v, want %s and %q", what, f, want.verdict, want.text)
		}
	}
	if text := got["good"].Text; !aHundred.MatchString(text) {
		t.Errorf("good: %s, want %s", text, aHundred)
	}
}
