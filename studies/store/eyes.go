package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// EyeEvent is something that the eyes did.
type EyeEvent struct {
	Segment     int
	Stream      string // that it was found in
	Class       string // "fixation", "saccade", "pso", "pursuit", "blink"
	From, Until instant.Instant
	// ScreenX and ScreenY are its centre in fractions of the screen, StimulusX and
	// StimulusY in fractions of the stimulus picture. NaN where there is none.
	ScreenX, ScreenY     float64
	StimulusX, StimulusY float64
	// Presentation was on the screen when it began, and MediaNS was its time in the
	// video; Told says whether the one is known, NaN that the other is not.
	Presentation int
	Told         bool
	MediaNS      float64
	// In degrees and degrees a second; NaN where nothing can be said.
	AmplitudeDeg, PeakDegS, MeanDegS, DispersionDeg float64
}

// EyeEvents returns what the eyes did by the session's current derivation, of all eye
// trackers in order of time.
func (s *Store) EyeEvents(ctx context.Context, id string) ([]EyeEvent, error) {
	return list(ctx, s, id, `SELECT e.segment, e.stream, e.class, e.from_ns, e.until_ns, e.screen_x, e.screen_y, e.stimulus_x, e.stimulus_y,
		coalesce(e.presentation, 0), e.presentation IS NOT NULL, e.media_ns, e.amplitude_deg, e.peak_deg_s, e.mean_deg_s, e.dispersion_deg
		FROM eye_event e JOIN session s ON s.id = e.session_id AND s.trace_derivation = e.derivation
		WHERE e.session_id = ? ORDER BY e.segment, e.from_ns, e.n`,
		func(row scanner, v *EyeEvent) error {
			var n [9]sql.NullFloat64
			err := row.Scan(&v.Segment, &v.Stream, &v.Class, &v.From, &v.Until, &n[0], &n[1], &n[2], &n[3],
				&v.Presentation, &v.Told, &n[4], &n[5], &n[6], &n[7], &n[8])
			for i, to := range []*float64{&v.ScreenX, &v.ScreenY, &v.StimulusX, &v.StimulusY, &v.MediaNS,
				&v.AmplitudeDeg, &v.PeakDegS, &v.MeanDegS, &v.DispersionDeg} {
				*to = float(n[i])
			}
			return err
		})
}

// seen is what was derived of one gaze stream.
type seen struct {
	eyes   trace.Eyes
	events []eyemovement.Event
	pupil  string // how the pupils were cleaned, in words
}

// lookAt derives what the eyes did, of every gaze stream of a segment beside each
// other. The first is corrected with the calibrations of the segment; of the others
// nobody has judged any, and their pupils are in no row. light is that of the stimuli, by
// presentation.
func (f *final) lookAt(light luminances) {
	var looking sync.WaitGroup
	main := f.first(stream.Gaze)
	for i := range f.streams {
		a := &f.streams[i]
		if a.info.Kind != stream.Gaze {
			continue
		}
		var c corrections
		if a == main {
			c = f.corrections
		}
		looking.Go(func() {
			g := sightOf(a)
			a.seen = f.see(a, g, c)
			if a == main {
				runtime.GC()
				a.seen.pupils(a, g, light.during(g.At, f.course))
			}
		})
	}
	looking.Wait()
}

// see derives what the eyes did from one gaze stream.
func (f *final) see(a *aligned, g sight, c corrections) seen {
	c.apply(g.Gaze)
	events, n := f.classify(g.Gaze, a.info.Rate), len(a.samples)
	return seen{events: events, eyes: trace.Eyes{
		X: spread(g, g.X, n, math.NaN()), Y: spread(g, g.Y, n, math.NaN()),
		Class: spread(g, eyemovement.Labels(events, g.Len()), n, eyemovement.Undefined),
	}}
}

// eyeWords says how what the eyes did is told.
func eyeWords() string {
	return "fusion/eyemovement Classify " + eyemovement.AdaptiveVersion + ", default options"
}

// classify tells what the eyes did. Without a clip, nothing moves that they could pursue.
func (f *final) classify(g eyemovement.Gaze, rate float64) []eyemovement.Event {
	moving := slices.ContainsFunc(f.course, func(v stimulus.Showing) bool { return v.Presentation > 0 })
	return eyemovement.Classify(g, f.screen, eyemovement.Options{Rate: rate, Still: !moving})
}

// insertEyeEvents is the statement that inserts n events.
func insertEyeEvents(n int) string {
	return insertion("eye_event", []string{"session_id", "derivation", "segment",
		"n", "stream", "class", "from_ns", "until_ns", "screen_x", "screen_y", "presentation", "media_ns", "stimulus_x", "stimulus_y",
		"amplitude_deg", "peak_deg_s", "mean_deg_s", "dispersion_deg"}, n)
}

// writeEyeEvents writes what the eyes did in a segment, with what was on the screen
// when each event began.
func writeEyeEvents(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	n := 0
	for i := range f.streams {
		a := &f.streams[i]
		cursor := stimulus.NewCursor(f.course)
		err := inRuns(ctx, tx, insertEyeEvents, a.seen.events, func(args []any, run []eyemovement.Event) []any {
			args = append(args, id, name, f.segment)
			for _, e := range run {
				n++
				args = append(args, n, a.info.ID, e.Class.String(), int64(e.From), int64(e.Until), number(e.X), number(e.Y))
				args = append(args, onScreen(cursor, e)...)
				args = append(args, number(e.AmplitudeDeg), number(e.PeakDegS), number(e.MeanDegS), number(e.DispersionDeg))
			}
			return args
		})
		if err != nil {
			return fmt.Errorf("write what the eyes did: %w", err)
		}
	}
	return nil
}

// onScreen is the presentation when an event began, the time in its video, and where
// on its picture the event lies; NULL what is not known.
func onScreen(course *stimulus.Cursor, e eyemovement.Event) []any {
	v, told := course.At(e.From)
	switch {
	case !told || v.CutOff || !v.Known && v.Presentation == 0:
		return []any{nil, nil, nil, nil}
	case v.Presentation == 0:
		return []any{0, nil, nil, nil}
	}
	x, y := trace.OnPicture(v, e.X, e.Y)
	var media any
	if v.Known {
		media = int64(v.Media)
	}
	return []any{v.Presentation, media, number(x), number(y)}
}
