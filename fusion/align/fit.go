package align

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"emolab/fusion/stream"
)

const (
	// window is the stretch over which a rate is taken as constant. It holds 30
	// pings at one a second, of which the fastest decide; over half of it a rate
	// that wanders as fast as maxWander leaves the line by 23 µs.
	window = 30 * time.Second

	// knotSpacing is the distance of the points at which the mapping is
	// estimated; it is a line in between.
	knotSpacing = 10 * time.Second

	// fewPings is below how many pings a window is widened, up to widest: beyond
	// that wander makes old pings worth less than none.
	fewPings = 4
	widest   = 2 * time.Minute

	// silence ends a stretch of a counted clock: how many samples fell into it is
	// not known, whatever the sequence numbers say.
	silence = time.Second
	// miscount is by how much arrivals and sequence numbers may disagree about
	// the length of a hole before the numbers are not believed.
	miscount = 250 * time.Millisecond

	// tooEarly is how much before its neighbours, measured by its tick, a sample
	// may arrive: more than any batch. Earlier ones carry a false tick.
	tooEarly = 50 * time.Millisecond
	// neighbours is how many samples such a comparison is made with.
	neighbours = 64
)

// Fit aligns a whole recorded stream, looking both ways: the final alignment.
// Stamps and pings are taken in order of arrival within each epoch; epochs are
// independent of each other. It fails only where info does not describe a
// clock; few observations give wide bounds.
func Fit(info stream.Info, stamps []Stamp, pings []Ping) (*Timeline, error) {
	m, err := methodOf(info)
	if err != nil {
		return nil, err
	}
	t := &Timeline{method: m, epochs: map[int][]Piece{}}
	epochs, s, p := byEpoch(stamps, pings)
	usual := m.usualRate(epochs, s, p)
	for _, e := range epochs {
		ps, unseen := m.fitEpoch(e, s[e], p[e], usual)
		t.unseen += unseen
		if len(ps) > 0 {
			for i := range ps {
				ps[i].At0, ps[i].Err = m.shifted(ps[i].At0, ps[i].Err)
			}
			if m.far {
				ps = withStrays(ps, s[e])
			}
			t.epochs[e] = ps
			t.order = append(t.order, e)
		}
	}
	t.statement = t.state(stamps, len(pings))
	return t, nil
}

// usualRate finds the rate of the device's clock in the longest epoch, for the short
// ones: a reset does not change the crystal. It trusts it where that epoch is long.
func (m method) usualRate(epochs []int, stamps map[int][]Stamp, pings map[int][]Ping) rate {
	if len(epochs) < 2 || m.byHost() || m.kind == stream.CountedClock {
		return rate{}
	}
	longest, length := 0, time.Duration(0)
	for _, e := range epochs {
		if n := len(stamps[e]); n > 0 {
			if d := stamps[e][n-1].Arrival.Sub(stamps[e][0].Arrival); d > length {
				longest, length = e, d
			}
		}
	}
	if length < window {
		return rate{}
	}
	f := m.newFitter(m.originOf(stamps[longest], pings[longest]), stamps[longest], m.truthful(pings[longest]), rate{})
	return rate{slope: f.rate.slope, known: true}
}

// truthful leaves out the pings that cannot be true.
func (m method) truthful(pings []Ping) []Ping {
	if m.kind != stream.PingedClock {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(pings), func(p Ping) bool { return !m.usable(p.Probe) })
}

// fitEpoch aligns one epoch. unseen is how many samples arrivals show to be missing
// that the numbers do not count.
func (m method) fitEpoch(epoch int, stamps []Stamp, pings []Ping, usual rate) (_ []Piece, unseen int64) {
	if m.byHost() {
		return m.hostPieces(epoch, stamps), 0
	}
	if m.kind == stream.CountedClock {
		stamps = inCount(stamps)
		m = m.paced(stamps)
	}
	pings = m.truthful(pings)
	o := m.originOf(stamps, pings)

	var knots []knot
	for _, run := range m.runs(stamps) {
		ks := m.newFitter(o, run, pings, usual).knots()
		if m.kind == stream.CountedClock {
			var lost int64
			ks, lost = m.recounted(o, run, ks)
			unseen += lost
		}
		knots = append(knots, ks...)
	}
	keepForward(knots)
	if len(knots) == 0 {
		return nil, 0
	}
	return o.pieces(epoch, knots), unseen
}

