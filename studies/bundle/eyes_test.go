package bundle

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/calibration/gaze"
	"emolab/studies/session"
	"emolab/studies/store"
)

// What was shown, decided and found of the gaze is in the bundle, without what it tells
// of the machine.
func TestGazeIsInTheBundle(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := record(t, s, "s1", 3*time.Second, func(int64, int) float64 { return .5 })
	at := origin.Add(time.Second)
	err = errors.Join(
		s.AddLuminance(t.Context(), "", []float64{.25, .5}), // the videos of this study have no hash
		r.Target(t.Context(), session.Target{Purpose: session.ToValidate, Step: 0, Round: 1, Index: 2, X: .25, Y: .75, From: at, Until: at + 1.5e9, Err: 2e6}),
		r.Target(t.Context(), session.Target{Purpose: session.ToFixate, X: .5, Y: .5, From: at + 1.5e9}),
		r.Decision(t.Context(), session.Decision{Step: 0, Round: 1, Choice: session.Continue, How: session.ByOperator,
			Reason: "open /dev/ttySECRET: no such device", Value: json.RawMessage(`{"verdict":{"level":"refused","reasons":["see /home/somebody/x"]}}`), At: at + 1.5e9}),
		r.Seal(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	table := func(name string) [][]string { return parse(t, files[name])[1:] }

	if rows := table("gaze_targets.csv"); len(rows) != 2 || strings.Join(rows[0][3:], " ") != "2000000 0 validate 0 1 2 0.25 0.75" || rows[0][0] != "1.000000" || rows[1][2] != "" {
		t.Errorf("targets %v", rows)
	}
	if rows := table("stimuli_luminance.csv"); len(rows) != 2 || strings.Join(rows[1], " ") != "a 1 0.5" {
		t.Errorf("luminance %v", rows)
	}
	fixations := 0
	for _, row := range table("eye_events.csv") {
		if row[5] == "fixation" && row[8] == "a" && row[7] == "1" && row[12] == "0.5" {
			fixations++
		}
	}
	if fixations == 0 {
		t.Errorf("events %v", table("eye_events.csv"))
	}

	var made []decision
	if err := json.Unmarshal(files["decisions.json"], &made); err != nil || len(made) != 1 {
		t.Fatalf("decisions %s, %v", files["decisions.json"], err)
	}
	if d := made[0]; d.Choice != session.Continue || d.AtS != 2.5 || d.Round != 1 || strings.Contains(string(files["decisions.json"]), "SECRET") || !strings.Contains(d.Reason, "[path]") {
		t.Errorf("decision %+v", d)
	}
	var fitted []calibration
	if err := json.Unmarshal(files["calibrations.json"], &fitted); err != nil {
		t.Fatal(err)
	}
	var v gaze.Validation
	if len(fitted) != 1 || fitted[0].Kind != "gaze-validation" || fitted[0].Stream != "gaze" || *fitted[0].Step != 0 || !fitted[0].Current || json.Unmarshal(fitted[0].Value, &v) != nil || len(v.Points) != 1 {
		t.Errorf("calibrations %s", files["calibrations.json"])
	}
	for name, b := range files {
		if strings.Contains(string(b), "SECRET") || strings.Contains(string(b), "/home/somebody") {
			t.Errorf("%s tells of the machine", name)
		}
	}
}
