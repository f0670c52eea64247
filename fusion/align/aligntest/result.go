package aligntest

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
)

// The budgets of alignment, on errors without a constant that no method can see.
const (
	FinalBudget = time.Millisecond     // p95, sealed
	LiveBudget  = 3 * time.Millisecond // p95, live
	// SilentShare of the sample interval is the budget, sealed, of a device that
	// gives nothing but arrivals.
	SilentShare = .25
	// Coverage is the share of samples whose bound must be true.
	Coverage = .99
	// flaggedFor is how long after a reset samples may be flagged: by a bound that
	// is wider than usual by more than an error may be.
	flaggedFor = time.Second
	// boundResiduals is how many times the median error a bound may add to half of
	// the smallest round trip.
	boundResiduals = 5
)

// Result is how a scenario came out.
type Result struct {
	Scenario    Scenario
	Interval    time.Duration // from one sample to the next
	Live, Final Score         // without the flagged samples
	// LiveCovered and FinalCovered are the shares of all samples whose bound is
	// true, those flagged included.
	LiveCovered, FinalCovered float64
	// RoundTrip is the smallest of the pings; 0 without any.
	RoundTrip time.Duration
	// Flagged is how long after a reset the live bound was wider than usual, in the
	// worst case.
	Flagged time.Duration
	Peers   []PeerScore
}

// PeerScore is how another method came out on the same data.
type PeerScore struct {
	Name string
	Score
}

// Run makes the recording, judges it, and scores the peers.
func (s Scenario) Run(length time.Duration) (Result, error) {
	rec := s.Record(length)
	out, err := s.Judge(rec)
	if err != nil {
		return out, err
	}
	for _, p := range Peers() {
		if at, ok := p.Place(rec); ok {
			out.Peers = append(out.Peers, PeerScore{p.Name, rec.Score(Placed{at, make([]time.Duration, len(at))}, s.Unseen, nil)})
		}
	}
	return out, nil
}

// Judge aligns a recording, which may have been made elsewhere, live and sealed, and
// scores both.
func (s Scenario) Judge(rec Recording) (Result, error) {
	out := Result{Scenario: s, Interval: time.Duration(float64(time.Second) / rec.Info.Rate), RoundTrip: rec.roundTrip()}
	live, _ := rec.Streamed()
	sealed, _, err := rec.Sealed()
	if err != nil {
		return out, fmt.Errorf("%s: %w", s.Name, err)
	}
	ordinary := rec.Score(live, s.Unseen, nil)
	usual := ordinary.BoundMedian + LiveBudget
	if s.Promise == Silent {
		usual = max(usual, ordinary.Bound) // each loss that is noticed widens it for a while
	}
	flagged := rec.beginnings(flaggedFor, 1)
	for i := range flagged {
		flagged[i] = flagged[i] && live.Err[i] > usual
	}
	out.Flagged = rec.flagged(live, usual)
	out.Live, out.Final = rec.Score(live, s.Unseen, flagged), rec.Score(sealed, s.Unseen, nil)
	out.LiveCovered, out.FinalCovered = rec.Score(live, false, nil).Covered, out.Final.Covered
	return out, nil
}

// roundTrip is the smallest round trip of the pings, by the device's nominal rate.
func (r Recording) roundTrip() time.Duration {
	least := time.Duration(math.MaxInt64)
	for _, p := range r.Pings {
		least = min(least, p.RTT(1e9/r.Info.TickHz))
	}
	if len(r.Pings) == 0 {
		return 0
	}
	return least
}

// flagged is the longest time after a reset, from the first arrival, over which
// bounds were wider than usual.
func (r Recording) flagged(live Placed, usual time.Duration) time.Duration {
	var longest time.Duration
	var from instant.Instant
	epoch, i, waiting := 0, 0, false
	for _, c := range r.Chunks {
		if c.Epoch != epoch {
			epoch, from, waiting = c.Epoch, firstArrival(c), true
		}
		for _, s := range c.Samples {
			waiting = waiting && live.Err[i] > usual
			if waiting {
				longest = max(longest, s.Arrival.Sub(from))
			}
			i++
		}
	}
	return longest
}

// Failures are the budgets that were missed, in words; none is as it should be.
func (r Result) Failures() []string {
	var out []string
	miss := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Live.Samples == 0 || r.Final.Samples == 0 {
		miss("nothing was scored")
		return out
	}
	final := FinalBudget
	if r.Scenario.Promise == Silent {
		final = time.Duration(SilentShare * float64(r.Interval))
	}
	if r.Final.P95 > final {
		miss("final p95 %.2f ms, budget %.2f ms", ms(r.Final.P95), ms(final))
	}
	if r.Scenario.Promise != Silent && r.Live.P95 > LiveBudget {
		miss("live p95 %.2f ms, budget %.2f ms", ms(r.Live.P95), ms(LiveBudget))
	}
	if r.Flagged > flaggedFor {
		miss("flagged for %.2f s after a reset, budget %.0f s", r.Flagged.Seconds(), flaggedFor.Seconds())
	}
	if r.LiveCovered < Coverage {
		miss("live bound true for %.2f %%", 100*r.LiveCovered)
	}
	if r.FinalCovered < Coverage {
		miss("final bound true for %.2f %%", 100*r.FinalCovered)
	}
	if r.Scenario.Promise == Asked {
		if most := r.RoundTrip/2 + boundResiduals*r.Final.MedianWhole; r.Final.BoundMedian > most {
			miss("bound median %.2f ms, budget %.2f ms", ms(r.Final.BoundMedian), ms(most))
		}
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
