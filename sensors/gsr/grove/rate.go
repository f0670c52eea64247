package grove

import (
	"time"

	"emolab/fusion/instant"
)

const (
	// rateOver is the time over which the rate of the lines is measured: to 0.2 %,
	// with batches of 50 ms.
	rateOver = 30 * time.Second
	// rateEnd is how much of its beginning and of its end is searched for a line that
	// did not wait on its way.
	rateEnd = 5 * time.Second
	// rateOff is how far from the stated rate the measured one may be, as a share: as
	// far as alignment expects of a clock. Beyond it alignment measures the rate
	// itself, or takes lines for lost, and its bounds are wider.
	rateOff = 0.006
)

// rate measures how many lines come a second: from the line that waited least at the
// beginning to the one that did at the end. A host that stands still for longer than
// lines can be apart begins the measurement anew, since what it could not hold is lost.
type rate struct {
	stated float64 // lines a second

	begun    bool
	from     instant.Instant // arrival of the first line
	last     instant.Instant // and of the last
	earliest stamp           // ticks are numbers of lines
	latest   stamp
	ended    bool // latest has one
}

// take counts one line.
func (r *rate) take(count int64, arrival instant.Instant) {
	now := stamp{count, arrival}
	if !r.begun || arrival.Sub(r.last) > r.pause() {
		*r = rate{stated: r.stated, begun: true, from: arrival, last: arrival, earliest: now}
		return
	}
	r.last = arrival
	passed := arrival.Sub(r.from)
	switch {
	case passed <= rateEnd:
		if r.quicker(now, r.earliest) {
			r.earliest = now
		}
	case passed >= rateOver-rateEnd && passed <= rateOver:
		if !r.ended || r.quicker(now, r.latest) {
			r.latest, r.ended = now, true
		}
	}
}

// pause is how far apart lines are not, unless the host stood still.
func (r *rate) pause() time.Duration {
	const lines = 3
	return max(standstill, time.Duration(lines/r.stated*float64(time.Second)))
}

// quicker tells whether line a waited less than line b, which came before it.
func (r *rate) quicker(a, b stamp) bool {
	return a.at.Sub(b.at).Seconds() <= float64(a.tick-b.tick)/r.stated
}

// measured returns the lines a second, once they are known.
func (r *rate) measured() (hz float64, known bool) {
	if !r.ended || r.last.Sub(r.from) < rateOver {
		return 0, false
	}
	return float64(r.latest.tick-r.earliest.tick) / r.latest.at.Sub(r.earliest.at).Seconds(), true
}
