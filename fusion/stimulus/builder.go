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

// pace is how long frames stay, by those where both they and the next were told;
// 0 = not known.
type pace struct {
	shortest time.Duration // of all frames: what the screen can do
	longest  time.Duration // of the presentation
}

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
	var p pace
	for i, r := range rows {
		if r.presentation == 0 {
			continue
		}
		p.longest = out[r.presentation].longest
		if i > 0 {
			p.learn(rows[i-1], r)
		}
		out[r.presentation] = pace{longest: p.longest}
	}
	for n := range out {
		out[n] = pace{p.shortest, out[n].longest}
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
	left   bool // a row without presentation came after it
	unseen bool // the latest row says that what is on the screen is not known
	// missing tells that the page has gone and nothing was told since; missed is
	// when, and kept what the course ended with if it now ends with not knowing.
	missing bool
	missed  instant.Instant
	kept    *Showing
}

// gone notes that the page has gone.
func (b *builder) gone(from instant.Instant) {
	if b.missing || len(b.course) == 0 {
		return
	}
	b.missing, b.missed = true, from
	end := b.course[len(b.course)-1]
	if !end.Known && end.Presentation == 0 {
		return // not known before either
	}
	b.kept = &end
	b.add(Showing{From: max(min(from, Open-1), end.From), Until: Open, Err: end.Err})
}

// back takes the absence of the page back if it was there all the while, or lets
// it stand.
func (b *builder) back(r told) {
	if b.kept != nil && r.at <= b.missed {
		n := len(b.course) - 1 // what is not known, after what was kept or in its place
		if b.course[n].From > b.kept.From {
			b.course, n = b.course[:n], n-1
		}
		b.course[n] = *b.kept
	}
	b.missing, b.kept = false, nil
}

// row takes in the next row. p is the pace of its presentation.
func (b *builder) row(r told, p pace) {
	if b.missing {
		b.back(r)
	}
	s := r.showing()
	s.From = min(s.From, Open-1)
	if n := len(b.course); n > 0 {
		s.From = max(s.From, b.course[n-1].From)
	}
	if r.presentation > 0 {
		s.Unreported = b.unreported(r)
		s.Skipped = b.skipped(r, s.Unreported)
		if s.Unreported > 0 {
			b.between(s, p)
		}
		b.last, b.left = r, false
	} else {
		b.left = true
	}
	b.unseen = !r.known && r.presentation == 0
	b.add(s)
}

// begins tells whether a row begins its presentation, for the first time or anew. The
// browser counts the frames of each time from 1; a count that goes back while the clip
// goes on is a fault of the page. Where it does not count, a frame before the last one
// tells it.
func (b *builder) begins(r told) bool {
	back := r.known && b.last.known && r.frame < b.last.frame
	switch {
	case r.presentation == 0:
		return false
	case r.presentation != b.last.presentation:
		return true
	case r.presented > 0 && b.last.presented > 0:
		return r.presented <= b.last.presented && (back || b.left)
	}
	return back
}

// unreported counts the frames that were displayed before the one of r and not told.
func (b *builder) unreported(r told) int64 {
	if r.presented <= 0 || b.unseen {
		return 0
	}
	n := r.presented - 1
	if !b.begins(r) {
		n -= b.last.presented
	}
	if n < 0 || n > maxUnreported {
		return 0
	}
	return n
}

// skipped counts the frames before that of r that were not displayed.
func (b *builder) skipped(r told, unreported int64) int64 {
	if !r.known || b.unseen {
		return 0
	}
	before := int64(-1)
	if !b.begins(r) {
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
		u.From = end.From.Add(max(stay, 1))
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

// add ends the course so far with s. What lasted no time was not on the screen: s
// takes its place, and a frame of the same presentation counts as skipped.
func (b *builder) add(s Showing) {
	n := len(b.course)
	if n == 0 || b.course[n-1].From < s.From {
		if n > 0 {
			b.course[n-1].Until = s.From
		}
		b.course = append(b.course, s)
		return
	}
	end := b.course[n-1]
	s.Skipped += end.Skipped
	s.Unreported += end.Unreported
	if end.Known && s.Known && end.Presentation > 0 && end.Presentation == s.Presentation {
		s.Skipped++
	}
	b.course[n-1] = s
}
