// Package clip measures what a video shows: how light each frame is, where it cuts, and
// whether it flashes. One pass over its pictures does all three.
package clip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"emolab/capture/cut"
	"emolab/capture/frame"
	"emolab/capture/luminance"
	"emolab/capture/strobe"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
)

// Measures are what the pictures of a video say.
type Measures struct {
	Luminance []float64       // mean relative luminance of each frame, 0 to 1
	Cuts      []time.Duration // when each shot after the first begins, in media time
	Flashes   strobe.Worst
}

// Mean is the mean luminance of the frames; 0 without any.
func (m Measures) Mean() float64 {
	sum := 0.
	for _, v := range m.Luminance {
		sum += v
	}
	return sum / float64(max(len(m.Luminance), 1))
}

// Measure measures the video file whose frames are shown at times. bt709 says that its
// colours are coded by ITU-R BT.709's matrix, not BT.601's. It works as fast as it can;
// before each frame it asks hold, which is told how many are done, may make it wait, and
// ends it with an error. Where the file yields another number of frames than there are
// times, it fails. Without OpenCV it fails with webcam.ErrNoOpenCV.
func Measure(ctx context.Context, file string, bt709 bool, times []time.Duration, hold func(ctx context.Context, done int) error) (Measures, error) {
	film, err := webcam.Open(webcam.Options{Source: file, Pace: webcam.Unpaced}, instant.Monotonic{})
	if err != nil {
		return Measures{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	frames := make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() {
		defer close(frames)
		ended <- film.Run(ctx, frames)
	}()
	w := newWork(bt709, times)
	var held error
	for f := range frames {
		if held != nil {
			continue // let the film end
		}
		w.add(f)
		if held = hold(ctx, w.frames); held != nil {
			stop()
		}
	}
	err = <-ended
	switch {
	case held != nil:
		return Measures{}, held
	case err != nil && !errors.Is(err, io.EOF):
		return Measures{}, fmt.Errorf("clip: %w", err)
	case ctx.Err() != nil:
		return Measures{}, ctx.Err()
	case w.frames != len(times):
		return Measures{}, fmt.Errorf("%s: its index names %d frames, %d could be read: write it anew with: emolab study import --convert", file, len(times), w.frames)
	}
	return w.done(), nil
}

// work is a video under way.
type work struct {
	times   []time.Duration
	meter   *luminance.Meter
	light   []float64
	looks   []cut.Look
	flashes strobe.Counter
	frames  int // read so far; of those beyond the times nothing is kept
}

func newWork(bt709 bool, times []time.Duration) *work {
	return &work{times: times, meter: luminance.NewMeter(bt709)}
}

func (w *work) add(f frame.Frame) {
	w.frames++
	if w.frames > len(w.times) {
		return
	}
	mean, parts := w.meter.Measure(f)
	w.light = append(w.light, mean)
	w.looks = append(w.looks, cut.Of(f))
	w.flashes.Add(w.times[w.frames-1], parts)
}

func (w *work) done() Measures {
	m := Measures{Luminance: w.light, Cuts: []time.Duration{}, Flashes: w.flashes.Worst()}
	for _, i := range cut.Find(w.looks, w.times) {
		m.Cuts = append(m.Cuts, w.times[i])
	}
	return m
}
