package replay

import (
	"context"
	"math"

	"emolab/fusion/eda"
)

// Events are what was found in the signals, by the derivation that is shown.
type Events struct {
	Responses []Response `json:"eda_responses"`
	Fixations []Fixation `json:"fixations"`
	Blinks    []Span     `json:"blinks"`
}

// Response is a skin-conductance response.
type Response struct {
	AtMs        float64 `json:"at_ms"` // its onset
	PeakMs      float64 `json:"peak_ms"`
	AmplitudeUS float64 `json:"amplitude_us"`
	Flagged     bool    `json:"flagged"` // something is wrong with the samples in it
}

// Fixation is a fixation; X and Y are fractions of the video's picture, from the upper
// left.
type Fixation struct {
	FromMs       float64 `json:"from_ms"`
	UntilMs      float64 `json:"until_ms"`
	X            float64 `json:"x"`
	Y            float64 `json:"y"`
	Presentation int     `json:"presentation"`
}

// Span is a stretch of time.
type Span struct {
	FromMs  float64 `json:"from_ms"`
	UntilMs float64 `json:"until_ms"`
}

// Events tells what was found in the signals: of fixations those on a video, by the first
// eye tracker, and of responses those of the first sensor, which the trace is made of.
func (p *Player) Events(ctx context.Context, id string) (Events, error) {
	out := Events{Responses: []Response{}, Fixations: []Fixation{}, Blinks: []Span{}}
	err := p.with(ctx, id, func(o *opened) error {
		responses, err := p.store.Responses(ctx, id)
		if err != nil {
			return err
		}
		for _, r := range responses {
			if o.first(r.Segment, r.Stream) {
				out.Responses = append(out.Responses, Response{o.axis.ms(r.Segment, r.Onset), o.axis.ms(r.Segment, r.Peak), r.AmplitudeUS, r.Flags&eda.Invalid != 0})
			}
		}
		eyes, err := p.store.EyeEvents(ctx, id)
		if err != nil {
			return err
		}
		for _, e := range eyes {
			if !o.first(e.Segment, e.Stream) {
				continue
			}
			from, until := o.axis.ms(e.Segment, e.From), o.axis.ms(e.Segment, e.Until)
			switch {
			case e.Class == "blink":
				out.Blinks = append(out.Blinks, Span{from, until})
			case e.Class == "fixation" && e.Presentation > 0 && !math.IsNaN(e.StimulusX) && !math.IsNaN(e.StimulusY):
				out.Fixations = append(out.Fixations, Fixation{from, until, e.StimulusX, e.StimulusY, e.Presentation})
			}
		}
		return nil
	})
	return out, err
}

// first tells whether a stream is the first of its kind in its segment.
func (o *opened) first(segment int, streamID string) bool {
	for _, g := range o.Segments {
		if g.Number != segment {
			continue
		}
		for i, t := range g.Streams {
			if t.ID != streamID {
				continue
			}
			for _, before := range g.Streams[:i] {
				if before.Kind == t.Kind {
					return false
				}
			}
			return true
		}
	}
	return false
}
