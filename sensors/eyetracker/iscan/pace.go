package iscan

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// paceOver is how long frames are counted before their rate is judged.
	paceOver = 2 * time.Second
	// longestPause is the longest between two frames in a time that is judged. Batches
	// of an adapter are shorter, and at both ends of paceOver it makes a tenth of it.
	longestPause = 100 * time.Millisecond
	// paceOff is how far the counted rate may be from the stated one, as a share: less
	// than the distance of two rates that cameras have.
	paceOff = 0.3
	// cameraOff is how far a counted rate may be from a camera's and still be it.
	cameraOff = 0.15
	// paceWrong is how many counts in a row must find another camera.
	paceWrong = 2
)

// cameras returns the rates that cameras of these trackers have, fields a second.
func cameras() []float64 { return []float64{60, 120, 240} }

// pace finds out whether frames come from a camera of another rate than was stated.
// It counts while they come evenly. When the host stood still, it waits for as long
// again, while what was held up comes all at once, and begins anew. What no camera
// has is not judged: then the host or the line is not well.
type pace struct {
	stated float64 // fields a second

	begun bool
	last  instant.Instant // arrival of the frame before
	from  instant.Instant // begin of what is counted
	count int64
	wrong float64 // the camera that was found instead, 0 = none
	times int     // in a row
}

// take counts the n frames up to one that arrived at an instant. It returns the rate
// of the camera that is there instead of the stated one, once it is sure of that.
func (p *pace) take(n int64, arrival instant.Instant) (camera float64, wrong bool) {
	paused := arrival.Sub(p.last)
	p.last = arrival
	switch {
	case !p.begun:
		p.begun, p.from = true, arrival
		return 0, false
	case paused > longestPause:
		p.from, p.count, p.times = max(p.from, arrival.Add(paused)), 0, 0
		return 0, false
	case arrival <= p.from:
		return 0, false
	}
	p.count += n
	passed := arrival.Sub(p.from)
	if passed < paceOver {
		return 0, false
	}
	found := cameraOf(float64(p.count) / passed.Seconds())
	p.from, p.count = arrival, 0
	if found == 0 || math.Abs(found/p.stated-1) <= paceOff {
		p.times = 0
		return 0, false
	}
	if found != p.wrong {
		p.wrong, p.times = found, 0
	}
	p.times++
	return found, p.times >= paceWrong
}

// cameraOf returns the rate of the camera that sends so many frames a second, 0 = none.
func cameraOf(hz float64) float64 {
	for _, rate := range cameras() {
		if math.Abs(hz/rate-1) <= cameraOff {
			return rate
		}
	}
	return 0
}
