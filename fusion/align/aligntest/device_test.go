package aligntest

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClockIsInverted(t *testing.T) {
	d := EDABox(1)
	d.WanderPPM = 200
	c := clock{d, begin.Add(3 * time.Second), 12345}
	for at := c.at0; at < c.at0.Add(time.Hour); at = at.Add(17 * time.Second) {
		if back := c.when(c.read(at)); math.Abs(float64(back-at)) > 2 {
			t.Fatalf("%d comes back as %d", at, back)
		}
	}
	second := c.read(c.at0.Add(time.Second)) - c.read(c.at0)
	if ppm := (second/1e6 - 1) * 1e6; math.Abs(ppm-2000) > 201 {
		t.Errorf("the clock drifts by %.0f ppm, want 2000 and some wander", ppm)
	}
}

func TestSameSeedSameRecording(t *testing.T) {
	a, b := EDABox(5).Record(5*time.Second), EDABox(5).Record(5*time.Second)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	if c := EDABox(6).Record(5 * time.Second); cmp.Equal(a, c) {
		t.Error("another seed gives the same recording")
	}
}

// The simulator has to make what it claims, or the scores mean nothing.
func TestRecordingIsAsDescribed(t *testing.T) {
	r := EDABox(2).Record(time.Minute)
	n := len(r.Stamps)
	lost := 1 - float64(n)/float64(r.Stamps[n-1].Seq+1)
	if lost < .01 || lost > .03 {
		t.Errorf("%.1f %% lost, want about 2", 100*lost)
	}
	var sum, worst time.Duration
	for i, s := range r.Stamps {
		delay := s.Arrival.Sub(r.Truth[i])
		if delay < 0 {
			t.Fatalf("sample %d arrives %v before it is taken", i, -delay)
		}
		sum += delay
		worst = max(worst, delay)
	}
	if mean := sum / time.Duration(n); mean < 7*time.Millisecond || mean > 11*time.Millisecond {
		t.Errorf("mean delay %v, want half a batch and a little", mean)
	}
	if worst < 17*time.Millisecond {
		t.Errorf("worst delay %v: no stalls", worst)
	}
	for _, p := range r.Pings {
		if p.T3 <= p.T0 || p.Tx < p.Rx {
			t.Errorf("ping %+v", p)
		}
	}
	samples := 0
	for i, c := range r.Chunks {
		samples += len(c.Samples)
		if i > 0 && arrivalOf(c) <= arrivalOf(r.Chunks[i-1]) {
			t.Fatal("chunks are not in order of arrival")
		}
	}
	if samples != n {
		t.Errorf("chunks hold %d samples of %d", samples, n)
	}
}
