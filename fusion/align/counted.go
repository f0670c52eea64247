package align

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// A counted clock is only as good as the count. A device without sequence numbers
// loses samples unseen, and one whose numbers are short (4 bits) loses whole turns
// of them. Then all samples come later than their numbers say, from one on and for
// good. Arrivals show it: over half a second the freshest of them is nearly as fresh
// as any, so its delay does not rise by itself.

const (
	// heardFor and heardSamples are how long, and how many samples, arrivals are
	// watched to know the least delay: several batches, and enough samples to meet
	// their end. Of a slow device, one of whose samples is longer than any batch, few
	// are enough.
	heardFor     = 500 * time.Millisecond
	heardSamples = 24
	heardFew     = 5
	// leastMissed is the smallest rise of the least delay that is taken for missing
	// samples: what batches and a drifting clock can make of it is smaller.
	leastMissed = 5 * time.Millisecond
	// slowRate is by how much a counted device may be slower than its nominal rate
	// before that rate is held to be wrong, instead of samples to be missing: more
	// loss than anybody records with.
	slowRate = 0.15
	// rateOver is the stretch over which a rate is measured, so that a batch makes
	// 0.3 % of it; of less than twice that, half.
	rateOver = 5 * time.Second
)

// heard is how many samples in a row arrivals are watched for.
func (m method) heard() int {
	least := heardSamples
	if m.missed() > 2*float64(batchPrior) {
		least = heardFew
	}
	return max(least, int(math.Ceil(float64(heardFor)/m.nsPerTick)))
}

// missed is the rise of the least delay that tells of missing samples, in ns: half
// of what one makes.
func (m method) missed() float64 { return max(m.nsPerTick/2, float64(leastMissed)) }

// paced returns m with the rate that a counted device really has, where its nominal
// one cannot be true: it is faster than any clock drifts, or slower than losses make
// it.
func (m method) paced(stamps []Stamp) method {
	n := min(int(float64(rateOver)/m.nsPerTick), len(stamps)/2)
	var periods []float64
	for i := 0; n > 0 && i+n < len(stamps); i += 1 + n/16 { // stretches that overlap
		a, b := stamps[i], stamps[i+n]
		if count, took := b.Seq-a.Seq, b.Arrival.Sub(a.Arrival); count > 0 && took > 0 && took < 4*rateOver {
			periods = append(periods, float64(took)/float64(count))
		}
	}
	if len(periods) == 0 {
		return m
	}
	usual := median(periods) // which sorts them
	// Losses come and go; what is slow in its quickest stretches is slow by itself.
	if quick := periods[len(periods)/20]; quick > m.nsPerTick*(1+slowRate) {
		m.nsPerTick = quick
	} else if usual < m.nsPerTick*(1-maxDrift) {
		m.nsPerTick = usual
	}
	return m
}

// part is a stretch of a run in which no sample is missing uncounted, as far as
// arrivals tell.
type part struct {
	stamps []Stamp
	doubt  float64 // what the bound has to hold besides, ns
}

