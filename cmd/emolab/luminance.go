package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"time"

	"emolab/capture/clip"
	"emolab/studies/stimulus"
	"emolab/studies/store"
	"emolab/studies/study"
)

// lookAgain is how often the measuring of the stimuli asks whether a session is over.
const lookAgain = time.Second

// measureLight measures the study's stimuli, what the store does not know of them yet:
// how light each frame is, cuts, flashes, loudness; one video after the other. It takes
// no time from a session: while recording says so it waits. What cannot be measured is
// logged: a session is sealed without it all the same.
func measureLight(ctx context.Context, s *store.Store, st *study.Study, recording func() bool, log *slog.Logger) {
	hold := func(ctx context.Context, _ int) error {
		for recording() {
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return ctx.Err()
	}
	m := newMeasurer(ctx, s)
	silent := false // whether it was said that loudness stays unknown
	for i, stim := range st.Stimuli {
		began := time.Now()
		known, done, err := m.measure(ctx, stim, filepath.Join(st.Dir, filepath.FromSlash(stim.File)), hold)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("not all of a stimulus could be measured: the pupil's answer to its light may stay in the pupil", "stimulus", stim.ID, "error", err)
		case done:
			log.Info("stimulus measured", "stimulus", stim.ID, "number", i+1, "of", len(st.Stimuli), "took", time.Since(began).Round(time.Millisecond))
		}
		if m.ffmpeg == nil && stim.Sound != "" && known.Loudness == nil && !silent {
			silent = true
			log.Warn("the loudness of the stimuli is not known", "error", stimulus.ErrNoFFmpeg)
		}
	}
}

// measurer measures videos, and keeps and reuses what a store knows of them.
type measurer struct {
	store  *store.Store     // nil = nothing is kept
	ffmpeg *stimulus.FFmpeg // nil = not installed: loudness stays unknown
	with   string
}

func newMeasurer(ctx context.Context, s *store.Store) *measurer {
	m := &measurer{store: s, with: "emolab " + version}
	if f, err := stimulus.FindFFmpeg(); err == nil {
		m.ffmpeg = f
		if v, err := f.Version(ctx); err == nil {
			m.with += ", " + v
		}
	}
	return m
}

// close closes the store, where there is one.
func (m *measurer) close() error {
	if m.store == nil {
		return nil
	}
	return m.store.Close()
}

// measure measures of one video whatever is not known yet, and returns all that is known
// then. done is false where nothing was left to do. Pictures and sound do not depend on
// each other: an error of the one does not keep the other. hold is as of clip.Measure.
func (m *measurer) measure(ctx context.Context, s study.Stimulus, file string, hold func(context.Context, int) error) (known store.StimulusMeasure, done bool, err error) {
	seen := false
	if m.store != nil {
		light, err := m.store.Luminance(ctx, s.SHA256)
		if err != nil {
			return known, false, err
		}
		kept, err := m.store.StimulusMeasure(ctx, s.SHA256)
		if err != nil {
			return known, false, err
		}
		if kept != nil {
			known = *kept
		}
		seen = light != nil && known.Cuts != nil
	}
	codec, sound, fps := codecs(s), s.Sound != "", s.FPS()
	known.SHA256, known.With, known.Codec, known.Sound, known.FPS = s.SHA256, m.with, &codec, &sound, &fps
	var failed []error
	if !seen {
		if err := m.look(ctx, s, file, &known, hold); err != nil {
			failed = append(failed, err)
		} else {
			done = true
		}
	}
	if sound && known.Loudness == nil && m.ffmpeg != nil && ctx.Err() == nil {
		if err := m.listen(ctx, file, &known, hold); err != nil {
			failed = append(failed, err)
		} else {
			done = true
		}
	}
	if done && m.store != nil {
		failed = append(failed, m.store.PutStimulusMeasure(ctx, known))
	}
	return known, done, errors.Join(failed...)
}

// look measures the pictures.
func (m *measurer) look(ctx context.Context, s study.Stimulus, file string, known *store.StimulusMeasure, hold func(context.Context, int) error) error {
	if err := hold(ctx, 0); err != nil {
		return err
	}
	v, err := clip.Measure(ctx, file, s.BT709, s.FrameTimes, hold)
	if err != nil {
		return err
	}
	if m.store != nil {
		if err := m.store.AddLuminance(ctx, s.SHA256, v.Luminance); err != nil {
			return err
		}
	}
	mean := v.Mean()
	known.Luminance, known.Flashes, known.Cuts = &mean, &v.Flashes.Flashes, []float64{}
	for _, at := range v.Cuts {
		known.Cuts = append(known.Cuts, at.Seconds())
	}
	if v.Flashes.Flashes > 0 {
		at := v.Flashes.From.Seconds()
		known.FlashesAt = &at
	}
	return nil
}

// listen measures the sound.
func (m *measurer) listen(ctx context.Context, file string, known *store.StimulusMeasure, hold func(context.Context, int) error) error {
	if err := hold(ctx, 0); err != nil {
		return err
	}
	l, err := m.ffmpeg.Loudness(ctx, file)
	if err != nil {
		return err
	}
	known.Loudness = &l.Integrated
	if !math.IsInf(l.TruePeak, 0) {
		known.TruePeak = &l.TruePeak
	}
	return nil
}

// codecs are how picture and sound of a video are coded, in words.
func codecs(s study.Stimulus) string {
	return strings.TrimSuffix(s.Codec+", "+s.Sound, ", ")
}
