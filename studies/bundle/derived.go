package bundle

import (
	"context"
	"encoding/json"
	"math"

	"emolab/fusion/instant"
	"emolab/studies/store"
)

func (s *source) responses() sheet {
	columns := append([]column{
		{"t_s", "s", "Seconds from the start of the segment to the onset."},
		{"onset_ns", "ns", "Onset on the lab clock."},
		{"peak_ns", "ns", "Peak on the lab clock."},
	}, segmentColumn(),
		column{"stream", "", "Stream that the response was found in. trace.csv shows those of the first in the lab's order (versions.json: eda_stream)."},
		column{"amplitude_us", "µS", "Skin conductance of the peak above that of the onset."},
		column{"rise_s", "s", "From onset to peak."},
		column{"half_recovery_s", "s", "From peak until half the amplitude was gone; empty when that was not reached."},
		column{"slope_us_s", "µS/s", "Its steepest rise."},
		column{"flags", "1", "What is wrong with the samples from its onset to its half recovery, as eda_flags of trace.csv; 1024: samples are missing within it. Measures leave out those with any of 1 to 128, or 4096."})
	return sheet{"eda_responses.csv", "Skin-conductance responses, of every sensor.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Responses(ctx, s.detail.ID)
		for _, r := range all {
			t.seconds(s.start(r.Segment), r.Onset)
			t.int(int64(r.Onset))
			t.int(int64(r.Peak))
			t.int(int64(r.Segment))
			t.text(r.Stream)
			t.float(r.AmplitudeUS)
			t.float(r.RiseS)
			t.float(r.HalfRecoveryS)
			t.float(r.SlopeUSS)
			if r.Flagged {
				t.int(int64(r.Flags))
			} else {
				t.empty()
			}
			t.end()
		}
		return err
	}}
}

func (s *source) summaries() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the beginning of the stretch."},
		{"from_ns", "ns", "Its beginning on the lab clock."},
		{"until_ns", "ns", "Its end on the lab clock."},
		segmentColumn(),
		{"stream", "", "Stream of skin conductance."},
		{"presentation", "1", "The presentation that the row is about, from its first frame to its last; 0: the whole segment."},
		{"stimulus", "", "Id of its video."},
		againColumn(),
		{"valid_s", "s", "How much of it is without an artefact."},
		{"valid_share", "1", "The same as a share."},
		{"enough", "1", "0: less than 0.8 of it is valid, and it should not be reported."},
		{"scl_us", "µS", "Level: mean of the tonic part."},
		{"scl_outside_us", "µS", "Mean of the measured conductance outside responses."},
		{"responses", "1", "Non-specific responses alone, of at least 0.05 µS: those that do not begin 1 to 4 s after the first frame of a presentation; those that do are counted in related."},
		{"per_minute", "1", "The same for each minute of valid time outside those 3 s."},
		{"amplitude_us", "µS", "Their mean amplitude; empty without any."},
		{"fine_responses", "1", "Those of at least 0.01 µS."},
		{"fine_per_minute", "1", "The same for each minute of valid time outside those 3 s."},
		{"area_us_s", "µS s", "Integral of the phasic part."},
		{"edasymp_us2", "µS²", "Power from 0.045 to 0.25 Hz (EDASymp); empty without 64 s of valid samples."},
		{"edasymp_share", "1", "Its share of all power above 0.01 Hz."},
		{"non_responder", "1", "1: enough of it is valid and it has no response of at least 0.05 µS."},
		{"related", "1", "Responses that begin 1 to 4 s after the first frame of the presentation; empty of a segment, and where an artefact lies there."},
		{"related_latency_s", "s", "From the first frame to the first of them; empty without any."},
		{"related_first_us", "µS", "Its amplitude; 0 without any."},
		{"related_sum_us", "µS", "Sum of their amplitudes."},
		{"related_max_us", "µS", "The greatest of them."},
	}
	return sheet{"eda_summaries.csv", "What is usually reported of skin conductance, of every sensor: over each segment, and over each presentation.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Summaries(ctx, s.detail.ID)
		for _, v := range all {
			t.seconds(s.start(v.Segment), v.From)
			t.int(int64(v.From))
			t.int(int64(v.Until))
			t.int(int64(v.Segment))
			t.text(v.Stream)
			t.int(int64(v.Presentation))
			t.text(s.shown[v.Presentation]) // there is no presentation 0
			t.int(s.again(v.Presentation))
			t.float(v.ValidS)
			t.float(v.Valid)
			t.bool(v.Enough)
			t.float(v.SCLUS)
			t.float(v.SCLOutsideUS)
			t.int(int64(v.Responses.N))
			t.float(v.Responses.PerMinute)
			t.float(v.Responses.AmplitudeUS)
			t.int(int64(v.Fine.N))
			t.float(v.Fine.PerMinute)
			t.float(v.AreaUSS)
			t.float(v.Sympathetic.PowerUS2)
			t.float(v.Sympathetic.Normalised)
			t.bool(v.NonResponder)
			if r := v.Related; r != nil {
				t.int(int64(r.N))
				t.float(r.LatencyS)
				t.float(r.FirstUS)
				t.float(r.SumUS)
				t.float(r.MaxUS)
			} else {
				for range 5 {
					t.empty()
				}
			}
			t.end()
		}
		return err
	}}
}

