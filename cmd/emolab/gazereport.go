package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sort"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
)

// validated compares what a validation found with what was simulated, in degrees.
type validated struct {
	Step      int       `json:"step"`
	Round     int       `json:"round"`
	Choice    string    `json:"choice"` // what became of it: "accept", "redo", "continue"
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
		for _, k := range d.Decisions {
			if k.Segment == c.Segment && k.Step == one.Step && k.Round == one.Round {
				one.Choice, one.Reason = string(k.Choice), k.Reason
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
	return out, nil
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
// down, or that was the one just validated.
func calibrated(d store.Detail, targets []store.Target, segment int, before instant.Instant) (at instant.Instant, ok bool) {
	refused := func(t store.Target) bool {
		for _, k := range d.Decisions {
			if k.Segment == t.Segment && k.Step == t.Step && k.Round == t.Round {
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

// measureBreath compares the response to the first deep breath of a session with
// the simulated one; nil where nobody was asked to breathe.
func measureBreath(d store.Detail, truth script.Record) (*breathed, error) {
	checks := current(d, "conductance-check")
	for _, b := range truth.Breaths {
		for _, c := range checks {
			if b.At < c.From || b.At > c.Until {
				continue
			}
			var r conductance.Readiness
			if err := json.Unmarshal(c.Value, &r); err != nil {
				return nil, fmt.Errorf("check of the skin conductance in session %s: %w", d.ID, err)
			}
			out := &breathed{WantS: b.Onset.Sub(b.At).Seconds(), WantUS: b.AmplitudeUS}
			if r.Breath != nil {
				out.Found, out.LatencyS, out.AmplitudeUS = true, r.Breath.LatencyS, r.Breath.AmplitudeUS
			}
			return out, nil
		}
	}
	return nil, nil
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
	for _, v := range d.Gaze {
		fmt.Fprintf(w, "  gaze, step %d round %d      accuracy %s° (simulated %s), RMS-S2S %s° (%s), SD %s° (%s): %s\n", v.Step, v.Round,
			orDash(v.Found.AccuracyDeg), orDash(v.Simulated.AccuracyDeg), orDash(v.Found.RMSS2SDeg), orDash(v.Simulated.RMSS2SDeg),
			orDash(v.Found.SDDeg), orDash(v.Simulated.SDDeg), v.Choice)
	}
	if e := d.Eyes; e != nil {
		fmt.Fprintf(w, "  eye movements, kappa       fixation %s, saccade %s, blink %s of %d samples\n", orDash(e.Fixation), orDash(e.Saccade), orDash(e.Blink), e.Samples)
	}
	if b := d.Breath; b != nil && b.Found {
		fmt.Fprintf(w, "  deep breath                %.2f µS after %.1f s (simulated %.2f after %.1f)\n", b.AmplitudeUS, b.LatencyS, b.WantUS, b.WantS)
	} else if b != nil {
		fmt.Fprintln(w, "  deep breath                no response found")
	}
}

// orDash writes a number with two decimals, "-" for one that is not known.
func orDash(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *v)
}
