package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/studies/browsertest"
	"emolab/studies/study"
)

const (
	// watchEvery is how often the screen is looked at.
	watchEvery = 500 * time.Microsecond
	// What is between a dark and a bright level is no part of the flash clip: the
	// stage's grey, or a picture that is being drawn.
	darkBelow, brightFrom = 60, 196
	// stall is a time without a look that says that the machine itself stood still: what
	// was to be drawn meanwhile was late as well.
	stall = 10 * time.Millisecond
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
	stalls []stimulus.Span // longer than stall, between two looks
}

// sight is a time in which all looks saw the same.
type sight struct {
	from, until instant.Instant // the first and the last look that saw this
	frame       int             // -1: none, or one that is being drawn
}

// watch begins to look at a clip on the screen.
func watch(t *testing.T, s *browsertest.Screen, clip square) *watcher {
	t.Helper()
	w := &watcher{screen: s, ended: make(chan struct{})}
	for i := range w.cells {
		x, y := clip.at(study.FlashCell(i))
		w.cells[i] = [2]int{x, y}
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
			if before.Sub(last) > stall {
				w.stalls = append(w.stalls, stimulus.Span{From: last, Until: before})
			}
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

// during returns what was seen between two instants.
func (w *watcher) during(from, until instant.Instant) []int {
	var saw []int
	for _, s := range w.sights {
		if s.from <= until && s.until >= from {
			saw = append(saw, s.frame)
		}
	}
	return saw
}

// stalled tells whether the machine stood still between two instants.
func (w *watcher) stalled(from, until instant.Instant) bool {
	return slices.ContainsFunc(w.stalls, func(s stimulus.Span) bool { return s.From <= until && s.Until >= from })
}

// words says what was seen around a showing.
func (w *watcher) words(s stimulus.Showing, since instant.Instant) string {
	var b strings.Builder
	for _, v := range w.sights {
		if v.from <= s.Until.Add(nearEdge) && v.until >= s.From.Add(-nearEdge) {
			fmt.Fprintf(&b, " %d: %v..%v", v.frame, v.from.Sub(since), v.until.Sub(since))
		}
	}
	return b.String()
}
