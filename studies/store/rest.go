package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"emolab/calibration/neutral"
	"emolab/fusion/action"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// pause is put between segments where the neutral face is looked for: far more
// than a calm stretch may have holes of.
const pause = time.Hour

// rest is the participant's face at rest, as found in one segment.
type rest struct {
	neutral.Face
	segment int
	value   []byte // Face as JSON
}

// neutral is what action units are measured from; nil where it is not known.
func (r *rest) neutral() *action.Neutral {
	if r == nil {
		return nil
	}
	return &r.Neutral
}

// stretch is where a session shows the neutral face. The zero value says that it
// is to be looked for.
type stretch struct {
	segment     int
	from, until time.Duration // from the start of the segment
}

func (s stretch) given() bool { return s != stretch{} }

// findNeutral finds the neutral face at the given stretch; else where the participant was
// asked for it, the latest time first; else wherever it is calmest.
func (d *derived) findNeutral(at stretch, asked []stretch) {
	if at.given() {
		d.rest, d.why = findRest(d.segments, at)
		return
	}
	for _, v := range asked {
		var why string
		if d.rest, why = findRest(d.segments, v); d.rest != nil {
			d.where = ": the step in which the participant was asked for it"
			return
		}
		d.where = ": looked for, because the step in which the participant was asked for it cannot serve: " + why
	}
	d.rest, d.why = findRest(d.segments, stretch{})
}

// asked are the stretches in which the participant was asked for a face at rest, the
// latest first: a step that was broken off began anew.
func (d *Detail) asked(began []StepBegun) []stretch {
	var out []stretch
	for i, v := range began {
		if v.Action != study.Neutral || v.At == 0 || v.Step >= len(d.Plan.Steps) {
			continue
		}
		k := slices.IndexFunc(d.Segments, func(g Segment) bool { return g.Number == v.Segment })
		if k < 0 {
			continue
		}
		until := v.At.Add(d.Plan.Steps[v.Step].Duration)
		if i+1 < len(began) && began[i+1].Segment == v.Segment && began[i+1].At > 0 {
			until = min(until, began[i+1].At)
		}
		if from := v.At.Sub(d.Segments[k].Start); from >= 0 && until > v.At {
			out = append(out, stretch{v.Segment, from, until.Sub(d.Segments[k].Start)})
		}
	}
	slices.Reverse(out)
	return out
}

// findRest finds the neutral face, or says why there is none. A session has one
// participant, so it is looked for in all segments together.
func findRest(segments []*final, at stretch) (*rest, string) {
	var faces []*final
	for _, f := range segments {
		if a := f.first(stream.Face); a != nil && len(a.frames) > 0 && (!at.given() || at.segment == f.segment) {
			faces = append(faces, f)
		}
	}
	if len(faces) == 0 {
		return nil, "no frames of a face"
	}
	f, shift := faces[0], time.Duration(0)
	var o neutral.Options
	if at.given() {
		o.From, o.Until = f.start.Add(at.from), f.start.Add(at.until)
	}
	frames, starts := inLine(faces)
	face, err := neutral.Fit(frames, o)
	if err != nil {
		return nil, err.Error()
	}
	for i := range faces {
		if starts[i] <= face.From {
			f, shift = faces[i], starts[i].Sub(faces[i].first(stream.Face).frames[0].At)
		}
	}
	face.From, face.Until = face.From.Add(-shift), face.Until.Add(-shift)
	r := &rest{Face: face, segment: f.segment}
	// A face with a measure that is no number cannot be kept, and what cannot be
	// kept must not be measured from.
	if r.value, err = json.Marshal(face); err != nil {
		return nil, fmt.Sprintf("it is incomplete: %v", err)
	}
	return r, ""
}

// inLine puts the frames of several segments one after the other, although the
// clock may have begun again between them, and tells where each begins.
func inLine(segments []*final) (frames []facial.Measured, starts []instant.Instant) {
	for _, f := range segments {
		own := f.first(stream.Face).frames
		if len(segments) == 1 {
			return own, []instant.Instant{own[0].At}
		}
		start := own[0].At
		if len(frames) > 0 {
			start = frames[len(frames)-1].At.Add(pause)
		}
		starts = append(starts, start)
		for _, m := range own {
			m.At = start.Add(m.At.Sub(own[0].At))
			frames = append(frames, m)
		}
	}
	return frames, starts
}

// calibration is the face as something that the derivation was measured from.
func (r *rest) calibration() Calibration {
	return Calibration{Segment: r.segment, Kind: kindNeutral, Used: true, Value: r.value, Residual: r.Residual, From: r.From, Until: r.Until}
}

// Neutral returns the face at rest that a derivation's action units are measured
// from. False when the derivation has none.
func (d *Detail) Neutral(derivation string) (neutral.Face, bool, error) {
	for _, c := range d.Calibrations {
		if c.Derivation == derivation && c.Kind == kindNeutral {
			var face neutral.Face
			if err := json.Unmarshal(c.Value, &face); err != nil {
				return neutral.Face{}, false, fmt.Errorf("store: session %s: read the neutral face of %s: %w", d.ID, derivation, err)
			}
			return face, true, nil
		}
	}
	return neutral.Face{}, false, nil
}
