package aligntest

import (
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
)

const msec = time.Millisecond

func TestScoreTakesTheConstantOut(t *testing.T) {
	r := Recording{Truth: []instant.Instant{1e9, 2e9, 3e9, 4e9, 5e9}}
	var p Placed
	for i, e := range []time.Duration{5, 6, 6, 7, 30} {
		p.At, p.Err = append(p.At, r.Truth[i].Add(e*msec)), append(p.Err, 10*msec)
	}
	whole, without := r.Score(p, false, nil), r.Score(p, true, nil)
	if whole.Constant != 0 || whole.Median != 6*msec || whole.Max != 30*msec || whole.Covered != .8 {
		t.Errorf("whole: %+v", whole)
	}
	if without.Constant != 6*msec || without.Median != 1*msec || without.Max != 24*msec || without.MedianWhole != 6*msec {
		t.Errorf("without the constant: %+v", without)
	}
	if without.Covered != whole.Covered {
		t.Error("the bound has to hold the whole error")
	}
	if s := r.Score(p, false, []bool{false, false, false, false, true}); s.Samples != 4 || s.Max != 7*msec {
		t.Errorf("but for the last: %+v", s)
	}
}

func TestFlagged(t *testing.T) {
	d := EDABox(1)
	d.Batch, d.Loss, d.Resets, d.Unplug = 0, 0, []time.Duration{10 * time.Second}, time.Second
	r := d.Record(20 * time.Second)
	p := Placed{Err: make([]time.Duration, len(r.Stamps))}
	wide := func(from, until time.Duration) {
		for i, s := range r.Stamps {
			if off := s.Arrival.Sub(begin); off >= from && off < until {
				p.Err[i] = 10 * msec
			}
		}
	}
	wide(2*time.Second, 4*time.Second) // before the reset
	if got := r.flagged(p, 5*msec); got != 0 {
		t.Errorf("%v without a reset", got)
	}
	wide(11*time.Second, 11700*msec)
	wide(15*time.Second, 17*time.Second) // long after it
	if got := r.flagged(p, 5*msec); got < 600*msec || got > 700*msec {
		t.Errorf("%v after the reset, want about 0.7 s", got)
	}
}

func TestFailures(t *testing.T) {
	good := func() Result {
		s := Score{Samples: 1000, Median: 300 * time.Microsecond, MedianWhole: 300 * time.Microsecond, P95: 900 * time.Microsecond, BoundMedian: 1500 * time.Microsecond}
		return Result{
			Scenario: Scenario{Promise: Asked}, Interval: 10 * msec, Live: s, Final: s,
			LiveCovered: 1, FinalCovered: .995, RoundTrip: msec, Flagged: time.Second,
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*Result)
		want   string // "" = nothing is missed
	}{
		{"all held", func(*Result) {}, ""},
		{"final", func(r *Result) { r.Final.P95 = 1100 * time.Microsecond }, "final p95"},
		{"live", func(r *Result) { r.Live.P95 = 3100 * time.Microsecond }, "live p95"},
		{"live bound", func(r *Result) { r.LiveCovered = .98 }, "live bound true"},
		{"final bound", func(r *Result) { r.FinalCovered = .98 }, "final bound true"},
		{"flagged", func(r *Result) { r.Flagged = 1100 * msec }, "flagged"},
		{"wide", func(r *Result) { r.Final.BoundMedian = 2100 * time.Microsecond }, "bound median"},
		{"wide, but no pings", func(r *Result) { r.Final.BoundMedian, r.Scenario.Promise = 20*msec, Told }, ""},
		{"a quarter of the interval", func(r *Result) { r.Final.P95, r.Live.P95, r.Scenario.Promise = 2400*time.Microsecond, 20*msec, Silent }, ""},
		{"more than that", func(r *Result) { r.Final.P95, r.Scenario.Promise = 2600*time.Microsecond, Silent }, "final p95"},
		{"nothing", func(r *Result) { r.Live = Score{} }, "nothing was scored"},
	} {
		r := good()
		tt.change(&r)
		got := strings.Join(r.Failures(), "; ")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// All that is asked for is in the list, under one name each.
func TestScenarios(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		if seen[s.Name] || !strings.HasPrefix(s.Name, s.Kind+" ") {
			t.Errorf("%q: twice, or not of kind %q", s.Name, s.Kind)
		}
		seen[s.Name] = true
	}
	for _, want := range []string{
		"box 5000 ppm, 16 ms, 2 % loss, resets, loaded", "tracker 20 ppm, 1 ms", "numbered 0 ppm",
		"counted 120 Hz 2000 ppm, 16 ms, 2 % loss", "browser 20 ppm, display not measured, reloads",
		"camera with arrivals only, latency measured, loaded", "box duplicates", "tracker warming up",
	} {
		if !seen[want] {
			t.Errorf("%q is not among the scenarios", want)
		}
	}
	if n := len(Matching("box 2000 ppm, 16 ms loaded")); n != 4 {
		t.Errorf("%d scenarios match, want 4: with and without loss and resets", n)
	}
	if n := len(Matching("box 0 ppm")); n != 24 {
		t.Errorf("%d scenarios match, want 24: a phrase is not taken word by word", n)
	}
	if n := len(Matching("no such thing")); n != 0 {
		t.Errorf("%d scenarios match nothing", n)
	}
}
