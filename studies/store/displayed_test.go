package store

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

// courses is what fusion/stimulus makes of the rows in the file.
func courses(t *testing.T, s *Store) [2][]stimulus.Showing {
	t.Helper()
	out := [2][]stimulus.Showing{course(t, s, 0), course(t, s, 1)}
	stimulus.MarkCutOff(out[:]...)
	return out
}

// course is that of one segment.
func course(t *testing.T, s *Store, segment int) []stimulus.Showing {
	t.Helper()
	d := detail(t, s, "s1")
	info, _ := kindOf(d.Segments[segment], stream.Stimulus)
	var samples []stream.Sample
	for _, row := range rowsOf(t, s, "s1", info.ID) {
		if row.Segment == segment {
			samples = append(samples, row.Sample)
		}
	}
	var away []stimulus.Span
	for _, g := range d.Gaps {
		if g.Segment == segment && g.Stream == info.ID {
			away = append(away, stimulus.Span{From: g.From, Until: g.Until})
		}
	}
	if len(away) != 1 {
		t.Fatalf("the page was away %d times, want once", len(away))
	}
	return stimulus.Course(info, samples, away)
}

func kindOf(g Segment, k stream.Kind) (stream.Info, bool) {
	for _, t := range g.Streams {
		if t.Kind == k {
			return t.Info, true
		}
	}
	return stream.Info{}, false
}

// The file has what fusion/stimulus makes of the rows, and gives it back.
func displayedIsTheCourse(t *testing.T, s *Store) {
	t.Helper()
	var got [2][]stimulus.Showing
	for v, err := range s.Displayed(t.Context(), "s1") {
		if err != nil {
			t.Fatal(err)
		}
		got[v.Segment] = append(got[v.Segment], v.Showing)
	}
	for segment, want := range courses(t, s) {
		if len(want) < 600 || len(got[segment]) != len(want) {
			t.Fatalf("segment %d: %d showings in the file, want %d", segment, len(got[segment]), len(want))
		}
		unknown := time.Duration(0)
		for i, w := range want {
			w.Rect = [4]float64{}
			if got[segment][i] != w {
				t.Fatalf("segment %d, showing %d is %+v in the file, want %+v", segment, i, got[segment][i], w)
			}
			if !w.Known {
				unknown += w.Until.Sub(w.From)
			}
		}
		if unknown < 500*time.Millisecond || unknown > 2*time.Second { // 900 ms: reported away to back
			t.Errorf("segment %d: nothing was known for %v", segment, unknown)
		}
	}
	n := 0
	for range s.Displayed(t.Context(), "s1") { // whoever stops early is not asked again
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d showings after the first", n)
	}
	for _, err := range s.Displayed(t.Context(), "nobody") {
		t.Errorf("of a session that is not there: %v", err)
	}
}

// Each view gives each sample once, with what was on the screen at its instant.
func shownBesideEachSample(t *testing.T, s *Store) {
	t.Helper()
	courses := courses(t, s)
	for table, view := range map[string]string{"eda_sample": "eda_shown", "gaze_sample": "gaze_shown", "light_sample": "light_shown", "face_frame": "face_shown"} {
		var all int
		if err := s.read.QueryRow("SELECT count(*) FROM " + table).Scan(&all); err != nil {
			t.Fatal(err)
		}
		var n, known, cut, unknown, before int
		err := s.each(t.Context(), "SELECT segment, at_ns, stimulus, presentation, frame, media_ns FROM "+view, nil, func(row scanner) error {
			var segment int
			var at int64
			var id sql.NullString
			var presentation, frame, media sql.NullInt64
			if err := row.Scan(&segment, &at, &id, &presentation, &frame, &media); err != nil {
				return err
			}
			n++
			w, ok := stimulus.At(courses[segment], instant.Instant(at))
			switch {
			case !ok || !w.Known || w.CutOff:
				if id.Valid || presentation.Valid || frame.Valid || media.Valid {
					t.Errorf("%s at %d: %v %v %v %v, but nobody knows, or it was cut off", view, at, id, presentation, frame, media)
				}
				switch {
				case !ok:
					before++
				case w.CutOff:
					cut++
				default:
					unknown++
				}
			case id.String != map[int]string{1: "b", 2: "a"}[w.Presentation] || presentation.Int64 != int64(w.Presentation) || frame.Int64 != w.Frame || media.Int64 != int64(w.Media) || !media.Valid:
				t.Errorf("%s at %d: %v %v %v %v, want %+v", view, at, id, presentation, frame, media, w)
			default:
				known++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// Two thirds of the first segment were cut off. The eye tracker is away at the same
		// time as the page: no sample of it is in doubt.
		if n != all || known+cut < all*9/10 || cut < all/4 || cut > all*4/10 || unknown < 5 && view != "gaze_shown" {
			t.Errorf("%s: %d rows of %d samples, %d with a frame, %d of what was cut off, %d while nobody knew, %d before the first", view, n, all, known, cut, unknown, before)
		}

		// What was on the screen is found by its key, and so is the session asked for.
		for where, scanned := range map[string]string{"": "SCAN x", " WHERE session_id = 's1'": ""} {
			var plan []string
			err := s.each(t.Context(), "EXPLAIN QUERY PLAN SELECT * FROM "+view+where, nil, func(row scanner) error {
				var id, parent, unused int
				var step string
				err := row.Scan(&id, &parent, &unused, &step)
				plan = append(plan, step)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range plan {
				if strings.HasPrefix(step, "SCAN") && step != scanned {
					t.Errorf("%s%s is found by\n%s", view, where, strings.Join(plan, "\n"))
				}
			}
		}
	}
}

// What was sealed before there was a course of the screen has none: the views say so,
// and deriving again makes it.
func TestShownOfOldSessions(t *testing.T) {
	t.Parallel()
	s := openAt(t, oldFile(t))
	count := func(what string) (n int) {
		t.Helper()
		if err := s.read.QueryRow("SELECT count(" + what + ") FROM face_shown WHERE session_id = 'old'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if all, known := count("*"), count("presentation"); all != 90 || known != 0 {
		t.Errorf("%d rows of 90 frames, %d of them know the presentation", all, known)
	}
	for _, err := range s.Displayed(t.Context(), "old") {
		t.Errorf("an old session has a showing, %v", err)
	}
	if _, err := s.Rederive(t.Context(), "old", RederiveOptions{Align: true, Current: true}, nil); err != nil {
		t.Fatal(err)
	}
	if all := count("*"); all != 90 {
		t.Errorf("%d rows of 90 frames once derived again", all)
	}
}