// recounted corrects the knots of a run whose numbers do not count all samples that
// are missing, where arrivals show it, and says how many are, where that can be told.
func (m method) recounted(o origin, run []Stamp, ks []knot) (_ []knot, unseen int64) {
	parts := m.split(run, o, o.pieces(0, ks))
	if len(parts) == 1 && parts[0].doubt == 0 {
		return ks, 0
	}
	if restored, lost, ok := m.fitRestored(o, run); ok {
		if lost == 0 { // the numbers were right, and the host late for a while
			return ks, 0
		}
		return restored, lost
	}
	ks = nil
	for _, p := range parts {
		f := m.newFitter(o, p.stamps, nil, rate{})
		f.grain += p.doubt
		ks = append(ks, f.knots()...)
	}
	return ks, 0
}

// hostPieces is one piece for the whole epoch. Codes that were written have one
// each, because each has its own bound.
func (m method) hostPieces(epoch int, stamps []Stamp) []Piece {
	if len(stamps) == 0 {
		return nil
	}
	if m.kind == stream.ArrivalClock {
		return m.arrivalPieces(epoch, stamps)
	}
	if m.written {
		ps := make([]Piece, len(stamps))
		for i, s := range stamps {
			ps[i] = Piece{epoch, s.Tick, hostInstant(s.Tick), 1, s.Tick, m.hostBound(s)}
		}
		slices.SortStableFunc(ps, func(a, b Piece) int { return cmp.Compare(a.Tick0, b.Tick0) })
		return ps
	}
	first, last := stamps[0].Tick, stamps[0].Tick
	for _, s := range stamps {
		first, last = min(first, s.Tick), max(last, s.Tick)
	}
	return []Piece{{epoch, first, hostInstant(first), 1, last, m.hostErr}}
}

func (m method) originOf(stamps []Stamp, pings []Ping) origin {
	o := origin{nsPerTick: m.nsPerTick}
	if len(stamps) > 0 {
		o.tick, o.at = m.tick(stamps[0].Seq, stamps[0].Tick), stamps[0].Arrival
	} else if len(pings) > 0 {
		o.tick, o.at = pings[0].Tx, pings[0].T3
	}
	return o
}

// runs splits a counted stream where its numbers cannot be trusted to count
// what is missing. A stream with ticks is one run.
func (m method) runs(stamps []Stamp) [][]Stamp {
	if m.kind != stream.CountedClock {
		return [][]Stamp{stamps}
	}
	var runs [][]Stamp
	begin := 0
	for i := 1; i < len(stamps); i++ {
		if m.breaks(stamps[i-1], stamps[i]) && !m.wentOn(stamps[i-1:]) {
			runs = append(runs, stamps[begin:i])
			begin = i
		}
	}
	return append(runs, stamps[begin:])
}

// wentOn tells whether the silence after the first of some stamps was the host's: the
// device went on, and what it sent meanwhile came at once when the host read again.
// Some of it may be lost.
func (m method) wentOn(stamps []Stamp) bool {
	before := stamps[0]
	waited := stamps[1].Arrival.Sub(before.Arrival)
	if waited <= silence {
		return false // a hole that the numbers do not explain
	}
	for _, s := range stamps[1:] {
		number := float64(s.Seq - before.Seq)
		late := float64(s.Arrival.Sub(before.Arrival)) - number*m.nsPerTick
		if late < float64(waited)/4 {
			return late > -float64(miscount)
		}
		if number*m.nsPerTick > 2*float64(waited) {
			return false
		}
	}
	return false
}

func (m method) breaks(a, b Stamp) bool {
	waited := b.Arrival.Sub(a.Arrival)
	counted := time.Duration(float64(b.Seq-a.Seq) * m.nsPerTick)
	hole := b.Seq != a.Seq+1 && (waited-counted).Abs() > miscount
	return waited > silence || hole || b.Seq < a.Seq-int64(m.heard())
}

// fitter holds the observations of one run, in order of x.
type fitter struct {
	o       origin
	up, low []point
	from    float64
	until   float64
	grain   float64 // what the clock itself cannot tell, ns
	rate    rate    // of the whole run
}

func (m method) newFitter(o origin, stamps []Stamp, pings []Ping, usual rate) *fitter {
	f := &fitter{o: o, from: math.Inf(1), until: math.Inf(-1), grain: m.grain(len(pings))}
	extend := func(x float64) { f.from, f.until = min(f.from, x), max(f.until, x) }
	all := make([]point, len(stamps))
	for i, s := range stamps {
		all[i] = o.point(m.tick(s.Seq, s.Tick), s.Arrival)
	}
	useArrivals := m.arrivalsBound || len(pings) == 0
	all = screen(all)
	f.up = all[:0] // what is written lies behind what is read
	for _, p := range all {
		extend(p.x)
		if useArrivals {
			f.up = addFreshest(f.up, p)
		}
	}
	for _, p := range pings {
		up, low := o.point(p.Tx, p.T3), o.point(p.Rx, p.T0)
		f.up, f.low = append(f.up, up), append(f.low, low)
		extend(up.x)
		extend(low.x)
	}
	slices.SortStableFunc(f.up, byX)
	slices.SortStableFunc(f.low, byX)
	if len(f.up) > 0 {
		usual.known = usual.known && f.until-f.from < float64(window) // a long run tells its own
		whole := corridor{up: f.up, low: f.low, rate: usual}
		f.rate = rate{slope: whole.walls(0).bestSlope(), known: usual.known}
	}
	return f
}

