package align

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The hull must give the same wall as all points together, for every slope.
func TestHullIsTheWall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := make([]point, rapid.IntRange(1, 60).Draw(t, "n"))
		for i := range ps {
			ps[i] = point{float64(rapid.IntRange(0, 40).Draw(t, "x")), float64(rapid.IntRange(-9, 9).Draw(t, "y"))}
		}
		slope := rapid.Float64Range(-3, 3).Draw(t, "slope")
		all, hull := walls{up: ps, low: ps}, walls{up: lowerHull(ps), low: upperHull(ps)}
		if a, b := all.upper(slope, 3), hull.upper(slope, 3); math.Abs(a-b) > 1e-9 {
			t.Fatalf("upper wall %v, by its hull %v", a, b)
		}
		if a, b := all.lower(slope, 3), hull.lower(slope, 3); math.Abs(a-b) > 1e-9 {
			t.Fatalf("lower wall %v, by its hull %v", a, b)
		}
	})
}

// A sample beside a loss of several may be on its wrong side, also where more may be
// missing at the end.
func TestBoundsBesideALossNearTheEnd(t *testing.T) {
	m := method{nsPerTick: float64(10 * time.Millisecond)}
	o := origin{nsPerTick: m.nsPerTick}
	run := make([]Stamp, 8)
	for i := range run {
		run[i].Seq = int64(i)
	}
	missing, more := []int64{0, 0, 5, 5, 5, 5, 5, 5}, []int64{0, 0, 0, 0, 0, 1, 1, 2}
	end := o.x(run[7].Seq + missing[7])
	ks := m.uncounted(o, run, missing, more, []knot{{x: 0}, {x: end}})
	for i, s := range run {
		k := along(ks, o.x(s.Seq))
		if least := m.nsPerTick * float64(5+more[i]); k.err < least {
			t.Errorf("sample %d: %v of bound, want at least %v", i, time.Duration(k.err), time.Duration(least))
		}
	}
}

func TestMaximise(t *testing.T) {
	for _, peak := range []float64{-.006, -.001, 0, .0042, .006} {
		got := maximise(func(b float64) float64 { return -math.Abs(b - peak) }, -maxDrift, maxDrift)
		if math.Abs(got-peak) > 1e-9 {
			t.Errorf("peak at %v, found %v", peak, got)
		}
	}
}

func TestHistogramQuantile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var h histogram
	if h.quantile(.95) != 0 {
		t.Error("a quantile of nothing")
	}
	for range 100_000 {
		h.add(time.Duration(r.Float64() * float64(10*time.Millisecond)))
	}
	if got := h.quantile(.95); got < 9500*time.Microsecond || got > 10*time.Millisecond {
		t.Errorf("95th percentile %v, want 9.5 ms and at most 4.5 %% more", got)
	}
	h.add(Unbounded)
	h.add(-1)
}
