package bundle

import (
	"context"
	"encoding/json"

	"emolab/fusion/instant"
	"emolab/studies/session"
)

func (s *source) eyeEvents() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the event's first sample."},
		{"from_ns", "ns", "First sample on the lab clock."},
		{"until_ns", "ns", "Last sample and one interval, on the lab clock."},
		segmentColumn(),
		{"stream", "", "Stream that it was found in. trace.csv shows the first in the lab's order (versions.json: gaze_stream)."},
		{"class", "", "fixation, saccade, pso (post-saccadic oscillation), pursuit or blink."},
		{"duration_s", "s", "From from_ns to until_ns."},
		{"presentation", "1", "Number of the presentation on the screen when it began; 0 while there was none; empty where that is not known, and where one was cut off that began anew later."},
		{"stimulus", "", "Id of the video on the screen when it began."},
		{"media_s", "s", "Time in that video when it began."},
		{"stimulus_x", "1", "Its centre, 0 to 1 of the stimulus picture's width from the left; outside of that beside the picture."},
		{"stimulus_y", "1", "Its centre, 0 to 1 of the picture's height from the top."},
		{"screen_x", "1", "Its centre, 0 to 1 of the screen's width from the left, corrected by the calibration that held then."},
		{"screen_y", "1", "Its centre, 0 to 1 of the screen's height from the top."},
		{"amplitude_deg", "deg", "Visual angle between its first and its last sample."},
		{"peak_deg_s", "deg/s", "Highest velocity."},
		{"mean_deg_s", "deg/s", "Mean velocity."},
		{"dispersion_deg", "deg", "Root mean square distance of its samples from its centre."},
	}
	return sheet{"eye_events.csv", "What the eyes did: fixations, saccades, pursuit and blinks, of every eye tracker.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.EyeEvents(ctx, s.detail.ID)
		for _, e := range all {
			t.seconds(s.start(e.Segment), e.From)
			t.int(int64(e.From))
			t.int(int64(e.Until))
			t.int(int64(e.Segment))
			t.text(e.Stream)
			t.text(e.Class)
			t.seconds(e.From, e.Until)
			if e.Told {
				t.int(int64(e.Presentation))
			} else {
				t.empty()
			}
			t.text(s.shown[e.Presentation]) // there is no presentation 0
			t.float(e.MediaNS / 1e9)
			for _, v := range []float64{e.StimulusX, e.StimulusY, e.ScreenX, e.ScreenY, e.AmplitudeDeg, e.PeakDegS, e.MeanDegS, e.DispersionDeg} {
				t.float(v)
			}
			t.end()
		}
		return err
	}}
}

func (s *source) gazeTargets() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to when it stood there."},
		{"from_ns", "ns", "The same on the lab clock."},
		{"until_ns", "ns", "When it had gone; empty where nobody knows."},
		{"err_ns", "ns", "Bound on the error of both."},
		segmentColumn(),
		{"purpose", "", "calibrate, validate, fixation (the cross of a trial) or breath (the mark that asked for a deep breath)."},
		{"step", "1", "Step of the plan, from 0."},
		{"round", "1", "From 0 within the step and the segment; it grows when the step is shown again."},
		{"point", "1", "From 0 within the round, in the order in which they were shown."},
		{"x", "1", "Its centre, 0 to 1 of the screen's width from the left."},
		{"y", "1", "Its centre, 0 to 1 of the screen's height from the top."},
	}
	return sheet{"gaze_targets.csv", "What the participant was asked to look at, where, and for how long.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Targets(ctx, s.detail.ID)
		for _, v := range all {
			t.seconds(s.start(v.Segment), v.From)
			t.int(int64(v.From))
			if v.Until == 0 {
				t.empty()
			} else {
				t.int(int64(v.Until))
			}
			t.int(int64(v.Err))
			t.int(int64(v.Segment))
			t.text(string(v.Purpose))
			t.int(int64(v.Step))
			t.int(int64(v.Round))
			t.int(int64(v.Index))
			t.float(v.X)
			t.float(v.Y)
			t.end()
		}
		return err
	}}
}

func (s *source) luminance() sheet {
	columns := []column{
		{"stimulus", "", "Id of the video in the study."},
		{"frame", "1", "Number of the frame within the video file, from 0."},
		{"luminance", "1", "Mean relative luminance of the picture, 0 black to 1 white (linear light, BT.709)."},
	}
	return sheet{"stimuli_luminance.csv", "How light each frame of the videos is, of those that were measured.", columns, func(ctx context.Context, t *table) error {
		for _, m := range s.detail.Study.Stimuli {
			frames, err := s.store.Luminance(ctx, m.SHA256)
			if err != nil {
				return err
			}
			for i, v := range frames {
				t.text(m.ID)
				t.int(int64(i))
				t.float(v)
				t.end()
			}
		}
		return nil
	}}
}

// decision is one entry of decisions.json.
type decision struct {
	Segment int             `json:"segment"`
	Step    int             `json:"step"`
	Round   int             `json:"round"`
	AtNS    instant.Instant `json:"at_ns"`
	AtS     float64         `json:"at_s"` // from the start of the segment
	Choice  session.Choice  `json:"choice"`
	Reason  string          `json:"reason"`
	How     string          `json:"how"`
	Value   json.RawMessage `json:"value"` // what was judged, as it was known then; null = nothing
}

// decisions is what became of each calibration, validation and check.
func (s *source) decisions() []decision {
	out := []decision{}
	for _, d := range s.detail.Decisions {
		v := decision{
			Segment: d.Segment, Step: d.Step, Round: d.Round, AtNS: d.At, AtS: d.At.Sub(s.start(d.Segment)).Seconds(),
			Choice: d.Choice, Reason: s.store.WithoutPlaces(d.Reason), How: d.How,
		}
		if len(d.Value) > 0 {
			v.Value = json.RawMessage(s.store.JSONWithoutPlaces(string(d.Value)))
		}
		out = append(out, v)
	}
	return out
}
