//go:build !nocv

package main

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"emolab/sensors/serialtest"
	"emolab/studies/store"
)

// The light of each stimulus is measured once, and not while a session records.
func TestLightOfTheStimuliIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := openExample(dir)
	if err != nil {
		t.Fatal(err)
	}
	st.Stimuli = st.Stimuli[:1]
	s, err := store.Open(t.Context(), databasePath(dir, st.ID))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	light := func() []float64 {
		got, err := s.Luminance(t.Context(), st.Stimuli[0].SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	var log bytes.Buffer
	measure := func(ctx context.Context, recording func() bool) {
		measureLight(ctx, s, st, recording, slog.New(slog.NewTextHandler(&log, nil)))
	}

	// A session records all the time: nothing is measured.
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		measure(ctx, func() bool { asked.Add(1); return true })
	}()
	serialtest.Eventually(t, "asked whether a session records", func() bool { return asked.Load() > 0 })
	stop()
	<-ended
	if got := light(); got != nil {
		t.Fatalf("%d frames were measured while a session was recorded", len(got))
	}

	idle := func() bool { return false }
	measure(t.Context(), idle)
	got := light()
	if len(got) != len(st.Stimuli[0].FrameTimes) {
		t.Fatalf("the light of %d frames, want %d: %s", len(got), len(st.Stimuli[0].FrameTimes), &log)
	}
	for i, v := range got {
		if v < .05 || v > .2 { // ffmpeg has .101 to .112
			t.Errorf("frame %d: %v", i, v)
		}
	}
	m, err := s.StimulusMeasure(t.Context(), st.Stimuli[0].SHA256)
	if err != nil || m == nil || m.Cuts == nil || m.Flashes == nil || m.Luminance == nil || math.Abs(*m.Luminance-.106) > .01 || m.Codec == nil || *m.Codec != codecs(st.Stimuli[0]) {
		t.Errorf("measures %+v, %v", m, err)
	}
	measure(t.Context(), idle)
	if n := strings.Count(log.String(), "stimulus measured"); n != 1 {
		t.Errorf("measured %d times:\n%s", n, &log)
	}
}

// What cannot be measured is said, and keeps nothing.
func TestLightThatCannotBeMeasured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := openExample(dir)
	if err != nil {
		t.Fatal(err)
	}
	st.Stimuli = st.Stimuli[:2]
	st.Stimuli[0].Sound, st.Stimuli[1].Sound = "", "" // how loud they are is not asked: that needs ffmpeg
	st.Stimuli[0].FrameTimes = st.Stimuli[0].FrameTimes[1:]
	st.Stimuli[1].File = "stimuli/none.mp4"
	s, err := store.Open(t.Context(), databasePath(dir, st.ID))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var log bytes.Buffer
	measureLight(t.Context(), s, st, func() bool { return false }, slog.New(slog.NewTextHandler(&log, nil)))
	for _, stim := range st.Stimuli {
		if got, err := s.Luminance(t.Context(), stim.SHA256); err != nil || got != nil {
			t.Errorf("%s: %d frames, %v", stim.ID, len(got), err)
		}
	}
	if said := log.String(); strings.Count(said, "level=WARN") != 2 || !strings.Contains(said, "names 179 frames, 180 could be read") {
		t.Errorf("said:\n%s", said)
	}
}
