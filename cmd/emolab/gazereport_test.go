package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"emolab/calibration/conductance"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// The report counts steps and rounds from 1, says what was refused, who calibrated the
// tracker and why pupils are as they are, and tells of every breath.
func TestReportOfTheEyesAndTheSkin(t *testing.T) {
	off, kappa := 2.4, .7
	d := distance{
		Gaze: []validated{
			{Step: 0, Round: 1, Own: true, Verdict: "refused", Choice: "continue", Found: precision{AccuracyDeg: &off}, Simulated: precision{AccuracyDeg: &off}},
			{Step: 8, Verdict: "good", Choice: "accept"},
			{Step: 9, Verdict: "refused", Choice: "continue", Measured: true},
		},
		Eyes:    &looked{Samples: 12, Fixation: &kappa},
		Pupils:  "not adjusted for luminance: it is not known",
		Breaths: []breathed{{Step: 1, Found: true, LatencyS: 2, AmplitudeUS: .5, WantS: 2, WantUS: .6}, {Step: 9, WantS: 2, WantUS: .6}},
	}
	d.Responses = script.ResponseScore{Scripted: 5, Found: 4, Extra: 1}
	var b strings.Builder
	if err := d.print(&b); err != nil {
		t.Fatal(err)
	}
	said := b.String()
	for _, want := range []string{
		"gaze, step 1 round 2 ", "accuracy 2.40° (simulated 2.40)", ": refused, continue\n",
		"gaze, step 9 round 1 ", ": good, accept\n",
		"calibrated itself", "simulated accuracy: how far the tracker slipped", "no limit is set",
		"pupils                     not adjusted for luminance: it is not known",
		"deep breath, step 2        0.50 µS after 2.0 s (simulated 0.60 after 2.0)",
		"deep breath, step 10       no response found",
		"4 of 5 simulated, scripted or to a deep breath, 1 others",
		": beyond what is accepted, only measured\n",
		"refused: 1 calibrations",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	b.Reset()
	if err := (distance{}).print(&b); err != nil || strings.Contains(b.String(), "refused") || strings.Contains(b.String(), "itself") {
		t.Errorf("of nothing (%v):\n%s", err, b.String())
	}
}

// Each check is told with the breath that it was made for, also where it looks back on
// the one before.
func TestEveryBreathIsMeasured(t *testing.T) {
	second := instant.Instant(time.Second)
	d := store.Detail{Derivations: []store.Derivation{{Name: "final", Current: true}}}
	var truth script.Record
	for i, cue := range []instant.Instant{100 * second, 130 * second} {
		step, round := i+1, 0
		from, until := conductance.Stretch(90*second, cue)
		value, err := json.Marshal(conductance.Readiness{Breath: &conductance.Breath{LatencyS: float64(i + 1), AmplitudeUS: .5}})
		if err != nil {
			t.Fatal(err)
		}
		d.Calibrations = append(d.Calibrations, store.Calibration{Derivation: "final", Kind: "conductance-check", Step: &step, Round: &round, From: from, Until: until, Value: value})
		truth.Breaths = append(truth.Breaths, script.Breath{At: cue, Onset: cue.Add(2 * time.Second), AmplitudeUS: .6})
	}
	all, err := measureBreaths(d, truth)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, b := range all {
		if !b.Found || b.Step != i+1 || b.LatencyS != float64(i+1) || b.WantS != 2 || b.WantUS != .6 {
			t.Errorf("breath %d: %+v", i, b)
		}
	}
}

// What a tracker calibrated of itself holds in it, also where the operator went on
// without; what we fitted and nobody accepted does not.
func TestWhichCalibrationHolds(t *testing.T) {
	targets := []store.Target{{Target: session.Target{Purpose: session.ToCalibrate, From: 10, Until: 20}}}
	for value, holds := range map[string]bool{`{"own":true,"tracker":{}}`: true, `{"calibration":{}}`: false} {
		d := store.Detail{Decisions: []store.Decision{{Decision: session.Decision{Choice: session.Continue, At: 30, Value: json.RawMessage(value)}}}}
		if at, ok := calibrated(d, targets, 0, 50); ok != holds || holds && at != 20 {
			t.Errorf("%s: calibrated at %v, %t", value, at, ok)
		}
	}
}

// A calibration that came to nothing has no validation, and is told all the same.
func TestAFailedCalibrationIsTold(t *testing.T) {
	refused := `{"own":true,"verdict":{"level":"refused","reasons":["The tracker could not calibrate itself."]}}`
	d := store.Detail{Decisions: []store.Decision{
		{Decision: session.Decision{Round: 0, Choice: session.Redo, Value: json.RawMessage(refused)}},
		{Decision: session.Decision{Round: 1, Choice: session.Accept, Value: json.RawMessage(`{"own":true,"validation":{"points":[]}}`)}},
		{Decision: session.Decision{Step: 1, Choice: session.Continue, Value: json.RawMessage(`{}`)}},
	}}
	d.Plan.Steps = []study.Step{{Action: study.Calibrate}, {Index: 1, Action: study.Breath}}
	all := withFailed(d, []validated{{Round: 1, Choice: "accept", Verdict: "good"}})
	if len(all) != 2 || all[0].Round != 0 || all[0].Failed == "" || all[1].Round != 1 {
		t.Fatalf("%+v", all)
	}
	var b strings.Builder
	(distance{Gaze: all}).printGaze(&b)
	if want := "gaze, step 1 round 1       The tracker could not calibrate itself: refused, redo\n"; !strings.Contains(b.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, b.String())
	}
}