// split parts a run of a counted clock where samples are missing that its numbers
// do not count. timeline is what the numbers alone make of it; while it agrees with
// the arrivals the run stays whole.
//
// Near the end of a run few samples follow, and one that is late may be held up as
// well as come after missing ones. There the bound holds both.
func (m method) split(run []Stamp, o origin, timeline []Piece) []part {
	n := m.heard()
	late := make([]float64, len(run))
	t := Timeline{method: m, epochs: map[int][]Piece{0: timeline}}
	for i, s := range run {
		at, _ := t.At(0, s.Seq)
		late[i] = float64(s.Arrival.Sub(at))
	}
	few := func(i int) bool { return i+n > len(run) }
	rise := func(i int) float64 {
		if few(i) { // batches explain more
			return max(m.missed(), 2*float64(batchPrior))
		}
		return m.missed()
	}
	agrees, latest := true, 0.0
	for i, v := range leastAhead(late, n) {
		agrees = agrees && v <= rise(i) && v >= -m.missed() // nothing arrives before it was taken
		latest = max(latest, v)
	}
	switch {
	case agrees && len(run) < leastStretches*n: // much of it lies near its end
		return []part{{run, latest}}
	case agrees:
		return []part{{run, 0}}
	}
	for i, s := range run {
		late[i] = o.point(s.Seq, s.Arrival).y
	}
	var parts []part
	begin, behind := 0, late[0] // the least so far, risen by as much as the clock may drift
	before := behind            // the least of the part before
	held, latest := 0.0, 0.0    // by how much the beginning and any of a part may be held up
	end := func(i int) {
		// A rise not seen, and a sample on the wrong side of one, which is large where
		// samples were held up together of which some are missing.
		p := part{run[begin:i], m.missed() + max(m.missed(), behind-before)}
		before = behind
		if i-begin < n {
			p.doubt += max(held, latest)
		}
		parts = append(parts, p)
	}
	for i, ahead := range leastAhead(late, n) {
		if i > 0 {
			behind += maxDrift * m.nsPerTick * float64(run[i].Seq-run[i-1].Seq)
		}
		rose := ahead - behind
		switch {
		case rose > rise(i):
			end(i)
			begin, behind, held, latest = i, late[i], 0, 0
			if few(i) {
				held = rose
			}
		case few(i):
			latest = max(latest, rose)
		}
		behind = min(behind, late[i])
	}
	end(len(run))
	return parts
}

// leastAhead returns for each value the least of the n values that begin with it;
// near the end of those that are left.
func leastAhead(vs []float64, n int) []float64 {
	out := make([]float64, len(vs))
	var queue []int // positions of values that rise, from the least on
	for i := len(vs) - 1; i >= 0; i-- {
		for len(queue) > 0 && vs[queue[len(queue)-1]] >= vs[i] {
			queue = queue[:len(queue)-1]
		}
		queue = append(queue, i)
		if queue[0] >= i+n {
			queue = queue[1:]
		}
		out[i] = vs[queue[0]]
	}
	return out
}

// ear watches the latest arrivals of a counted clock while they come.
type ear struct {
	heard []Stamp
	late  []float64 // by how much samples come later than their numbers say, usually; ns
}

// usualLates is how many of those are kept.
const usualLates = 128

// skipped is how many numbers are missing before a sample that comes so much later
// than its own says, ns: as many as leave it no later than samples usually are.
func (e *ear) skipped(m method, late float64) int64 {
	if late > m.missed() && len(e.late) >= usualLates/2 {
		sorted := slices.Sorted(slices.Values(e.late))
		if longest := sorted[len(sorted)*49/50]; late > longest {
			return int64(math.Ceil((late - longest) / m.nsPerTick))
		}
	}
	if len(e.late) == usualLates {
		e.late = append(e.late[:0], e.late[usualLates/4:]...)
	}
	e.late = append(e.late, late)
	return 0
}

// hear takes one more sample. The oldest are let go when there are twice as many as
// are needed, so that few are moved.
func (e *ear) hear(m method, s Stamp) {
	if n := m.heard(); len(e.heard) >= 2*n {
		e.heard = append(e.heard[:0], e.heard[len(e.heard)-n+1:]...)
	}
	e.heard = append(e.heard, s)
}

// latest are as many of the latest samples as tell anything, or fewer.
func (e *ear) latest(m method) []Stamp { return e.heard[max(len(e.heard)-m.heard(), 0):] }

// behind tells whether all of the latest samples came later than the present line
// says by more than batches can explain: numbers are missing before them.
func (e *ear) behind(m method, at func(tick int64) instant.Instant) bool {
	latest := e.latest(m)
	if len(latest) < m.heard() {
		return false
	}
	for _, s := range latest {
		if float64(s.Arrival.Sub(at(s.Seq))) <= m.missed() {
			return false
		}
	}
	return true
}
