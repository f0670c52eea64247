package stimulus

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const ms = time.Millisecond

var nan = math.NaN()

func info() stream.Info {
	i := stream.Info{ID: "stimulus", Kind: stream.Stimulus}
	for _, name := range []string{"presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h"} {
		i.Channels = append(i.Channels, stream.Channel{Name: name})
	}
	return i
}

func at(d time.Duration) instant.Instant { return instant.Instant(time.Hour + d) }

// frame is the row of a frame at 25 frames a second that is told 5 ms before it is
// shown.
func frame(d time.Duration, presentation, n, presented int) stream.Sample {
	return stream.Sample{At: at(d), Arrival: at(d - 5*ms), Err: ms, Values: []float64{
		float64(presentation), float64(n), float64(n) * 40e6, float64(presented), .25, 0, .5, 1}}
}

func blank(d time.Duration) stream.Sample {
	return stream.Sample{At: at(d), Arrival: at(d - 5*ms), Err: 2 * ms, Values: []float64{0, nan, nan, nan, nan, nan, nan, nan}}
}

// later is a row that was told only when the page was back.
func later(s stream.Sample, told time.Duration) stream.Sample {
	s.Arrival = at(told)
	return s
}

func unknown(d time.Duration) stream.Sample {
	s := blank(d)
	s.Values[0] = nan
	return s
}

// short is a showing as the tables write it: times in ms, Until left to the next.
type short struct {
	From                time.Duration
	What                string // "-" no stimulus, "?" not known, "?p" one of p's frames, "p"
	Frame               int64
	Skipped, Unreported int64
}

func shorten(course []Showing) []short {
	var out []short
	for _, s := range course {
		x := short{From: s.From.Sub(at(0)), Skipped: s.Skipped, Unreported: s.Unreported, What: "-"}
		if s.Presentation > 0 {
			x.What = string(rune('0' + s.Presentation))
			x.Frame = s.Frame
		}
		if !s.Known {
			x.What = "?"
			if s.Presentation > 0 {
				x.What += string(rune('0' + s.Presentation))
			}
		}
		out = append(out, x)
	}
	return out
}

func TestCourse(t *testing.T) {
	for _, c := range []struct {
		name string
		rows []stream.Sample
		away []Span
		want []short
	}{
		{name: "nothing"},
		{"nothing, and gone", nil, []Span{{From: at(0)}}, nil},
		{"played through",
			[]stream.Sample{blank(0), frame(100*ms, 1, 0, 1), frame(140*ms, 1, 1, 2), blank(180 * ms)}, nil,
			[]short{{0, "-", 0, 0, 0}, {100 * ms, "1", 0, 0, 0}, {140 * ms, "1", 1, 0, 0}, {180 * ms, "-", 0, 0, 0}}},
		{"a frame skipped and one repeated",
			[]stream.Sample{frame(0, 1, 0, 1), frame(80*ms, 1, 2, 2), frame(160*ms, 1, 3, 3)}, nil,
			[]short{{0, "1", 0, 0, 0}, {80 * ms, "1", 2, 1, 0}, {160 * ms, "1", 3, 0, 0}}},
		{"the first frames were skipped",
			[]stream.Sample{blank(0), frame(40*ms, 1, 2, 1)}, nil,
			[]short{{0, "-", 0, 0, 0}, {40 * ms, "1", 2, 2, 0}}},
		{"one was not told: the shortest stay",
			[]stream.Sample{frame(0, 1, 0, 1), frame(30*ms, 1, 1, 2), frame(80*ms, 1, 2, 3), frame(180*ms, 1, 4, 5)}, nil,
			[]short{{0, "1", 0, 0, 0}, {30 * ms, "1", 1, 0, 0}, {80 * ms, "1", 2, 0, 0}, {110 * ms, "?1", 0, 0, 0}, {180 * ms, "1", 4, 0, 1}}},
		{"two were not told and one skipped: the equal share",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(100*ms, 1, 5, 5)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}, {60 * ms, "?1", 0, 0, 0}, {100 * ms, "1", 5, 1, 2}}},
		{"the first was not told: the longest stay",
			[]stream.Sample{blank(0), frame(500*ms, 1, 1, 2), frame(560*ms, 1, 2, 3), frame(600*ms, 1, 3, 4)}, nil,
			[]short{{0, "-", 0, 0, 0}, {440 * ms, "?", 0, 0, 0}, {500 * ms, "1", 1, 0, 1}, {560 * ms, "1", 2, 0, 0}, {600 * ms, "1", 3, 0, 0}}},
		{"the first was not told and no stay is known",
			[]stream.Sample{blank(0), frame(500*ms, 1, 1, 2)}, nil,
			[]short{{0, "?", 0, 0, 0}, {500 * ms, "1", 1, 0, 1}}},
		{"a count gone wrong",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 5000)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}}},
		{"a page without a count",
			[]stream.Sample{frame(0, 1, 0, 0), frame(40*ms, 1, 1, 0)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}}},
		{"a page without a count that skips",
			[]stream.Sample{frame(0, 1, 0, 0), frame(40*ms, 1, 3, 0)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 3, 2, 0}}},
		{"told twice",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(60*ms, 1, 1, 2)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}, {60 * ms, "1", 1, 0, 0}}},
		{"sought backwards",
			[]stream.Sample{frame(0, 1, 7, 8), frame(40*ms, 1, 2, 9)}, nil,
			[]short{{0, "1", 7, 0, 7}, {40 * ms, "1", 2, 0, 0}}},
		{"two at one instant",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(40*ms, 1, 2, 3), blank(80 * ms)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 2, 1, 0}, {80 * ms, "-", 0, 0, 0}}},
		{"stamped before its predecessor",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), blank(30 * ms)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "-", 0, 0, 0}}},
		{"not known by the page",
			[]stream.Sample{frame(0, 1, 0, 1), unknown(40 * ms), frame(80*ms, 1, 2, 3), frame(120*ms, 1, 4, 4)}, nil,
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "?", 0, 0, 0}, {80 * ms, "1", 2, 0, 0}, {120 * ms, "1", 4, 1, 0}}},
		{"gone for good",
			[]stream.Sample{frame(0, 1, 0, 1)}, []Span{{From: at(25 * ms)}},
			[]short{{0, "1", 0, 0, 0}, {25 * ms, "?", 0, 0, 0}}},
		{"reloaded: shown again from the beginning",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), blank(900 * ms), frame(1000*ms, 1, 0, 1)}, []Span{{at(60 * ms), at(800 * ms)}},
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}, {60 * ms, "?", 0, 0, 0}, {900 * ms, "-", 0, 0, 0}, {1000 * ms, "1", 0, 0, 0}}},
		{"only its connection was lost: it tells what it did",
			[]stream.Sample{frame(0, 1, 0, 1), later(frame(40*ms, 1, 1, 2), 500*ms), later(blank(70*ms), 500*ms), blank(600 * ms)}, []Span{{at(60 * ms), at(400 * ms)}},
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "1", 1, 0, 0}, {70 * ms, "-", 0, 0, 0}, {600 * ms, "-", 0, 0, 0}}},
		{"gone before an announced frame came, and back with the time before",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), later(blank(38*ms), 500*ms)}, []Span{{at(38 * ms), at(400 * ms)}},
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "-", 0, 0, 0}}},
		{"gone before an announced frame came",
			[]stream.Sample{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), blank(900 * ms)}, []Span{{at(38 * ms), at(400 * ms)}},
			[]short{{0, "1", 0, 0, 0}, {40 * ms, "?", 0, 0, 0}, {900 * ms, "-", 0, 0, 0}}},
		{"gone twice, told in disorder",
			[]stream.Sample{blank(0), blank(500 * ms)}, []Span{{From: at(600 * ms)}, {at(100 * ms), at(200 * ms)}, {at(300 * ms), at(400 * ms)}},
			[]short{{0, "-", 0, 0, 0}, {100 * ms, "?", 0, 0, 0}, {500 * ms, "-", 0, 0, 0}, {600 * ms, "?", 0, 0, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			course := Course(info(), c.rows, c.away)
			if d := cmp.Diff(c.want, shorten(course)); d != "" {
				t.Errorf("showings (- want, + got):\n%s", d)
			}
			covers(t, course)
		})
	}
}

