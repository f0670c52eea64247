package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// validated compares what a validation found with what was simulated, in degrees.
type validated struct {
	Step      int       `json:"step"`          // from 0, as in the database
	Round     int       `json:"round"`         // likewise
	Measured  bool      `json:"only_measured"` // in a validate step, which refuses nothing
	Own       bool      `json:"own"`           // of a calibration that the tracker made of itself
	Verdict   string    `json:"verdict,omitempty"`
	Failed    string    `json:"failed,omitempty"` // why nothing came about that could be validated
	Choice    string    `json:"choice"`           // what became of it: "accept", "redo", "continue"
	Reason    string    `json:"reason,omitempty"`
	Simulated precision `json:"simulated"`
	Found     precision `json:"found"`
	Loss      float64   `json:"loss"`
}

// precision is how far off gaze is, and how it scatters, in degrees. An unknown
// number is nil.
type precision struct {
	AccuracyDeg *float64 `json:"accuracy_deg"`
	RMSS2SDeg   *float64 `json:"rms_s2s_deg"`
	SDDeg       *float64 `json:"sd_deg"`
}

// breathed compares the response to a deep breath with the simulated one.
type breathed struct {
	Step        int     `json:"step"`  // from 0, as in the database
	Round       int     `json:"round"` // likewise
	Found       bool    `json:"found"`
	LatencyS    float64 `json:"latency_s"` // from the cue
	AmplitudeUS float64 `json:"amplitude_us"`
	WantS       float64 `json:"simulated_latency_s"`
	WantUS      float64 `json:"simulated_amplitude_us"`
}

// looked is how well eye movements were told apart, as Cohen's kappa over the
// samples of the eye tracker.
type looked struct {
	Samples  int      `json:"samples"`
	Fixation *float64 `json:"fixation"`
	Saccade  *float64 `json:"saccade"`
	Blink    *float64 `json:"blink"`
}

