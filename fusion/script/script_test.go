package script

import (
	"math"
	"testing"
	"time"

	"emolab/fusion/instant"
)

func TestSameSeedSameScript(t *testing.T) {
	a, b, c := New(7), New(7), New(8)
	if a.Period != b.Period || len(a.Fixations) != len(b.Fixations) || a.LevelUS != b.LevelUS {
		t.Error("one seed gave two scripts")
	}
	if a.LevelUS == c.LevelUS {
		t.Error("two seeds gave one script")
	}
}

// Everything a script says must be smooth enough to be shown and measured: no
// jump in the skin conductance, gaze on or near the screen, closure in 0..1.
func TestScriptIsContinuous(t *testing.T) {
	for seed := range uint64(20) {
		s := New(seed)
		const step = 5 * time.Millisecond
		last := s.Conductance(s.Period)
		for at := s.Period; at < 3*s.Period; at += step {
			us := s.Conductance(at)
			if math.Abs(us-last) > .05 {
				t.Fatalf("seed %d: conductance jumps from %.3f to %.3f µS at %v", seed, last, us, at)
			}
			last = us
			if x, y := s.Gaze(at); x < 0 || x > 1 || y < 0 || y > 1 {
				t.Fatalf("seed %d: gaze (%.2f, %.2f) at %v", seed, x, y, at)
			}
			if c := s.Closure(at); c < 0 || c > 1 {
				t.Fatalf("seed %d: closure %.2f at %v", seed, c, at)
			}
		}
	}
}

func TestExpressionRamps(t *testing.T) {
	s := New(1)
	e := s.Expressions[0]
	for _, c := range []struct {
		at        time.Duration
		name      string
		intensity float64
	}{
		{e.From - 1, "neutral", 1},
		{e.From, "happy", 0},
		{e.From + Ramp/2, "happy", .5},
		{e.From + Ramp, "happy", 1},
		{e.Until - Ramp/2, "happy", .5},
		{e.Until, "neutral", 1},
		{e.From + Ramp + s.Period, "happy", 1},
	} {
		name, intensity := s.Expression(c.at)
		if name != c.name || math.Abs(intensity-c.intensity) > 1e-9 {
			t.Errorf("at %v: %s %.2f, want %s %.2f", c.at, name, intensity, c.name, c.intensity)
		}
	}
}

func TestAlignmentScore(t *testing.T) {
	truth := NewTruth(New(1), 0)
	// A 1 MHz clock 2,000 ppm fast, switched on at 1 s, 3 s before its 32-bit wrap.
	c := Clock{Stream: "eda", At0: 1e9, Tick0: 1<<32 - 3e6, NsPerTick: 1000 / 1.002, WrapBits: 32}
	truth.Power(c)
	var samples []Stamped
	for k := range 1000 {
		at := instant.Instant(10e9 + k*10e6)
		tick := c.Tick(at) % (1 << 32) // a driver that connected after the wrap
		samples = append(samples, Stamped{Tick: tick, Arrival: at + 5e6, At: at + 2e5, Err: 150e3})
	}
	e, ok := truth.Record().Alignment("eda", samples)
	if !ok || e.Samples != 1000 || math.Abs(e.MedianMs-.2) > .01 || math.Abs(e.MaxMs-.2) > .01 {
		t.Errorf("constant error of 0.2 ms scored as %+v", e)
	}
	if e.Inside != 0 {
		t.Errorf("errors of 0.2 ms are outside a bound of 0.15 ms, scored %.2f inside", e.Inside)
	}
	// The clock begins anew; what was on its way then is still of the old one.
	const anew = instant.Instant(15e9)
	late := Stamped{Tick: c.Tick(anew-10e6) % (1 << 32), Arrival: anew + 10e6, At: anew - 10e6}
	fresh := Clock{Stream: "eda", At0: anew, NsPerTick: 1000}
	truth.Power(fresh)
	early := Stamped{Tick: fresh.Tick(anew + 1e6), Arrival: anew + 10e6, At: anew + 1e6}
	if e, ok := truth.Record().Alignment("eda", []Stamped{late, early}); !ok || e.MaxMs > .01 {
		t.Errorf("around a clock that begins anew: %+v", e)
	}
	if _, ok := truth.Record().Alignment("gaze", samples); ok {
		t.Error("scored a stream without a true clock")
	}
}

func TestExpressionScore(t *testing.T) {
	r := NewTruth(New(3), 5e9).Record()
	var right, blind []Seen
	for at := r.Origin; at.Sub(r.Origin) < r.Script.Period; at += 33e6 {
		name, _ := r.Script.Expression(at.Sub(r.Origin))
		right = append(right, Seen{at, name})
		blind = append(blind, Seen{at, "neutral"})
	}
	for _, s := range r.Expressions(right) {
		if !s.Recognised || s.Share != 1 {
			t.Errorf("perfect reading scored as %+v", s)
		}
	}
	for _, s := range r.Expressions(blind) {
		if s.Recognised != (s.Class == "neutral") {
			t.Errorf("a reader that always says neutral scored as %+v", s)
		}
	}
}

func TestResponseScore(t *testing.T) {
	r := NewTruth(New(3), 0).Record()
	var onsets []instant.Instant
	for _, want := range r.Script.Responses {
		onsets = append(onsets, instant.Instant(want.Onset+300*time.Millisecond))
	}
	until := instant.Instant(r.Script.Period)
	n := len(r.Script.Responses)
	if got, want := r.Responses(0, until, onsets), (ResponseScore{n, n, 0}); got != want {
		t.Errorf("all found: %+v, want %+v", got, want)
	}
	if got, want := r.Responses(0, until, append(onsets[1:], 1e6)), (ResponseScore{n, n - 1, 1}); got != want {
		t.Errorf("one missed, one invented: %+v, want %+v", got, want)
	}
}
