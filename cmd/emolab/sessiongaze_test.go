package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/studies/session"
	"emolab/studies/store"
)

// asJSON is what the database has of a value.
func asJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// `session show` says of every calibration, validation and check what it gave and what
// was decided, of the derivation that is shown.
func TestShowTellsCalibrations(t *testing.T) {
	step, round := 1, 0
	level := 7.5
	d := store.Detail{
		Segments:    []store.Segment{{Segment: session.Segment{Screen: session.AssumedScreen(), ScreenAssumed: true}}},
		Derivations: []store.Derivation{{Name: "live"}, {Name: "final", Current: true}},
		Calibrations: []store.Calibration{
			{Derivation: "final", Kind: "neutral", Value: json.RawMessage(`{}`)},
			{Derivation: "final", Kind: "gaze", Step: &step, Round: &round, Used: true, Value: asJSON(t, gaze.Calibration{Model: gaze.Affine, Points: make([]gaze.PointFit, 5), MeanDeg: .25, CVDeg: .5})},
			{Derivation: "final", Kind: "gaze-validation", Step: &step, Round: &round, Value: asJSON(t, gaze.Validation{MeanDeg: .75, MaxDeg: math.NaN(), RMSS2SDeg: .125, SDDeg: .5, Loss: .25, Points: make([]gaze.ValidationPoint, 3), Missed: make([]gaze.Unused, 1)})},
			{Derivation: "final", Kind: "gaze-drift", Value: asJSON(t, gaze.Drift{Crosses: make([]gaze.Cross, 12), MeanDeg: .5, MaxDeg: 1, Trend: &gaze.Trend{DegPerMin: .0625}})},
			{Derivation: "final", Kind: "conductance-check", Step: &step, Round: &round, Value: asJSON(t, conductance.Readiness{Level: conductance.Doubtful, LevelUS: &level})},
			{Derivation: "final", Kind: "gaze", Step: &step, Round: &round, Value: json.RawMessage(`{"refused":"nobody looked"}`)},
			{Derivation: "live", Kind: "gaze", Step: &step, Round: &round, Value: json.RawMessage(`{"refused":"of another derivation"}`)},
		},
		Decisions: []store.Decision{{Decision: session.Decision{Step: 1, Choice: session.Continue, How: session.ByOperator, Reason: "wears glasses"}}},
	}
	var b strings.Builder
	if err := printGaze(&b, &d); err != nil {
		t.Fatal(err)
	}
	said := b.String()
	for _, want := range []string{
		"screen: 531 x 299 mm at 650 mm, assumed",
		"affine, 5 targets, residual 0.25 deg, cross-validated 0.50 deg; used",
		"accuracy 0.75 deg, worst point - deg, precision 0.12 deg RMS-S2S and 0.50 deg SD, 25 % lost, 3 of 4 points",
		"0.50 deg on average at 12 crosses, 1.00 deg at most, 0.062 deg a minute",
		"fair, level 7.50 µS, no answer to a deep breath",
		"nobody looked",
		"step 2, round 1: continue, operator: wears glasses",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "neutral") || strings.Contains(said, "of another derivation") {
		t.Errorf("it says what does not belong there:\n%s", said)
	}
	d.Calibrations[1].Value = json.RawMessage(`{"model": 3}`)
	if err := printGaze(&b, &d); err == nil {
		t.Error("a damaged value was shown")
	}
}
