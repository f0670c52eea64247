package gazepoint

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// sequence decides which records to believe. Without a checksum a damaged digit
// of CNT or TIME looks like a jump; a restart or a calibration of the tracker is
// one. They differ by what comes next: a record that does not follow the one
// before is held until its successor either follows it, and the jump was real,
// or does not, and it was damage.
type sequence struct {
	rate float64 // nominal records per second

	last    placed
	hasLast bool
	held    placed
	hasHeld bool

	first placed // of this run of the tracker's clock
}

// placed is a record with its arrival and its relation to the one before.
type placed struct {
	Record
	Arrival instant.Instant
	Lost    int64 // records missing before it
	Rebased bool  // the tracker's clock began anew with it
}

const (
	// maxHole is the most records missing in a row that still look like loss.
	maxHole = 6000
	// maxRepeat is how many records back one may lie and still be one that came
	// before: the line, or a bridge, has repeated a piece. A tracker that began anew
	// lies farther back, or has passed the old number within that many.
	maxRepeat = 30
	// slack is how far TIME and CNT may disagree, in records, and slackShare that
	// share of the step besides: frame times jitter, and nominal rates are not exact.
	slack      = 1.0
	slackShare = 0.25
	// maxLead and clockRate bound how far TIME can run ahead of the lab clock
	// without a restart: the late arrival of the first record, and a fast clock.
	maxLead   = 2 * time.Second
	clockRate = 1.02
)

// take judges one record. It returns how many of out are to be entered, in
// order, and how many records turned out to be damage.
func (q *sequence) take(r Record, arrival instant.Instant) (out [2]placed, n int, damaged int64) {
	p := placed{Record: r, Arrival: arrival}
	switch {
	case !q.hasLast:
		q.first, q.last, q.hasLast = p, p, true
		out[0] = p
		return out, 1, 0
	case q.follows(q.last, p):
		if q.hasHeld {
			q.hasHeld, damaged = false, 1
		}
		p.Lost = p.Count - q.last.Count - 1
		q.last = p
		out[0] = p
		return out, 1, damaged
	case q.repeats(p):
		return out, 0, 1
	case q.hasHeld && q.follows(q.held, p):
		jump := q.jump(q.held)
		p.Lost = p.Count - jump.Count - 1
		q.hasHeld, q.last = false, p
		out[0], out[1] = jump, p
		return out, 2, 0
	}
	if q.hasHeld {
		damaged = 1
	}
	q.held, q.hasHeld = p, true
	return out, 0, damaged
}

// follows tells whether b can come after a: later in count and in time, by
// about the same.
func (q *sequence) follows(a, b placed) bool {
	count := b.Count - a.Count
	us := b.TimeUS - a.TimeUS
	if count <= 0 || count > maxHole || us <= 0 {
		return false
	}
	return math.Abs(float64(us)*1e-6*q.rate-float64(count)) <= slack+slackShare*float64(count)
}

// repeats tells whether p came before: it is the last one, or the last one can
// come after it.
func (q *sequence) repeats(p placed) bool {
	if p.Count == q.last.Count && p.TimeUS == q.last.TimeUS {
		return true
	}
	return q.last.Count-p.Count <= maxRepeat && q.follows(p, q.last)
}

// jump fills in what a confirmed jump to p means.
func (q *sequence) jump(p placed) placed {
	if count := p.Count - q.last.Count; count > 0 && count <= maxHole {
		p.Lost = count - 1
	}
	passed := float64(p.Arrival.Sub(q.first.Arrival).Microseconds())*clockRate + float64(maxLead.Microseconds())
	if p.TimeUS <= q.last.TimeUS || float64(p.TimeUS-q.first.TimeUS) > passed {
		p.Rebased = true
		q.first = p
	}
	return p
}
