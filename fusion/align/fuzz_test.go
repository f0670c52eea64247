package align_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// observed makes observations of any bytes: of each 10, what happens, how much the
// device's clock went on, and how much the lab's. Most steps are small; some of the
// device's are anything that 64 bits can hold, and some of the lab's are hours.
func observed(data []byte) []stream.Chunk {
	var chunks []stream.Chunk
	var epoch int
	var seq, tick int64
	at := instant.Instant(time.Hour)
	step := func(b []byte, kind byte) int64 {
		v := int64(int32(binary.LittleEndian.Uint32(b)))
		switch kind % 4 {
		case 0:
			return v % 1_000
		case 1:
			return v % 20_000_000
		case 2:
			return v << 12
		}
		return v << 31
	}
	for ; len(data) >= 10; data = data[10:] {
		what, kind := data[0], data[1]
		tick += step(data[2:], kind)
		at = max(at+instant.Instant(step(data[6:], kind>>2%3)), 0)
		if what%32 == 31 {
			epoch++
		}
		seq += int64(what % 3)
		c := stream.Chunk{Epoch: epoch}
		if what%4 == 0 {
			held := int64(kind >> 4)
			c.Probes = []stream.Probe{{T0: at - instant.Instant(held)*1e5, Rx: tick - held, Tx: tick, T3: at}}
		} else {
			for n := range int64(1 + what>>6) {
				c.Samples = append(c.Samples, stream.Sample{Seq: seq + n, Tick: tick + n*1000, Arrival: at})
			}
		}
		chunks = append(chunks, c)
	}
	return chunks
}

func anyInfo(kind byte) stream.Info {
	info := stream.Info{ID: "any", Kind: stream.EDA, TickHz: 1e6, Rate: 100}
	clocks := []stream.ClockKind{stream.PingedClock, stream.TickedClock, stream.CountedClock, stream.ArrivalClock, stream.HostClock}
	info.Clock = clocks[int(kind)%len(clocks)]
	switch kind / 5 % 4 {
	case 1:
		info.Kind = stream.Stimulus
	case 2:
		info.Kind, info.Rate = stream.Face, 30
	case 3:
		info.Kind = stream.Trigger
	}
	if kind >= 128 {
		info.Shift = &stream.Shift{By: -30 * time.Millisecond, Within: 5 * time.Millisecond}
	}
	return info
}

// Whatever is observed, alignment ends, with bounds that are bounds and instants in
// order.
func FuzzAlign(f *testing.F) {
	for kind := range byte(40) {
		data := make([]byte, 0, 400)
		for i := range 40 {
			b := [10]byte{byte(i*7 + int(kind)), byte(i), byte(i * 3), 39, 0, 0, byte(i), 10, 152, 0}
			data = append(data, b[:]...)
		}
		f.Add(kind, data)
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		if len(data) > 20_000 {
			return
		}
		info := anyInfo(kind)
		chunks := observed(data)
		var stamps []align.Stamp
		var pings []align.Ping
		live := align.NewLive(info)
		var last instant.Instant
		epoch := -1
		for _, c := range chunks {
			stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
			if c.Epoch != epoch {
				epoch, last = c.Epoch, math.MinInt64
			}
			for _, s := range live.Align(c).Samples {
				if s.Err <= 0 || s.At < last {
					t.Fatalf("live: %d ± %v after %d", s.At, s.Err, last)
				}
				last = s.At
			}
		}
		number(t, live.Statement())
		tl, err := align.Fit(info, stamps, pings)
		if err != nil {
			t.Fatal(err)
		}
		number(t, tl.Statement())
		for _, p := range tl.Pieces() {
			if !(p.NsPerTick >= 0) || math.IsInf(p.NsPerTick, 0) || p.Err <= 0 || p.Until < p.Tick0 {
				t.Fatalf("piece %+v", p)
			}
		}
		for _, s := range stamps {
			if _, err := tl.At(s.Epoch, tl.Tick(s)); err <= 0 {
				t.Fatalf("final: a bound of %v", err)
			}
		}
	})
}

func number(t *testing.T, s align.Statement) {
	for _, v := range []float64{s.DriftPPM, s.JitterMs, s.BoundMs} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("%+v", s)
		}
	}
}
