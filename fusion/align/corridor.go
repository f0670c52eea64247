package align

import (
	"cmp"
	"math"
	"slices"
)

// point is one limit on the mapping from the device's clock to the lab's.
//
// x is the device's time in nanoseconds at its nominal rate, y the lab clock
// minus x, both counted from an origin near by. In these coordinates a device
// without drift is a horizontal line, and a slope is a drift (1e-6 = 1 ppm).
type point struct{ x, y float64 }

// corridor holds what is known of the mapping over a stretch in which the rate
// may be taken as constant. Nothing arrives before it was sent: a sample or a
// pong says that the mapping lies below its arrival (up), a ping that it lies
// above the moment of asking (low). The mapping is a line between two walls.
type corridor struct {
	up, low []point
	rate    rate
}

// rate is what is known beforehand of a clock's rate: the slope to take where the
// observations do not tell.
type rate struct {
	slope float64
	known bool // measured on this device, and not only assumed
}

// near tells whether a slope may be that of a clock whose rate is known.
func (r rate) near(slope float64) bool { return r.known && math.Abs(slope-r.slope) <= steady }

// weight is the price of a slope away from this one, as a part of what it moves
// at the end of the corridor.
func (r rate) weight() float64 {
	if r.known {
		return knownWeight
	}
	return tieWeight
}

// line is y = y0 + slope*(x - x0), with what is known of its error at x0.
type line struct {
	x0, y0, slope float64
	// hi and lo are the greatest and smallest value at x0 of all the lines that
	// fit into the corridor.
	hi, lo float64
	// tilt is by how much the slopes of those lines differ from this one's.
	tilt float64
	ok   bool
}

func (l line) at(x float64) float64 { return l.y0 + l.slope*(x-l.x0) }

// err is half the width of what is known, as a distance from the line at x0.
func (l line) err() float64 { return max(l.hi-l.y0, l.y0-l.lo, 0) }

const (
	// searchSteps halve (nearly: by .618) the interval of slopes, from maxDrift to
	// below 1e-3 ppm.
	searchSteps = 40
	// tieWeight only decides where the observations are few: two arrivals must not
	// claim a drift.
	tieWeight = 0.02
	// knownWeight lets a wall keep the known rate as long as it touches anywhere in
	// the middle three fifths of its points. Observations that lie to both ends of
	// those overrule it: another device, or a clock that has warmed up.
	knownWeight = 0.3
	// steady is by how much the rate of a clock may differ from what it was minutes
	// before, or before its reset: 20 degrees of a resonator, which moves by 10 ppm a
	// degree.
	steady = 200e-6
	// contradictionNs is by how much the walls may overlap before an observation
	// is thrown out: below it the rate may simply have wandered.
	contradictionNs = 0.5e6
	// maxThrownShare limits how many pings may be thrown out as false.
	maxThrownShare = 0.1
)

// solve estimates the mapping at x.
//
// The slope is the one that lets each wall touch its observations as closely as
// possible: it maximises the upper wall at the centre of its points and
// minimises the lower wall at the centre of its own. For one wall that is the
// linear programme of Moon, Skelly and Towsley ("Estimation and removal of
// clock skew from network delay measurements", INFOCOM 1999), whose answer does
// not depend on how delays are distributed, only on their least. The line runs
// in the middle between the two walls. Its error follows from all the other
// lines that fit: each is a possible truth.
func (c corridor) solve(x float64) line {
	w := c.walls(x)
	switch {
	case len(c.up) == 0:
		return line{}
	case len(c.low) == 0:
		return w.oneSided(x, c.up)
	}
	for limit := int(math.Ceil(maxThrownShare * float64(len(c.low)))); limit > 0; limit-- {
		gap := w.gap(w.widestSlope())
		if gap > -contradictionNs {
			break
		}
		thrown, opened := c.throwOne(x, w)
		if opened <= gap {
			break
		}
		c = thrown
		w = c.walls(x)
	}
	return w.twoSided(x)
}

// walls reduces the corridor to what can touch a line.
func (c corridor) walls(x float64) walls {
	return walls{
		up: lowerHull(c.up), low: upperHull(c.low),
		upMid: centre(c.up), lowMid: centre(c.low),
		rate:  c.rate,
		reach: reach(c.up, c.low, x),
	}
}

