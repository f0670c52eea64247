package study

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A frame is found at its own time, however a browser rounds it and however
// unevenly the frames of its clip follow each other; between two frames it is the
// earlier, or the later where that is less than half a frame away.
func TestFrameOfAnyClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Steps from a frame repeated within 4 ms to one held for a second.
		steps := rapid.SliceOfN(rapid.Int64Range(4_000, 1_000_000), 1, 200).Draw(t, "steps in µs")
		steady := rapid.Bool().Draw(t, "steady")
		var m Stimulus
		at := time.Duration(rapid.Int64Range(0, 100_000).Draw(t, "first frame in µs")) * time.Microsecond
		for _, step := range steps {
			m.FrameTimes = append(m.FrameTimes, at)
			if steady {
				step = steps[0]
			}
			at += time.Duration(step) * time.Microsecond
		}
		m.Duration = at

		k := rapid.IntRange(0, len(steps)-1).Draw(t, "frame")
		// A browser rounds to a microsecond, or to the ticks of a coarser time base.
		off := time.Duration(rapid.Int64Range(-1_900, 1_900).Draw(t, "rounding in µs")) * time.Microsecond
		if k == 0 {
			off = max(off, -m.FrameTimes[0])
		}
		slack := m.Duration / time.Duration(2*len(steps))
		if off < 0 && -off >= slack {
			return // a clip of that many frames a second has no such rounding
		}
		if got := m.Frame(m.FrameTimes[k] + off); got != k {
			t.Fatalf("frame %d at %s, looked for %s later, is %d", k, m.FrameTimes[k], off, got)
		}

		when := time.Duration(rapid.Int64Range(-1, int64(m.Duration)*2).Draw(t, "any time"))
		got := m.Frame(when)
		if got < 0 || got >= len(steps) {
			t.Fatalf("at %s is frame %d of %d", when, got, len(steps))
		}
		if early := m.FrameTimes[got] - when; got > 0 && early > slack {
			t.Fatalf("at %s is frame %d, %s before its time", when, got, early)
		}
		if got+1 < len(steps) && m.FrameTimes[got+1] <= when {
			t.Fatalf("at %s is frame %d, and the next has come already", when, got)
		}
		if later := m.Frame(when + time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "later"))); later < got {
			t.Fatalf("frame %d comes after frame %d", later, got)
		}
	})
	if got := (Stimulus{}).Frame(0); got != -1 {
		t.Errorf("a clip without frames shows frame %d", got)
	}
}
