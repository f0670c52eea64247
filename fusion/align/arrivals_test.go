package align_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// A camera that nobody stamps changes its rate and loses frames untold, whatever it
// says of itself; one in twenty frames is held up. Its frames stay within a frame of
// their arrival, in order, and those that were held up come nearer to their own time.
func TestUnstampedFramesAreNotCounted(t *testing.T) {
	for name, interval := range map[string]func(i int) time.Duration{
		"as it says":            func(int) time.Duration { return 40 * time.Millisecond },
		"dark after a minute":   func(i int) time.Duration { return time.Duration(40+27*min(i/1500, 1)) * time.Millisecond },
		"faster than it says":   func(int) time.Duration { return 34 * time.Millisecond },
		"every other one twice": func(i int) time.Duration { return time.Duration(33+33*(i%2)) * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			info := stream.Info{ID: "face", Kind: stream.Face, Clock: stream.ArrivalClock, TickHz: 1e9, Rate: 25,
				Shift: &stream.Shift{Within: 5 * time.Millisecond}}
			taken, read := instant.Instant(time.Hour), instant.Instant(0)
			var stamps []align.Stamp
			var truth []instant.Instant
			for i := range 3000 {
				taken = taken.Add(interval(i))
				late := time.Duration(r.Float64() * 3e6)
				if r.IntN(20) == 0 {
					late += 20 * time.Millisecond
				}
				read = max(read, taken.Add(late))
				if r.IntN(5) > 0 { // one in five is lost untold
					stamps = append(stamps, align.Stamp{Seq: int64(len(stamps)), Tick: int64(read), Arrival: read})
					truth = append(truth, taken)
				}
			}
			tl, err := align.Fit(info, stamps, nil)
			if err != nil {
				t.Fatal(err)
			}
			worse, last := 0, instant.Instant(0)
			for i, s := range stamps {
				at, bound := tl.At(0, s.Tick)
				if at < last || at > s.Arrival {
					t.Fatalf("frame %d at %d, after %d and arrived at %d", i, at, last, s.Arrival)
				}
				if e := at.Sub(truth[i]).Abs(); e > bound {
					t.Fatalf("frame %d: off by %v, bound %v", i, e, bound)
				} else if e > s.Arrival.Sub(truth[i])+3*time.Millisecond {
					worse++
				}
				last = at
			}
			if worse > len(stamps)/50 {
				t.Errorf("%d of %d frames are further off than their arrivals", worse, len(stamps))
			}
		})
	}
}
