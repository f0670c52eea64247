package align_test

import (
	"fmt"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// With hardly anything observed the answer must still be sane: finite, bounded
// widely enough to hold the truth, and narrower than a second.
func TestFewObservations(t *testing.T) {
	devices := map[string]func(uint64) aligntest.Device{
		"pinged": aligntest.EDABox, "ticked": aligntest.EyeTracker, "browser": aligntest.Browser,
		"counted": func(seed uint64) aligntest.Device {
			d := aligntest.EyeTracker(seed)
			d.Info.Clock = stream.CountedClock
			return d
		},
	}
	for name, mk := range devices {
		for _, samples := range []int{0, 1, 2, 50} {
			for _, pings := range []int{0, 1, 2} {
				t.Run(fmt.Sprintf("%s/%d samples/%d pings", name, samples, pings), func(t *testing.T) {
					for seed := range uint64(5) {
						few(t, mk(seed).Record(5*time.Second), samples, pings)
					}
				})
			}
		}
	}
}

func few(t *testing.T, rec aligntest.Recording, samples, pings int) {
	t.Helper()
	rec.Stamps, rec.Truth = rec.Stamps[:samples], rec.Truth[:samples]
	rec.Pings = rec.Pings[:min(pings, len(rec.Pings))]
	tl, err := align.Fit(rec.Info, rec.Stamps, rec.Pings)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range rec.Stamps {
		at, bound := tl.At(0, tl.Tick(s))
		sane(t, at, bound, rec.Truth[i])
	}
	for _, p := range tl.Pieces() {
		if !(p.NsPerTick > 0) || p.Err <= 0 || p.Until < p.Tick0 {
			t.Errorf("piece %+v", p)
		}
	}

	live := align.NewLive(rec.Info)
	var probes []stream.Probe
	for _, p := range rec.Pings {
		probes = append(probes, p.Probe)
	}
	live.Align(stream.Chunk{Probes: probes})
	for i, s := range rec.Stamps {
		c := stream.Chunk{Samples: []stream.Sample{{Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival}}}
		out := live.Align(c).Samples[0]
		sane(t, out.At, out.Err, rec.Truth[i])
		if c.Samples[0].At != 0 {
			t.Fatal("Align wrote into the chunk that it was given")
		}
	}
}

func sane(t *testing.T, at instant.Instant, bound time.Duration, truth instant.Instant) {
	t.Helper()
	if bound <= 0 || bound > time.Second {
		t.Errorf("bound %v is not sane", bound)
	}
	if e := at.Sub(truth).Abs(); e > bound {
		t.Errorf("error %v exceeds its bound %v", e, bound)
	}
}

func TestUnknownEpoch(t *testing.T) {
	tl, err := align.Fit(aligntest.EDABox(0).Info, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tl := range []*align.Timeline{tl, {}} {
		if at, bound := tl.At(3, 17); at != 0 || bound != align.Unbounded {
			t.Errorf("at %d ± %v, want 0 and Unbounded", at, bound)
		}
		if len(tl.Pieces()) != 0 {
			t.Error("there are pieces of nothing")
		}
	}
}

func TestUnusablePingsAreIgnored(t *testing.T) {
	rec := aligntest.EDABox(9).Record(30 * time.Second)
	want, err := align.Fit(rec.Info, rec.Stamps, rec.Pings)
	if err != nil {
		t.Fatal(err)
	}
	p := rec.Pings[10]
	backwards, before, held := p, p, p
	backwards.T3 = p.T0 - 1
	before.Tx = p.Rx - 5
	held.Tx = p.Rx + 1_000_000
	got, err := align.Fit(rec.Info, rec.Stamps, append(rec.Pings, backwards, before, held))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range rec.Stamps {
		a, _ := want.At(0, s.Tick)
		b, _ := got.At(0, s.Tick)
		if a != b {
			t.Fatalf("sample %d moved by %v because of pings that cannot be true", i, b.Sub(a))
		}
	}
}

// The lab clock stands still while the machine sleeps, the device's does not:
// everything then arrives too early, and the live estimate must start again.
func TestLiveRecoversFromAStep(t *testing.T) {
	for name, mk := range map[string]func(uint64) aligntest.Device{"eda": aligntest.EDABox, "gaze": aligntest.EyeTracker} {
		rec := mk(8).Record(time.Minute)
		const slept = 90_000_000 // ticks
		live := align.NewLive(rec.Info)
		i, bad := 0, 0
		for _, c := range rec.Chunks {
			if i > len(rec.Stamps)/2 {
				c = ahead(c, slept)
			}
			for _, s := range live.Align(c).Samples {
				if e := s.At.Sub(rec.Truth[i]).Abs(); i > len(rec.Stamps)*3/4 && e > 3*time.Millisecond {
					bad++
				}
				i++
			}
		}
		if bad > 0 {
			t.Errorf("%s: %d samples are wrong long after the step", name, bad)
		}
	}
}

// ahead moves all ticks of a chunk.
func ahead(c stream.Chunk, ticks int64) stream.Chunk {
	out := c
	out.Samples, out.Probes = nil, nil
	for _, s := range c.Samples {
		s.Tick += ticks
		out.Samples = append(out.Samples, s)
	}
	for _, p := range c.Probes {
		p.Rx, p.Tx = p.Rx+ticks, p.Tx+ticks
		out.Probes = append(out.Probes, p)
	}
	return out
}
