package stimulus

import (
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// maxUnreported bounds a step of presented_frames that is believed: ten seconds at
// 100 frames a second. The stage counts a larger one as a fault of the page and
// takes nothing for lost; so is it taken here.
const maxUnreported = 1000

// columns are the places of the stream's channels.
type columns struct{ presentation, frame, media, presented, x, y, w, h int }

func newColumns(i stream.Info) columns {
	return columns{
		i.Index("presentation"), i.Index("frame"), i.Index("media_ns"), i.Index("presented_frames"),
		i.Index("rect_x"), i.Index("rect_y"), i.Index("rect_w"), i.Index("rect_h"),
	}
}

// told is what one row tells.
type told struct {
	at, arrival  instant.Instant
	err          time.Duration
	known        bool
	presentation int
	frame        int64
	media        time.Duration
	presented    int64 // the browser's count; 0 = it gave none
	rect         [4]float64
}

// read takes a row apart. A frame without number or media time is none.
func (c columns) read(s stream.Sample) told {
	value := func(column int) float64 {
		if column < 0 || column >= len(s.Values) {
			return math.NaN()
		}
		return s.Values[column]
	}
	r := told{at: s.At, arrival: s.Arrival, err: s.Err}
	p, ok := whole(value(c.presentation))
	if !ok || p < 0 || p > math.MaxInt32 {
		return r
	}
	r.presentation = int(p)
	if p == 0 {
		r.known = true
		return r
	}
	media, timed := whole(value(c.media))
	frame, numbered := whole(value(c.frame))
	r.frame, r.media, r.known = frame, time.Duration(media), timed && numbered
	r.presented, _ = whole(value(c.presented))
	r.rect = [4]float64{value(c.x), value(c.y), value(c.w), value(c.h)}
	for _, v := range r.rect {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.rect = [4]float64{}
		}
	}
	return r
}

// whole makes an integer of a value; false where it is no number or none that a
// float64 holds exactly.
func whole(v float64) (int64, bool) {
	if !(math.Abs(v) < 1<<53) {
		return 0, false
	}
	return int64(v), true
}

// showing is the row as a showing, without what came before it.
func (r told) showing() Showing {
	s := Showing{From: r.at, Until: Open, Err: r.err, Known: r.known, Presentation: r.presentation, Rect: r.rect}
	if r.known {
		s.Frame, s.Media = r.frame, r.media
	}
	return s
}

// pace is how long the frames of a presentation stayed, where both they and the
// next were told; 0 = not known.
type pace struct{ shortest, longest time.Duration }

// learn takes in two rows that follow each other.
func (p *pace) learn(a, b told) {
	if a.presentation == 0 || a.presentation != b.presentation || b.presented-a.presented != 1 {
		return
	}
	stay := since(a.at, b.at)
	if stay <= 0 {
		return
	}
	if p.shortest == 0 || stay < p.shortest {
		p.shortest = stay
	}
	p.longest = max(p.longest, stay)
}

// pacesOf learns the pace of each presentation.
func pacesOf(rows []told) map[int]pace {
	out := map[int]pace{}
	for i := 1; i < len(rows); i++ {
		if of := rows[i].presentation; of != 0 {
			p := out[of]
			p.learn(rows[i-1], rows[i])
			out[of] = p
		}
	}
	return out
}

// since is the time from a to b, not below 0 nor beyond what a Duration holds.
func since(a, b instant.Instant) time.Duration {
	switch {
	case b <= a:
		return 0
	case a < 0 && b > Open+a: // would overflow
		return math.MaxInt64
	}
	return b.Sub(a)
}

// builder makes a course row by row.
type builder struct {
	course []Showing
	last   told // the latest row of a presentation
	// missing tells that the page has gone and nothing was told since; missed is
	// when. extra then tells that the course ends with a showing that says so.
	missing, extra bool
	missed         instant.Instant
}

// gone notes that the page has gone.
func (b *builder) gone(from instant.Instant) {
	if b.missing || len(b.course) == 0 {
		return
	}
	b.missing, b.missed = true, from
	end := &b.course[len(b.course)-1]
	if !end.Known && end.Presentation == 0 {
		return // not known before either
	}
	b.extra = true
	b.add(Showing{From: max(from, end.From), Until: Open, Err: end.Err})
}

// back takes the absence of the page back, or lets it stand.
func (b *builder) back(r told) {
	if b.extra && r.at <= b.missed { // it was there all the while
		b.course = b.course[:len(b.course)-1]
		b.course[len(b.course)-1].Until = Open
	}
	b.missing, b.extra = false, false
}

// row takes in the next row. p is the pace of its presentation.
func (b *builder) row(r told, p pace) {
	if b.missing {
		b.back(r)
	}
	s := r.showing()
	if n := len(b.course); n > 0 {
		s.From = max(s.From, b.course[n-1].From)
	}
	if r.presentation > 0 {
		s.Unreported = b.unreported(r)
		s.Skipped = b.skipped(r, s.Unreported)
		if s.Unreported > 0 {
			b.between(s, p)
		}
		b.last = r
	}
	b.add(s)
}

// again tells whether a row begins its presentation, for the first time or anew.
func (b *builder) again(r told) bool {
	return r.presentation != b.last.presentation || r.presented <= b.last.presented
}

// unreported counts the frames that were displayed before the one of r and not told.
func (b *builder) unreported(r told) int64 {
	if r.presented <= 0 {
		return 0
	}
	n := r.presented - 1
	if !b.again(r) {
		n -= b.last.presented
	}
	if n > maxUnreported {
		return 0
	}
	return n
}

// skipped counts the frames before that of r that were not displayed.
func (b *builder) skipped(r told, unreported int64) int64 {
	if !r.known {
		return 0
	}
	before := int64(-1)
	if !b.again(r) {
		if !b.last.known {
			return 0
		}
		before = b.last.frame
	}
	return max(0, r.frame-before-1-unreported)
}

// between adds the showing of the frames that were not told before s.
func (b *builder) between(s Showing, p pace) {
	if len(b.course) == 0 {
		return // before the first row nothing is known anyhow
	}
	end := b.course[len(b.course)-1]
	if !end.Known && end.Presentation == 0 {
		return
	}
	u := Showing{Until: Open, Err: end.Err}
	span := since(end.From, s.From)
	if end.Presentation == s.Presentation {
		u.Presentation, u.Rect = s.Presentation, end.Rect
		stay := span / time.Duration(s.Unreported+1)
		if p.shortest > 0 {
			stay = min(stay, p.shortest)
		}
		u.From = end.From.Add(stay)
	} else {
		back := span
		if p.longest > 0 && p.longest < span/time.Duration(s.Unreported) {
			back = p.longest * time.Duration(s.Unreported)
		}
		u.From = s.From.Add(-back)
	}
	if u.From < s.From {
		b.add(u)
	}
}

// add ends the course so far with s.
func (b *builder) add(s Showing) {
	if n := len(b.course); n > 0 {
		b.course[n-1].Until = s.From
	}
	b.course = append(b.course, s)
}
