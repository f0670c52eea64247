package stimulus

import (
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Live is the course of a session that is being recorded, from what has been told
// so far, of the recent past only. It differs from Course where that looks ahead:
// how long the frames of a presentation stay is known from those before, and that
// one was not told when the next is. It is not safe for concurrent use.
type Live struct {
	columns columns
	keep    time.Duration
	build   builder
	before  told
	pace    pace // longest: of the presentation of before
}

// maxKept bounds the past that is kept, whatever the page sends: two seconds at
// 2,000 frames a second.
const maxKept = 4000

// NewLive makes the course of a stream that reaches back by keep from the latest
// row.
func NewLive(info stream.Info, keep time.Duration) *Live {
	return &Live{columns: newColumns(info), keep: keep}
}

// Add takes in aligned rows in their order.
func (l *Live) Add(samples []stream.Sample) {
	for _, s := range samples {
		r := l.columns.read(s)
		if r.presentation != l.before.presentation {
			l.pace.longest = 0
		}
		l.pace.learn(l.before, r)
		l.build.row(r, l.pace)
		l.before = r
	}
	l.forget()
}

// Gone notes when the page was seen to have gone.
func (l *Live) Gone(at instant.Instant) { l.build.gone(at) }

// At returns the showing of an instant, as far as it is known by now; false where
// nothing was told yet.
func (l *Live) At(at instant.Instant) (Showing, bool) { return At(l.build.course, at) }

// forget drops the showings that ended before the past that is kept.
func (l *Live) forget() {
	course := l.build.course
	if len(course) == 0 {
		return
	}
	last := course[len(course)-1].From
	n := max(0, len(course)-maxKept)
	for n < len(course) && since(course[n].Until, last) > l.keep {
		n++
	}
	l.build.course = course[n:]
}
