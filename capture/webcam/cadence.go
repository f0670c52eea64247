package webcam

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// cadenceWindow is over how many frames the present frame period is judged:
	// about a second, so that a camera that slows down in the dark is believed
	// soon.
	cadenceWindow = 31
	// cadenceTrust is how many intervals must be known before a gap is called one.
	cadenceTrust = 8
	// gapFactor is how many periods without a frame make a gap. One lost frame
	// makes two; what lies between is jitter.
	gapFactor = 1.6
)

// cadence finds frames that a camera lost by the gaps between their stamps.
// OpenCV does not pass on the driver's own sequence number.
type cadence struct {
	last      instant.Instant
	started   bool
	intervals []time.Duration // the newest, oldest first
}

// next takes the stamp of the next frame and returns how many are missing
// before it.
func (c *cadence) next(at instant.Instant) (lost int64) {
	if !c.started {
		c.last, c.started = at, true
		return 0
	}
	interval := at.Sub(c.last)
	c.last = at
	if len(c.intervals) >= cadenceTrust {
		sorted := slices.Sorted(slices.Values(c.intervals))
		period := sorted[len(sorted)/2]
		if float64(interval) > gapFactor*float64(period) {
			lost = int64(math.Round(float64(interval)/float64(period))) - 1
		}
	}
	// The gap itself counts among the intervals: when the camera has really
	// become slower, the median follows.
	if len(c.intervals) == cadenceWindow {
		c.intervals = c.intervals[1:]
	}
	c.intervals = append(c.intervals, interval)
	return lost
}
