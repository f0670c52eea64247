package align

import (
	"math"
	"slices"
	"sort"
	"time"

	"emolab/fusion/instant"
)

// Piece is a stretch of a timeline in which the device's clock runs evenly:
//
//	at = At0 + NsPerTick * (tick - Tick0), for Tick0 <= tick <= Until, within Err.
//
// For a counted clock ticks are sequence numbers.
type Piece struct {
	Epoch     int             `json:"epoch"`
	Tick0     int64           `json:"tick0"`
	At0       instant.Instant `json:"at0_ns"`
	NsPerTick float64         `json:"ns_per_tick"`
	Until     int64           `json:"until_tick"`
	Err       time.Duration   `json:"err_ns"`
}

func (p Piece) at(tick int64) instant.Instant {
	return later(p.At0, p.NsPerTick*ticks(p.Tick0, tick))
}

// farthest bounds what a tick can be placed at, in ns: 36 years. A false tick further
// away must not overflow into the middle of a recording.
const farthest = 1 << 60

// ticks is the way from one tick to another.
func ticks(from, to int64) float64 {
	if d := to - from; (d < 0) == (to < from) {
		return float64(d)
	}
	return float64(to) - float64(from) // more than 63 bits
}

// later is an instant so many ns after another.
func later(at instant.Instant, ns float64) instant.Instant {
	return at + instant.Instant(math.Round(min(max(ns, -farthest), farthest)))
}

// beyondPPM is by how much the rate of a clock may be wrong where a timeline is
// asked for ticks that lie outside of all observations.
const beyondPPM = 200

// Timeline maps the ticks of one stream onto the lab clock. Within an epoch its
// pieces follow each other without a step and never go back. It is immutable.
type Timeline struct {
	method    method
	epochs    map[int][]Piece
	order     []int
	unseen    int64 // samples that are missing uncounted
	statement Statement
}

// At returns the instant of a tick (of a sequence number, for a counted clock)
// and the bound on its error. Outside of what was observed the nearest piece is
// carried on, with a bound that grows with the distance. For an epoch that was
// never observed the bound is Unbounded and the instant 0.
func (t *Timeline) At(epoch int, tick int64) (instant.Instant, time.Duration) {
	if t.method.kind == "" { // the zero Timeline knows nothing
		return 0, Unbounded
	}
	ps := t.epochs[epoch]
	if len(ps) == 0 {
		return 0, Unbounded
	}
	return t.on(ps[pieceOf(ps, tick)], tick)
}

// pieceOf is the index of the piece that a tick is to be taken from.
func pieceOf(ps []Piece, tick int64) int {
	return max(sort.Search(len(ps), func(i int) bool { return tick < ps[i].Tick0 })-1, 0)
}

// on takes the instant of a tick from a piece.
func (t *Timeline) on(p Piece, tick int64) (instant.Instant, time.Duration) {
	outside := max(ticks(tick, p.Tick0), ticks(p.Until, tick), 0)
	err := p.Err
	if outside > 0 && !t.method.byHost() {
		err = sum(err, nanoseconds(outside*p.NsPerTick*beyondPPM*1e-6))
	}
	return p.at(tick), err
}

// Tick is what At is to be asked with for a sample: its tick, or its sequence
// number where the clock is counted.
func (t *Timeline) Tick(s Stamp) int64 { return t.method.tick(s.Seq, s.Tick) }

// Pieces returns the pieces in order of epoch and tick.
func (t *Timeline) Pieces() []Piece {
	var all []Piece
	for _, e := range t.order {
		all = append(all, t.epochs[e]...)
	}
	return all
}

// Statement is what is to be said of the whole stream.
func (t *Timeline) Statement() Statement { return t.statement }

// knot is a point of the mapping, in device nanoseconds (x) and lab clock minus
// x (y), both from the origin of its epoch.
type knot struct{ x, y, err, slope float64 }

// origin is where the coordinates of an epoch begin.
type origin struct {
	tick      int64
	at        instant.Instant
	nsPerTick float64
}

func (o origin) x(tick int64) float64 { return ticks(o.tick, tick) * o.nsPerTick }

func (o origin) point(tick int64, at instant.Instant) point {
	x := o.x(tick)
	return point{x, float64(at-o.at) - x}
}

// instant is the inverse of point.
func (o origin) instant(x, y float64) instant.Instant {
	return later(o.at, x+y)
}

// pieces joins knots, which are in order of x, into pieces without steps.
func (o origin) pieces(epoch int, knots []knot) []Piece {
	// A knot lies between two ticks (of a counted clock, 10 ms apart); its slope
	// carries it to the nearer one.
	place := func(k knot) (int64, instant.Instant) {
		tick := o.tick + int64(math.Round(k.x/o.nsPerTick))
		x := o.x(tick)
		return tick, o.instant(x, k.y+k.slope*(x-k.x))
	}
	switch len(knots) {
	case 0:
		return nil
	case 1:
		tick, at := place(knots[0])
		return []Piece{{epoch, tick, at, o.nsPerTick * (1 + knots[0].slope), tick, nanoseconds(knots[0].err)}}
	}
	ps := make([]Piece, 0, len(knots)-1)
	for i, k := range knots[1:] {
		from := knots[i]
		t0, at0 := place(from)
		t1, at1 := place(k)
		if t1 == t0 {
			continue
		}
		if n := len(ps); n > 0 {
			at0 = ps[n-1].at(t0) // rounding must not make a step
		}
		// Between two knots the rate is the mean of a rate that may have wandered.
		bow := maxWander * 1e-9 * (k.x - from.x) * (k.x - from.x) / 8
		ps = append(ps, Piece{epoch, t0, at0, max(float64(at1-at0), 0) / ticks(t0, t1), t1, nanoseconds(max(from.err, k.err) + bow)})
	}
	return ps
}

// nanoseconds rounds up, and holds what is too large for a Duration at Unbounded.
func nanoseconds(ns float64) time.Duration {
	if !(ns < math.MaxInt64) {
		return Unbounded
	}
	return time.Duration(math.Ceil(ns))
}

// median sorts vs and returns its median; 0 of none.
func median(vs []float64) float64 {
	if len(vs) == 0 {
		return 0
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}
