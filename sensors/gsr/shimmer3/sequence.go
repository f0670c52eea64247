package shimmer3

import (
	"time"

	"emolab/fusion/instant"
)

// packet is one reading with its place.
type packet struct {
	raw     uint32 // tick as sent, 24 bits
	tick    int64  // unwrapped
	arrival instant.Instant
	word    Word
	lost    int64 // packets missing before it
	rebased bool  // the Shimmer's clock began anew with it
}

const (
	// tickTolerance is how far two ticks may be from a whole number of periods.
	tickTolerance = 1
	// maxLead and clockRate bound how far ticks can run ahead of the lab clock: a
	// radio that delivers late and then all at once, and a fast crystal.
	maxLead   = 2 * time.Second
	clockRate = 1.02
	// repeats is how far back a packet lies, in ticks, that counts as one that came
	// twice. Only a clock that is set farther back begins anew.
	repeats = 2 * tickHz
)

// sequence places packets in time, and finds by their ticks what is missing. A
// packet that does not follow the one before is held until its successor either
// follows it, and there was a jump, or does not, and it was damage. The first
// one is held as well.
type sequence struct {
	divider int64 // ticks between two packets

	last    packet
	hasLast bool
	held    packet
	hasHeld bool
}

// take judges one packet. It returns how many of out are to be entered, in
// order, and how many packets turned out to be damage.
func (q *sequence) take(p packet) (out [2]packet, n int, damaged int64) {
	if q.hasLast && forward(p, q.last) <= repeats {
		return out, 0, 1 // it came twice
	}
	if q.hasLast {
		if steps, ok := q.steps(q.last, p); ok {
			if q.hasHeld {
				q.hasHeld, damaged = false, 1
			}
			q.follow(q.last, &p, steps)
			out[0] = p
			return out, 1, damaged
		}
	}
	if q.hasHeld {
		if steps, ok := q.steps(q.held, p); ok {
			first := q.jump(q.held)
			q.follow(first, &p, steps)
			q.hasHeld = false
			out[0], out[1] = first, p
			return out, 2, 0
		}
		damaged = 1
	}
	q.held, q.hasHeld = p, true
	return out, 0, damaged
}

// steps returns how many periods b comes after a, and whether it can.
func (q *sequence) steps(a, b packet) (int64, bool) {
	delta := forward(a, b)
	steps := (delta + q.divider/2) / q.divider
	off := delta - steps*q.divider
	return steps, steps > 0 && off >= -tickTolerance && off <= tickTolerance && inTime(a, b)
}

// forward is how far the counter went from a to b, on the way forward.
func forward(a, b packet) int64 { return int64((b.raw - a.raw) & tickMask) }

// inTime tells whether as many ticks can have passed between a and b.
func inTime(a, b packet) bool {
	passed := b.arrival.Sub(a.arrival).Seconds()*clockRate + maxLead.Seconds()
	return float64(forward(a, b)) <= passed*tickHz
}

// follow places b some periods after a.
func (q *sequence) follow(a packet, b *packet, steps int64) {
	b.tick, b.lost = a.tick+forward(a, *b), steps-1
	q.last, q.hasLast = *b, true
}

// jump places a packet that does not follow the last one, but was confirmed.
func (q *sequence) jump(p packet) packet {
	switch {
	case !q.hasLast:
		p.tick = int64(p.raw)
	case inTime(q.last, p):
		delta := forward(q.last, p)
		p.tick = q.last.tick + delta
		p.lost = max(0, (delta+q.divider/2)/q.divider-1)
	default:
		p.tick, p.rebased = int64(p.raw), true
	}
	return p
}
