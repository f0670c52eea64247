package latency

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Edge is a change of light: as it was stated (from this frame on the patch is
// bright) or as it was seen.
type Edge struct {
	At     instant.Instant
	Err    time.Duration // bounds |At - truth|, as far as clocks and readings go
	Bright bool          // after the edge
}

const (
	// maxGap is the longest time between two readings in which a crossing is looked
	// for; what happens in a longer one is not seen. A box reads light every
	// millisecond.
	maxGap = 5 * time.Millisecond
	// flicker is how short a bright or dark time may be without being an edge: a
	// dimmed backlight goes out hundreds of times a second.
	flicker = 30 * time.Millisecond

	// A reading above high of the contrast is bright, one below low is dark, and
	// what lies between belongs to what was before.
	low, high = .25, .75

	// overNoise is how many times the spread of the readings about their level the
	// contrast must be. Of two halves of mere noise the levels are 1.3 standard
	// deviations apart and the spread of each is 0.4.
	overNoise = 8

	// outer is the share of readings at either end that may be false.
	outer = .005
)

// Levels are what light readings say of a patch that flashes.
type Levels struct {
	Dark, Bright float64
	// Noise is the median distance of the readings from the level they belong to.
	Noise float64
}

// Contrast is the difference of bright and dark.
func (l Levels) Contrast() float64 { return l.Bright - l.Dark }

// Flashes tells whether the levels are those of two states and not of noise.
func (l Levels) Flashes(minContrast float64) bool {
	return l.Contrast() > 0 && l.Contrast() >= minContrast && l.Contrast() >= overNoise*l.Noise
}

// LevelsOf finds the two levels of a patch that flashes: the threshold is moved
// halfway between the means of what lies below and above it until it stays
// (Ridler and Calvard, IEEE Trans. SMC 8, 1978), and the levels are the medians on
// its sides, so that neither the time in between nor the share of bright times
// matters. Readings that are not finite do not count.
func LevelsOf(values []float64) Levels {
	vs := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(vs) == 0 {
		return Levels{}
	}
	slices.Sort(vs)
	cut := int(outer * float64(len(vs)))
	vs = vs[cut : len(vs)-cut]
	sums := make([]float64, len(vs)+1)
	for i, v := range vs {
		sums[i+1] = sums[i] + v
	}
	n := len(vs)
	split := -1 // readings below the threshold
	threshold := vs[0]/2 + vs[n-1]/2
	for range n {
		at, _ := slices.BinarySearch(vs, threshold)
		if at == split || at == 0 || at == n {
			split = at
			break
		}
		split = at
		threshold = sums[at]/float64(at)/2 + (sums[n]-sums[at])/float64(n-at)/2
	}
	if split <= 0 || split >= n {
		return Levels{Dark: vs[n/2], Bright: vs[n/2]}
	}
	l := Levels{Dark: vs[split/2], Bright: vs[split+(n-split)/2]}
	away := make([]float64, n)
	for i, v := range vs {
		away[i] = math.Abs(v - l.Dark)
		if i >= split {
			away[i] = math.Abs(v - l.Bright)
		}
	}
	slices.Sort(away)
	l.Noise = away[n/2]
	return l
}

// Edges finds where light readings turn bright or dark. at, err and value have
// one entry a reading, in order of time. An edge is where the readings, joined by
// straight lines, pass half of the contrast on their way from below a quarter of
// it to above three quarters, or back. Readings without flashes have none;
// minContrast is the least difference of bright and dark, in their units, that is
// taken for flashes, and 0 takes any that stands out of the noise.
func Edges(at []instant.Instant, err []time.Duration, value []float64, minContrast float64) []Edge {
	levels := LevelsOf(value)
	if !levels.Flashes(minContrast) {
		return nil
	}
	w := watch{levels: levels}
	for i := range min(len(at), len(err), len(value)) {
		w.reading(at[i], err[i], value[i])
	}
	return steady(w.turns)
}

// turn is a change of state. One that nobody saw (between two readings far apart)
// has no instant of its own, but still tells how long the states lasted.
type turn struct {
	Edge
	seen bool
}

// watch follows light readings.
type watch struct {
	levels Levels
	turns  []turn

	known, bright bool // the state
	any           bool // there is a reading before
	last          point
	crossing      Edge // the latest crossing of half the contrast
	crossed       bool // there is one, to the other side than the state's
}

// point is a reading: y = 0 dark, 1 bright.
type point struct {
	at  instant.Instant
	err time.Duration
	y   float64
}

func (w *watch) reading(at instant.Instant, err time.Duration, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	now := point{at, err, (value - w.levels.Dark) / w.levels.Contrast()}
	gap := w.any && (now.at.Sub(w.last.at) > maxGap || now.at < w.last.at)
	if gap {
		w.crossed = false
	}
	if w.any && !gap && (w.last.y < .5) != (now.y < .5) {
		w.crossing, w.crossed = cross(w.last, now), true
	}
	var turned bool
	switch {
	case now.y >= high:
		turned = !w.known || !w.bright
		w.known, w.bright = true, true
	case now.y <= low:
		turned = !w.known || w.bright
		w.known, w.bright = true, false
	}
	if turned {
		t := turn{Edge{At: now.at, Bright: w.bright}, false}
		if w.crossed && w.crossing.Bright == w.bright {
			t = turn{w.crossing, true}
		}
		w.turns = append(w.turns, t)
		w.crossed = false
	}
	w.any, w.last = true, now
}

// cross is the edge between two readings on different sides of half the contrast.
// It lies between them wherever the light was in between, so its distance to the
// farther of the two bounds what the straight line gets wrong.
func cross(a, b point) Edge {
	span := b.at.Sub(a.at)
	after := time.Duration((.5 - a.y) / (b.y - a.y) * float64(span))
	return Edge{
		At: a.at.Add(after), Bright: b.y >= .5,
		Err: max(a.err, b.err) + max(after, span-after),
	}
}

// steady takes out flicker, and what nobody saw. Dark times that are too short are
// filled first: a dimmed backlight makes many of them in one bright time. Then
// what is left of too short bright times goes.
func steady(turns []turn) []Edge {
	for _, bright := range [...]bool{false, true} {
		kept := turns[:0:0]
		for _, t := range turns {
			if n := len(kept); n > 0 && kept[n-1].Bright == bright && t.Bright != bright && t.At.Sub(kept[n-1].At) < flicker {
				kept = kept[:n-1]
				// The state goes on as it was before: this turn is none either, unless
				// it is the first that tells the state.
				if n == 1 {
					t.seen = false
					kept = append(kept, t)
				}
				continue
			}
			kept = append(kept, t)
		}
		turns = kept
	}
	var edges []Edge
	for _, t := range turns {
		if t.seen {
			edges = append(edges, t.Edge)
		}
	}
	return edges
}
