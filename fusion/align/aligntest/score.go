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
	Median, P95, Max time.Duration // of the absolute error, without Constant
	// Constant is what was taken out of the errors: their signed median, where a
	// part of them cannot be seen by any method; otherwise 0.
	Constant    time.Duration
	MedianWhole time.Duration // of the absolute error with the constant in it
	BoundMedian time.Duration // of the stated bounds
	Bound       time.Duration // their 95th percentile
	Covered     float64       // 0..1: share of samples whose whole error is within its bound
}

func (s Score) String() string {
	return fmt.Sprintf("%d samples: error median %v, p95 %v, max %v; bound p95 %v, true for %.2f %%",
		s.Samples, s.Median, s.P95, s.Max, s.Bound, 100*s.Covered)
}

// Placed is what an alignment says of the samples of a recording, in their order.
type Placed struct {
	At  []instant.Instant
	Err []time.Duration
}

// Sealed is the two-sided alignment of the recording.
func (r Recording) Sealed() (Placed, *align.Timeline, error) {
	t, err := align.Fit(r.Info, r.Stamps, r.Pings)
	if err != nil {
		return Placed{}, nil, err
	}
	p := Placed{make([]instant.Instant, len(r.Stamps)), make([]time.Duration, len(r.Stamps))}
	for i, s := range r.Stamps {
		p.At[i], p.Err[i] = t.At(s.Epoch, t.Tick(s))
	}
	return p, t, nil
}

// Streamed is the causal alignment of the recording, chunk by chunk.
func (r Recording) Streamed() (Placed, align.Statement) {
	l := align.NewLive(r.Info)
	p := Placed{make([]instant.Instant, 0, len(r.Stamps)), make([]time.Duration, 0, len(r.Stamps))}
	for _, c := range r.Chunks {
		for _, s := range l.Align(c).Samples {
			p.At, p.Err = append(p.At, s.At), append(p.Err, s.Err)
		}
	}
	return p, l.Statement()
}

// Score holds an alignment against the truth, but for the samples that except
// names; nil excepts none. With unseen, a constant is taken out of the errors.
func (r Recording) Score(p Placed, unseen bool, except []bool) Score {
	var c card
	for i := range p.At {
		if except == nil || !except[i] {
			c.add(p.At[i], r.Truth[i], p.Err[i])
		}
	}
	return c.score(unseen)
}

// Final scores the two-sided alignment of the recording.
func (r Recording) Final() (Score, *align.Timeline, error) {
	p, t, err := r.Sealed()
	if err != nil {
		return Score{}, nil, err
	}
	return r.Score(p, false, nil), t, nil
}

// Live scores the causal alignment of the recording, without the samples that
// arrive in the first warmUp of it and after each reconnection.
func (r Recording) Live(warmUp time.Duration) (Score, align.Statement) {
	p, statement := r.Streamed()
	return r.Score(p, false, r.beginnings(warmUp, 0)), statement
}

// beginnings tells which samples arrive in the first while of an epoch, of those
// from the given one on.
func (r Recording) beginnings(while time.Duration, fromEpoch int) []bool {
	in := make([]bool, len(r.Stamps))
	var from instant.Instant
	epoch, i := -1, 0
	for _, c := range r.Chunks {
		if c.Epoch != epoch {
			epoch, from = c.Epoch, firstArrival(c)
		}
		for _, s := range c.Samples {
			in[i] = epoch >= fromEpoch && s.Arrival.Sub(from) < while
			i++
		}
	}
	return in
}

func firstArrival(c stream.Chunk) instant.Instant {
	if len(c.Samples) > 0 {
		return c.Samples[0].Arrival
	}
	return c.Probes[0].T3
}

type card struct {
	errs, bounds []time.Duration // errors with their sign
	covered      int
}

func (c *card) add(at, truth instant.Instant, bound time.Duration) {
	e := at.Sub(truth)
	c.errs, c.bounds = append(c.errs, e), append(c.bounds, bound)
	if e.Abs() <= bound {
		c.covered++
	}
}

func (c *card) score(unseen bool) Score {
	n := len(c.errs)
	if n == 0 {
		return Score{}
	}
	slices.Sort(c.bounds)
	s := Score{
		Samples: n, Covered: float64(c.covered) / float64(n),
		BoundMedian: c.bounds[n/2], Bound: c.bounds[n*95/100],
	}
	slices.Sort(c.errs)
	if unseen {
		s.Constant = c.errs[n/2]
	}
	abs := make([]time.Duration, n)
	for i, e := range c.errs {
		abs[i] = e.Abs()
	}
	slices.Sort(abs)
	s.MedianWhole = abs[n/2]
	for i, e := range c.errs {
		abs[i] = (e - s.Constant).Abs()
	}
	slices.Sort(abs)
	s.Median, s.P95, s.Max = abs[n/2], abs[n*95/100], abs[n-1]
	return s
}
