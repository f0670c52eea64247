package portrait

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// bubbleClock is the fake time of a synctest bubble, and what it was set ahead.
type bubbleClock struct {
	start time.Time
	ahead atomic.Int64 // ns
}

func (c *bubbleClock) Now() instant.Instant {
	return instant.Instant(7e9).Add(time.Since(c.start) + time.Duration(c.ahead.Load()))
}

// film runs a camera in a synctest bubble and hands its frames to use, which
// stands for the consumer.
func film(t *testing.T, o Options, use func(clock *bubbleClock, out <-chan frame.Frame)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clock := &bubbleClock{start: time.Now()}
		camera := New(script.NewTruth(script.New(1), clock.Now()), clock, o)
		ctx, stop := context.WithCancel(t.Context())
		out, ended := make(chan frame.Frame), make(chan error, 1)
		go func() { ended <- camera.Run(ctx, out) }()
		use(clock, out)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// small keeps the tests quick.
func small() Options { return Options{Width: 96, Height: 64, FPS: 30, Seed: 4} }

func TestFramesComeAtTheirRate(t *testing.T) {
	film(t, small(), func(clock *bubbleClock, out <-chan frame.Frame) {
		begin := clock.Now()
		s, w := script.New(1), newSway(4)
		paint := NewPainter(96, 64, 4)
		for seq := range int64(45) {
			f := <-out
			at := begin.Add(time.Duration(seq) * time.Second / 30)
			if f.Seq != seq || f.At.Sub(at).Abs() > 1 || f.Arrival != clock.Now() {
				t.Fatalf("frame %d of %d at %v, arrival %v; want %v", f.Seq, seq, f.At, f.Arrival, at)
			}
			want := paint.Paint(lookAt(s, f.At.Sub(begin), w))
			if f.Width != 96 || f.Height != 64 || !bytes.Equal(f.Pix, want) {
				t.Fatalf("frame %d does not show the script at its instant", seq)
			}
		}
	})
}

// A consumer that is late finds the newest frame, and sees from its number how
// many it has missed.
func TestALateConsumerLosesFrames(t *testing.T) {
	// Never a whole number of frames, where either of two would be right.
	const busy = 91 * time.Millisecond
	film(t, small(), func(clock *bubbleClock, out <-chan frame.Frame) {
		begin := clock.Now()
		<-out
		for range 10 {
			<-time.After(busy)
			asked := clock.Now()
			f := <-out
			if newest := int64(asked.Sub(begin).Seconds() * 30); f.Seq != newest {
				t.Fatalf("asked at %v: frame %d, want %d", asked.Sub(begin), f.Seq, newest)
			}
			if clock.Now() != asked {
				t.Fatalf("frame %d kept the consumer waiting", f.Seq)
			}
		}
	})
}

// When the process was held up, the exposures that it slept through are left
// out and the rate is kept.
func TestExposuresMissedAreLeftOut(t *testing.T) {
	film(t, small(), func(clock *bubbleClock, out <-chan frame.Frame) {
		if f := <-out; f.Seq != 0 {
			t.Fatalf("begins with frame %d", f.Seq)
		}
		synctest.Wait() // the camera waits for the exposure of frame 1
		clock.ahead.Store(int64(time.Second))
		if f := <-out; f.Seq != 1 || f.Arrival.Sub(f.At) < 900*time.Millisecond {
			t.Errorf("frame %d arrives %v after its exposure", f.Seq, f.Arrival.Sub(f.At))
		}
		if f := <-out; f.Seq != 31 || f.Arrival.Sub(f.At) > time.Second/30 {
			t.Errorf("frame %d arrives %v after its exposure, want frame 31 in time", f.Seq, f.Arrival.Sub(f.At))
		}
		if f := <-out; f.Seq != 32 || f.Arrival != f.At {
			t.Errorf("frame %d arrives %v after its exposure, want frame 32 at once", f.Seq, f.Arrival.Sub(f.At))
		}
	})
}

func TestScheduleFindsTheNewestExposure(t *testing.T) {
	for _, fps := range []float64{1, 23.976, 24, 25, 29.97, 30, 60, 240} {
		s := schedule{12345678901, fps}
		for seq := range int64(5000) {
			due := s.due(seq)
			if got := s.newest(due); got != seq {
				t.Fatalf("%v fps: at the instant of exposure %d the newest is %d", fps, seq, got)
			}
			if got := s.newest(due - 1); got != seq-1 && seq > 0 {
				t.Fatalf("%v fps: just before exposure %d the newest is %d", fps, seq, got)
			}
		}
	}
}

func TestRunEndsWhileNobodyTakesTheFrame(t *testing.T) {
	film(t, small(), func(_ *bubbleClock, out <-chan frame.Frame) {
		<-out
		synctest.Wait()
		<-time.After(time.Second / 20) // frame 1 is now on offer
	})
}

func TestZeroOptionsAreAWebcam(t *testing.T) {
	film(t, Options{}, func(clock *bubbleClock, out <-chan frame.Frame) {
		first, second := <-out, <-out
		if first.Width != 640 || first.Height != 480 || len(first.Pix) != 3*640*480 {
			t.Errorf("%dx%d with %d bytes", first.Width, first.Height, len(first.Pix))
		}
		if got := second.At.Sub(first.At); got.Round(time.Millisecond) != 33*time.Millisecond {
			t.Errorf("frames %v apart", got)
		}
	})
}

func TestRunRefusesWhatCannotWork(t *testing.T) {
	strange := script.New(1)
	strange.Expressions = append(strange.Expressions, script.Expression{Name: "bored"})
	for _, tc := range []struct {
		name   string
		script *script.Script
		o      Options
		says   string
	}{
		{"width alone", script.New(1), Options{Width: 640}, "640x0"},
		{"too small", script.New(1), Options{Width: 16, Height: 16}, "16x16"},
		{"too large", script.New(1), Options{Width: 10000, Height: 480}, "10000x480"},
		{"negative rate", script.New(1), Options{FPS: -1}, "-1 frames"},
		{"unknown expression", strange, Options{}, `"bored"`},
	} {
		clock := new(instant.Hand)
		err := New(script.NewTruth(tc.script, 0), clock, tc.o).Run(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v, want one that says %s", tc.name, err, tc.says)
		}
	}
}