func (s *source) faceEvents() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the onset."},
		{"onset_ns", "ns", "Onset on the lab clock."},
		{"offset_ns", "ns", "Offset on the lab clock."},
		segmentColumn(),
		{"kind", "", "blink; bout: an expression whose probability stayed at or above the threshold for long enough."},
		{"label", "", "Of a bout: the expression."},
		{"duration_s", "s", "From onset to offset."},
		{"peak", "1", "Of a bout: highest probability; of a blink: strongest closure of the lids (AU 43)."},
		{"mean", "1", "The same, mean from onset to offset."},
	}
	return sheet{"face_events.csv", "Blinks and bouts of expression.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.FaceEvents(ctx, s.detail.ID)
		for _, e := range all {
			t.seconds(s.start(e.Segment), e.Onset)
			t.int(int64(e.Onset))
			t.int(int64(e.Offset))
			t.int(int64(e.Segment))
			t.text(string(e.Kind))
			t.text(e.Label)
			t.seconds(e.Onset, e.Offset)
			t.float(e.Peak)
			t.float(e.Mean)
			t.end()
		}
		return err
	}}
}

func (s *source) consents() sheet {
	columns := append(answeredColumns(), []column{
		{"scope", "", "What the participant was asked. notice: has read that a program estimates; traces: recording numbers; face_video: keeping the video of the face; others as the study file says."},
		{"granted", "1", "1 yes, 0 no. The latest answer about a scope holds."},
		{"text_sha256", "", "SHA-256 of the text that was read, hex; texts.json has the text."},
		{"language", "", "Language of that text."},
		{"how", "", "Who gave the answer, and where."},
	}...)
	return sheet{"consents.csv", "What the participant agreed to.", columns, func(_ context.Context, t *table) error {
		for _, c := range s.detail.Consents {
			s.when(t, c.Segment, c.At) // neither, of what was taken back after the session
			t.text(c.Wall.UTC().Format(wallFormat))
			t.segment(c.Segment)
			t.text(c.Scope)
			t.bool(c.Granted)
			t.text(c.TextSHA256)
			t.text(c.Language)
			t.text(c.How)
			t.end()
		}
		return nil
	}}
}

// wallFormat is how wall time is written: ISO 8601, UTC, milliseconds.
const wallFormat = "2006-01-02T15:04:05.000Z"

// calibration is one entry of calibrations.json.
type calibration struct {
	Derivation string          `json:"derivation"`
	Current    bool            `json:"current"` // whether trace.csv is of that derivation
	Kind       string          `json:"kind"`    // neutral, gaze, gaze-validation, gaze-drift, conductance-check
	Stream     string          `json:"stream"`  // of the device; empty for neutral
	Step       *int            `json:"step"`    // of the plan; null: of none
	Round      *int            `json:"round"`
	Used       bool            `json:"used"` // whether rows of the derivation are made with it
	Residual   *float64        `json:"residual"`
	Segment    int             `json:"segment"`
	From       instant.Instant `json:"from_ns"`
	Until      instant.Instant `json:"until_ns"`
	FromS      float64         `json:"from_s"` // from the start of the segment
	UntilS     float64         `json:"until_s"`
	Value      json.RawMessage `json:"value"`
	Software   string          `json:"software"`
	Created    string          `json:"created_utc"`
}

// calibrations is what derived rows were measured from, or are judged by.
func (s *source) calibrations() []calibration {
	current := ""
	for _, d := range s.detail.Derivations {
		if d.Current {
			current = d.Name
		}
	}
	out := []calibration{}
	for _, c := range s.detail.Calibrations {
		start := s.start(c.Segment)
		var residual *float64 // there is none
		if !math.IsNaN(c.Residual) {
			residual = &c.Residual
		}
		out = append(out, calibration{
			Derivation: c.Derivation, Current: c.Derivation == current, Kind: c.Kind, Segment: c.Segment,
			Stream: c.Stream, Step: c.Step, Round: c.Round, Used: c.Used, Residual: residual,
			From: c.From, Until: c.Until, FromS: c.From.Sub(start).Seconds(), UntilS: c.Until.Sub(start).Seconds(),
			Value: c.Value, Software: c.Software, Created: c.Created.UTC().Format(wallFormat),
		})
	}
	return out
}

// facesWritten counts the camera frames that were kept as video.
func facesWritten(d store.Detail) int64 {
	n := int64(0)
	for _, v := range d.Videos {
		n += v.Frames
	}
	return n
}
