package visibility

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// shot is a run of frames that all look alike.
type shot struct {
	lasts time.Duration
	found bool
	mask  Mask
}

const second = time.Second

// play feeds w with the shots at 25 frames a second and returns the advice after
// each.
func play(w *Watch, at *instant.Instant, shots ...shot) []string {
	const frame = 40 * time.Millisecond
	var said []string
	for _, s := range shots {
		for end := at.Add(s.lasts); *at < end; *at = at.Add(frame) {
			w.Add(*at, s.found, s.mask)
		}
		said = append(said, w.Advice())
	}
	return said
}

func TestWatch(t *testing.T) {
	fine := shot{3 * second, true, 0}
	for _, c := range []struct {
		name  string
		shots []shot
		want  []string // a part of the sentence after each; "" = no sentence
	}{
		{"all well", []shot{fine}, []string{""}},
		{"nothing is said at first", []shot{{second, true, BackLit}}, []string{""}},
		{"but soon", []shot{{2 * second, true, BackLit}}, []string{"Lamp behind"}},
		{"a glance aside", []shot{fine, {second, true, TurnedAway}, fine}, []string{"", "", ""}},
		{"a long one", []shot{fine, {1400 * time.Millisecond, true, TurnedAway}}, []string{"", "looks away"}},
		{"it stays while it mends", []shot{{2 * second, true, Blurred}, {1400 * time.Millisecond, true, 0}}, []string{"blurred", "blurred"}},
		{"and goes", []shot{{2 * second, true, Blurred}, {1800 * time.Millisecond, true, 0}}, []string{"blurred", ""}},
		{"the worst first", []shot{{2 * second, true, Glare | MouthCovered}, {2 * second, true, Glare}}, []string{"mouth", "reflects"}},
		{"nobody", []shot{fine, {3 * second, false, 0}}, []string{"", "No face"}},
		{"nobody to be seen in the dark", []shot{fine, {3 * second, false, TooDark}}, []string{"", "Too dark to find"}},
		{"a turn of the head that loses the face", []shot{fine, {1500 * time.Millisecond, false, 0}, fine}, []string{"", "", ""}},
		{"back again", []shot{{3 * second, false, 0}, {600 * time.Millisecond, true, 0}, {second, true, 0}}, []string{"No face", "", ""}},
		{"a second person hides the first", []shot{{3 * second, true, Several}}, []string{"Another person"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Watch
			at := instant.Instant(5e9)
			for i, got := range play(&w, &at, c.shots...) {
				if (got == "") != (c.want[i] == "") || !strings.Contains(got, c.want[i]) {
					t.Errorf("after shot %d: %q, want %q", i, got, c.want[i])
				}
			}
		})
	}
}

// Half of the frames show a hand, in the others the face is not found at all:
// the hand is what to mend.
func TestWatchJudgesTheFacesThatItSees(t *testing.T) {
	var w Watch
	at := instant.Instant(0)
	for i := range 100 {
		if found := i%2 == 0; found {
			w.Add(at, true, MouthCovered)
		} else {
			w.Add(at, false, 0)
		}
		at = at.Add(33 * time.Millisecond)
	}
	if got := w.Advice(); !strings.Contains(got, "mouth") {
		t.Errorf("advice %q", got)
	}
}

func TestWatchBeginsAfreshAfterAPause(t *testing.T) {
	var w Watch
	at := instant.Instant(10e9)
	play(&w, &at, shot{3 * second, true, TooSmall})
	at = at.Add(watchWindow)
	w.Add(at, true, 0)
	if got := w.Advice(); got != "" {
		t.Errorf("after a pause: %q", got)
	}
	play(&w, &at, shot{3 * second, true, TooSmall})
	at = 0 // the machine was restarted
	w.Add(at, true, 0)
	if got := w.Advice(); got != "" {
		t.Errorf("after a step back in time: %q", got)
	}
}

// Whatever comes, the sums kept from frame to frame are those of the frames in
// the window.
func TestWatchCountsItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Watch
		at := instant.Instant(0)
		for range rapid.IntRange(1, 300).Draw(t, "frames") {
			at = at.Add(time.Duration(rapid.IntRange(-5, 400).Draw(t, "ms")) * time.Millisecond)
			w.Add(at, rapid.Bool().Draw(t, "found"), Mask(rapid.IntRange(0, 1<<bits-1).Draw(t, "mask")))
			var want Watch
			for _, f := range w.frames {
				want.count(f, 1)
				if at.Sub(f.at) > watchWindow {
					t.Fatalf("a frame of %v ago is kept", at.Sub(f.at))
				}
			}
			if w.counts != want.counts {
				t.Fatalf("counts %v, want %v", w.counts, want.counts)
			}
		}
	})
}

// Every fault has a sentence, and every sentence says what to do.
func TestEveryFaultHasAdvice(t *testing.T) {
	for i := range bits + 1 {
		var w Watch
		at := instant.Instant(0)
		s := shot{3 * second, true, 1 << i}
		if i == missing {
			s = shot{3 * second, false, 0}
		}
		said := play(&w, &at, s)[0]
		what, do, ok := strings.Cut(said, ": ")
		if !ok || what == "" || do == "" || strings.HasSuffix(do, ".") {
			t.Errorf("fault %d: %q does not say what to do", i, said)
		}
		fault, noFace := w.Worst()
		if noFace != (i == missing) || !noFace && fault != 1<<i {
			t.Errorf("fault %d: the worst is %d, no face %t", i, fault, noFace)
		}
	}
}

func TestWatchAddDoesNotAllocate(t *testing.T) {
	var w Watch
	at := instant.Instant(0)
	play(&w, &at, shot{10 * second, true, Glare})
	if n := testing.AllocsPerRun(1000, func() {
		at = at.Add(40 * time.Millisecond)
		w.Add(at, true, Glare)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