// measureGaze compares every validation of a session with the truth.
func measureGaze(ctx context.Context, s *store.Store, d store.Detail, truth script.Record) ([]validated, error) {
	targets, err := s.Targets(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	screen := d.Segments[0].Screen
	var out []validated
	for _, c := range current(d, "gaze-validation") {
		var v gaze.Validation
		if err := json.Unmarshal(c.Value, &v); err != nil {
			return nil, fmt.Errorf("validation %d of session %s: %w", c.N, d.ID, err)
		}
		one := validated{Found: precision{known(v.MeanDeg), known(v.RMSS2SDeg), known(v.SDDeg)}, Loss: v.Loss}
		if c.Step != nil && c.Round != nil {
			one.Step, one.Round = *c.Step, *c.Round
		}
		if steps := d.Plan.Steps; one.Step < len(steps) {
			one.Measured = steps[one.Step].Action == study.Validate
		}
		for _, k := range d.Decisions {
			if k.Segment == c.Segment && k.Step == one.Step && k.Round == one.Round {
				one.Choice, one.Reason = string(k.Choice), k.Reason
				var j session.Judged
				if err := json.Unmarshal(k.Value, &j); len(k.Value) > 0 && err != nil {
					return nil, fmt.Errorf("what was decided on step %d of session %s: %w", k.Step+1, d.ID, err)
				}
				one.Own, one.Verdict = j.Own, string(j.Verdict.Level)
			}
		}
		if at, ok := calibrated(d, targets, c.Segment, c.From); ok {
			dx, dy := truth.Slipped(at, c.Until)
			one.Simulated.AccuracyDeg = known(displaced(screen, v, dx, dy))
		}
		// Two axes of independent noise; and from one sample to the next, twice that.
		right, down := screen.Direction(.5+truth.Tracker.NoiseX, .5+truth.Tracker.NoiseY)
		if sd := math.Hypot(right, down); sd > 0 {
			one.Simulated.SDDeg, one.Simulated.RMSS2SDeg = known(sd), known(math.Sqrt2*sd)
		}
		out = append(out, one)
	}
	return withFailed(d, out), nil
}

// withFailed adds the calibrations that came to nothing, so that nothing could be
// validated, in their place.
func withFailed(d store.Detail, all []validated) []validated {
	for _, k := range d.Decisions {
		var j session.Judged
		if k.Step >= len(d.Plan.Steps) || d.Plan.Steps[k.Step].Action != study.Calibrate ||
			json.Unmarshal(k.Value, &j) != nil || j.Validation != nil { // passed over, or in the list
			continue
		}
		i := 0
		for i < len(all) && (all[i].Step < k.Step || all[i].Step == k.Step && all[i].Round < k.Round) {
			i++
		}
		all = slices.Insert(all, i, validated{Step: k.Step, Round: k.Round, Failed: strings.Join(j.Verdict.Reasons, " "),
			Own: j.Own, Verdict: string(j.Verdict.Level), Choice: string(k.Choice), Reason: k.Reason, Loss: 1})
	}
	return all
}

// current lists the calibrations of one kind in the derivation that is shown.
func current(d store.Detail, kind string) []store.Calibration {
	var out []store.Calibration
	for _, c := range d.Calibrations {
		for _, of := range d.Derivations {
			if of.Current && of.Name == c.Derivation && c.Kind == kind {
				out = append(out, c)
			}
		}
	}
	return out
}

// calibrated returns when the tracker was calibrated last before an instant of a
// segment: the end of the targets of the latest calibration that was not turned
// down, or that was the one just validated, or that the tracker made of itself: that
// holds in it either way.
func calibrated(d store.Detail, targets []store.Target, segment int, before instant.Instant) (at instant.Instant, ok bool) {
	refused := func(t store.Target) bool {
		for _, k := range d.Decisions {
			if k.Segment == t.Segment && k.Step == t.Step && k.Round == t.Round {
				var j session.Judged
				if json.Unmarshal(k.Value, &j) == nil && j.Own {
					return false
				}
				return k.Choice != session.Accept && k.At < before
			}
		}
		return false
	}
	for _, t := range targets {
		if t.Segment == segment && t.Purpose == session.ToCalibrate && t.Until != 0 && t.Until <= before && !refused(t) {
			at, ok = max(at, t.Until), true
		}
	}
	return at, ok
}

// displaced is the mean angle between the points of a validation and the same
// points moved by fractions of the screen.
func displaced(s eyemovement.Screen, v gaze.Validation, dx, dy float64) float64 {
	sum := 0.
	for _, p := range v.Points {
		sum += s.Degrees(p.Target.X, p.Target.Y, p.Target.X+dx, p.Target.Y+dy)
	}
	return sum / float64(len(v.Points)) // NaN of no points
}

// measureBreaths compares the responses to the deep breaths of a session with the
// simulated ones, in order; empty where nobody was asked to breathe.
func measureBreaths(d store.Detail, truth script.Record) ([]breathed, error) {
	var out []breathed
	for _, c := range current(d, "conductance-check") {
		var r conductance.Readiness
		if err := json.Unmarshal(c.Value, &r); err != nil {
			return nil, fmt.Errorf("check of the skin conductance in session %s: %w", d.ID, err)
		}
		for _, b := range truth.Breaths {
			// The check may look back on an earlier breath as well.
			if cue := c.Until.Add(-conductance.Watch); b.At.Sub(cue).Abs() > conductance.Watch/2 {
				continue
			}
			one := breathed{WantS: b.Onset.Sub(b.At).Seconds(), WantUS: b.AmplitudeUS}
			if c.Step != nil && c.Round != nil {
				one.Step, one.Round = *c.Step, *c.Round
			}
			if r.Breath != nil {
				one.Found, one.LatencyS, one.AmplitudeUS = true, r.Breath.LatencyS, r.Breath.AmplitudeUS
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// pupilWords say what was made of the pupils in the derivation that is shown: "" where
// there is nothing.
func pupilWords(d store.Detail) string {
	for _, v := range d.Derivations {
		var p struct{ Pupil string }
		if v.Current && json.Unmarshal(v.Parameters, &p) == nil {
			return p.Pupil
		}
	}
	return ""
}

// shutEyes is the closure from which eyes see nothing and trackers lose them.
const shutEyes = .5

// measureEyes compares what the eyes were found to do with what they did, sample
// by sample of the first eye tracker; nil where there is none.
func measureEyes(ctx context.Context, s *store.Store, d store.Detail, truth script.Record) (*looked, error) {
	var info *stream.Info
	for _, t := range d.Segments[0].Streams {
		if t.Kind == stream.Gaze {
			info = &t.Info
			break
		}
	}
	if info == nil {
		return nil, nil
	}
	events, err := s.EyeEvents(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	kept := events[:0]
	for _, e := range events {
		if e.Stream == info.ID {
			kept = append(kept, e)
		}
	}
	var found, real []eyemovement.Class
	for row, err := range s.Samples(ctx, d.ID, info.ID) {
		if err != nil {
			return nil, err
		}
		found, real = append(found, classAt(kept, row.At)), append(real, trueClass(truth, row.At))
	}
	return &looked{
		Samples:  len(found),
		Fixation: known(agreement.Kappa(found, real, eyemovement.Fixation)),
		Saccade:  known(agreement.Kappa(found, real, eyemovement.Saccade, eyemovement.PSO)),
		Blink:    known(agreement.Kappa(found, real, eyemovement.Blink)),
	}, nil
}

// classAt is what the eyes were found to do at an instant.
func classAt(events []store.EyeEvent, at instant.Instant) eyemovement.Class {
	i := sort.Search(len(events), func(i int) bool { return events[i].Until >= at })
	if i == len(events) || events[i].From > at {
		return eyemovement.Undefined
	}
	for c := eyemovement.Undefined; c <= eyemovement.Blink; c++ {
		if c.String() == events[i].Class {
			return c
		}
	}
	return eyemovement.Undefined
}

// trueClass is what the eyes did at an instant.
func trueClass(truth script.Record, at instant.Instant) eyemovement.Class {
	switch {
	case truth.Script.Closure(at.Sub(truth.Origin)) > shutEyes:
		return eyemovement.Blink
	case truth.Moving(at):
		return eyemovement.Saccade
	}
	return eyemovement.Fixation
}

// known is a number, or nil for one that is not.
func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// printGaze writes what was found of the eyes and the breath.
func (d distance) printGaze(w io.Writer) {
	own := false
	for _, v := range d.Gaze {
		own = own || v.Own
		if v.Failed != "" {
			fmt.Fprintf(w, "  %-26s %s: %s\n", fmt.Sprintf("gaze, step %d round %d", v.Step+1, v.Round+1), strings.TrimRight(v.Failed, "."), v.became())
			continue
		}
		fmt.Fprintf(w, "  %-26s accuracy %s° (simulated %s), RMS-S2S %s° (%s), SD %s° (%s): %s\n", fmt.Sprintf("gaze, step %d round %d", v.Step+1, v.Round+1),
			orDash(v.Found.AccuracyDeg), orDash(v.Simulated.AccuracyDeg), orDash(v.Found.RMSS2SDeg), orDash(v.Simulated.RMSS2SDeg),
			orDash(v.Found.SDDeg), orDash(v.Simulated.SDDeg), v.became())
	}
	if own {
		fmt.Fprintln(w, "                             the simulated tracker calibrated itself, without an error, and Emolab corrects nothing")
	}
	if len(d.Gaze) > 0 {
		fmt.Fprintln(w, "                             simulated accuracy: how far the tracker slipped since its calibration, on average over")
		fmt.Fprintln(w, "                             the points shown; --gaze-error is that in the middle, and less towards the edges")
	}
	if e := d.Eyes; e != nil {
		fmt.Fprintf(w, "  eye movements, kappa       fixation %s, saccade %s, blink %s of %d samples\n", orDash(e.Fixation), orDash(e.Saccade), orDash(e.Blink), e.Samples)
		fmt.Fprintln(w, "                             no limit is set: it depends on the noise and the rate asked for, and simulated eyes")
		fmt.Fprintln(w, "                             move more simply than real ones; emolab gaze analyze --score measures it on those")
	}
	if d.Pupils != "" {
		fmt.Fprintf(w, "  pupils                     %s\n", d.Pupils)
	}
	for _, b := range d.Breaths {
		name := fmt.Sprintf("deep breath, step %d", b.Step+1)
		if b.Found {
			fmt.Fprintf(w, "  %-26s %.2f µS after %.1f s (simulated %.2f after %.1f)\n", name, b.AmplitudeUS, b.LatencyS, b.WantUS, b.WantS)
		} else {
			fmt.Fprintf(w, "  %-26s no response found (simulated %.2f µS after %.1f s)\n", name, b.WantUS, b.WantS)
		}
	}
}

// became says in words what became of a validation.
func (v validated) became() string {
	switch {
	case v.Verdict == "":
		return v.Choice
	case v.Measured && v.Verdict == string(gaze.Refused):
		return "beyond what is accepted, only measured"
	}
	return v.Verdict + ", " + v.Choice
}

// refused counts the calibrations that were beyond what the study accepts.
func (d distance) refused() int {
	n := 0
	for _, v := range d.Gaze {
		if v.Verdict == string(gaze.Refused) && !v.Measured {
			n++
		}
	}
	return n
}

// orDash writes a number with two decimals, "-" for one that is not known.
func orDash(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *v)
}
