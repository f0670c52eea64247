package facial

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Limits of a blink. DECISIONS.md tells what they were set by.
const (
	// openSpan is the time over which the median of the eye aspect ratio is that
	// of open eyes: blinks fill less than half of it, and an eye that is narrow
	// for longer is narrow.
	openSpan = 3 * time.Second
	// shut is the part of the open eye's aspect ratio that the landmark net takes
	// off when the lids are closed. The lids close wholly; its landmarks do not.
	shut = .15
	// blinkDepth is the part of it below which a dip is no blink.
	blinkDepth = .06
	// blinkNoise is how many times the spread of the open eye a dip must be deep.
	blinkNoise = 5
	// normalSpread is the standard deviation of a normal distribution over its
	// median size.
	normalSpread = 1.4826
	// blinkEdge is the part of its depth at which a blink begins and ends.
	blinkEdge = .25
	// blinkLeast and blinkMost are how long a blink takes. What is longer is a
	// closed eye, or a look down.
	blinkLeast = 80 * time.Millisecond
	blinkMost  = 500 * time.Millisecond
	// blinkHole is the longest time between frames within a blink: two frames
	// lost at 30 a second. What happened in a longer one is not known.
	blinkHole = 110 * time.Millisecond
)

// aspect is the eye aspect ratio of both eyes; NaN where it is not known.
func aspect(m *Measured) float64 { return (m.EARRight + m.EARLeft) / 2 }

// closure says how far the eyes are shut, 0 to 1, from their aspect ratio and
// that of the open eyes.
func closure(aspect, open float64) float64 {
	if math.IsNaN(aspect) || math.IsNaN(open) {
		return math.NaN()
	}
	return min(max((open-aspect)/(shut*open), 0), 1)
}

// openLevel returns, for each frame, the aspect ratio of the open eyes then. A
// median keeps the edges of what lasts (a smile that narrows the eyes) and
// forgets what does not (a blink).
func openLevel(frames []Measured) []float64 {
	return runningMedian(frames, func(i int) float64 { return aspect(&frames[i]) })
}

// runningMedian returns, for each frame, the median of the known values of the
// frames around it, half of openSpan to each side.
func runningMedian(frames []Measured, value func(i int) float64) []float64 {
	out := make([]float64, len(frames))
	var w window
	next := 0
	for i := range frames {
		for ; next < len(frames) && frames[next].At <= frames[i].At.Add(openSpan/2); next++ {
			if v := value(next); !math.IsNaN(v) {
				w.add(frames[next].At, v)
			}
		}
		w.forget(frames[i].At.Add(-openSpan / 2))
		out[i] = w.median()
	}
	return out
}

// blinkAt is a blink between frames.
type blinkAt struct {
	first, last   int // frames that lie within it
	onset, offset instant.Instant
}

// findBlinks finds the short dips of the eye aspect ratio below its level in
// open eyes (Soukupova & Cech 2016 take a fixed limit; here it is relative to
// the person and to the noise).
func findBlinks(frames []Measured, open []float64) []blinkAt {
	var known []int
	var depths []float64
	for i := range frames {
		if d := open[i] - aspect(&frames[i]); !math.IsNaN(d) {
			known, depths = append(known, i), append(depths, d)
		}
	}
	// The spread as the median size tells it, so that blinks do not count.
	sizes := runningMedian(frames, func(i int) float64 { return math.Abs(open[i] - aspect(&frames[i])) })
	var found []blinkAt
	for k := 0; k < len(known); k++ {
		i := known[k]
		least := max(blinkDepth*open[i], blinkNoise*normalSpread*sizes[i])
		if depths[k] < least {
			continue
		}
		b, end, ok := dip(frames, known, depths, k)
		if ok {
			found = append(found, b)
		}
		k = end
	}
	return found
}

// dip follows the dip that is deep at known frame k to both sides. end is its
// last known frame; ok tells whether it is a blink.
func dip(frames []Measured, known []int, depths []float64, k int) (b blinkAt, end int, ok bool) {
	bottom := k
	for end = k; end+1 < len(depths) && depths[end+1] > blinkEdge*depths[bottom]; end++ {
		if depths[end+1] > depths[bottom] {
			bottom = end + 1
		}
	}
	edge := blinkEdge * depths[bottom]
	first := bottom
	for first > 0 && depths[first-1] > edge {
		first--
	}
	if first == 0 || end+1 == len(depths) {
		return b, end, false // it began before the recording, or did not end in it
	}
	for i := first - 1; i <= end; i++ {
		if frames[known[i+1]].At.Sub(frames[known[i]].At) > blinkHole {
			return b, end, false
		}
	}
	cross := func(out, in int) instant.Instant { // where the depth passes the edge
		from, until := frames[known[out]].At, frames[known[in]].At
		u := (edge - depths[out]) / (depths[in] - depths[out])
		return from.Add(time.Duration(u * float64(until.Sub(from))))
	}
	b = blinkAt{known[first], known[end], cross(first-1, first), cross(end+1, end)}
	length := b.offset.Sub(b.onset)
	return b, end, length >= blinkLeast && length <= blinkMost
}

// mark marks the rows within the blink and returns its event.
func (b blinkAt) mark(rows []Row) Event {
	e := Event{Kind: Blink, Onset: b.onset, Offset: b.offset}
	n := 0
	for i := b.first; i <= b.last; i++ {
		r := &rows[i]
		if math.IsNaN(r.Blink) {
			continue
		}
		r.Blink = 1
		if shut := r.AU[len(r.AU)-1]; !math.IsNaN(shut) {
			e.Peak = max(e.Peak, shut)
			e.Mean += shut
			n++
		}
	}
	if n > 0 {
		e.Mean /= float64(n)
	}
	return e
}

// window is a run of values in time whose median is asked for.
type window struct {
	at     []instant.Instant
	values []float64 // in order of time
	sorted []float64
}

func (w *window) add(at instant.Instant, v float64) {
	w.at, w.values = append(w.at, at), append(w.values, v)
	i, _ := slices.BinarySearch(w.sorted, v)
	w.sorted = slices.Insert(w.sorted, i, v)
}

// forget drops what is before an instant.
func (w *window) forget(before instant.Instant) {
	n := 0
	for n < len(w.at) && w.at[n] < before {
		i, _ := slices.BinarySearch(w.sorted, w.values[n])
		w.sorted = slices.Delete(w.sorted, i, i+1)
		n++
	}
	if n > 0 { // moved down, so that the arrays do not creep through memory
		w.at = w.at[:copy(w.at, w.at[n:])]
		w.values = w.values[:copy(w.values, w.values[n:])]
	}
}

// median is NaN when there is nothing.
func (w *window) median() float64 {
	n := len(w.sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return w.sorted[n/2]
	}
	return (w.sorted[n/2-1] + w.sorted[n/2]) / 2
}
