package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/virtual"
)

// tape is what a source delivered, without the values, and the truth.
type tape struct {
	power      time.Duration // how long the device had it each time
	unnumbered bool          // the driver counts what comes, whatever is lost
	info       stream.Info
	chunks     []stream.Chunk
	truth      *script.Truth
}

// longestWay is how long a sample can be on its way on a worn line: the latency
// timer, its jitter and that of the batch before, and a tick of whole milliseconds.
const longestWay = 20 * time.Millisecond

// record runs the source until the device's last power is over.
func (k *tape) record(t *testing.T, source stream.Source, link *virtual.Link) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := make(chan stream.Chunk)
	ended := make(chan error, 1)
	go func() {
		defer close(out)
		ended <- source.Run(ctx, out)
	}()
	go func() {
		defer stop()
		for n := 1; connection.Wait(ctx, k.power); n++ {
			if err := link.Unplug(); err != nil {
				t.Error(err)
			}
			if n == powers {
				return
			}
			connection.Wait(ctx, pulledFor)
			if err := link.Plug(); err != nil {
				t.Error(err)
			}
		}
	}()
	for c := range out {
		c.Samples = slices.Clone(c.Samples)
		for i := range c.Samples {
			c.Samples[i].Values = nil
		}
		k.chunks = append(k.chunks, c)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// recording is what alignment gets to see, with the truth. On the way it looks
// whether the driver kept order, began anew with each power and with nothing else,
// lost not much more than the line did, and counted the ticks as the device did,
// wraps included.
func (k *tape) recording(t *testing.T) aligntest.Recording {
	t.Helper()
	rec := aligntest.Recording{Info: k.info}
	epoch, seq, turns := -1, int64(-1), int64(0)
	var arrival instant.Instant
	for _, c := range k.chunks {
		if c.Stream != k.info.ID || len(c.Samples)+len(c.Probes) == 0 {
			continue
		}
		rec.Chunks = append(rec.Chunks, c)
		rec.Stamps, rec.Pings = align.Stamps(rec.Stamps, c), align.Pings(rec.Pings, c)
		if c.Epoch < epoch {
			t.Fatalf("epoch %d after %d", c.Epoch, epoch)
		}
		for _, s := range c.Samples {
			if s.Seq <= seq || s.Arrival < arrival {
				t.Fatalf("sample %d, arrived at %d, after sample %d, arrived at %d", s.Seq, s.Arrival, seq, arrival)
			}
			at, ahead := k.taken(t, s)
			way, least := s.Arrival.Sub(at), time.Duration(0)
			if shift := k.info.Shift; shift != nil {
				way, least = way+shift.By, -shift.Within // from its tick on
			}
			if way < least || way > longestWay {
				t.Fatalf("sample %d with tick %d arrived %v after it", s.Seq, s.Tick, way)
			}
			if c.Epoch != epoch {
				turns = ahead
			}
			if off := ahead - turns; off < -1 || off > 1 {
				t.Fatalf("sample %d: the driver counts %d ticks more or less than the device since they were connected", s.Seq, off)
			}
			epoch, seq, arrival = c.Epoch, s.Seq, s.Arrival
			rec.Truth = append(rec.Truth, at)
		}
	}
	if epoch != powers-1 {
		t.Errorf("%d clocks, the device was switched on %d times", epoch+1, powers)
	}
	// The line loses 2 %, some drivers what surrounds a loss, and all take a while to
	// begin.
	const kept, toBegin = .94, 5 * time.Second
	if want := kept * powers * (k.power - toBegin).Seconds() * k.info.Rate; float64(len(rec.Truth)) < want {
		t.Errorf("%d samples, want %.0f or more", len(rec.Truth), want)
	}
	return rec
}

// taken returns when a sample was taken, and by how much the true count of its tick
// is ahead of the driver's.
func (k *tape) taken(t *testing.T, s stream.Sample) (at instant.Instant, ahead int64) {
	clock, ok := k.truth.Clock(k.info.ID, s.Arrival)
	if !ok {
		t.Fatalf("sample %d came before its clock began", s.Seq)
	}
	if k.unnumbered {
		// Nothing but its arrival tells which sample it is.
		return clock.At(clock.Tick(s.Arrival)), 0
	}
	at = clock.Near(s.Tick, s.Arrival)
	return at, clock.Tick(at) - s.Tick
}

// rounds returns how often a counter came round.
func (k *tape) rounds(c counter) int64 {
	turn := int64(1) << c.bits
	var n, from int64
	epoch := -1
	for _, chunk := range k.chunks {
		if chunk.Stream != k.info.ID {
			continue
		}
		for _, s := range chunk.Samples {
			count := s.Seq // begins with each connection
			if clock, ok := k.truth.Clock(k.info.ID, s.Arrival); ok && c.clock {
				count = clock.Tick(s.Arrival)
			}
			if chunk.Epoch != epoch {
				epoch, from = chunk.Epoch, count
				if c.clock {
					from -= count & (turn - 1)
				}
			}
			if count-from >= turn {
				n, from = n+1, from+turn
			}
		}
	}
	return n
}
