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

// Integrated over the rising and the falling halves, by hand.
func TestTriangleArea(t *testing.T) {
	for _, tt := range []struct{ at, want float64 }{{0, 0}, {5, 12.5}, {10, 50}, {15, 87.5}, {20, 100}, {25, 112.5}, {45, 212.5}} {
		if got := triangleArea(tt.at, 10); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("up to %v: %v, want %v", tt.at, got, tt.want)
		}
	}
}

func TestMishaps(t *testing.T) {
	const second = time.Second
	tests := map[string]struct {
		change func(*Device)
		check  func(t *testing.T, r Recording)
	}{
		"pauses": {func(d *Device) { d.Pauses = []Span{{20 * second, 30 * second}} }, func(t *testing.T, r Recording) {
			holes := 0
			for i := 1; i < len(r.Truth); i++ {
				if gap := r.Truth[i].Sub(r.Truth[i-1]); gap > 9*second {
					holes++
					if ticks := r.Stamps[i].Tick - r.Stamps[i-1].Tick; ticks < 9e6 {
						t.Errorf("the clock goes on by %d ticks only", ticks)
					}
					if n := r.Stamps[i].Seq - r.Stamps[i-1].Seq; n > 5 {
						t.Errorf("%d samples are counted that were not taken", n)
					}
				}
			}
			if holes != 1 {
				t.Errorf("%d pauses, want 1", holes)
			}
		}},
		"host stalls": {func(d *Device) { d.Stalls = []Span{{20 * second, 23 * second}} }, func(t *testing.T, r Recording) {
			from, until := begin.Add(20*second), begin.Add(23*second)
			atOnce := 0
			for i, s := range r.Stamps {
				if s.Arrival > from && s.Arrival < until {
					t.Fatalf("sample %d is read while the host stands still", i)
				}
				if s.Arrival == until {
					atOnce++
				}
			}
			if atOnce < 250 {
				t.Errorf("%d samples are read at its end, want 3 s of them", atOnce)
			}
			for _, p := range r.Pings {
				if p.T0 > from && p.T0 < until {
					t.Error("a ping is asked while the host stands still")
				}
			}
		}},
		"duplicates": {func(d *Device) { d.Duplicates = .05 }, func(t *testing.T, r Recording) {
			twice := 0
			for i := 1; i < len(r.Stamps); i++ {
				if r.Stamps[i].Seq == r.Stamps[i-1].Seq && r.Stamps[i].Tick == r.Stamps[i-1].Tick {
					twice++
				}
			}
			if share := float64(twice) / float64(len(r.Stamps)); share < .03 || share > .07 {
				t.Errorf("%.1f %% come twice, want about 5", 100*share)
			}
		}},
		"reordered": {func(d *Device) { d.Reordered = .2 }, func(t *testing.T, r Recording) {
			back := 0
			for i := 1; i < len(r.Stamps); i++ {
				a, b := r.Stamps[i-1], r.Stamps[i]
				if b.Seq < a.Seq {
					back++
					if a.Arrival != b.Arrival || b.Tick >= a.Tick {
						t.Fatalf("%+v before %+v: not within one read, or the ticks stayed", a, b)
					}
				}
			}
			if back < 50 {
				t.Errorf("%d samples come before their predecessors, want some of every batch", back)
			}
		}},
		"uncounted": {func(d *Device) { d.Uncounted, d.Loss = true, .1 }, func(t *testing.T, r Recording) {
			for i, s := range r.Stamps {
				if s.Seq != int64(i) {
					t.Fatalf("sample %d has the number %d", i, s.Seq)
				}
			}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := EDABox(3)
			tt.change(&d)
			tt.check(t, d.Record(time.Minute))
		})
	}
}

func TestCamera(t *testing.T) {
	c := Webcam(1)
	c.Loss = .1
	stamped := c.Record(time.Minute)
	c.Info.Clock = "arrival"
	arrived := c.Record(time.Minute)
	n := len(stamped.Stamps)
	if lost := stamped.Stamps[n-1].Seq + 1 - int64(n); lost < 100 || lost > 260 {
		t.Errorf("%d of 1800 frames lost, want about 180", lost)
	}
	if last := arrived.Stamps[len(arrived.Stamps)-1].Seq; last != int64(len(arrived.Stamps)-1) {
		t.Errorf("with arrivals only, frames are counted that never came: %d of %d", last+1, len(arrived.Stamps))
	}
	shift := c.measured()
	if -shift.By < 45*time.Millisecond || -shift.By > 55*time.Millisecond {
		t.Errorf("the latency is measured as %v, want half the exposure, the stamp and the way here", -shift.By)
	}
	if shift.Within <= 0 || shift.Within > 20*time.Millisecond {
		t.Errorf("it varies by %v", shift.Within)
	}
}
