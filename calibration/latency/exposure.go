package latency

import (
	"cmp"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// cleanNoise is how many times the usual distance from its level a reading may
	// be away and still be taken for all bright or all dark, and cleanLeast and
	// cleanMost bound that as shares of the contrast.
	cleanNoise            = 8
	cleanLeast, cleanMost = .06, .25
	// weak is the share of the usual contrast below which an edge was not seen.
	weak = .4
	// exposureSteps is in how many steps exposures up to a frame's period are tried.
	exposureSteps = 32
	// A latency fits as well as the best one where its mean distance from the limits
	// is not greater by a tenth, 0.1 ms and what the noise of the shares makes of it.
	// Of the distances the largest twentieth does not count: a single frame that
	// seems to show half an edge would decide.
	alikeFactor, alikeMs, alikeNoise = 1.1, .1, 3
	outlying                         = .05
	// reachSteps halve a frame's period to find how far the latencies that fit go.
	reachSteps = 9
)

// change is an edge as the frames around it show it. Times are in ms after the
// stated edge; share is how far a frame had changed, 0 to 1.
type change struct {
	bright bool
	clock  time.Duration // bound of the stated edge
	// One of three: a frame in the midst of whose exposure the edge fell; two frames
	// between which it fell; the passage of a change that took several frames.
	kind          changeKind
	before, after float64 // stamps of the frames on its sides
	clean         float64 // share up to which those frames may have changed unseen
	mid, share    float64 // stamp of the frame that shows both, and its share
	passage       float64
}

type changeKind int

const (
	inExposure changeKind = iota
	between
	gradual
)

// span is where an edge says that the latency lies, in ms.
type span struct{ from, until float64 }

// away is the distance of a latency from the span, negative below it.
func (s span) away(late float64) float64 {
	switch {
	case late < s.from:
		return late - s.from
	case late > s.until:
		return late - s.until
	}
	return 0
}

// span is what the change says of the latency if an exposure takes that long, ms.
// The middle of the exposure lies the latency before the stamp. A frame with a
// share y of the new light was exposed for that share of its time after the edge,
// so its middle lies (y - 1/2) exposures after the edge.
func (c change) span(exposure float64) span {
	switch c.kind {
	case inExposure:
		late := c.mid - exposure*(c.share-.5)
		return span{late, late}
	case between:
		inside := exposure * (.5 - c.clean)
		s := span{c.before + inside, c.after - inside}
		if s.from > s.until { // stamps that jitter
			m := (s.from + s.until) / 2
			return span{m, m}
		}
		return s
	}
	return span{c.passage, c.passage}
}

// changesOf finds the edges in the light of the frames, which is about late later,
// and how much noise there is, as a share of the contrast.
func changesOf(stated []Edge, light []reading, late, period time.Duration) (changes []change, noise float64) {
	views := make([]view, 0, len(stated))
	var contrasts, noises []float64
	for k, e := range stated {
		before, after := longestState, longestState
		if k > 0 {
			before = min(before, e.At.Sub(stated[k-1].At))
		}
		if k+1 < len(stated) {
			after = min(after, stated[k+1].At.Sub(e.At))
		}
		v := newView(e, light, late, before, after, period)
		if v.contrast <= 0 {
			continue
		}
		views = append(views, v)
		contrasts = append(contrasts, v.contrast)
		for _, p := range v.frames {
			noises = append(noises, min(math.Abs(p.y), math.Abs(1-p.y)))
		}
	}
	if len(views) == 0 {
		return nil, 0
	}
	usual := medianOf(contrasts)
	noise = medianOf(noises)
	clean := min(max(cleanLeast, cleanNoise*noise), cleanMost)
	for _, v := range views {
		if v.contrast < weak*usual {
			continue
		}
		if c, ok := v.change(clean); ok {
			changes = append(changes, c)
		}
	}
	return changes, noise
}

// view is the frames around an edge.
type view struct {
	edge     Edge
	contrast float64 // of bright and dark around it
	frames   []share
}

// share is a frame: x ms after the edge by its stamp, and y of the change.
type share struct{ x, y float64 }

// newView gathers the frames around an edge, before and after which the patch
// stays that long. What is bright and what is dark is told by the two states
// themselves: cameras adapt, and what another moment showed does not hold.
func newView(e Edge, light []reading, late, before, after, period time.Duration) view {
	shown := e.At.Add(late)
	old := lightBetween(light, shown.Add(-before), shown)
	fresh := lightBetween(light, shown, shown.Add(after))
	v := view{edge: e}
	if len(old) == 0 || len(fresh) == 0 {
		return v
	}
	was, is := levelOf(old, !e.Bright), levelOf(fresh, e.Bright)
	v.contrast = is - was
	if !e.Bright {
		v.contrast = was - is
	}
	if v.contrast <= 0 {
		return v
	}
	// Half a state to either side has no other edge in it.
	for _, r := range lightBetween(light, shown.Add(-max(before/2, period)), shown.Add(max(after/2, period))) {
		v.frames = append(v.frames, share{inMs(r.at.Sub(e.At)), (r.light - was) / (is - was)})
	}
	return v
}

func lightBetween(light []reading, from, until instant.Instant) []reading {
	find := func(at instant.Instant) int {
		i, _ := slices.BinarySearchFunc(light, at, func(r reading, at instant.Instant) int { return cmp.Compare(r.at, at) })
		return i
	}
	i := find(from)
	return light[i:max(i, find(until))]
}

