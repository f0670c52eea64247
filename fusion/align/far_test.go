package align_test

import (
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// The exposure of a camera lies in the frame before its stamp, whoever's clock that is.
func TestAnotherComputersCameraHoldsItsExposure(t *testing.T) {
	info := stream.Info{ID: "face", Kind: stream.Face, Clock: stream.PingedClock, TickHz: 1e6, Rate: 25}
	var stamps []align.Stamp
	var pings []align.Ping
	const far = 5_000_000 // µs
	for i := range 200 {
		taken := instant.Instant(i) * instant.Instant(40*time.Millisecond)
		tick := int64(taken)/1000 + far
		stamps = append(stamps, align.Stamp{Seq: int64(i), Tick: tick, Arrival: taken.Add(9 * time.Millisecond)})
		pings = append(pings, align.Ping{Probe: stream.Probe{T0: taken.Add(-time.Millisecond), Rx: tick, Tx: tick, T3: taken.Add(time.Millisecond)}})
	}
	line, err := align.Fit(info, stamps, pings)
	if err != nil {
		t.Fatal(err)
	}
	at, bound := line.At(0, stamps[100].Tick)
	if off := at.Sub(instant.Instant(4 * time.Second)).Abs(); off > time.Millisecond {
		t.Errorf("frame 100 is %v off", off)
	}
	if bound < 60*time.Millisecond || bound > 64*time.Millisecond {
		t.Errorf("known within %v, want a frame of 40 ms, 20 ms for the stamps and half the pings' round trip", bound)
	}
	if align.Unseen(info) != 60*time.Millisecond {
		t.Errorf("unseen is %v", align.Unseen(info))
	}
}

// A browser under load stamps its frames too early, now slowly more and now one alone: the
// bound holds it all the same, because such frames seem to come late.
func TestStampsThatStrayAreInTheBound(t *testing.T) {
	const (
		interval = 40 * time.Millisecond
		floor    = 60 * time.Millisecond // an interval for the exposure, and what stamps always may be off
		far      = 5_000_000             // µs
		worst    = 36 * time.Millisecond // that was seen
	)
	info := stream.Info{ID: "face", Kind: stream.Face, Clock: stream.PingedClock, TickHz: 1e6, Rate: 25}
	// early is by how much frame i of 2 minutes is stamped too early.
	early := func(i int) time.Duration {
		switch {
		case i >= 1000 && i < 1500: // slowly there and back
			return worst * time.Duration(250-max(i-1250, 1250-i)) / 250
		case i%200 == 199: // one alone
			return worst
		}
		return 0
	}
	var stamps []align.Stamp
	var pings []align.Ping
	live := align.NewLive(info)
	var lived []stream.Sample
	taken := func(i int) instant.Instant { return instant.Instant(i) * instant.Instant(interval) }
	for i := range 3000 {
		at := taken(i)
		tick := int64(at)/1000 + far
		way := 9*time.Millisecond + time.Duration(i%5)*time.Millisecond
		s := stream.Sample{Seq: int64(i), Tick: tick - early(i).Microseconds(), Arrival: at.Add(way)}
		probe := stream.Probe{T0: at.Add(-time.Millisecond), Rx: tick, Tx: tick, T3: at.Add(time.Millisecond)}
		stamps, pings = append(stamps, align.Stamp{Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival}), append(pings, align.Ping{Probe: probe})
		lived = append(lived, live.Align(stream.Chunk{Samples: []stream.Sample{s}, Probes: []stream.Probe{probe}}).Samples...)
	}
	line, err := align.Fit(info, stamps, pings)
	if err != nil {
		t.Fatal(err)
	}
	quiet := 0
	for i, s := range stamps {
		at, bound := line.At(0, s.Tick)
		for what, got := range map[string]stream.Sample{"sealed": {At: at, Err: bound}, "live": lived[i]} {
			// What the exposure may add is in the bound beside the stamp's error.
			if off := got.At.Sub(taken(i)).Abs(); off > got.Err-interval {
				t.Fatalf("%s, frame %d: %v off, the stamp is held to be within %v", what, i, off, got.Err-interval)
			}
			if got.Err < floor {
				t.Fatalf("%s, frame %d: known within %v, less than ever", what, i, got.Err)
			}
			if settled := i > 250; settled && early(i) == 0 && got.Err > floor+5*time.Millisecond {
				t.Fatalf("%s, frame %d: known within %v, though nothing is odd", what, i, got.Err)
			}
		}
		if bound < floor+5*time.Millisecond {
			quiet++
		}
	}
	if quiet < 2400 {
		t.Errorf("%d of 3000 frames are known as well as ever", quiet)
	}
	if n := len(line.Pieces()); n > 1000 {
		t.Errorf("%d pieces: frames that are like each other have one", n)
	}
}
