// Package sequence judges the numbers and times that eye trackers give their
// frames, where the protocol has no checksum: which frame to believe, how many
// are missing before it, whether the tracker's clock began anew, and whether
// frames come at the rate that was stated.
package sequence

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// offBeat is how far a frame may be from one period after the last, as a
	// share of the period, and still be the next one: stamps jitter, and nominal
	// rates are not exact (a 60 Hz camera may run at 59.94).
	offBeat = 0.25
	// slack and slackShare bound how far the device's time between two frames may
	// differ from that of their arrivals: a stalled reader, and a fast clock.
	slack      = time.Second
	slackShare = 0.05
)

// Clock says how a device counts its frames.
type Clock struct {
	TickHz  float64 // ticks per second of what the device stamps frames with
	Rate    float64 // nominal frames per second
	Modulus int64   // the stamps wrap at this; 0 = never
}

// Judge decides which frames to believe. Without a checksum a damaged digit of a
// stamp looks like a jump; a hole or a restart of the device is one. They differ
// by what comes next: a frame that is not one period after the last is held until
// its successor either fits it, and the jump was real, or does not, and it was
// damage. The first frame of all is held likewise. F is what the frame carries.
type Judge[F any] struct {
	clock Clock

	last    Placed[F] // the last one believed
	hasLast bool
	held    Placed[F]
	hasHeld bool
	prompt  Placed[F] // the last one believed that was not kept waiting

	out [2]Placed[F]
}

// Placed is a frame that is believed.
type Placed[F any] struct {
	Frame   F
	Tick    int64 // its stamp, unwrapped; rises until the next Rebased
	Arrival instant.Instant
	Lost    int64 // frames missing before it
	Rebased bool  // the device's clock began anew with it
}

// NewJudge makes the judge of one conversation with a device.
func NewJudge[F any](c Clock) *Judge[F] { return &Judge[F]{clock: c} }

// Take judges one frame by its stamp. It returns the frames that are to be
// believed now, in order, at most two, valid until the next call; and how many
// turned out to be damage.
func (j *Judge[F]) Take(stamp int64, arrival instant.Instant, f F) (believed []Placed[F], damaged int64) {
	p := Placed[F]{Frame: f, Tick: j.unwrap(stamp, arrival), Arrival: arrival}
	switch {
	case j.hasLast && j.next(j.last, p):
		if j.hasHeld {
			j.hasHeld, damaged = false, 1
		}
		j.believe(p)
		j.out[0] = p
		return j.out[:1], damaged
	case j.hasHeld && j.confirms(p):
		first := j.jump(j.held)
		p.Lost = j.steps(first, p) - 1
		j.hasHeld = false
		j.believe(first)
		j.believe(p)
		j.out[0], j.out[1] = first, p
		return j.out[:2], 0
	}
	if j.hasHeld {
		damaged = 1
	}
	j.held, j.hasHeld = p, true
	return nil, damaged
}

// unwrap returns the stamp as it would be if it never wrapped: of all it can
// stand for, the one that fits the time since the last frame best.
func (j *Judge[F]) unwrap(stamp int64, arrival instant.Instant) int64 {
	m := j.clock.Modulus
	from := j.last
	if !j.hasLast {
		from = j.held
	}
	if m == 0 || (!j.hasLast && !j.hasHeld) {
		return stamp
	}
	expected := from.Tick + int64(arrival.Sub(from.Arrival).Seconds()*j.clock.TickHz)
	off := (stamp - expected) % m
	switch {
	case off >= m/2:
		off -= m
	case off < -m/2:
		off += m
	}
	return expected + off
}

// periods returns how many periods b is after a, by their stamps.
func (j *Judge[F]) periods(a, b Placed[F]) float64 {
	return float64(b.Tick-a.Tick) / j.clock.TickHz * j.clock.Rate
}

// steps returns the same as a whole number.
func (j *Judge[F]) steps(a, b Placed[F]) int64 { return int64(math.Round(j.periods(a, b))) }

// next tells whether b is one period after a.
func (j *Judge[F]) next(a, b Placed[F]) bool { return math.Abs(j.periods(a, b)-1) <= offBeat }

// plausible tells whether b can come after a with some frames missing: later by
// about as much as it arrived later.
func (j *Judge[F]) plausible(a, b Placed[F]) bool {
	if j.periods(a, b) < 1-offBeat {
		return false
	}
	waited := b.Arrival.Sub(a.Arrival).Seconds()
	return math.Abs(j.late(a, b)) <= slack.Seconds()+slackShare*waited
}

// goesOn tells whether p can come after the last frame. When the reader has
// stalled, the last frame arrived late: one that waited with it agrees with that,
// one that came later, after a buffer ran over, with the last that did not wait.
func (j *Judge[F]) goesOn(p Placed[F]) bool {
	return j.plausible(j.last, p) || j.periods(j.last, p) >= 1-offBeat && j.plausible(j.prompt, p)
}

// late returns by how many seconds b arrived later, after a, than it was made.
func (j *Judge[F]) late(a, b Placed[F]) float64 {
	return b.Arrival.Sub(a.Arrival).Seconds() - float64(b.Tick-a.Tick)/j.clock.TickHz
}

// believe makes p the last frame.
func (j *Judge[F]) believe(p Placed[F]) {
	if !j.hasLast || p.Rebased || j.late(j.prompt, p) <= slackShare*p.Arrival.Sub(j.prompt.Arrival).Seconds() {
		j.prompt = p
	}
	j.last, j.hasLast = p, true
}

// confirms tells whether p proves the held frame. With frames missing between the
// two their distance says little: a damaged stamp up to slack below the true one
// agrees with the next good frame. That is enough for a loss, which is wrong by as
// little then, but a clock that begins anew needs two frames in a row, that also
// arrive so.
func (j *Judge[F]) confirms(p Placed[F]) bool {
	next := j.next(j.held, p)
	if j.hasLast && !j.goesOn(j.held) {
		return next && p.Arrival.Sub(j.held.Arrival) < slack
	}
	return next || j.plausible(j.held, p)
}

// jump fills in what a confirmed jump to p means.
func (j *Judge[F]) jump(p Placed[F]) Placed[F] {
	switch {
	case !j.hasLast: // the first of all
	case j.goesOn(p):
		p.Lost = j.steps(j.last, p) - 1
	default:
		p.Rebased = true
	}
	return p
}
