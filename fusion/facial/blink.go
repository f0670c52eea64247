package facial

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// Limits of a blink. DECISIONS.md tells what they were set by.
const (
	// blinkLeast and blinkMost are how long a blink takes. What is longer is a
	// closed eye, or a look down.
	blinkLeast = 80 * time.Millisecond
	blinkMost  = 500 * time.Millisecond
	// blinkDepth is the part of the open eye's aspect ratio that a blink takes
	// off at least, as the landmark net shows it.
	blinkDepth = .05
	// blinkNoise is how many times deeper it is than the dips usually are that
	// the landmarks' noise makes at that time.
	blinkNoise = 8
	// noiseSpan is the time over which that is looked at: blinks fill less than
	// half of it.
	noiseSpan = 3 * time.Second
	// blinkEdge is the part of its depth at which a blink begins and ends.
	blinkEdge = .25
	// blinkHole is the longest time between frames within a blink: two frames
	// lost at 30 a second. What happened in a longer one is not known.
	blinkHole = 110 * time.Millisecond
	// blinkTurn is by how many degrees the head may seem to turn in a blink.
	// Beyond, the landmarks went astray, or moved by more than lids move them.
	blinkTurn = 8
)

// shut is the part of the open eye's aspect ratio that the landmark net takes off
// when the lids are closed and stay closed. The lids close wholly; its landmarks
// do not. It is the scale of AU 43 too.
const shut = .18

// aspect is the eye aspect ratio of both eyes; NaN where it is not known.
func aspect(m *Measured) float64 { return (m.EARRight + m.EARLeft) / 2 }

// lids is the course of the eye aspect ratio over the frames that have one.
type lids struct {
	frame  []int // its place among all frames
	at     []instant.Instant
	aspect []float64
	depth  []float64 // of the short dip at that frame, in parts of the open eye's aspect; 0 = none
}

func newLids(frames []Measured) lids {
	var l lids
	for i := range frames {
		if e := aspect(&frames[i]); !math.IsNaN(e) {
			l.frame, l.at, l.aspect = append(l.frame, i), append(l.at, frames[i].At), append(l.aspect, e)
		}
	}
	open := closing(l.at, l.aspect, blinkMost)
	l.depth = make([]float64, len(open))
	for k, o := range open {
		if o > 0 {
			l.depth[k] = 1 - l.aspect[k]/o
		}
	}
	return l
}

// dip is a short dip of the eye aspect ratio.
type dip struct {
	first, last   int // places in lids that lie within it
	onset, offset instant.Instant
	unsure        bool // whether it was a blink cannot be told
}

// dips finds the dips deep enough for a blink, in order. Soukupova & Cech 2016
// take a fixed limit for the aspect ratio. Here it is what the eyes have just
// before and after, because people, smiles and looks differ by more than a blink
// moves the landmarks.
func (l *lids) dips(frames []Measured) []dip {
	noise := runningMedian(l.at, l.depth, noiseSpan)
	var found []dip
	free := 0 // the first place that is in no dip yet
	for k := 0; k < len(l.depth); k++ {
		if l.depth[k] < max(blinkDepth, blinkNoise*noise[k]) {
			continue
		}
		d, ok := l.around(k, free)
		d.unsure = d.unsure || l.holed(d) || l.turned(d, frames)
		if length := d.offset.Sub(d.onset); d.unsure || ok && length >= blinkLeast && length <= blinkMost {
			found = append(found, d)
		}
		k, free = d.last, d.last+1
	}
	return found
}

// around follows the dip at place k to both sides, back to place free at most.
// ok is false where it has no edge; it is unsure where the recording begins or
// ends in it.
func (l *lids) around(k, free int) (d dip, ok bool) {
	bottom, last := k, k
	for last+1 < len(l.depth) && l.depth[last+1] > blinkEdge*l.depth[bottom] {
		last++
		if l.depth[last] > l.depth[bottom] {
			bottom = last
		}
	}
	edge := blinkEdge * l.depth[bottom]
	first := bottom
	for first > free && l.depth[first-1] > edge {
		first--
	}
	d = dip{first: first, last: last}
	switch {
	case first == 0 || last+1 == len(l.depth):
		d.unsure = true
		return d, false
	case l.depth[first-1] > edge: // what is left of the dip before
		return d, false
	}
	d.onset, d.offset = l.crossing(first-1, first, edge), l.crossing(last+1, last, edge)
	return d, true
}

// crossing returns when the depth passes edge between two places.
func (l *lids) crossing(outside, inside int, edge float64) instant.Instant {
	u := (edge - l.depth[outside]) / (l.depth[inside] - l.depth[outside])
	return l.at[outside].Add(time.Duration(u * float64(l.at[inside].Sub(l.at[outside]))))
}

// holed tells whether frames are missing within a dip or at its edges.
func (l *lids) holed(d dip) bool {
	for k := max(d.first, 1); k <= min(d.last+1, len(l.at)-1); k++ {
		if l.at[k].Sub(l.at[k-1]) > blinkHole {
			return true
		}
	}
	return false
}

// turned tells whether the head turned too much within a dip.
func (l *lids) turned(d dip, frames []Measured) bool {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for k := max(d.first-1, 0); k <= min(d.last+1, len(l.at)-1); k++ {
		if m := &frames[l.frame[k]]; m.Posed {
			for i, angle := range [2]float64{m.Pose.YawDeg, m.Pose.PitchDeg} {
				low[i], high[i] = min(low[i], angle), max(high[i], angle)
			}
		}
	}
	return high[0]-low[0] > blinkTurn || high[1]-low[1] > blinkTurn
}

// markBlinks fills in Blink of the rows and returns the blinks.
func markBlinks(frames []Measured, rows []Row) []Event {
	l := newLids(frames)
	for _, i := range l.frame {
		rows[i].Blink = 0
	}
	var events []Event
	for _, d := range l.dips(frames) {
		if d.unsure {
			for _, i := range l.frame[d.first : d.last+1] {
				rows[i].Blink = math.NaN()
			}
			continue
		}
		e := Event{Kind: Blink, Onset: d.onset, Offset: d.offset}
		for _, i := range l.frame[d.first : d.last+1] {
			rows[i].Blink = 1
		}
		for _, depth := range l.depth[d.first : d.last+1] {
			closed := min(depth/shut, 1)
			e.Peak = max(e.Peak, closed)
			e.Mean += closed / float64(d.last+1-d.first)
		}
		events = append(events, e)
	}
	return events
}