// levelOf is the usual light of a state. Its first and its last picture may have
// been exposed before it began or after it had ended. Where there are only two the
// one that is farther from the other state is taken.
func levelOf(readings []reading, bright bool) float64 {
	values := make([]float64, len(readings))
	for i, r := range readings {
		values[i] = r.light
	}
	switch {
	case len(values) > 2:
		return medianOf(values[1 : len(values)-1])
	case bright:
		return slices.Max(values)
	}
	return slices.Min(values)
}

// change reads the edge off the frames; false where they do not show it once and
// clearly. A share up to clean from 0 or 1 is that.
func (v view) change(clean float64) (change, bool) {
	at := -1 // the last frame that is nearer to the old light
	for i := 0; i+1 < len(v.frames); i++ {
		if (v.frames[i].y < .5) == (v.frames[i+1].y < .5) {
			continue
		}
		if at >= 0 || v.frames[i].y >= .5 {
			return change{}, false
		}
		at = i
	}
	if at < 0 {
		return change{}, false
	}
	old := func(i int) bool { return i >= 0 && i < len(v.frames) && v.frames[i].y <= clean }
	fresh := func(i int) bool { return i >= 0 && i < len(v.frames) && v.frames[i].y >= 1-clean }
	a, b := v.frames[at], v.frames[at+1]
	c := change{bright: v.edge.Bright, clock: v.edge.Err}
	switch {
	case old(at) && fresh(at+1):
		c.kind, c.before, c.after, c.clean = between, a.x, b.x, clean
	case old(at-1) && fresh(at+1):
		c.kind, c.mid, c.share = inExposure, a.x, a.y
	case old(at) && fresh(at+2):
		c.kind, c.mid, c.share = inExposure, b.x, b.y
	default:
		c.kind, c.passage = gradual, a.x+(b.x-a.x)*(.5-a.y)/(b.y-a.y)
	}
	return c, true
}

// middle is where the sum of the distances from all spans is least. Left of a
// span's beginning and right of its end the distance grows as fast as one goes, so
// half of all beginnings and ends lie on each side.
func middle(spans []span) float64 {
	ends := make([]float64, 0, 2*len(spans))
	for _, s := range spans {
		ends = append(ends, s.from, s.until)
	}
	slices.Sort(ends)
	return median(ends)
}

// fit fills in the figures from the edges, the camera's period, the noise of the
// light as a share of the contrast, and the jitter of the stamps in ms. How long an
// exposure takes is not known: of all that fit the edges about equally well, the
// latency may be that of any.
func (m *Measured) fit(changes []change, period time.Duration, noise, jitter float64) {
	type trial struct {
		exposure, late, away float64
		spans                []span
	}
	trials := make([]trial, exposureSteps+1)
	least := math.Inf(1)
	for i := range trials {
		t := &trials[i]
		t.exposure = inMs(period) * float64(i) / exposureSteps
		t.spans = spansOf(changes, t.exposure)
		t.late = middle(t.spans)
		t.away = trimmed(t.spans, t.late)
		least = min(least, t.away)
	}
	late := span{math.Inf(1), math.Inf(-1)}
	exposure := late
	for _, t := range trials {
		limit := alikeFactor*least + alikeMs + alikeNoise*noise*t.exposure
		if t.away > limit {
			continue
		}
		exposure = span{min(exposure.from, t.exposure), max(exposure.until, t.exposure)}
		late.from = min(late.from, reach(t.spans, t.late, t.late-inMs(period), limit))
		late.until = max(late.until, reach(t.spans, t.late, t.late+inMs(period), limit))
	}
	m.ExposureMs = (exposure.from + exposure.until) / 2
	m.MedianMs = (late.from + late.until) / 2
	m.OpenMs = (late.until - late.from) / 2

	spans := spansOf(changes, m.ExposureMs)
	away := make([]float64, len(spans))
	var squares float64
	var bright, dark []span
	var clock time.Duration
	m.ResidualsMs = make([]float64, len(spans))
	for i, s := range spans {
		m.ResidualsMs[i] = -s.away(m.MedianMs)
		away[i] = math.Abs(m.ResidualsMs[i])
		squares += away[i] * away[i]
		clock = max(clock, changes[i].clock)
		if changes[i].bright {
			bright = append(bright, s)
		} else {
			dark = append(dark, s)
		}
	}
	m.SDMs = math.Sqrt(squares / float64(max(1, len(spans)-1)))
	slices.Sort(away)
	m.P95Ms, m.MaxMs = quantile(away, .95), away[len(away)-1]
	m.RisingMs, m.FallingMs = middleOf(bright), middleOf(dark)
	// What the stamps jitter between the edges does not show in the residuals.
	m.ClockMs = inMs(clock) + m.OpenMs + max(0, jitter-quantile(away, held))
}

// trimmed is the mean distance of a latency from spans, without the farthest ones.
func trimmed(spans []span, late float64) float64 {
	away := make([]float64, len(spans))
	for i, s := range spans {
		away[i] = math.Abs(s.away(late))
	}
	slices.Sort(away)
	away = away[:len(away)-int(outlying*float64(len(away)))]
	sum := 0.
	for _, a := range away {
		sum += a
	}
	return sum / float64(len(away))
}

// reach is how far from one latency towards another the mean distance stays within
// a limit.
func reach(spans []span, from, to, limit float64) float64 {
	for range reachSteps {
		if mid := (from + to) / 2; trimmed(spans, mid) <= limit {
			from = mid
		} else {
			to = mid
		}
	}
	return from
}

func spansOf(changes []change, exposure float64) []span {
	spans := make([]span, len(changes))
	for i, c := range changes {
		spans[i] = c.span(exposure)
	}
	return spans
}

// middleOf is the latency that spans agree on best; of none it is 0.
func middleOf(spans []span) float64 {
	if len(spans) == 0 {
		return 0
	}
	return middle(spans)
}
