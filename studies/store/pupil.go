package store

import (
	"context"
	"fmt"
	"math"

	"emolab/fusion/instant"
	"emolab/fusion/pupil"
	"emolab/fusion/stimulus"
)

// ground is the relative luminance of what the participant's screen shows around the
// stimuli and between them, sRGB #757575 in linear light. It is never anything else.
const ground = .178

// luminances are how light the frames of each presentation's stimulus are; nil of one
// that was not measured.
type luminances map[int][]float64

// light reads how light the stimuli of a session are.
func (s *Store) light(ctx context.Context, d *Detail) (luminances, error) {
	frames := map[string][]float64{}
	for _, m := range d.Study.Stimuli {
		v, err := s.Luminance(ctx, m.SHA256)
		if err != nil {
			return nil, err
		}
		frames[m.ID] = v
	}
	all := luminances{}
	for _, p := range d.Presentations {
		all[p.Number] = frames[p.Stimulus]
	}
	return all, nil
}

// during is the mean luminance of the participant's screen at each instant: the frame
// that was up, on the ground around it. NaN where that is not known.
func (l luminances) during(at []instant.Instant, course []stimulus.Showing) []float64 {
	out := make([]float64, len(at))
	screen := stimulus.NewCursor(course)
	for i, t := range at {
		out[i] = math.NaN()
		v, told := screen.At(t)
		if !told || !v.Known {
			continue
		}
		out[i] = ground
		if v.Presentation == 0 {
			continue
		}
		share := max(0, min(1, v.Rect[2]*v.Rect[3]))
		if frames := l[v.Presentation]; v.Frame >= 0 && v.Frame < int64(len(frames)) {
			out[i] += share * (frames[v.Frame] - ground)
		} else {
			out[i] = math.NaN()
		}
	}
	return out
}

// pupils cleans the pupils, and takes out of them what follows the light.
func (v *seen) pupils(a *aligned, g sight, light []float64) {
	cleaned := pupil.Clean(g.At, diameters(a, g, "pupil_left_mm"), diameters(a, g, "pupil_right_mm"), pupil.Options{})
	if cleaned.Valid == 0 {
		v.pupil = "none: the tracker gives no diameters in mm"
		return
	}
	v.eyes.PupilMM = spread(g, cleaned.Size, len(a.samples), math.NaN())
	v.pupil = "fusion/pupil Clean, default options"
	r, err := pupil.Regress(g.At, cleaned.Size, light)
	if err != nil {
		v.pupil += "; not adjusted for luminance: " + err.Error()
		return
	}
	v.eyes.PupilAdjustedMM = spread(g, r.Adjusted, len(a.samples), math.NaN())
	v.pupil += fmt.Sprintf("; adjusted for luminance: %.2f mm for ten times the light, %v later and followed with %v, R2 %.2f (left out %.2f)",
		r.Slope, r.Lag, r.Following, r.R2, r.PredictedR2)
}

// diameters of one eye; nil where it was never measured.
func diameters(a *aligned, g sight, channel string) []float64 {
	column := a.info.Index(channel)
	if column < 0 {
		return nil
	}
	out, any := make([]float64, g.Len()), false
	for k := range out {
		out[k] = a.samples[g.of(k)].Values[column]
		any = any || out[k] > 0
	}
	if !any {
		return nil
	}
	return out
}
