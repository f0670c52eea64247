package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where there is an eye tracker, doctor says whether degrees can be told, and serve where
// they cannot.
func TestDoctorLooksAtTheScreen(t *testing.T) {
	const tracker = "devices:\n  - {driver: gazepoint, port: /dev/ttyUSB7}\n"
	for _, c := range []struct {
		text    string
		verdict verdict // "" = nothing is said
		says    string
	}{
		{tracker, warning, "531 x 299 mm at 650 mm"},
		{exampleScreen + "\n" + tracker, fine, "44.4 by 25.9 degrees"},
		{exampleScreen + "\n", fine, "531 x 299 mm"},
		{"devices:\n  - {driver: emobox, port: /dev/ttyUSB7}\n", "", ""},
	} {
		path := filepath.Join(t.TempDir(), "lab.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		lab, err := readLab(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := realRig(lab, detectorFlags{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if noted := len(r.notes) > 0; noted != (c.verdict == warning) {
			t.Errorf("%q: the rig's notes are %q", c.text, r.notes)
		}
		got := checkScreen(lab)
		if c.verdict == "" {
			if len(got) != 0 {
				t.Errorf("%q: %+v", c.text, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Verdict != c.verdict || !strings.Contains(got[0].Text, c.says) {
			t.Errorf("%q: %+v, want %s with %q", c.text, got, c.verdict, c.says)
		}
	}
}
