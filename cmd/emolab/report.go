package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/bundle"
	"emolab/studies/store"
	"emolab/studies/study"
)

// distance is how far one recorded session of the virtual lab is from the truth.
type distance struct {
	Session     string               `json:"session"`
	Participant string               `json:"participant"`
	Duration    time.Duration        `json:"duration_ns"`
	Frames      int64                `json:"frames"`
	Bundle      string               `json:"bundle"`
	Manifest    string               `json:"manifest_sha256"` // of the verified bundle
	Alignment   []alignment          `json:"alignment"`
	Scripted    bool                 `json:"scripted_face"` // the camera films the drawn face, which plays the script
	FaceShare   float64              `json:"face_share"`    // of the frames, that have a face
	Expressions []script.Segment     `json:"expressions"`
	Blinks      script.BlinkScore    `json:"blinks"`
	Head        script.HeadScore     `json:"head"`
	Responses   script.ResponseScore `json:"responses"`
	Gaze        []validated          `json:"gaze"`
	Eyes        *looked              `json:"eye_movements"`
	Pupils      string               `json:"pupils,omitempty"` // what was made of them, in words
	Breaths     []breathed           `json:"deep_breaths"`
	Stimuli     []shown              `json:"stimuli"`
	Gaps        int                  `json:"gaps"` // disconnections
}

// alignment is the time error of one stream, as it was live and as it is sealed.
type alignment struct {
	Stream  string            `json:"stream"`
	Samples int64             `json:"samples"`
	Lost    int64             `json:"lost"`
	Drift   float64           `json:"drift_ppm"` // as measured
	Bound   float64           `json:"bound_ms"`  // as stated
	Live    *script.TimeError `json:"live,omitempty"`
	Final   *script.TimeError `json:"final,omitempty"`
}

// shown compares the displayed frames of one presentation with the file's own.
type shown struct {
	Presentation int    `json:"presentation"`
	Stimulus     string `json:"stimulus"`
	Displayed    int    `json:"displayed"` // distinct frames that were displayed
	Frames       int    `json:"frames"`    // in the file
	// Misnamed frames have a media time that is no frame's of the file, within
	// half a frame.
	Misnamed int `json:"misnamed"`
}

// measure compares a sealed session with the truth. one holds the samples as they
// were aligned while it ran; scripted tells that its camera filmed the drawn face.
func measure(ctx context.Context, s *store.Store, st *study.Study, one recording, truth script.Record, scripted bool) (distance, error) {
	id, live := one.id, one.live
	d, err := s.Session(ctx, id)
	if err != nil {
		return distance{}, err
	}
	out := distance{
		Session: id, Participant: d.Participant, Duration: d.Duration, Frames: d.Frames, Bundle: d.Bundle, Scripted: scripted,
	}
	report, err := bundle.Verify(d.Bundle)
	if err != nil {
		return distance{}, fmt.Errorf("the bundle does not verify: %w", err)
	}
	out.Manifest = report.Manifest
	for _, g := range d.Gaps {
		if g.Reason == "disconnected" {
			out.Gaps++
		}
	}
	for _, t := range d.Segments[0].Streams {
		if t.Kind == stream.Trace || t.Kind == stream.Mark {
			continue
		}
		a, err := measureAlignment(ctx, s, id, t, truth, live[t.ID])
		if err != nil {
			return distance{}, err
		}
		out.Alignment = append(out.Alignment, a)
		if t.Kind == stream.Stimulus {
			if out.Stimuli, err = measureStimuli(ctx, s, st, d, t.Info); err != nil {
				return distance{}, err
			}
		}
	}
	seen, turned, err := recognised(ctx, s, id)
	if err != nil {
		return distance{}, err
	}
	found := 0
	for _, f := range seen {
		if f.Class != "" {
			found++
		}
	}
	if len(seen) > 0 {
		out.FaceShare = float64(found) / float64(len(seen))
	}
	if out.Scripted && len(seen) > 0 {
		out.Expressions = truth.Expressions(seen)
		out.Head = truth.Head(turned)
		if out.Blinks, err = measureBlinks(ctx, s, id, truth, seen[0].At, seen[len(seen)-1].At); err != nil {
			return distance{}, err
		}
	}

	if out.Gaze, err = measureGaze(ctx, s, d, truth); err != nil {
		return distance{}, err
	}
	if out.Eyes, err = measureEyes(ctx, s, d, truth); err != nil {
		return distance{}, err
	}
	if out.Breaths, err = measureBreaths(d, truth); err != nil {
		return distance{}, err
	}
	out.Pupils = pupilWords(d)
	responses, err := s.Responses(ctx, id)
	if err != nil {
		return distance{}, err
	}
	var onsets []instant.Instant
	for _, r := range responses {
		if r.Stream == responses[0].Stream { // of two devices one is scored
			onsets = append(onsets, r.Onset)
		}
	}
	if len(seen) > 0 {
		out.Responses = truth.Responses(seen[0].At, seen[len(seen)-1].At, onsets)
	}
	return out, nil
}