// throwOne removes, of the observations at which the walls overlap worst, the
// one whose going opens the corridor most, and tells how far. One false
// observation is found so; where two contradict each other and nothing else
// decides, it makes no difference which goes.
func (c corridor) throwOne(x float64, w walls) (corridor, float64) {
	b := w.widestSlope()
	best, opened := c, math.Inf(-1)
	try := func(v corridor) {
		if len(v.up) == 0 || len(v.low) == 0 {
			return
		}
		walls := v.walls(x)
		if g := walls.gap(walls.widestSlope()); g > opened {
			best, opened = v, g
		}
	}
	const step = 1e-7 // 0.1 ppm to either side finds both points that hold the slope
	for _, s := range []float64{b - step, b, b + step} {
		up, low := c, c
		up.up = without(c.up, touching(c.up, s, -1))
		low.low = without(c.low, touching(c.low, s, +1))
		try(up)
		try(low)
	}
	return best, opened
}

// walls is a corridor reduced to the points that can touch a line.
type walls struct {
	up, low       []point // hulls, in order of x
	upMid, lowMid float64
	rate          rate
	reach         float64 // from end to end of the observations and x
}

// upper is the value at x0 of the highest line of this slope below all arrivals.
func (w walls) upper(slope, x0 float64) float64 {
	v := math.Inf(1)
	for _, p := range w.up {
		v = min(v, p.y-slope*(p.x-x0))
	}
	return v
}

// lower is the value at x0 of the lowest line of this slope above all pings.
func (w walls) lower(slope, x0 float64) float64 {
	v := math.Inf(-1)
	for _, p := range w.low {
		v = max(v, p.y-slope*(p.x-x0))
	}
	return v
}

// gap is the height of the corridor along lines of this slope: concave, and
// negative where no such line fits.
func (w walls) gap(slope float64) float64 { return w.upper(slope, 0) - w.lower(slope, 0) }

// widestSlope is the one along which the corridor is highest. Where any line fits,
// one of this slope does.
func (w walls) widestSlope() float64 { return maximise(w.gap, -maxDrift, maxDrift) }

func (w walls) bestSlope() float64 {
	return maximise(func(b float64) float64 {
		v := -w.rate.weight() * w.reach * math.Abs(b-w.rate.slope)
		if len(w.up) > 0 {
			v += w.upper(b, w.upMid)
		}
		if len(w.low) > 0 {
			v -= w.lower(b, w.lowMid)
		}
		return v
	}, -maxDrift, maxDrift)
}

func (w walls) twoSided(x float64) line {
	widest := w.widestSlope()
	if hi, lo := w.upper(widest, x), w.lower(widest, x); hi < lo {
		// The walls overlap, whatever the slope. Half the overlap is the least error
		// that must have been made; the same again stands for what cannot be seen of it.
		l := line{x0: x, y0: (hi + lo) / 2, slope: widest, ok: true}
		l.hi, l.lo = l.y0+(lo-hi), l.y0-(lo-hi)
		l.tilt = min(maxDrift, 4*(lo-hi)/w.reach)
		return l
	}
	// The slopes that fit are an interval around the widest.
	edge := func(out float64) float64 {
		in := widest
		for range searchSteps {
			if mid := (in + out) / 2; w.gap(mid) >= 0 {
				in = mid
			} else {
				out = mid
			}
		}
		return out
	}
	from, to := edge(-maxDrift), edge(maxDrift)
	if least, most := max(from, w.rate.slope-steady), min(to, w.rate.slope+steady); w.rate.known && least <= most {
		from, to = least, most
	}
	b := min(max(w.bestSlope(), from), to)
	hi, lo := w.upper(b, x), w.lower(b, x)
	l := line{x0: x, y0: (hi + lo) / 2, slope: b, hi: max(hi, lo), lo: min(hi, lo), ok: true}
	l.tilt = max(b-from, to-b)
	highest := maximise(func(b float64) float64 { return w.upper(b, x) }, from, to)
	lowest := maximise(func(b float64) float64 { return -w.lower(b, x) }, from, to)
	l.hi = max(l.hi, w.upper(highest, x))
	l.lo = min(l.lo, w.lower(lowest, x))
	return l
}

