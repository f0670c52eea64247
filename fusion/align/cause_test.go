package align_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/align"
	"emolab/fusion/stream"
)

// How many reads a chunk holds is the driver's affair, and must make no difference.
func TestChunkingMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		joined := []stream.Chunk{}
		for _, c := range rec.Chunks {
			n := len(joined)
			if n == 0 || joined[n-1].Epoch != c.Epoch || rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
				joined = append(joined, stream.Chunk{Stream: c.Stream, Epoch: c.Epoch})
				n++
			}
			last := &joined[n-1]
			last.Samples = append(last.Samples, c.Samples...)
			last.Probes = append(last.Probes, c.Probes...)
		}
		one, other := align.NewLive(rec.Info), align.NewLive(rec.Info)
		var a, b []stream.Sample
		for _, c := range rec.Chunks {
			a = append(a, one.Align(c).Samples...)
		}
		for _, c := range joined {
			b = append(b, other.Align(c).Samples...)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Fatalf("%d chunks joined to %d: %s", len(rec.Chunks), len(joined), d)
		}
	})
}

// Nothing arrives before it was taken, no ping is heard before it was asked, and none
// is answered after the answer was read.
func TestNothingBeforeItsCause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		tl := fit(t, rec.Info, rec.Stamps, rec.Pings)
		forecasts := rec.Info.Kind == stream.Stimulus // it may arrive before it is shown
		for _, s := range rec.Stamps {
			if at, err := tl.At(s.Epoch, tl.Tick(s)); !forecasts && at.Add(-err) > s.Arrival {
				t.Fatalf("tick %d at %d ± %v, and arrived at %d", s.Tick, at, err, s.Arrival)
			}
		}
		for _, p := range rec.Pings {
			if at, err := tl.At(p.Epoch, p.Rx); at.Add(err) < p.T0 {
				t.Fatalf("heard at %d ± %v, asked at %d", at, err, p.T0)
			}
			if at, err := tl.At(p.Epoch, p.Tx); at.Add(-err) > p.T3 {
				t.Fatalf("answered at %d ± %v, and the answer read at %d", at, err, p.T3)
			}
		}
		live := align.NewLive(rec.Info)
		for _, c := range rec.Chunks {
			for _, s := range live.Align(c).Samples {
				if !forecasts && s.At > s.Arrival {
					t.Fatalf("live: tick %d at %d, and arrived at %d", s.Tick, s.At, s.Arrival)
				}
			}
		}
	})
}

// What was observed live is what the file holds: aligned again from there it is the
// same, and where live has seen as much as the final alignment, at the end, both say
// the same within what they state.
func TestTheFileGivesTheSameAsLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := record(t)
		var stamps []align.Stamp
		var pings []align.Ping
		live := align.NewLive(rec.Info)
		var last stream.Sample
		epoch := 0
		for _, c := range rec.Chunks {
			stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
			if a := live.Align(c); len(a.Samples) > 0 {
				last, epoch = a.Samples[len(a.Samples)-1], c.Epoch
			}
		}
		seen, file := fit(t, rec.Info, stamps, pings), fit(t, rec.Info, rec.Stamps, rec.Pings)
		if d := cmp.Diff(seen.Pieces(), file.Pieces()); d != "" {
			t.Fatal(d)
		}
		if a, b := seen.Statement(), file.Statement(); a != b {
			t.Fatalf("%+v\n%+v", a, b)
		}
		at, err := file.At(epoch, last.Tick)
		if apart := at.Sub(last.At).Abs(); apart > err+last.Err {
			t.Fatalf("the last sample is at %d ± %v live, at %d ± %v final", last.At, last.Err, at, err)
		}
	})
}
