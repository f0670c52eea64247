package facial

import (
	"cmp"
	"math"
	"slices"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/instant"
)

// Options set up Derive. The zero value is the default.
type Options struct {
	// Threshold is the probability from which on an expression counts; 0 = .5.
	Threshold float64
	// Least is how long it must last to be a bout; 0 = 300 ms.
	Least time.Duration
	// Merge is the time below which a gap within a bout is bridged; 0 = 200 ms.
	Merge time.Duration
	// Smooth is over how many frames the running median goes that bouts are
	// looked for in, an odd number; 0 = 5, 1 = none. The stored probabilities are
	// never smoothed.
	Smooth int
}

// The defaults: threshold, shortest bout and bridged gap are those that users of
// iMotions' AFFDEX know.
const (
	boutThreshold = .5
	boutLeast     = 300 * time.Millisecond
	boutMerge     = 200 * time.Millisecond
	boutSmooth    = 5
	// boutHole is the longest time between frames of which it can be said what was
	// between them: one lost frame of a camera at 10 a second.
	boutHole = 210 * time.Millisecond
)

func (o Options) withDefaults() Options {
	o.Threshold = cmp.Or(o.Threshold, boutThreshold)
	o.Least = cmp.Or(o.Least, boutLeast)
	o.Merge = cmp.Or(o.Merge, boutMerge)
	o.Smooth = cmp.Or(o.Smooth, boutSmooth)
	return o
}

// findBouts returns the bouts of all expressions but neutral, in order of time.
func findBouts(frames []Measured, o Options) []Event {
	raw := make([]expression.Probabilities, len(frames))
	for i := range frames {
		raw[i] = frames[i].Expression
	}
	c := course{frames, expression.Median(raw, o.Smooth), o}
	var found []Event
	for k := range expression.Count {
		if k == expression.Neutral {
			continue
		}
		for _, b := range c.bouts(k) {
			if b.offset.Sub(b.onset) >= o.Least {
				found = append(found, c.event(k, b))
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Event) int { return cmp.Compare(a.Onset, b.Onset) })
	return found
}

// course is how the expressions went.
type course struct {
	frames []Measured
	smooth []expression.Probabilities
	o      Options
}

// bout is an expression from its first to its last frame above the threshold.
type bout struct {
	first, last   int
	onset, offset instant.Instant // where it passes the threshold
}

// bouts returns those of expression k, gaps bridged, however short.
func (c *course) bouts(k int) []bout {
	var found []bout
	for i := 0; i < len(c.frames); i++ {
		if !(c.smooth[i][k] >= c.o.Threshold) {
			continue
		}
		b := bout{first: i, last: i}
		for b.last+1 < len(c.frames) && c.smooth[b.last+1][k] >= c.o.Threshold && c.near(b.last, b.last+1) {
			b.last++
		}
		i = b.last
		b.onset, b.offset = c.crossing(k, b.first-1, b.first), c.crossing(k, b.last+1, b.last)
		if n := len(found); n > 0 && b.onset.Sub(found[n-1].offset) < c.o.Merge {
			found[n-1].last, found[n-1].offset = b.last, b.offset
		} else {
			found = append(found, b)
		}
	}
	return found
}

// near tells whether a frame follows another soon enough to say what was
// between them.
func (c *course) near(i, j int) bool { return c.frames[j].At.Sub(c.frames[i].At).Abs() < boutHole }

// crossing returns when expression k passes the threshold between two frames:
// the frame within at the latest, where the other did not see the face.
func (c *course) crossing(k, outside, inside int) instant.Instant {
	at := c.frames[inside].At
	if outside < 0 || outside == len(c.frames) || !c.near(outside, inside) {
		return at
	}
	beyond, within := c.smooth[outside][k], c.smooth[inside][k]
	if !(beyond < c.o.Threshold) { // no face
		return at
	}
	u := (within - c.o.Threshold) / (within - beyond)
	return at.Add(time.Duration(u * float64(c.frames[outside].At.Sub(at))))
}

// event sums up a bout of expression k. Peak and mean are those of the
// probabilities as they are stored.
func (c *course) event(k int, b bout) Event {
	e := Event{Kind: Bout, Label: expression.Names()[k], Onset: b.onset, Offset: b.offset}
	n := 0
	for i := b.first; i <= b.last; i++ {
		if p := c.frames[i].Expression[k]; !math.IsNaN(p) {
			e.Peak = max(e.Peak, p)
			e.Mean += p
			n++
		}
	}
	e.Mean /= float64(n)
	return e
}