// oneSided follows the upper wall where it is the only one. The least delay
// stays unseen, and the wall is only as well known as its points are dense.
func (w walls) oneSided(x float64, arrivals []point) line {
	b := w.bestSlope()
	l := line{x0: x, y0: w.upper(b, x), slope: b, ok: true}
	// Of n delays spread over a batch the least is expected at batch/n; three
	// times that is exceeded once in e^3 = 20 cases.
	sparse := 3 * max(float64(batchPrior), medianDelay(arrivals, l)) / float64(len(arrivals))
	// A wall that may be off by sparse at both ends of its points tilts.
	tilt := maxDrift
	if w.reach > 0 {
		tilt = min(tilt, 4*sparse/w.reach)
	}
	if w.rate.near(b) {
		tilt = min(tilt, steady)
	}
	slack := sparse + tilt*math.Abs(x-w.upMid)
	l.hi, l.lo, l.tilt = l.y0+slack, l.y0-slack-float64(unseenTransport), tilt
	return l
}

// touching is the index of the point that a line of this slope touches first,
// from below (sign -1) or from above (sign +1).
func touching(ps []point, slope, sign float64) int {
	at, v := 0, math.Inf(-1)
	for i, p := range ps {
		if u := sign * (p.y - slope*p.x); u > v {
			at, v = i, u
		}
	}
	return at
}

func without(ps []point, i int) []point {
	return slices.Concat(ps[:i], ps[i+1:])
}

// maximise finds the greatest value of a concave f over [a, b] by golden
// section.
func maximise(f func(float64) float64, a, b float64) float64 {
	const golden = 0.6180339887498949
	p, q := b-golden*(b-a), a+golden*(b-a)
	fp, fq := f(p), f(q)
	for range searchSteps {
		if fp < fq {
			a, p, fp = p, q, fq
			q = a + golden*(b-a)
			fq = f(q)
		} else {
			b, q, fq = q, p, fp
			p = b - golden*(b-a)
			fp = f(p)
		}
	}
	return (a + b) / 2
}

// lowerHull returns the lower convex hull of points in order of x: the only
// ones that a line below all of them can touch. (Andrew's monotone chain.)
func lowerHull(ps []point) []point { return hull(ps, 1) }

// upperHull is the same seen from above.
func upperHull(ps []point) []point { return hull(ps, -1) }

func hull(ps []point, sign float64) []point {
	if !slices.IsSortedFunc(ps, byX) {
		ps = slices.SortedFunc(slices.Values(ps), byX)
	}
	h := make([]point, 0, 32)
	for _, p := range ps {
		for len(h) > 0 {
			q := h[len(h)-1]
			if p.x == q.x { // the further out of two at one place
				if sign*(p.y-q.y) >= 0 {
					break
				}
			} else if len(h) == 1 {
				break
			} else if o := h[len(h)-2]; sign*((q.x-o.x)*(p.y-o.y)-(q.y-o.y)*(p.x-o.x)) > 0 {
				break
			}
			h = h[:len(h)-1]
		}
		if len(h) > 0 && h[len(h)-1].x == p.x {
			continue
		}
		h = append(h, p)
	}
	return h
}

func byX(a, b point) int { return cmp.Compare(a.x, b.x) }

func centre(ps []point) float64 {
	var sum float64
	for _, p := range ps {
		sum += p.x
	}
	return sum / max(float64(len(ps)), 1)
}

func reach(up, low []point, x float64) float64 {
	lo, hi := x, x
	for _, ps := range [][]point{up, low} {
		for _, p := range ps {
			lo, hi = min(lo, p.x), max(hi, p.x)
		}
	}
	return hi - lo
}

// medianDelay is the median height of arrivals over the line, of as many of them as
// tell it.
func medianDelay(ps []point, l line) float64 {
	const enough = 256
	d := make([]float64, 0, enough+1)
	for i := 0; i < len(ps); i += 1 + len(ps)/enough {
		d = append(d, ps[i].y-l.at(ps[i].x))
	}
	return median(d)
}
