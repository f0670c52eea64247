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