// screen drops arrivals far earlier than those around them: their ticks are
// false (a flipped bit that the check sum let pass, a wrap unwrapped wrongly).
// A false tick the other way only looks late, which harms nothing. It works in place.
func screen(ps []point) []point {
	kept := ps[:0]
	ys := make([]float64, 0, 2*neighbours)
	for len(ps) > 0 {
		n := min(neighbours, len(ps))
		if len(ps) < 2*neighbours {
			n = len(ps)
		}
		for i := 1; i < n; i++ { // over a silence the drift alone makes a difference
			if ps[i].x+ps[i].y-ps[i-1].x-ps[i-1].y > float64(silence) {
				n = i
			}
		}
		floor := earliest(ps[:n], ys[:0])
		for _, p := range ps[:n] {
			if p.y >= floor {
				kept = append(kept, p)
			}
		}
		ps = ps[n:]
	}
	return kept
}

// earliest is how early an arrival among neighbours may be, as y. room is scratch.
func earliest(ps []point, room []float64) float64 {
	least, most := ps[0].y, ps[0].y
	for _, p := range ps {
		least, most = min(least, p.y), max(most, p.y)
	}
	if most-least <= float64(tooEarly) {
		return least
	}
	for _, p := range ps {
		room = append(room, p.y)
	}
	usual := median(room)
	for i := range room {
		room[i] = math.Abs(room[i] - usual)
	}
	return usual - max(float64(tooEarly), 8*median(room))
}

func (f *fitter) knots() []knot {
	if len(f.up) == 0 {
		return nil
	}
	span := f.until - f.from
	n := max(int(math.Round(span/float64(knotSpacing))), 1)
	if span == 0 {
		n = 0
	}
	var ks []knot
	for i := 0; i <= n; i++ {
		x := f.from
		if n > 0 {
			x += span * float64(i) / float64(n)
		}
		if inner := i > 0 && i < n; inner {
			// Where nothing was observed the line goes on from knot to knot.
			next := sort.Search(len(f.up), func(k int) bool { return f.up[k].x >= x-float64(knotSpacing)/2 })
			if next == len(f.up) {
				i = n - 1
				continue
			}
			if ahead := f.up[next].x - x; ahead > float64(knotSpacing)/2 {
				i = min(i+max(int(ahead/span*float64(n)), 1), n) - 1
				continue
			}
		}
		if k, ok := f.knot(x); ok {
			ks = append(ks, k)
		}
	}
	return ks
}

// knot estimates the mapping at x from the window around it, which is moved
// inwards at the ends of the run and widened where pings are rare.
func (f *fitter) knot(x float64) (knot, bool) {
	width := float64(window)
	for {
		from := min(max(x-width/2, f.from), max(f.until-width, f.from))
		until := max(min(x+width/2, f.until), min(f.from+width, f.until))
		c := corridor{up: between(f.up, from, until), low: between(f.low, from, until), rate: f.rate}
		all := from <= f.from && until >= f.until
		poor := len(c.up) == 0 || (len(f.low) > 0 && len(c.low) < fewPings)
		if poor && !all && (width < float64(widest) || len(c.up) == 0) {
			width *= 2
			continue
		}
		l := c.solve(x)
		far := max(x-from, until-x)
		return knot{x, l.y0, l.err() + f.grain + wandered(far), l.slope}, l.ok
	}
}

// wandered is by how much a line may miss a clock, a distance from where its
// rate was estimated (both in ns).
func wandered(far float64) float64 { return maxWander * 1e-9 * far * far / 2 }

// between returns the points with from <= x <= until.
func between(ps []point, from, until float64) []point {
	i := sort.Search(len(ps), func(i int) bool { return ps[i].x >= from })
	j := sort.Search(len(ps), func(j int) bool { return ps[j].x > until })
	return ps[i:max(i, j)]
}

// keepForward makes the mapping never go back, also where two runs of a counted
// clock meet.
func keepForward(ks []knot) {
	for i := 1; i < len(ks); i++ {
		if back := (ks[i-1].x + ks[i-1].y) - (ks[i].x + ks[i].y); back > 0 {
			ks[i].y += back
			ks[i].err += back
		}
	}
}
