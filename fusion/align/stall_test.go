package align_test

import (
	"fmt"
	"testing"
	"time"

	"emolab/fusion/align/aligntest"
)

// However long the host halts, sequence numbers that count everything are believed: no
// sample is taken for missing, and no bound is wider. Where nothing is numbered, what is
// lost meanwhile can be anywhere in it, and the bounds hold that.
func TestHostStallsOfCountedClocks(t *testing.T) {
	const length = 2 * time.Minute
	for _, rate := range []float64{10, 60, 120} {
		for _, loss := range []float64{0, .02} {
			for _, halt := range []time.Duration{600 * time.Millisecond, 3 * time.Second, 7 * time.Second, 11 * time.Second} {
				t.Run(fmt.Sprintf("%v Hz, loss %v, %v", rate, loss, halt), func(t *testing.T) {
					t.Parallel()
					d := counting(3, rate)
					d.Loss = loss
					calm, _, err := d.Record(length).Final()
					if err != nil {
						t.Fatal(err)
					}
					for at := 25 * time.Second; at < length-halt-10*time.Second; at += 45 * time.Second {
						d.Stalls = append(d.Stalls, aligntest.Span{From: at, Until: at + halt})
					}
					rec := d.Record(length)
					final, tl, err := rec.Final()
					if err != nil {
						t.Fatal(err)
					}
					check(t, "numbered", final, time.Millisecond, calm.Bound+2*time.Millisecond)
					n := len(rec.Stamps)
					if lost := rec.Stamps[n-1].Seq - rec.Stamps[0].Seq + 1 - int64(n); tl.Statement().Lost != lost {
						t.Errorf("%d samples are said to be lost, want %d", tl.Statement().Lost, lost)
					}
					d.Uncounted = true
					if final, _, err = d.Record(length).Final(); err != nil || final.Covered < coverage {
						t.Errorf("not numbered: %v (%v)", final, err)
					}
				})
			}
		}
	}
}

// Where batches keep step with the samples (125 Hz and 16 ms), arrivals lie on a lattice
// of the batches' own. A clock must not be taken for slow by it, with samples made up.
func TestBatchesInStep(t *testing.T) {
	for _, tt := range []struct {
		rate, drift float64
		batch       time.Duration
	}{{125, 5000, 16}, {125, 2000, 16}, {62.5, 2000, 16}, {250, 2000, 16}, {228.19, 4694, 11}} {
		for _, uncounted := range []bool{false, true} {
			d := counting(1, tt.rate)
			d.DriftPPM, d.Batch, d.Loss, d.Uncounted = tt.drift, tt.batch*time.Millisecond, .001825, uncounted
			final, _, err := d.Record(90 * time.Second).Final()
			if err != nil {
				t.Fatal(err)
			}
			if final.Covered < coverage || final.P95 > tt.batch*time.Millisecond {
				t.Errorf("%v, uncounted %v: %v; want errors within a batch", tt, uncounted, final)
			}
		}
	}
}