func measureAlignment(ctx context.Context, s *store.Store, id string, t store.Stream, truth script.Record, live []script.Stamped) (alignment, error) {
	a := alignment{
		Stream: t.ID, Samples: t.Rows, Lost: t.Statement.Lost,
		Drift: t.Statement.DriftPPM, Bound: t.Statement.BoundMs,
	}
	var final []script.Stamped
	for row, err := range s.Samples(ctx, id, t.ID) {
		if err != nil {
			return a, err
		}
		final = append(final, stamped(row.Sample))
	}
	if e, ok := truth.Alignment(t.ID, live); ok {
		a.Live = &e
	}
	if e, ok := truth.Alignment(t.ID, final); ok {
		a.Final = &e
	}
	return a, nil
}

func stamped(s stream.Sample) script.Stamped {
	return script.Stamped{Tick: s.Tick, Arrival: s.Arrival, At: s.At, Err: s.Err}
}

// recognised reads the most probable class of every trace row, and the pose of
// those that have one.
func recognised(ctx context.Context, s *store.Store, id string) (seen []script.Seen, turned []script.Turned, err error) {
	info := trace.Info()
	found, first, pose := info.Index("face_found"), info.Index("p_neutral"), info.Index("yaw_deg")
	for row, err := range s.Trace(ctx, id, info) {
		if err != nil {
			return nil, nil, err
		}
		f := script.Seen{At: row.At}
		if row.Values[found] == 1 {
			top := first
			for i := first; i < first+expression.Count; i++ {
				if row.Values[i] > row.Values[top] {
					top = i
				}
			}
			f.Class = strings.TrimPrefix(info.Channels[top].Name, "p_")
		}
		seen = append(seen, f)
		if yaw := row.Values[pose]; !math.IsNaN(yaw) {
			turned = append(turned, script.Turned{At: row.At, YawDeg: yaw, PitchDeg: row.Values[pose+1], RollDeg: row.Values[pose+2]})
		}
	}
	return seen, turned, nil
}

// measureBlinks compares the blinks found between two instants with the scripted.
func measureBlinks(ctx context.Context, s *store.Store, id string, truth script.Record, from, until instant.Instant) (script.BlinkScore, error) {
	events, err := s.FaceEvents(ctx, id)
	if err != nil {
		return script.BlinkScore{}, err
	}
	var found []script.Span
	for _, e := range events {
		if e.Kind == facial.Blink {
			found = append(found, script.Span{Onset: e.Onset, Offset: e.Offset})
		}
	}
	return truth.Blinks(from, until, found), nil
}

// measureStimuli counts the displayed frames of each presentation and checks
// that each is one of the file's.
func measureStimuli(ctx context.Context, s *store.Store, st *study.Study, d store.Detail, info stream.Info) ([]shown, error) {
	presentation, frame, media := info.Index("presentation"), info.Index("frame"), info.Index("media_ns")
	files := map[string]study.Stimulus{}
	for _, stim := range st.Stimuli {
		files[stim.ID] = stim
	}
	displayed := map[int]map[int]bool{}
	misnamed := map[int]int{}
	stimulus := map[int]string{}
	for _, p := range d.Presentations {
		stimulus[p.Number] = p.Stimulus
	}
	for row, err := range s.Samples(ctx, d.ID, info.ID) {
		if err != nil {
			return nil, err
		}
		if !(row.Values[presentation] > 0) { // none, or not known
			continue
		}
		n := int(row.Values[presentation])
		if displayed[n] == nil {
			displayed[n] = map[int]bool{}
		}
		f := int(row.Values[frame])
		displayed[n][f] = true
		stim := files[stimulus[n]]
		half := float64(stim.Duration) / float64(2*len(stim.FrameTimes))
		if f < 0 || f >= len(stim.FrameTimes) || math.Abs(row.Values[media]-float64(stim.FrameTimes[f])) > half {
			misnamed[n]++
		}
	}
	var out []shown
	for _, p := range d.Presentations {
		out = append(out, shown{p.Number, p.Stimulus, len(displayed[p.Number]), len(files[p.Stimulus].FrameTimes), misnamed[p.Number]})
	}
	return out, nil
}

// budgets that the demo is held against.
const (
	liveBudgetMs  = 3 // p95, serial devices, live
	finalBudgetMs = 1 // p95, serial devices, sealed
	faceBudget    = .95
)

