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
