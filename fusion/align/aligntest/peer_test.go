package aligntest

import (
	"testing"
	"time"

	"emolab/fusion/instant"
)

// clean is a box on a cable on which everything arrives at once.
func clean(change func(*Device)) Recording {
	d := EDABox(1)
	d.DriftPPM, d.WanderPPM, d.Resolution = 0, 0, 1
	d.Batch, d.ToDevice, d.ToHost, d.Loss = 0, Delay{}, Delay{}, 0
	change(&d)
	return d.Record(time.Minute)
}

// Each of the other methods is right where its assumptions hold, and wrong by what
// is expected where they do not.
func TestPeers(t *testing.T) {
	const exact = 20 * time.Microsecond // a tick, and where it is rounded
	const second = time.Second
	for _, tt := range []struct {
		name        string
		change      func(*Device)
		peer        string
		least, most time.Duration // of the largest error
	}{
		{"clean", func(*Device) {}, Arrival, 0, exact},
		{"clean", func(*Device) {}, LineOverIndex, 0, exact},
		{"clean", func(*Device) {}, OneOffset, 0, exact},
		{"clean", func(*Device) {}, ProbesAndLine, 0, exact},
		{"batches", func(d *Device) { d.Batch = 16 * time.Millisecond }, Arrival, 15 * time.Millisecond, 16 * time.Millisecond},
		{"drift", func(d *Device) { d.DriftPPM = 2000 }, LineOverIndex, 0, exact},
		{"drift", func(d *Device) { d.DriftPPM = 2000 }, OneOffset, 60 * time.Millisecond, 120 * time.Millisecond},
		{"drift", func(d *Device) { d.DriftPPM = 2000 }, ProbesAndLine, 0, exact},
		{"a rate that changes", func(d *Device) { d.WarmingPPM, d.WarmingFor = 100, time.Hour }, ProbesAndLine, 200 * time.Microsecond, 3 * time.Millisecond},
		{"loss", func(d *Device) { d.Loss = .02 }, LineOverIndex, 10 * time.Millisecond, second},
		{"loss", func(d *Device) { d.Loss = .02 }, OneOffset, 0, exact},
		{"a gap below 500 samples", func(d *Device) { d.Pauses = []Span{{30 * second, 34 * second}} }, LineOverIndex, second, 3 * second},
		{"a gap above", func(d *Device) { d.Pauses = []Span{{30 * second, 36 * second}} }, LineOverIndex, 0, exact},
		{"a reset", func(d *Device) { d.Resets, d.Unplug = []time.Duration{30 * second}, 6*second }, ProbesAndLine, 0, exact},
		{"a reset", func(d *Device) { d.Resets, d.Unplug = []time.Duration{30 * second}, 6*second }, OneOffset, 0, exact},
		{"slow ways out", func(d *Device) { d.ToDevice.Floor = 6 * time.Millisecond }, ProbesAndLine, 3*time.Millisecond - exact, 3*time.Millisecond + exact},
	} {
		rec := clean(tt.change)
		at, ok := placer(t, tt.peer)(rec)
		if !ok || len(at) != len(rec.Stamps) {
			t.Fatalf("%s: %s places %d of %d samples", tt.name, tt.peer, len(at), len(rec.Stamps))
		}
		s := rec.Score(Placed{at, make([]time.Duration, len(at))}, false, nil)
		if s.Max < tt.least || s.Max > tt.most {
			t.Errorf("%s: %s is wrong by %v at most, want %v to %v", tt.name, tt.peer, s.Max, tt.least, tt.most)
		}
	}
}

func TestProbesNeedPings(t *testing.T) {
	if _, ok := placer(t, ProbesAndLine)(Tracker(1).Record(10 * time.Second)); ok {
		t.Error("a line through probes where there are none")
	}
}

func placer(t *testing.T, name string) func(Recording) ([]instant.Instant, bool) {
	t.Helper()
	for _, p := range Peers() {
		if p.Name == name {
			return p.Place
		}
	}
	t.Fatalf("no peer %q", name)
	return nil
}
