package align

import (
	"math"
	"sort"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// estimate is what is known of a device's clock so far, in one epoch. The zero
// value knows nothing.
type estimate struct {
	any       bool
	o         origin
	rate      rate // to begin with
	lastStamp Stamp

	// Observations of the latest window, in order of arrival.
	arrivals []point
	pongs    []point // the upper and the lower limit of each ping
	asked    []point

	newest  float64 // x of the newest observation
	now     float64 // its arrival, ns from the origin
	fitted  float64 // now at the latest renewal
	changed bool
	early   int // samples in a row that came before the line allows

	line line
	err  float64 // of the line at its x0
}

func (e *estimate) begin(m method, tick int64, at instant.Instant) {
	if e.any {
		return
	}
	e.any = true
	e.o = origin{tick, at, m.nsPerTick}
	e.newest, e.fitted = math.Inf(-1), math.Inf(-1)
}

func (e *estimate) ping(m method, p stream.Probe) {
	e.begin(m, p.Tx, p.T3)
	if !m.arrivalsBound {
		e.arrivals = nil // they had to serve until there was a ping
	}
	e.asked = append(e.asked, e.o.point(p.Rx, p.T0))
	e.pongs = append(e.pongs, e.o.point(p.Tx, p.T3))
	e.advance(p.Tx, p.T3)
}

func (e *estimate) sample(m method, s Stamp) {
	tick := m.tick(s.Seq, s.Tick)
	e.begin(m, tick, s.Arrival)
	e.lastStamp = s
	if !m.arrivalsBound && len(e.asked) > 0 {
		e.advance(tick, s.Arrival)
		return
	}
	p := e.o.point(tick, s.Arrival)
	if e.line.ok && p.y < e.line.at(p.x)-e.err-float64(tooEarly) {
		if e.early++; e.early < falseInARow {
			return
		}
		*e = estimate{rate: e.handedOn()}
		e.sample(m, s)
		return
	}
	e.early = 0
	e.advance(tick, s.Arrival) // not before the tick is believed: it moves the window
	e.arrivals = addFreshest(e.arrivals, p)
}

// addFreshest appends p, in place of the point before it when both came with
// the same read: the freshest of a batch is the only one that can touch a wall.
func addFreshest(ps []point, p point) []point {
	if n := len(ps); n > 0 && ps[n-1].x+ps[n-1].y == p.x+p.y && p.x >= ps[n-1].x {
		ps[n-1] = p
		return ps
	}
	return append(ps, p)
}

func (e *estimate) advance(tick int64, at instant.Instant) {
	e.newest = max(e.newest, e.o.x(tick))
	e.now = float64(at - e.o.at)
	e.changed = true
}

// renew solves the corridor for the newest observation, if it is time to.
func (e *estimate) renew(m method) {
	if !e.changed || (e.now > float64(settling) && e.now-e.fitted < float64(refit)) {
		return
	}
	e.changed, e.fitted = false, e.now
	e.forget()
	c := corridor{
		up:   merged(e.arrivals, e.pongs),
		low:  e.asked,
		rate: e.rate,
	}
	c.rate.known = c.rate.known && e.now < float64(window) // a full window tells its own
	if l := c.solve(e.newest); l.ok {
		oldest := e.newest
		for _, ps := range [][]point{e.arrivals, e.asked} {
			if len(ps) > 0 {
				oldest = min(oldest, ps[0].x)
			}
		}
		e.line, e.err = l, l.err()+wandered(min(e.newest-oldest, float64(window)))+m.grain(len(e.asked))
	}
}

// handedOn is what the next estimate of the same clock can count on. A short one
// knows too little of the rate to hand on more than it was given.
func (e *estimate) handedOn() rate {
	if !e.line.ok || e.now < float64(settling) {
		return e.rate
	}
	return rate{slope: e.line.slope, known: e.now >= float64(window)}
}

// merged returns the points of both lists, each in order of x, in order of x.
func merged(a, b []point) []point {
	all := make([]point, 0, len(a)+len(b))
	for _, p := range a {
		for len(b) > 0 && b[0].x <= p.x {
			all, b = append(all, b[0]), b[1:]
		}
		all = append(all, p)
	}
	return append(all, b...)
}

// forget drops what has left the window, but keeps the latest few pings.
func (e *estimate) forget() {
	from := e.newest - float64(window)
	after := func(ps []point) int {
		return sort.Search(len(ps), func(i int) bool { return ps[i].x >= from })
	}
	e.arrivals = e.arrivals[after(e.arrivals):]
	old := max(min(after(e.asked), len(e.asked)-keepPings), 0)
	e.asked, e.pongs = e.asked[old:], e.pongs[old:]
}

// at applies the present line. Away from where it was estimated the bound grows
// with what the slope may be wrong by.
func (e *estimate) at(tick int64) (instant.Instant, time.Duration) {
	x := e.o.x(tick)
	away := math.Abs(x - e.line.x0)
	return e.o.instant(x, e.line.at(x)), nanoseconds(e.err + away*e.line.tilt)
}
