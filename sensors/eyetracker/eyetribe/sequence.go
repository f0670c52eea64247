package eyetribe

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// sequence decides which frames to believe, and how many are missing. Frames
// have no number and no checksum, only a time in milliseconds. A damaged time
// looks like a hole or a restart of the server. They differ by what comes next: a
// frame that is not the next one, and the first of all, is held until its
// successor either follows it, and the jump was real, or does not, and it was
// damage.
type sequence struct {
	rate float64 // frames per second

	last    placed
	hasLast bool
	held    placed
	hasHeld bool

	first placed // of this run of the tracker's clock
}

// placed is a frame with its arrival and its relation to the one before.
type placed struct {
	Frame
	Arrival instant.Instant
	Lost    int64 // frames missing before it, by their times
	Rebased bool  // the tracker's clock began anew with it
}

const (
	// leastStep and mostStep bound the time between two frames with none missing, in
	// periods: frame times jitter, and are cut to milliseconds.
	leastStep, mostStep = 0.5, 1.5
	// maxLag is how far the step in the tracker's time and that of the arrivals may
	// disagree: a network that stalls, a busy host.
	maxLag = 2 * time.Second
	// maxRepeat is how far back a frame may lie and still be one that came before:
	// the line, or a bridge, has repeated a piece. A clock that began anew lies
	// farther back, or has passed the old one within that time.
	maxRepeat = 500 * time.Millisecond
	// clockRate is the most by which the tracker's clock can be fast against ours.
	clockRate = 1.02
)

// take judges one frame. It returns how many of out are to be entered, in order,
// and how many frames turned out to be damage.
func (q *sequence) take(f Frame, arrival instant.Instant) (out [2]placed, n int, damaged int64) {
	p := placed{Frame: f, Arrival: arrival}
	if q.hasHeld {
		damaged = 1 // unless it is confirmed below
	}
	switch {
	case q.hasLast && q.follows(q.last, p) && q.periods(q.last, p) < mostStep:
		q.hasHeld, q.last = false, p
		out[0] = p
		return out, 1, damaged
	case q.hasLast && q.repeats(p):
		return out, 0, 1
	case q.hasHeld && q.follows(q.held, p):
		jump := q.jump(q.held)
		p.Lost = q.missing(jump, p)
		q.hasHeld, q.last, q.hasLast = false, p, true
		out[0], out[1] = jump, p
		return out, 2, 0
	}
	q.held, q.hasHeld = p, true
	return out, 0, damaged
}

// follows tells whether b can come after a: later by a frame or more, and by
// about as much as it arrived later.
func (q *sequence) follows(a, b placed) bool {
	step := time.Duration(b.TimeMS-a.TimeMS) * time.Millisecond
	return q.periods(a, b) >= leastStep && (step-b.Arrival.Sub(a.Arrival)).Abs() <= maxLag
}

// periods is the time between two frames, in periods of the rate.
func (q *sequence) periods(a, b placed) float64 { return float64(b.TimeMS-a.TimeMS) * 1e-3 * q.rate }

// repeats tells whether p came before.
func (q *sequence) repeats(p placed) bool {
	back := time.Duration(q.last.TimeMS-p.TimeMS) * time.Millisecond
	return back >= 0 && back <= maxRepeat
}

// missing is how many frames fit between two.
func (q *sequence) missing(a, b placed) int64 {
	return max(0, int64(math.Round(q.periods(a, b)))-1)
}

// jump fills in what a confirmed jump to p means.
func (q *sequence) jump(p placed) placed {
	if !q.hasLast {
		q.first = p
		return p
	}
	passed := float64(p.Arrival.Sub(q.first.Arrival).Milliseconds())*clockRate + float64(maxLag.Milliseconds())
	if p.TimeMS <= q.last.TimeMS || float64(p.TimeMS-q.first.TimeMS) > passed {
		p.Rebased = true
		q.first = p
		return p
	}
	p.Lost = q.missing(q.last, p)
	return p
}
