package iscan

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
	"emolab/sensors/eyetracker/linetest"
)

// arrives returns when field i of a camera arrives that flushes every 16 ms.
func arrives(i int, hz float64) time.Duration {
	const batch = 16 * time.Millisecond
	return (time.Duration(float64(i)/hz*1e9)/batch + 1) * batch
}

// hear lets a dialogue hear half a minute of a camera, whose frames arrive when late says.
func hear(t *testing.T, stated int, hz float64, late func(time.Duration) time.Duration) (samples int, why string) {
	t.Helper()
	o := options("x")
	o.Rate = stated
	o = o.withDefaults()
	var reads []linetest.Read
	for i := range int(30 * hz) {
		at := instant.Instant(time.Hour).Add(late(arrives(i, hz)))
		if n := len(reads); n == 0 || reads[n-1].At != at {
			reads = append(reads, linetest.Read{At: at})
		}
		r := &reads[len(reads)-1]
		r.Bytes = AppendFrame(r.Bytes, 7, 600, 1700, 341)
	}
	got, why := linetest.Play(t, func(log *connection.Log) connection.Dialogue { return newDialogue(o, log) }, reads)
	return len(got.Samples()), why
}

// A camera other than the one that was stated is found, also on a host that stands
// still now and then.
func TestPaceFindsTheCamera(t *testing.T) {
	for _, c := range []struct {
		stated int
		hz     float64
		says   string // "" = nothing
	}{
		{60, 60, ""}, {60, 59.94, ""}, {120, 120.6, ""}, {240, 240, ""}, {60, 50, ""},
		{60, 120, "120 frames"}, {60, 240, "240 frames"}, {120, 60, "60 frames"},
		{120, 240, "240 frames"}, {240, 120, "120 frames"}, {240, 59.94, "60 frames"},
		{120, 90, ""}, {60, 20, ""}, // no cameras
	} {
		for _, every := range []time.Duration{0, 9 * time.Second} {
			_, why := hear(t, c.stated, c.hz, func(at time.Duration) time.Duration {
				if every > 0 && at%every < time.Second {
					return at - at%every + time.Second
				}
				return at
			})
			if (c.says == "") != (why == "") || !strings.Contains(why, c.says) {
				t.Errorf("stated %d, %v frames a second, stalls every %v: %q, want %q", c.stated, c.hz, every, why, c.says)
			}
		}
	}
}

// A right setting is not blamed, whatever the host does.
func TestPaceForgivesStalls(t *testing.T) {
	for _, rate := range []int{60, 120, 240} {
		for _, stall := range []time.Duration{300 * time.Millisecond, 1900 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second} {
			for _, between := range []time.Duration{0, 150 * time.Millisecond, 700 * time.Millisecond, 2 * time.Second, 2500 * time.Millisecond, 4200 * time.Millisecond} {
				n, why := hear(t, rate, float64(rate), func(at time.Duration) time.Duration {
					if in := at % (stall + between); in < stall {
						return at - in + stall
					}
					return at
				})
				if why != "" || n != 30*rate-2 {
					t.Errorf("%d Hz, stalls of %v, %v apart: %d samples, %q", rate, stall, between, n, why)
				}
			}
		}
	}
}

// Nor is it by stalls of any length at any time, after which what waited comes at once
// or bit by bit.
func TestPaceForgivesABusyHost(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		rate := []int{60, 120, 240}[r.IntN(3)]
		busy := time.Duration(0) // until then
		share := r.Float64() / 5
		_, why := hear(t, rate, float64(rate), func(at time.Duration) time.Duration {
			if at > busy && r.Float64() < share {
				busy = at + time.Duration(r.ExpFloat64()*float64(time.Second))
			} else if at < busy {
				busy += time.Duration(r.IntN(3)) * time.Millisecond
			}
			return max(at, busy)
		})
		if why != "" {
			t.Errorf("seed %d: %d Hz: %q", seed, rate, why)
		}
	}
}
