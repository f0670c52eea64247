package stimulus

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// screen is what a simulated screen really showed: rows that begin where they say.
type screen struct {
	shown []stream.Sample // in order, also those that were not told
	told  []stream.Sample
	away  []Span
	until instant.Instant
}

// play simulates a page at 60 Hz that plays some clips, loses callbacks, and is
// reloaded or loses its connection now and then.
func play(t *rapid.T) screen {
	const refresh = time.Second / 60
	var s screen
	now := at(0)
	tell := func(r stream.Sample, told bool) {
		r.At, r.Arrival = now, now.Add(-5*ms)
		s.shown = append(s.shown, r)
		if told {
			s.told = append(s.told, r)
		}
	}
	tell(blank(0), true)
	for p := 1; p <= rapid.IntRange(1, 4).Draw(t, "presentations"); p++ {
		fixation := time.Duration(rapid.IntRange(2, 40).Draw(t, "fixation")) * refresh
		now = now.Add(fixation)
		n, presented, stay := 0, 1, 1
		// Of the last frame somebody must tell: that it was displayed cannot be seen
		// from those before.
		confess := func() {
			if last := s.shown[len(s.shown)-1]; last.At != s.told[len(s.told)-1].At {
				s.told = append(s.told, last)
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "frames") {
			// The first frames are told and the first stays for one refresh: that no
			// frame stays for less than those that were told is assumed.
			told := presented <= 2 || rapid.IntRange(0, 4).Draw(t, "told") > 0
			tell(frame(0, p, n, presented), told)
			if presented > 1 {
				stay = rapid.IntRange(1, 3).Draw(t, "refreshes")
			}
			now = now.Add(time.Duration(stay) * refresh)
			if rapid.IntRange(0, 30).Draw(t, "accident") == 0 {
				confess()
				gone := now.Add(-refresh / 2)
				back := gone.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "back")) * ms)
				s.away = append(s.away, Span{gone, back})
				s.shown = append(s.shown, stream.Sample{At: gone, Values: unknown(0).Values})
				now = back.Add(refresh)
				tell(blank(0), true)
				now = now.Add(fixation)
				n, presented, stay = 0, 1, 1
				continue
			}
			n += rapid.IntRange(1, 3).Draw(t, "step")
			presented++
		}
		confess()
		tell(blank(0), true)
	}
	s.until = now.Add(time.Second)
	return s
}

// at is what the screen showed; the last that began not later.
func (s screen) at(at instant.Instant) stream.Sample {
	var r stream.Sample
	for _, x := range s.shown {
		if x.At <= at {
			r = x
		}
	}
	return r
}

// wasTold tells whether a row was told.
func (s screen) wasTold(r stream.Sample) bool {
	for _, x := range s.told {
		if x.At == r.At {
			return true
		}
	}
	return false
}

// scan finds a showing by looking at all.
func scan(course []Showing, at instant.Instant) int {
	found := -1
	for i, s := range course {
		if s.From <= at {
			found = i
		}
	}
	return found
}

// What the course knows is true, and it does not know only where nobody can.
func TestWhatIsKnownIsTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := play(t)
		course := Course(info(), s.told, s.away)
		covers(t, course)
		cursor := NewCursor(course)
		for now := at(-10 * ms); now < s.until; now = now.Add(3 * ms) {
			got, ok := At(course, now)
			if i := scan(course, now); ok != (i >= 0) || ok && got != course[i] {
				t.Fatalf("at %v is showing %d, At has %+v", now.Sub(at(0)), i, got)
			}
			if rapid.IntRange(0, 9).Draw(t, "jump") == 0 {
				cursor.At(at(time.Duration(rapid.IntRange(-100, 5000).Draw(t, "to")) * ms))
			}
			if walked, found := cursor.At(now); walked != got || found != ok {
				t.Fatalf("at %v the cursor has %+v, At %+v", now.Sub(at(0)), walked, got)
			}
			truth := s.at(now)
			if truth.Values == nil {
				if ok {
					t.Fatalf("before the first row %+v was shown", got)
				}
				continue
			}
			presentation := truth.Values[0]
			switch {
			case !got.Known && got.Presentation > 0:
				if float64(got.Presentation) != presentation {
					t.Fatalf("at %v presentation %d is said, %v was", now.Sub(at(0)), got.Presentation, presentation)
				}
			case !got.Known:
				if !math.IsNaN(presentation) {
					t.Fatalf("at %v %v was shown and told, and is not known", now.Sub(at(0)), truth.Values)
				}
			case math.IsNaN(presentation):
				t.Fatalf("at %v the page was gone, and %+v is said", now.Sub(at(0)), got)
			case float64(got.Presentation) != presentation || presentation > 0 && float64(got.Frame) != truth.Values[1]:
				t.Fatalf("at %v %v was shown, %+v is said", now.Sub(at(0)), truth.Values, got)
			case !s.wasTold(truth):
				t.Fatalf("at %v a frame that was not told is known: %+v", now.Sub(at(0)), got)
			}
		}
		var displayed, untold int64
		for _, x := range s.shown {
			switch {
			case !(x.Values[0] > 0):
			case s.wasTold(x):
				displayed++
			default:
				untold++
			}
		}
		sum := Sum(course, s.until)
		if sum.Displayed != displayed || sum.Unreported != untold {
			t.Fatalf("%+v of %d frames that were told and %d that were not", sum, displayed, untold)
		}
	})
}

