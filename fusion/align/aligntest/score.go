package aligntest

import (
	"fmt"
	"slices"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Score is how far an alignment is from the truth.
type Score struct {
	Samples          int
	Median, P95, Max time.Duration // of the absolute error
	Bound            time.Duration // 95th percentile of the stated bounds
	Covered          float64       // 0..1: share of samples whose error is within its bound
}

func (s Score) String() string {
	return fmt.Sprintf("%d samples: error median %v, p95 %v, max %v; bound p95 %v, true for %.2f %%",
		s.Samples, s.Median, s.P95, s.Max, s.Bound, 100*s.Covered)
}

// Final scores the two-sided alignment of the recording.
func (r Recording) Final() (Score, *align.Timeline, error) {
	t, err := align.Fit(r.Info, r.Stamps, r.Pings)
	if err != nil {
		return Score{}, nil, err
	}
	var c card
	for i, s := range r.Stamps {
		at, bound := t.At(s.Epoch, t.Tick(s))
		c.add(at, r.Truth[i], bound)
	}
	return c.score(), t, nil
}

// Live scores the causal alignment of the recording, without the samples that
// arrive in the first warmUp of it and after each reconnection.
func (r Recording) Live(warmUp time.Duration) (Score, align.Statement) {
	l := align.NewLive(r.Info)
	var c card
	var from instant.Instant
	epoch, i := -1, 0
	for _, chunk := range r.Chunks {
		if chunk.Epoch != epoch {
			epoch, from = chunk.Epoch, firstArrival(chunk)
		}
		for _, s := range l.Align(chunk).Samples {
			if s.Arrival.Sub(from) >= warmUp {
				c.add(s.At, r.Truth[i], s.Err)
			}
			i++
		}
	}
	return c.score(), l.Statement()
}

func firstArrival(c stream.Chunk) instant.Instant {
	if len(c.Samples) > 0 {
		return c.Samples[0].Arrival
	}
	return c.Probes[0].T3
}

type card struct {
	errs, bounds []time.Duration
	covered      int
}

func (c *card) add(at, truth instant.Instant, bound time.Duration) {
	e := at.Sub(truth).Abs()
	c.errs, c.bounds = append(c.errs, e), append(c.bounds, bound)
	if e <= bound {
		c.covered++
	}
}

func (c *card) score() Score {
	n := len(c.errs)
	if n == 0 {
		return Score{}
	}
	slices.Sort(c.errs)
	slices.Sort(c.bounds)
	return Score{
		Samples: n,
		Median:  c.errs[n/2], P95: c.errs[n*95/100], Max: c.errs[n-1],
		Bound:   c.bounds[n*95/100],
		Covered: float64(c.covered) / float64(n),
	}
}
