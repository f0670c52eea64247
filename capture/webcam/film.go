package webcam

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// defaultFPS stands in for a file that does not tell its frame rate and has no
// usable times either.
const defaultFPS = 25

// film puts the frames of a file on the lab clock: the first at the instant it
// was read, the others by the file's own time, which goes on when the file is
// looped.
type film struct {
	start   instant.Instant // of the first frame
	offset  time.Duration   // of the present round's beginning
	last    time.Duration   // time of the last frame within the present round
	frames  int64           // of the present round
	started bool
}

// at returns the instant of the next frame, whose file time is posMs. A time
// that does not grow, as in files without times, is one nominal period after
// the frame before.
func (f *film) at(posMs, fps float64, now instant.Instant) instant.Instant {
	if !f.started {
		f.start, f.started = now, true
	}
	pts := time.Duration(math.Round(posMs * float64(time.Millisecond)))
	if f.frames == 0 {
		pts = max(pts, 0)
	} else if pts <= f.last {
		pts = f.last + period(fps)
	}
	f.last = pts
	f.frames++
	return f.start.Add(f.offset + pts)
}

// empty tells whether the present round has had no frame.
func (f *film) empty() bool { return f.frames == 0 }

// wrap begins the next round one period after the last frame.
func (f *film) wrap(fps float64) {
	f.offset += f.last + period(fps)
	f.last, f.frames = 0, 0
}

// period is the time from one frame to the next.
func period(fps float64) time.Duration {
	if !(fps > 0) {
		fps = defaultFPS
	}
	return time.Duration(float64(time.Second) / fps)
}
