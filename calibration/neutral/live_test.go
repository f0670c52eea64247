package neutral

import (
	"testing"
	"time"

	"emolab/fusion/facial"
	"emolab/fusion/instant"
)

// watch plays frames to l and returns when the first face was found, the last
// face, and how many different ones there were.
func watch(t *testing.T, l *Live, frames []facial.Measured) (first instant.Instant, last *Face, faces int) {
	t.Helper()
	for _, m := range frames {
		f := l.Add(m)
		if f == nil && last != nil {
			t.Fatal("the face was lost")
		}
		if f != last {
			faces++
			if last == nil {
				first = m.At
			}
		}
		last = f
		if f != nil && f.Until > m.At {
			t.Fatalf("at %v it knows what comes until %v", m.At.Sub(start), f.Until.Sub(start))
		}
	}
	return first, last, faces
}

func TestLiveFindsTheFaceSoonAndImprovesIt(t *testing.T) {
	for _, rate := range []float64{15, 30, 60} {
		var l Live
		first, f, faces := watch(t, &l, film(1, rate, talk(4*second), rest(30*second)))
		if f == nil {
			t.Fatalf("%g a second: nothing found", rate)
		}
		near(t, f)
		// From 4 s on it is calm.
		if at := first.Sub(start); at < 5600*time.Millisecond || at > 7500*time.Millisecond {
			t.Errorf("%g a second: found after %v", rate, at)
		}
		if faces < 3 || f.span() < 9*second {
			t.Errorf("%g a second: %d faces, the last from %v", rate, faces, f.span())
		}
	}
}

func TestLiveStaysAsItIsInTheEnd(t *testing.T) {
	var l Live
	_, before, _ := watch(t, &l, film(1, 30, rest(30*second)))
	frozen := *before
	shifted := film(2, 30, smile(30*second), rest(60*second))
	for i := range shifted {
		shifted[i].At = shifted[i].At.Add(30 * second)
	}
	_, after, _ := watch(t, &l, shifted)
	if after != before || *after != frozen {
		t.Error("the face changed after it was settled")
	}
	if l.frames != nil {
		t.Errorf("%d frames are kept for nothing", len(l.frames))
	}
}

func TestLiveFacesNeverChange(t *testing.T) {
	var l Live
	kept := map[*Face]Face{}
	for _, m := range film(1, 30, rest(20*second)) {
		if f := l.Add(m); f != nil {
			if was, ok := kept[f]; ok && was != *f {
				t.Fatal("a face that was handed out changed")
			}
			kept[f] = *f
		}
	}
	if len(kept) < 3 {
		t.Errorf("only %d faces", len(kept))
	}
}

func TestLivePrefersTheNeutralFaceToTheFirst(t *testing.T) {
	var l Live
	first, f, _ := watch(t, &l, film(1, 30, smile(4*second), rest(8*second)))
	if first.Sub(start) > 3*second {
		t.Errorf("nothing found until %v", first.Sub(start))
	}
	near(t, f)
	// The other way round the smile does not take its place, however long.
	l.Reset()
	_, f, _ = watch(t, &l, film(1, 30, rest(4*second), smile(30*second)))
	near(t, f)
}

func TestLiveFindsNothingInRestlessFaces(t *testing.T) {
	var l Live
	if _, f, _ := watch(t, &l, film(1, 30, talk(60*second))); f != nil {
		t.Errorf("found a face from %v to %v", f.From.Sub(start), f.Until.Sub(start))
	}
	const fps, most = 30, 2 * memory / time.Second
	if n := len(l.frames); n > int(fps*most) {
		t.Errorf("%d frames are kept", n)
	}
	if _, f, _ := watch(t, &l, film(1, 30, act{lasts: 10 * second, lost: true})); f != nil {
		t.Error("found a face where there is none")
	}
}

func TestResetForgets(t *testing.T) {
	var l Live
	frames := film(1, 30, rest(12*second))
	if _, f, _ := watch(t, &l, frames); f == nil {
		t.Fatal("nothing found")
	}
	l.Reset()
	if l.Add(frames[len(frames)-1]) != nil {
		t.Fatal("the face is still there")
	}
	other := film(2, 30, rest(12*second))
	for i := range other {
		other[i].At = other[i].At.Add(time.Minute)
		for k := range other[i].Features {
			other[i].Features[k] += .1
		}
	}
	_, f, _ := watch(t, &l, other)
	if f == nil || f.Features[0] < face()[0]+.09 {
		t.Errorf("the next person was not measured: %+v", f)
	}
}

// BenchmarkLive adds frames while no face is found: the most work there is.
func BenchmarkLive(b *testing.B) {
	frames := film(1, 30, talk(60*second))
	var l Live
	n := 0
	for b.Loop() {
		m := frames[n%len(frames)]
		m.At = start.Add(time.Duration(n) * second / 30)
		l.Add(m)
		n++
	}
}
