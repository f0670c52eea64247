package align_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// anyDevice draws devices far worse than the budget's.
func anyDevice(t *rapid.T) aligntest.Device {
	mk := rapid.SampledFrom([]func(uint64) aligntest.Device{aligntest.EDABox, aligntest.EyeTracker, aligntest.Browser}).Draw(t, "device")
	d := mk(rapid.Uint64().Draw(t, "seed"))
	d.DriftPPM = rapid.Float64Range(-5000, 5000).Draw(t, "drift")
	d.WanderPPM = rapid.Float64Range(0, 10).Draw(t, "wander")
	d.Batch = time.Duration(rapid.IntRange(0, 40).Draw(t, "batch")) * time.Millisecond
	d.Loss = rapid.Float64Range(0, .5).Draw(t, "loss")
	// A twentieth of 60 samples a second, held up by up to 200 ms each: above that
	// the line is never free.
	d.ToHost.StallShare = rapid.Float64Range(0, .05).Draw(t, "stalls")
	d.ToHost.Stall = time.Duration(rapid.IntRange(0, 200).Draw(t, "stall")) * time.Millisecond
	if d.PingEvery > 0 {
		d.PingEvery = time.Duration(rapid.IntRange(200, 6000).Draw(t, "ping")) * time.Millisecond
	}
	if rapid.Bool().Draw(t, "reset") {
		d.Resets = []time.Duration{7 * time.Second}
		d.Unplug = time.Second
	}
	return d
}

func record(t *rapid.T) aligntest.Recording {
	length := time.Duration(rapid.IntRange(8, 16).Draw(t, "seconds")) * time.Second
	return anyDevice(t).Record(length)
}

func fit(t *rapid.T, info stream.Info, stamps []align.Stamp, pings []align.Ping) *align.Timeline {
	tl, err := align.Fit(info, stamps, pings)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func TestTimelineNeverGoesBackAndHasNoSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		tl := fit(t, rec.Info, rec.Stamps, rec.Pings)
		ps := tl.Pieces()
		for i, p := range ps {
			if p.NsPerTick < 0 || p.Err <= 0 || p.Err > time.Minute {
				t.Fatalf("piece %+v", p)
			}
			if i == 0 || ps[i-1].Epoch != p.Epoch {
				continue
			}
			if ps[i-1].Until != p.Tick0 {
				t.Fatalf("a hole between %+v and %+v", ps[i-1], p)
			}
			before, _ := tl.At(p.Epoch, p.Tick0-1)
			after, _ := tl.At(p.Epoch, p.Tick0)
			if step := float64(after - before); step < 0 || step > 2*p.NsPerTick+2 {
				t.Fatalf("a step of %v ns at tick %d", step, p.Tick0)
			}
		}
		var last align.Stamp
		var lastAt instant.Instant
		for i, s := range rec.Stamps {
			at, _ := tl.At(s.Epoch, s.Tick)
			if i > 0 && s.Epoch == last.Epoch && s.Tick >= last.Tick && at < lastAt {
				t.Fatalf("tick %d lies before tick %d", s.Tick, last.Tick)
			}
			last, lastAt = s, at
		}
	})
}

func TestBoundIsTrueOfAnyDevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		final, _, err := rec.Final()
		if err != nil {
			t.Fatal(err)
		}
		live, _ := rec.Live(0)
		// The bound of a clock without pings counts on the envelope being touched,
		// which half the samples lost and stalled may prevent now and then. Live it
		// is asked from the first sample on, of recordings of some seconds.
		if final.Covered < .98 || live.Covered < .95 {
			t.Fatalf("final: %v\nlive: %v", final, live)
		}
	})
}

func TestShiftOfTheLabClockShiftsTheAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		d := time.Duration(rapid.Int64Range(-int64(10*time.Hour), int64(1000*time.Hour)).Draw(t, "shift"))
		stamps, pings := slices.Clone(rec.Stamps), slices.Clone(rec.Pings)
		for i := range stamps {
			stamps[i].Arrival = stamps[i].Arrival.Add(d)
		}
		for i := range pings {
			pings[i].T0, pings[i].T3 = pings[i].T0.Add(d), pings[i].T3.Add(d)
		}
		a, b := fit(t, rec.Info, rec.Stamps, rec.Pings), fit(t, rec.Info, stamps, pings)
		for _, s := range rec.Stamps {
			at, err := a.At(s.Epoch, s.Tick)
			moved, err2 := b.At(s.Epoch, s.Tick)
			if moved.Sub(at) != d || err != err2 {
				t.Fatalf("tick %d moved by %v instead of %v, its bound from %v to %v", s.Tick, moved.Sub(at), d, err, err2)
			}
		}
		if a.Statement() != b.Statement() {
			t.Fatalf("%+v\n%+v", a.Statement(), b.Statement())
		}
	})
}

func TestEpochsAreIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDevice(t)
		d.Resets, d.Unplug = []time.Duration{6 * time.Second}, time.Second
		rec := d.Record(14 * time.Second)
		whole := fit(t, rec.Info, rec.Stamps, rec.Pings)
		second := fit(t, rec.Info,
			slices.DeleteFunc(slices.Clone(rec.Stamps), func(s align.Stamp) bool { return s.Epoch == 0 }),
			slices.DeleteFunc(slices.Clone(rec.Pings), func(p align.Ping) bool { return p.Epoch == 0 }))
		for _, s := range rec.Stamps {
			if s.Epoch == 0 {
				continue
			}
			at, err := whole.At(1, s.Tick)
			alone, errAlone := second.At(1, s.Tick)
			if at != alone || err != errAlone {
				t.Fatalf("tick %d: %d ± %v with the first epoch, %d ± %v without", s.Tick, at, err, alone, errAlone)
			}
		}
	})
}

func TestLiveNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		live := align.NewLive(rec.Info)
		epoch := -1
		var last instant.Instant
		for _, c := range rec.Chunks {
			if c.Epoch != epoch {
				epoch, last = c.Epoch, 0
			}
			for _, s := range live.Align(c).Samples {
				if s.At < last || s.Err <= 0 {
					t.Fatalf("at %d ± %v after %d", s.At, s.Err, last)
				}
				last = s.At
			}
		}
	})
}

// Live must not know the future: what it says of a prefix does not depend on
// what follows.
func TestLiveIsCausal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		n := rapid.IntRange(1, len(rec.Chunks)).Draw(t, "prefix")
		whole, part := align.NewLive(rec.Info), align.NewLive(rec.Info)
		var at []instant.Instant
		for _, c := range rec.Chunks {
			for _, s := range whole.Align(c).Samples {
				at = append(at, s.At)
			}
		}
		i := 0
		for _, c := range rec.Chunks[:n] {
			for _, s := range part.Align(c).Samples {
				if s.At != at[i] {
					t.Fatalf("sample %d: %d and %d", i, s.At, at[i])
				}
				i++
			}
		}
	})
}
