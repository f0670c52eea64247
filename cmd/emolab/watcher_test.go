package main

import (
	"context"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/browsertest"
	"emolab/studies/study"
)

const (
	// watchEvery is how often the screen is looked at.
	watchEvery = 500 * time.Microsecond
	// What is between a dark and a bright level is no part of the flash clip: the
	// stage's grey, or a picture that is being drawn.
	darkBelow, brightFrom = 60, 196
)

// watcher looks at the flash clip on a screen as a camera without delay would: at
// the cells that spell the number of the frame, by the lab's clock.
type watcher struct {
	screen *browsertest.Screen
	cells  [study.FlashCells][2]int // px
	stop   context.CancelFunc
	ended  chan struct{}

	// Read these after end only.
	sights []sight
	late   []time.Duration // how much later than it should each look was
}

// sight is a time in which all looks saw the same.
type sight struct {
	from, until instant.Instant // the first and the last look that saw this
	frame       int             // -1: none, or one that is being drawn
}

// watch begins to look at the clip that fills a square of the screen, which begins
// edge px from its left and upper edge.
func watch(t *testing.T, s *browsertest.Screen, edge, side float64) *watcher {
	t.Helper()
	w := &watcher{screen: s, ended: make(chan struct{})}
	for i := range w.cells {
		x, y := study.FlashCell(i)
		w.cells[i] = [2]int{int(edge + x*side), int(edge + y*side)}
	}
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() {
		defer close(w.ended)
		w.run(ctx)
	}()
	t.Cleanup(w.end)
	return w
}

// end ends the looking.
func (w *watcher) end() {
	w.stop()
	<-w.ended
}

func (w *watcher) run(ctx context.Context) {
	var clock instant.Monotonic
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := instant.Instant(0)
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		before := clock.Now()
		frame := w.look()
		after := clock.Now()
		if last != 0 {
			w.late = append(w.late, max(0, before.Sub(last)-watchEvery))
		}
		if n := len(w.sights); n > 0 && w.sights[n-1].frame == frame {
			w.sights[n-1].until = before
		} else {
			w.sights = append(w.sights, sight{from: after, until: before, frame: frame})
		}
		last = before
	}
}

// look returns the number of the frame that is on the screen.
func (w *watcher) look() int {
	var bits [study.FlashCells]bool
	for i, c := range w.cells {
		switch v := w.screen.Pixel(c[0], c[1]); {
		case v >= brightFrom:
			bits[i] = true
		case v >= darkBelow:
			return -1
		}
	}
	if frame, ok := study.FlashFrame(bits); ok {
		return frame
	}
	return -1
}
