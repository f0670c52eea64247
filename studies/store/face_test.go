package store

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/trace"
	"emolab/studies/session"
)

// faced records seconds of the test person's face in a new segment.
func faced(t *testing.T, r session.Recorder, long time.Duration) {
	t.Helper()
	info := lab(t)[2]
	appendAll(t, r, person(t, info, run(info, 0, int(long.Seconds()*info.Rate))))
}

func TestSealDerivesTheFace(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := header(t, "s1")
	h.Streams[2].Model = "three nets"
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	const long = 39 * time.Second
	faced(t, r, long)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	final := d.Derivations[0]
	for _, v := range d.Derivations {
		if v.Current {
			final = v
		}
	}
	if final.Name != Final || final.Version != finalVersion || final.Model != "three nets" || final.FaceStream != "face" || !strings.Contains(string(final.Parameters), "neutral-") {
		t.Errorf("the trace is derived as %+v, %s", final, final.Parameters)
	}

	rest, ok, err := d.Neutral(Final)
	if err != nil || !ok {
		t.Fatalf("no neutral face: %v", err)
	}
	for at := rest.From; at < rest.Until; at += 1e8 {
		if smiles(at.Sub(origin)) {
			t.Fatalf("a smile at %v was taken for the face at rest, which is from %v until %v", at.Sub(origin), rest.From.Sub(origin), rest.Until.Sub(origin))
		}
	}
	if c := d.Calibrations[0]; len(d.Calibrations) != 1 || c.Residual != rest.Residual || c.From != rest.From || c.Until.Sub(c.From) < 2*time.Second || !json.Valid(c.Value) {
		t.Errorf("calibrations %+v", d.Calibrations)
	}

	info := trace.Info()
	yaw, smile, quality := info.Index("yaw_deg"), info.Index("au12"), info.Index("quality")
	var rows, smiling, resting int
	var up, down float64
	for row, err := range s.Trace(t.Context(), "s1", info) {
		if err != nil {
			t.Fatal(err)
		}
		at := row.At.Sub(origin)
		turned := 0.
		if at >= restful {
			turned = 8 * math.Sin(at.Seconds()/7)
		}
		// A turn to the picture's right is positive, and the test person's turn
		// takes the nose, which is nearer, to the right.
		if off := row.Values[yaw] - turned; math.IsNaN(off) || math.Abs(off) > 3 {
			t.Fatalf("at %v the head is turned by %.1f degrees, the trace says %.1f", at, turned, row.Values[yaw])
		}
		if trace.Quality(row.Values[quality])&trace.NoNeutral != 0 {
			t.Fatalf("the row at %v says that no neutral face is known", at)
		}
		if smiles(at) {
			up, smiling = up+row.Values[smile], smiling+1
		} else {
			down, resting = down+row.Values[smile], resting+1
		}
		rows++
	}
	if rows != 1170 || !(up/float64(smiling) > down/float64(resting)+.3) {
		t.Errorf("of %d rows, AU 12 is %.2f in smiles and %.2f at rest", rows, up/float64(smiling), down/float64(resting))
	}

	events, err := s.FaceEvents(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	var bouts, blinked int
	last := instant.Instant(0)
	for _, e := range events {
		switch {
		case e.Onset < last || e.Offset < e.Onset:
			t.Errorf("%+v comes after one that begins at %d", e, last)
		case e.Kind == facial.Bout && e.Label == "happy" && smiles(e.Onset.Add(e.Offset.Sub(e.Onset)/2).Sub(origin)) && e.Offset.Sub(e.Onset) > 1500*time.Millisecond:
			bouts++
		case e.Kind == facial.Blink && blinks(e.Onset.Add(e.Offset.Sub(e.Onset)/2).Sub(origin)):
			blinked++
		default:
			t.Errorf("an event that was not: %+v at %v", e, e.Onset.Sub(origin))
		}
		last = e.Onset
	}
	if bouts != 3 || blinked != 7 { // smiles at 10, 20 and 30 s; blinks from 11.85 s to 35.85 s
		t.Errorf("%d smiles of 3 and %d blinks of 7 were found", bouts, blinked)
	}

	// The neutral face can be taken from another stretch later.
	derived, err := s.Rederive(t.Context(), "s1", RederiveOptions{NeutralFrom: time.Second, NeutralUntil: 4 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d = detail(t, s, "s1")
	again, ok, err := d.Neutral(derived.Name)
	if err != nil || !ok || again.From.Sub(origin) < time.Second || again.Until.Sub(origin) > 4*time.Second {
		t.Errorf("the named stretch gave a face from %v until %v, %v, %v", again.From.Sub(origin), again.Until.Sub(origin), ok, err)
	}
	if _, err := s.Rederive(t.Context(), "s1", RederiveOptions{NeutralFrom: time.Hour, NeutralUntil: 2 * time.Hour}, nil); err == nil {
		t.Error("a stretch after the end gave a neutral face")
	}
}

// A participant is one person in all segments, although the clock of the second
// may have begun again.
func TestTheNeutralFaceServesAllSegments(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	faced(t, r, time.Second) // too short for a neutral face
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, _, err := s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Start: origin, Wall: time.Now()}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	faced(t, r, 12*time.Second)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if c := d.Calibrations; len(c) != 1 || c[0].Segment != 1 || c[0].From < origin || c[0].Until > origin+12e9 {
		t.Fatalf("calibrations %+v", c)
	}
	var first, second int
	if err := s.read.QueryRow("SELECT count(*) FILTER (WHERE segment = 0), count(*) FILTER (WHERE segment = 1) FROM trace WHERE au12 IS NOT NULL").Scan(&first, &second); err != nil {
		t.Fatal(err)
	}
	if first != 30 || second != 360 {
		t.Errorf("%d and %d rows have action units, of 30 and 360", first, second)
	}
}

// Without a face at rest the session is sealed all the same, and says so.
func TestNoNeutralFaceIsNoFault(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	faced(t, r, time.Second)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if d.State != session.Sealed || len(d.Calibrations) != 0 {
		t.Errorf("it is %s with calibrations %+v", d.State, d.Calibrations)
	}
	var turned, units, marked int
	if err := s.read.QueryRow("SELECT count(yaw_deg), count(au12), sum(quality & ?) / ? FROM trace", trace.NoNeutral, trace.NoNeutral).Scan(&turned, &units, &marked); err != nil {
		t.Fatal(err)
	}
	if turned != 30 || units != 0 || marked != 30 {
		t.Errorf("%d rows have a head pose, %d action units, %d are marked; want 30, 0, 30", turned, units, marked)
	}
	said, err := texts(t.Context(), s.read, "SELECT detail FROM audit WHERE action = 'seal'")
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "no neutral face") {
		t.Errorf("the audit says %q, %v", said, err)
	}
}

// A long recording is measured in parts; none of its frames may be lost or
// swapped where they meet, nor any frame of one that is full of holes.
func TestLongAndSparseFaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n    int64
		step int64 // from one number to the next
	}{
		"two parts": {3000, 8}, // 24,000 numbers
		"sparse":    {100, 500},
	} {
		s := open(t)
		r := begin(t, s, "s1")
		info := lab(t)[2]
		all := person(t, info, run(info, 0, int(c.n)))
		for i := range all.Samples {
			all.Samples[i].Seq *= c.step
		}
		appendAll(t, r, all)
		if err := r.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		yaw := trace.Info().Index("yaw_deg")
		for row, err := range s.Trace(t.Context(), "s1", trace.Info()) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Seq != n*c.step || math.IsNaN(row.Values[yaw]) {
				t.Fatalf("%s: row %d has number %d and yaw %v", name, n, row.Seq, row.Values[yaw])
			}
			n++
		}
		if n != c.n {
			t.Errorf("%s: %d rows of %d", name, n, c.n)
		}
	}
}