// print writes the report as a person reads it.
func (d distance) print(w io.Writer) error {
	fmt.Fprintf(w, "Session %s, participant %s: %s, %d camera frames\n", d.Session, d.Participant, d.Duration.Round(100*time.Millisecond), d.Frames)
	fmt.Fprintf(w, "Bundle  %s\n        verified, manifest %s\n\n", d.Bundle, d.Manifest)
	fmt.Fprintln(w, "Distance from the truth")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "  time error, ms\tlive p95\tsealed median\tp95\tmax\tinside bound\tstated ±\tdrift ppm\tlost\t")
	for _, a := range d.Alignment {
		fmt.Fprintf(t, "  %s (%d)\t%s\t%s\t%s\t%s\t%s\t%.2f\t%+.1f\t%d\t\n", a.Stream, a.Samples,
			ms(a.Live, func(e script.TimeError) float64 { return e.P95Ms }),
			ms(a.Final, func(e script.TimeError) float64 { return e.MedianMs }),
			ms(a.Final, func(e script.TimeError) float64 { return e.P95Ms }),
			ms(a.Final, func(e script.TimeError) float64 { return e.MaxMs }),
			share(a.Final), a.Bound, a.Drift, a.Lost)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n  frames with a face         %.1f %%\n", 100*d.FaceShare)
	fmt.Fprintf(w, "  expressions recognised     %s\n", d.expressions())
	if d.Scripted {
		fmt.Fprintf(w, "  blinks found               %d of %d, %d not scripted\n", d.Blinks.Found, d.Blinks.Scripted, d.Blinks.False)
		fmt.Fprintf(w, "  head turned, median error  yaw %.1f°, pitch %.1f°, roll %.1f°\n", d.Head.Yaw.MedianDeg, d.Head.Pitch.MedianDeg, d.Head.Roll.MedianDeg)
	}
	fmt.Fprintf(w, "  skin responses found       %d of %d%s, %d others\n", d.Responses.Found, d.Responses.Scripted, d.simulatedResponses(), d.Responses.Extra)
	d.printGaze(w)
	for _, s := range d.Stimuli {
		fmt.Fprintf(w, "  frames of %-16s %d of %d displayed, %d misnamed\n", s.Stimulus, s.Displayed, s.Frames, s.Misnamed)
	}
	if d.Gaps > 0 {
		fmt.Fprintf(w, "  disconnections             %d, each a gap in the record\n", d.Gaps)
	}
	if over := d.overBudget(); len(over) > 0 {
		fmt.Fprintf(w, "\n  outside the budget: %s\n", strings.Join(over, "; "))
	} else {
		fmt.Fprintln(w, "\n  all within the budgets of time and faces")
	}
	if n := d.refused(); n > 0 {
		fmt.Fprintf(w, "  refused: %d calibrations of the gaze; what became of each stands above\n", n)
	}
	return nil
}

// line is the report in one line.
func (d distance) line() string {
	worst := 0.
	for _, a := range d.Alignment {
		if a.Final != nil {
			worst = max(worst, a.Final.P95Ms)
		}
	}
	words := fmt.Sprintf("time error p95 %.2f ms, faces in %.1f %% of %d frames, skin responses %d of %d",
		worst, 100*d.FaceShare, d.Frames, d.Responses.Found, d.Responses.Scripted)
	if over := d.overBudget(); len(over) > 0 {
		words += "; outside the budget: " + strings.Join(over, ", ")
	}
	return words
}

// simulatedResponses says what the skin responses are that were simulated: those of
// the script, and one to each deep breath.
func (d distance) simulatedResponses() string {
	if len(d.Breaths) == 0 {
		return " scripted"
	}
	return " simulated, scripted or to a deep breath"
}

// expressions sums up the segments by class: "happy 2/2, neutral 4/5".
func (d distance) expressions() string {
	if !d.Scripted {
		return "not judged: this camera does not show the script"
	}
	var order []string
	right, all := map[string]int{}, map[string]int{}
	for _, s := range d.Expressions {
		if all[s.Class] == 0 {
			order = append(order, s.Class)
		}
		all[s.Class]++
		if s.Recognised {
			right[s.Class]++
		}
	}
	var parts []string
	for _, c := range order {
		parts = append(parts, fmt.Sprintf("%s %d/%d", c, right[c], all[c]))
	}
	if parts == nil {
		return "none was long enough to judge"
	}
	return strings.Join(parts, ", ")
}

// overBudget lists what misses its budget.
func (d distance) overBudget() []string {
	var over []string
	for _, a := range d.Alignment {
		if a.Live != nil && a.Live.P95Ms > liveBudgetMs {
			over = append(over, fmt.Sprintf("%s live %.2f ms (%d)", a.Stream, a.Live.P95Ms, liveBudgetMs))
		}
		if a.Final != nil && a.Final.P95Ms > finalBudgetMs {
			over = append(over, fmt.Sprintf("%s sealed %.2f ms (%d)", a.Stream, a.Final.P95Ms, finalBudgetMs))
		}
	}
	if d.Scripted && d.FaceShare < faceBudget {
		over = append(over, fmt.Sprintf("faces in %.1f %% of the frames (%.0f)", 100*d.FaceShare, 100*faceBudget))
	}
	return over
}

func ms(e *script.TimeError, of func(script.TimeError) float64) string {
	if e == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", of(*e))
}

func share(e *script.TimeError) string {
	if e == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*e.Inside)
}
