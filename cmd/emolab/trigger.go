package main

import (
	"context"
	"math"
	"slices"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// triggerDepth is how many chunks of all streams the triggers may be behind: some
// seconds. They do next to nothing with a chunk; should they ever be slower, the
// recorder does not wait for them.
const triggerDepth = 2048

// emitter is a device that writes a code when a stimulus comes up.
type emitter interface {
	// Mark writes the code of a presentation, and never blocks. onset is when its
	// first frame was displayed.
	Mark(stimulus string, presentation int, onset instant.Instant)
}

// emittersOf finds the devices that write triggers.
func emittersOf(sources []stream.Source) []emitter {
	var all []emitter
	for _, s := range sources {
		if e, ok := s.(emitter); ok {
			all = append(all, e)
		}
	}
	return all
}

// fireTriggers has every emitter mark the presentations that come up on the
// screen, until the feed is closed or ctx ends. plan tells what is being shown. It
// is asked at each onset, because the stream does not say where a session ends, and
// the next one numbers other clips alike.
func fireTriggers(ctx context.Context, feed *bus.Bus, screen stream.Info, plan func() study.Plan, emitters ...emitter) error {
	if len(emitters) == 0 {
		return nil
	}
	sub := feed.Lossy("triggers", triggerDepth)
	defer sub.Close()
	w := onsets{info: screen}
	for {
		select {
		case <-ctx.Done():
			return nil
		case c, ok := <-sub.C():
			if !ok {
				return nil
			}
			if c.Stream != screen.ID {
				continue
			}
			for _, s := range c.Samples {
				presentation, begins := w.add(c.Epoch, s)
				if !begins {
					continue
				}
				stimulus := stimulusOf(plan(), presentation)
				for _, e := range emitters {
					e.Mark(stimulus, presentation, s.At)
				}
			}
		}
	}
}

// stimulusOf returns what a plan shows in a presentation; "" where it has none.
func stimulusOf(p study.Plan, presentation int) string {
	i := slices.IndexFunc(p.Steps, func(s study.Step) bool { return s.Action == study.Play && s.Presentation == presentation })
	if i < 0 {
		return ""
	}
	return p.Steps[i].Stimulus
}

// onsets finds the first displayed frame of each presentation in the stimulus
// stream. A presentation that was interrupted and is shown again has an onset
// again.
type onsets struct {
	info         stream.Info // of the stimulus stream
	epoch        int
	presentation int     // on the screen; 0 = none
	frames       float64 // the browser's count of its frames
}

// add takes a displayed frame. It returns the presentation that the frame is of,
// and whether it is the first of it that was reported. A row that says that what is
// on the screen is not known (the page was hidden) neither ends nor begins one.
func (o *onsets) add(epoch int, s stream.Sample) (presentation int, begins bool) {
	said := s.Values[o.info.Index("presentation")]
	if math.IsNaN(said) {
		return 0, false
	}
	presentation = int(said)
	frames := s.Values[o.info.Index("presented_frames")]
	// The browser counts the frames of each showing from 1. A frame told twice is none.
	begins = presentation != 0 && (presentation != o.presentation || epoch != o.epoch || frames < o.frames)
	o.epoch, o.presentation, o.frames = epoch, presentation, frames
	return presentation, begins
}
