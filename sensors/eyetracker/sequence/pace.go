package sequence

import (
	"time"

	"emolab/fusion/instant"
)

const (
	// paceOver is how long frames are counted before their rate is judged.
	paceOver = 2 * time.Second
	// paceOff is how far the counted rate may be from the stated one, as a share
	// of it: less than the distance of two rates that trackers have (240 and 360).
	paceOff = 0.3
	// paceWrong is how many counts in a row must be off to the same side: a
	// stalled reader makes one too low and the next too high.
	paceWrong = 2
)

// Pace compares how fast frames come with how fast they should.
type Pace struct {
	Rate float64 // stated, frames per second

	begun bool
	from  instant.Instant
	count int64
	wrong int // counts in a row that were too high, or as a negative number too low
}

// Take counts n frames, of which the last arrived at an instant. ok is false when
// the stated rate cannot be right; perSecond is then the counted one.
func (p *Pace) Take(n int64, arrival instant.Instant) (perSecond float64, ok bool) {
	if !p.begun {
		p.begun, p.from, p.count = true, arrival, 0
		return 0, true
	}
	p.count += n
	passed := arrival.Sub(p.from)
	if passed < paceOver {
		return 0, true
	}
	perSecond = float64(p.count) / passed.Seconds()
	p.from, p.count = arrival, 0
	switch {
	case perSecond > p.Rate*(1+paceOff):
		p.wrong = max(p.wrong, 0) + 1
	case perSecond < p.Rate*(1-paceOff):
		p.wrong = min(p.wrong, 0) - 1
	default:
		p.wrong = 0
	}
	return perSecond, p.wrong > -paceWrong && p.wrong < paceWrong
}
