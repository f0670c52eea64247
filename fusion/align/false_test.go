package align_test

import (
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/stream"
)

// One tick far in the future, from damage that no check caught, must not end the
// renewal of the live estimate nor empty its window.
func TestLiveOutlivesAFalseTick(t *testing.T) {
	rec := aligntest.EyeTracker(3).Record(time.Minute)
	live := align.NewLive(rec.Info)
	var bound time.Duration
	for i, s := range rec.Stamps {
		tick := s.Tick
		damaged := i == len(rec.Stamps)/4
		if damaged {
			tick += int64(100 * rec.Info.TickHz)
		}
		out := live.Align(stream.Chunk{Samples: []stream.Sample{{Seq: s.Seq, Tick: tick, Arrival: s.Arrival}}}).Samples[0]
		switch {
		case damaged:
			if out.At > s.Arrival {
				t.Errorf("placed %v after its arrival", out.At.Sub(s.Arrival))
			}
		case i == len(rec.Stamps)/4-1:
			bound = out.Err
		case i == len(rec.Stamps)-1:
			if out.Err > bound {
				t.Errorf("bound %v at the end, it was %v before the damage", out.Err, bound)
			}
		}
		if e := out.At.Sub(rec.Truth[i]).Abs(); e > out.Err {
			t.Fatalf("sample %d: off by %v, bound %v", i, e, out.Err)
		}
	}
}
