package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"emolab/capture/luminance"
	"emolab/studies/store"
	"emolab/studies/study"
)

// lookAgain is how often the light of the stimuli asks whether a session is over.
const lookAgain = time.Second

// measureLight computes how light each frame of the study's stimuli is, where the
// store does not know it yet, one video after the other. It takes no time from a
// session: while recording says so it waits. What cannot be computed is logged: a
// session is sealed without it all the same.
func measureLight(ctx context.Context, s *store.Store, st *study.Study, recording func() bool, log *slog.Logger) {
	hold := func(ctx context.Context) error {
		for recording() {
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return ctx.Err()
	}
	for i, stim := range st.Stimuli {
		began := time.Now()
		done, err := lightOf(ctx, s, st, stim, hold)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("the light of a stimulus is not known: the pupil's answer to it stays in the pupil", "stimulus", stim.ID, "error", err)
		case done:
			log.Info("light of a stimulus measured", "stimulus", stim.ID, "number", i+1, "of", len(st.Stimuli), "took", time.Since(began).Round(time.Millisecond))
		}
	}
}

// lightOf computes the light of one stimulus and keeps it. done is false where it
// was known.
func lightOf(ctx context.Context, s *store.Store, st *study.Study, stim study.Stimulus, hold func(context.Context) error) (done bool, err error) {
	known, err := s.Luminance(ctx, stim.SHA256)
	if err != nil || known != nil {
		return false, err
	}
	if err := hold(ctx); err != nil {
		return false, err
	}
	light, err := luminance.Video(ctx, filepath.Join(st.Dir, filepath.FromSlash(stim.File)), stim.BT709, hold)
	if err != nil {
		return false, err
	}
	if len(light) != len(stim.FrameTimes) {
		return false, fmt.Errorf("%s: its index names %d frames, %d could be read: write it anew with ffmpeg", stim.File, len(stim.FrameTimes), len(light))
	}
	return true, s.AddLuminance(ctx, stim.SHA256, light)
}