// covers checks that showings follow each other without hole or overlap.
func covers(t interface {
	Helper()
	Fatalf(string, ...any)
}, course []Showing) {
	t.Helper()
	for i, s := range course {
		until := Open
		if i+1 < len(course) {
			until = course[i+1].From
		}
		if s.From >= s.Until || s.Until != until {
			t.Fatalf("showing %d of %d is from %d until %d, the next from %d", i, len(course), s.From, s.Until, until)
		}
	}
}

func TestShowing(t *testing.T) {
	course := Course(info(), []stream.Sample{frame(0, 3, 5, 6)}, nil)
	want := []Showing{{From: at(0), Until: Open, Err: ms, Known: true, Presentation: 3, Frame: 5, Media: 200 * ms, Unreported: 5, Rect: [4]float64{.25, 0, .5, 1}}}
	if d := cmp.Diff(want, course); d != "" {
		t.Errorf("(- want, + got):\n%s", d)
	}
	if s, ok := At(course, at(-1)); ok {
		t.Errorf("before the first row %+v was shown", s)
	}
}

func TestAway(t *testing.T) {
	said := func(kind stream.EventKind, d time.Duration) stream.Event { return stream.Event{Kind: kind, At: at(d)} }
	got := Away([]stream.Event{
		said(stream.Connected, 0), said(stream.Disconnected, 10*ms), said(stream.Marker, 11*ms), said(stream.Disconnected, 12*ms),
		said(stream.Connected, 20*ms), said(stream.Connected, 21*ms), said(stream.Disconnected, 30*ms),
	})
	if want := []Span{{at(10 * ms), at(20 * ms)}, {From: at(30 * ms)}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSum(t *testing.T) {
	course := Course(info(), []stream.Sample{
		blank(0), frame(100*ms, 1, 0, 1), frame(140*ms, 1, 1, 2), frame(220*ms, 1, 3, 3), frame(300*ms, 1, 5, 5), blank(500 * ms),
	}, []Span{{From: at(600 * ms)}})
	// Frames 0, 1, 3, 5 were told; 2 was skipped while 1 stayed for two; one after 3
	// was not told, from 40 ms after it; frame 5 was ended by the blank.
	want := Summary{Displayed: 4, Unreported: 1, Skipped: 1, Repeated: 1, UnknownS: .04 + .4}
	if got := Sum(course, at(time.Second)); math.Abs(got.UnknownS-want.UnknownS) > 1e-9 {
		t.Errorf("%+v, want %+v", got, want)
	} else if got.UnknownS = want.UnknownS; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