// Up to its latest row the live course says the same as the final one.
func TestLiveAgreesWithTheCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := play(t)
		course := Course(info(), s.told, s.away)
		live := NewLive(info(), time.Second)
		away := s.away
		for i, r := range s.told {
			for len(away) > 0 && away[0].From < r.Arrival {
				live.Gone(away[0].From)
				away = away[1:]
			}
			live.Add(s.told[i : i+1])
			for now := r.At.Add(-200 * ms); now <= r.At; now = now.Add(10 * ms) {
				said, ok := live.At(now)
				final, _ := At(course, now)
				if !ok {
					if now >= s.told[0].At {
						t.Fatalf("nothing is said of %v before the latest row", r.At.Sub(now))
					}
					continue
				}
				if said.Known != final.Known || said.Presentation != final.Presentation || said.Frame != final.Frame || said.Err != final.Err {
					t.Fatalf("%v before a row live %+v, final %+v", r.At.Sub(now), said, final)
				}
			}
			if n := len(live.build.course); n > 200 {
				t.Fatalf("%d showings are kept of one second", n)
			}
		}
	})
}

// Whatever rows come, the showings follow each other and what they hold is in
// range.
func FuzzCourse(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	seed := make([]byte, 0, 1024)
	for _, s := range []stream.Sample{blank(0), frame(100*ms, 1, 0, 1), frame(180*ms, 1, 2, 3), unknown(200 * ms), frame(300*ms, 1, 3, 1)} {
		seed = encode(seed, s)
	}
	f.Add(seed, uint8(2))
	f.Add(encode(encode(nil, stream.Sample{At: math.MinInt64, Values: frame(0, 1, 0, 1).Values}), stream.Sample{At: math.MaxInt64, Arrival: math.MaxInt64, Values: frame(0, 1, 9, 9).Values}), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, gone uint8) {
		rows, spans := decode(b)
		away := spans[:min(len(spans), int(gone))]
		course := Course(info(), rows, away)
		covers(t, course)
		if (len(course) == 0) != (len(rows) == 0) {
			t.Fatalf("%d showings of %d rows", len(course), len(rows))
		}
		live := NewLive(info(), time.Second)
		live.Add(rows)
		for _, g := range away {
			live.Gone(g.From)
		}
		covers(t, live.build.course)
		for _, s := range course {
			if s.Skipped < 0 || s.Unreported < 0 || s.Presentation < 0 || !s.Known && (s.Frame != 0 || s.Media != 0) || s.CutOff && s.Presentation == 0 || s.Rect[0] != s.Rect[0] {
				t.Fatalf("%+v", s)
			}
			got, ok := At(course, s.From)
			if !ok || got != s {
				t.Fatalf("at the beginning of %+v: %+v", s, got)
			}
			live.At(s.From)
		}
		if sum := Sum(course, at(0)); sum.Displayed < 0 || sum.Repeated > sum.Displayed || !(sum.UnknownS >= 0) {
			t.Fatalf("%+v", sum)
		}
	})
}

// encode and decode put rows into bytes: instant, arrival, bound and values.
func encode(b []byte, s stream.Sample) []byte {
	for _, v := range []int64{int64(s.At), int64(s.Arrival), int64(s.Err)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	for _, v := range s.Values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

func decode(b []byte) (rows []stream.Sample, spans []Span) {
	const size = 8 * (3 + 8)
	for len(b) >= size {
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
		s := stream.Sample{At: instant.Instant(word(0)), Arrival: instant.Instant(word(1)), Err: time.Duration(word(2))}
		for i := range 8 {
			s.Values = append(s.Values, math.Float64frombits(word(3+i)))
		}
		rows, spans, b = append(rows, s), append(spans, Span{From: s.Arrival}), b[size:]
	}
	return rows, spans
}

// BenchmarkCourse makes the course of an hour at 30 frames a second, and looks up
// the instants of a sensor at 1 kHz.
func BenchmarkCourse(b *testing.B) {
	const hour = 30 * 3600
	rows := make([]stream.Sample, hour)
	for i := range rows {
		rows[i] = frame(time.Duration(i)*time.Second/30, 1, i, i+1)
	}
	for b.Loop() {
		cursor := NewCursor(Course(info(), rows, nil))
		for now := at(0); now < at(time.Hour); now = now.Add(ms) {
			if _, ok := cursor.At(now); !ok {
				b.Fatal("nothing is shown")
			}
		}
	}
}
