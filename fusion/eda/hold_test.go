package eda

import (
	"math"
	"testing"
	"time"

	"emolab/fusion/script"
)

// A device that changes its range repeats its last reading for some tens of
// milliseconds; such readings come as missing. No response may be lost or made by
// that, wherever in it the hole lies, and in the live reading neither.
func TestShortHolesCostNoResponse(t *testing.T) {
	const hole, every = 8, 97 // samples at 100 Hz: 80 ms, about once a second
	for seed := range uint64(4) {
		at, us := recorded(script.New(seed), 100, .001)
		want, wantLive := Analyze(at, us, Options{Rate: 100}).Responses, follow(at, us, Options{}).onsets
		if len(want) < 3 || len(wantLive) < 3 {
			t.Fatalf("seed %d has %d responses, %d live: too few to prove anything", seed, len(want), len(wantLive))
		}
		for from := 0; from < every; from += 16 {
			holes := append([]float64(nil), us...)
			for i := range holes {
				if (i+every-from)%every < hole {
					holes[i] = math.NaN()
				}
			}
			got := Analyze(at, holes, Options{Rate: 100}).Responses
			if len(got) != len(want) {
				t.Fatalf("seed %d, holes from %d: %d responses, %d without holes", seed, from, len(got), len(want))
			}
			for i, r := range got {
				w := want[i]
				if off := r.Onset.Sub(w.Onset).Abs(); off > 100*time.Millisecond || math.Abs(r.AmplitudeUS-w.AmplitudeUS) > .05*w.AmplitudeUS {
					t.Errorf("seed %d, holes from %d: response %d moved by %v, its amplitude from %.3f to %.3f µS", seed, from, i, off, w.AmplitudeUS, r.AmplitudeUS)
				}
			}
			live := follow(at, holes, Options{}).onsets
			if len(live) != len(wantLive) {
				t.Fatalf("seed %d, holes from %d: %d live responses, %d without holes", seed, from, len(live), len(wantLive))
			}
			for i := range live {
				if off := live[i].Sub(wantLive[i]).Abs(); off > 150*time.Millisecond {
					t.Errorf("seed %d, holes from %d: live response %d moved by %v", seed, from, i, off)
				}
			}
		}
	}
}
