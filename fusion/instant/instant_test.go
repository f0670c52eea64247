package instant

import (
	"testing"
	"time"
)

func TestMonotonicGoesForward(t *testing.T) {
	var c Monotonic
	last := c.Now()
	for range 1000 {
		now := c.Now()
		if now < last {
			t.Fatalf("went back from %d to %d", last, now)
		}
		last = now
	}
}

func TestHandMovesOnlyWhenTold(t *testing.T) {
	var h Hand
	h.Advance(3 * time.Second)
	if got := h.Now(); got != 3e9 || h.Now() != got {
		t.Errorf("stands at %d after 3 s", got)
	}
	if d := Instant(5e9).Sub(h.Now()); d != 2*time.Second {
		t.Errorf("5 s - 3 s = %v", d)
	}
}

func TestBootIsStable(t *testing.T) {
	a, err := Boot()
	if err != nil || a == "" {
		t.Fatalf("boot id %q: %v", a, err)
	}
	if b, _ := Boot(); a != b {
		t.Errorf("boot id changed from %s to %s", a, b)
	}
}

func TestReadingOfTheHost(t *testing.T) {
	var c Monotonic
	first := c.Read()
	if wall := time.Unix(0, 0).Add(first.Wall + first.Slept + time.Duration(first.At)); time.Since(wall).Abs() > time.Minute {
		t.Errorf("the clocks put together say %s", wall)
	}
	if first.Slept+first.Within < 0 || first.Within < 0 {
		t.Errorf("%+v", first)
	}
	for range 1000 { // however the machine holds us up between two clocks, nothing has changed
		if slept, set := c.Read().Changed(first); slept != 0 || set.Abs() > time.Millisecond {
			t.Fatalf("slept %s, set by %s: %+v after %+v", slept, set, c.Read(), first)
		}
	}
}

func TestChangedProvesNoMoreThanItCan(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name       string
		a, b       Reading
		slept, set time.Duration
	}{
		{"nothing", Reading{Slept: 5 * ms}, Reading{Slept: 5 * ms}, 0, 0},
		{"a sleep", Reading{Slept: 5 * ms}, Reading{At: 1, Slept: 25 * ms}, 20 * ms, 0},
		{"held up at the first", Reading{Slept: 5 * ms, Within: 30 * ms}, Reading{Slept: 25 * ms}, 0, 0},
		{"held up at the second", Reading{Slept: 5 * ms}, Reading{Slept: -20 * ms, Wall: -25 * ms, Within: 25 * ms}, 0, 0},
		{"a sleep, held up at the first", Reading{Slept: 5 * ms, Within: 3 * ms}, Reading{Slept: 25 * ms}, 17 * ms, 0},
		{"set back", Reading{Wall: time.Hour}, Reading{Within: ms}, 0, -time.Hour + ms},
		{"set forward", Reading{Within: ms}, Reading{Wall: time.Hour}, 0, time.Hour - ms},
	} {
		if slept, set := c.b.Changed(c.a); slept != c.slept || set != c.set {
			t.Errorf("%s: slept %s, set by %s; want %s and %s", c.name, slept, set, c.slept, c.set)
		}
	}
}

func TestHandSleepsAndIsSet(t *testing.T) {
	var h Hand
	h.Advance(time.Second)
	before := h.Read()
	h.Sleep(5 * time.Second)
	h.SetWall(-time.Hour)
	if slept, set := h.Read().Changed(before); slept != 5*time.Second || set != -time.Hour || h.Now() != before.At {
		t.Errorf("slept %s, set by %s, stands at %d after %d", slept, set, h.Now(), before.At)
	}
}
