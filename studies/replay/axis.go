package replay

import (
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/store"
)

// axis is the one axis of time of a session, in ms since its first segment began. Each
// segment has a clock of its own, because that clock starts again with the machine: they
// are set apart by their wall times, which are good to some milliseconds and matter for
// the length of the hole between them only.
type axis []stretch

// stretch is a segment on the axis.
type stretch struct {
	number       int
	start, until instant.Instant // on its own clock
	offset       time.Duration   // of its start on the axis
}

func axisOf(segments []store.Segment) axis {
	var a axis
	for _, g := range segments {
		s := stretch{number: g.Number, start: g.Start, until: max(g.Start, g.Until), offset: g.Wall.Sub(segments[0].Wall)}
		if n := len(a); n > 0 { // wall clocks are set back at times
			s.offset = max(s.offset, a[n-1].offset+a[n-1].until.Sub(a[n-1].start))
		}
		a = append(a, s)
	}
	return a
}

// of returns a segment's stretch.
func (a axis) of(segment int) (stretch, bool) {
	i := slices.IndexFunc(a, func(s stretch) bool { return s.number == segment })
	if i < 0 {
		return stretch{}, false
	}
	return a[i], true
}

// ms is where an instant of a segment lies.
func (a axis) ms(segment int, at instant.Instant) float64 {
	s, _ := a.of(segment)
	return s.ms(at)
}

func (s stretch) ms(at instant.Instant) float64 {
	return float64(s.offset+at.Sub(s.start)) / float64(time.Millisecond)
}

// duration is where the last segment ends, in ms.
func (a axis) duration() float64 {
	if len(a) == 0 {
		return 0
	}
	last := a[len(a)-1]
	return last.ms(last.until)
}

// at finds the segment that holds a place on the axis, and its instant there.
func (a axis) at(ms float64) (segment int, at instant.Instant, ok bool) {
	for _, s := range a {
		if ms >= s.ms(s.start) && ms <= s.ms(s.until) {
			return s.number, s.start.Add(time.Duration(ms*float64(time.Millisecond)) - s.offset), true
		}
	}
	return 0, 0, false
}
