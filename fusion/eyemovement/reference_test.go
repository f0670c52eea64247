package eyemovement_test

import (
	"math"
	"testing"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/eyetest"
)

const classes = int(eyemovement.Blink) + 1

// of returns the events of a class.
func of(events []eyemovement.Event, c eyemovement.Class) []eyemovement.Event {
	var out []eyemovement.Event
	for _, e := range events {
		if e.Class == c {
			out = append(out, e)
		}
	}
	return out
}

// sameStretches fails unless the events have the wanted first and last samples,
// within one.
func sameStretches(t *testing.T, got []eyemovement.Event, want [][2]int) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
		return
	}
	exact := 0
	for i, w := range want {
		first, last := got[i].First-w[0], got[i].Last-(w[1]-1)
		if max(first, -first) > 1 || max(last, -last) > 1 {
			t.Errorf("event %d: samples %d to %d, want %d to %d", i, got[i].First, got[i].Last, w[0], w[1]-1)
		}
		if first == 0 && last == 0 {
			exact++
		}
	}
	t.Logf("%d events, %d of them with the very same samples", len(want), exact)
}

// TestReference compares with the events that the reference programs find in 14
// recordings of people who looked at pictures, films and dots, and 2 of targets
// that jump.
func TestReference(t *testing.T) {
	for _, r := range append(eyetest.Read(t, "andersson_*"), eyetest.Read(t, "lookatpoint_*")...) {
		t.Run(r.Name, func(t *testing.T) { sameAsReference(t, r) })
	}
}

// TestOwnReference does so with a made recording that stays in the project. Its
// events come from a second, independent program of the same definitions.
func TestOwnReference(t *testing.T) {
	for _, r := range eyetest.ReadFrom(t, "testdata", "own_*") {
		t.Run(r.Name, func(t *testing.T) { sameAsReference(t, r) })
	}
}

func sameAsReference(t *testing.T, r eyetest.Recording) {
	t.Run("I-VT", func(t *testing.T) {
		got := eyemovement.IVT(r.Gaze, r.Screen, eyemovement.IVTOptions{Rate: r.Rate})
		fixations := of(got, eyemovement.Fixation)
		var want [][2]int
		for _, f := range r.Reference.IVT.Fixations {
			want = append(want, [2]int{f.Start, f.End})
		}
		sameStretches(t, fixations, want)
		for i, f := range r.Reference.IVT.Fixations[:min(len(want), len(fixations))] {
			if x, y := fixations[i].X*r.Width, fixations[i].Y*r.Height; math.Hypot(x-f.X, y-f.Y) > .002 {
				t.Errorf("fixation %d has its centre at %.3f, %.3f, want %.3f, %.3f", i, x, y, f.X, f.Y)
			}
		}
		var samples [classes]int
		for _, c := range eyemovement.Labels(got, r.Gaze.Len()) {
			samples[c]++
		}
		if w := r.Reference.IVT; samples[eyemovement.Saccade] != w.Saccades || samples[eyemovement.Undefined] != w.Unknown {
			t.Errorf("%d samples of saccades and %d of nothing, want %d and %d",
				samples[eyemovement.Saccade], samples[eyemovement.Undefined], w.Saccades, w.Unknown)
		}
	})
	t.Run("I-DT", func(t *testing.T) {
		got := eyemovement.IDT(r.Gaze, r.Square, eyemovement.IDTOptions{Rate: r.Rate})
		var want [][2]int
		for _, f := range r.Reference.IDT.Fixations {
			want = append(want, [2]int{f.Start, f.End})
		}
		sameStretches(t, of(got, eyemovement.Fixation), want)
	})
	t.Run("Engbert and Kliegl", func(t *testing.T) {
		got := eyemovement.EngbertKliegl(r.Gaze, r.Square, eyemovement.EKOptions{Rate: r.Rate})
		sameStretches(t, of(got, eyemovement.Saccade), r.Reference.EngbertKliegl.Saccades)
	})
}
