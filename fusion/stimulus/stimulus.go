// Package stimulus tells what was on the participant's screen when. It turns the
// rows of the stimulus stream, one a displayed frame, into showings: from when
// until when a frame was up, what was skipped before it, and for how long nobody
// can know. The trace, the database and the bundle all take it from here, so that
// there is one answer.
//
// The rules:
//
//   - A row holds until the next. Rows are taken in their order; one that is
//     stamped before its predecessor takes its place, for what lasted no time was
//     not on the screen. A frame of the same presentation then counts as skipped.
//   - A row without a presentation says that what is on the screen is not known (the
//     page was hidden). What the browser counted meanwhile was seen by nobody.
//   - When the page is gone (closed, reloaded, its connection lost), what it had
//     told holds no longer: unknown from then until the next row. A page that comes
//     back and tells of the time before it was missed had only lost its connection;
//     its word counts.
//   - A step of presented_frames above 1 means frames that were displayed and not
//     told. The frame before them is taken to have stayed for the shortest time that
//     any frame did (a refresh or more), at most for an equal share of the interval.
//     From there until the frame that was told next it is unknown which of them was
//     up; the presentation is known. Where the first frames of a presentation were
//     not told, they are taken to have stayed as long as any other of it did. That
//     the last ones were not told cannot be seen.
//   - A step of the frame number that neither told nor untold frames account for
//     are frames that were skipped: they were never on the screen.
//   - A presentation that begins anew (the page was reloaded in the middle of it, the
//     session was continued) was cut off before: that counts for nothing any more.
//
// An instant nearer to a boundary than Err may lie on its other side.
package stimulus

import (
	"math"
	"slices"
	"sort"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Open is the end of a showing that nothing ended: it lasts until the recording
// does.
const Open = instant.Instant(math.MaxInt64)

// Span is a stretch of time. Until 0 = it has not ended.
type Span struct{ From, Until instant.Instant }

// Showing is one stretch of time in which the same was on the screen: a frame of a
// stimulus, none, or what is not known. It holds From <= at < Until.
type Showing struct {
	From, Until instant.Instant
	Err         time.Duration // bound on the error of From
	// Known tells whether the frame, or that there was none, is known. Of one that
	// is not, Frame and Media say nothing; Presentation and Rect may be known all
	// the same.
	Known        bool
	Presentation int           // from 1; 0 = no stimulus, or not known
	Frame        int64         // within the video file, from 0
	Media        time.Duration // the frame's presentation time within the file
	Skipped      int64         // frames before this one that were never displayed
	Unreported   int64         // frames before this one that were displayed and not told
	// CutOff tells that the presentation began anew later. It was on the screen all
	// the same; what is summed over a presentation leaves it out.
	CutOff bool
	Rect   [4]float64 // x, y, w, h of the picture in fractions of the screen; zeros = nowhere
}

// Course turns the rows of one segment into showings. samples are finally aligned
// and in the order of their numbers; away is when the page was gone, by the lab
// clock. The showings follow each other from the first row to Open without hole or
// overlap, and each lasts for some time. Before the first row nothing is known, and
// without rows there is no showing.
func Course(info stream.Info, samples []stream.Sample, away []Span) []Showing {
	c := newColumns(info)
	rows := make([]told, len(samples))
	for i, s := range samples {
		rows[i] = c.read(s)
	}
	paces := pacesOf(rows)
	gone := slices.SortedFunc(slices.Values(away), func(a, b Span) int {
		switch {
		case a.From < b.From:
			return -1
		case a.From > b.From:
			return 1
		}
		return 0
	})
	b := builder{course: make([]Showing, 0, len(samples))}
	var begun []start
	for _, r := range rows {
		for len(gone) > 0 && gone[0].From < r.arrival {
			b.gone(gone[0].From)
			gone = gone[1:]
		}
		begins := b.begins(r)
		b.row(r, paces[r.presentation])
		if begins {
			begun = append(begun, start{len(b.course) - 1, r.presentation})
		}
	}
	for _, g := range gone {
		b.gone(g.From)
	}
	cutOff(b.course, begun)
	return b.course
}

// At returns the showing of an instant; false before the first.
func At(course []Showing, at instant.Instant) (Showing, bool) {
	i := search(course, at)
	if i < 0 {
		return Showing{}, false
	}
	return course[i], true
}

// search returns the last showing that begins not later than at, or -1.
func search(course []Showing, at instant.Instant) int {
	return sort.Search(len(course), func(i int) bool { return course[i].From > at }) - 1
}

// Cursor finds the showings of instants that lie near each other.
type Cursor struct {
	course []Showing
	last   int // the showing that was found last
}

// NewCursor makes a cursor on a course.
func NewCursor(course []Showing) *Cursor { return &Cursor{course: course} }

// At is the same as the function At. It is quick where the instant is in the showing
// of the call before or in the next.
func (c *Cursor) At(at instant.Instant) (Showing, bool) {
	for i := c.last; i < min(c.last+2, len(c.course)); i++ {
		if s := &c.course[i]; s.From <= at && at < s.Until {
			c.last = i
			return *s, true
		}
	}
	i := search(c.course, at)
	if i < 0 {
		return Showing{}, false
	}
	c.last = i
	return c.course[i], true
}

// Away is when the page of a stimulus stream was gone, by the stream's events in
// their order.
func Away(events []stream.Event) []Span {
	var out []Span
	open := false
	for _, e := range events {
		switch {
		case e.Kind == stream.Disconnected && !open:
			out, open = append(out, Span{From: e.At}), true
		case e.Kind == stream.Connected && open:
			out[len(out)-1].Until, open = e.At, false
		}
	}
	return out
}
