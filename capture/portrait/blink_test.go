//go:build !nocv

package portrait_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"emolab/capture/face"
	"emolab/capture/portrait"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
)

// film has the virtual participant play the script from its beginning before a
// camera of 30 frames a second, and returns what the nets and the geometry make
// of it.
func film(t *testing.T, a *face.Analyzer, s *script.Script, long time.Duration) (frames []facial.Measured, truth script.Record) {
	synctest.Test(t, func(t *testing.T) {
		clock := fakeClock{time.Now()}
		played := script.NewTruth(s, clock.Now())
		camera := portrait.New(played, clock, portrait.Options{Seed: s.Seed})
		source := face.NewSource(camera, a, "face", face.SourceInfo{Rate: 30}, clock)
		ctx, stop := context.WithCancel(t.Context())
		out, ended := make(chan stream.Chunk), make(chan error, 1)
		go func() { ended <- source.Run(ctx, out) }()

		meter := facial.NewMeter(source.Info()[0])
		for last := instant.Instant(0); last < instant.Instant(long); {
			c := <-out
			for _, e := range c.Events {
				if e.Kind != stream.Connected {
					t.Errorf("%s: %d %s", e.Kind, e.Count, e.Detail)
				}
			}
			for _, sample := range c.Samples {
				last = instant.Instant(sample.Tick) // of the lab clock already
				sample.At = last
				frames = append(frames, meter.Measure(sample))
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		truth = played.Record()
	})
	return frames, truth
}

// The blinks of two participants, 70 seconds together with all expressions and
// turns of the head, are found on the whole way from the drawing through the nets
// and the geometry, and no others.
func TestNetsSeeTheBlinks(t *testing.T) {
	analyzer(t) // skips the test where there are no nets
	const mustFind, mayInvent = .95, .05
	seeds, least := []uint64{1, 5}, 15
	if raced {
		seeds, least = seeds[:1], 3
	}
	scores := make([]script.BlinkScore, len(seeds))
	t.Run("script", func(t *testing.T) {
		for i, seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				scores[i] = blinks(t, seed)
			})
		}
	})
	var total script.BlinkScore
	for _, score := range scores {
		total.Scripted += score.Scripted
		total.Found += score.Found
		total.False += score.False
		total.MedianMs = math.Max(total.MedianMs, score.MedianMs)
	}
	if total.Scripted < least {
		t.Fatalf("only %d blinks were played", total.Scripted)
	}
	if float64(total.Found) < mustFind*float64(total.Scripted) {
		t.Errorf("%d of %d blinks were found, want %.0f %%", total.Found, total.Scripted, 100*mustFind)
	}
	if float64(total.False) > mayInvent*float64(total.Scripted) {
		t.Errorf("%d blinks were found that were not played, beside %d that were", total.False, total.Scripted)
	}
	if total.MedianMs > 1000./30 {
		t.Errorf("onsets are off by %.0f ms in the median, want less than a frame", total.MedianMs)
	}
}

// blinks plays the script of a seed once and scores the blinks that are found.
func blinks(t *testing.T, seed uint64) script.BlinkScore {
	a, err := face.NewAnalyzer(face.Options{NoMirror: true}) // the expressions do not matter here
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := script.New(seed)
	long := s.Period
	if raced {
		long = 12 * time.Second
	}
	frames, truth := film(t, a, s, long)
	var found []script.Span
	for _, e := range facial.Derive(frames, nil, facial.Options{}).Events {
		if e.Kind == facial.Blink {
			found = append(found, script.Span{Onset: e.Onset, Offset: e.Offset})
		}
	}
	score := truth.Blinks(frames[0].At, frames[len(frames)-1].At, found)
	t.Logf("%d frames, %+v", len(frames), score)
	return score
}
