package emobox

import (
	"context"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
)

// Pings meet a latency timer of any usual length at phases with no wide gap
// between them, whichever 30 of them are looked at.
func TestPingsMeetAllPhases(t *testing.T) {
	const pings = 30
	for timer, widest := range map[time.Duration]time.Duration{ // a thirtieth of the timer would be even
		16 * time.Millisecond: 900 * time.Microsecond,
		8 * time.Millisecond:  800 * time.Microsecond,
		4 * time.Millisecond:  500 * time.Microsecond,
		2 * time.Millisecond:  300 * time.Microsecond,
		time.Millisecond:      200 * time.Microsecond,
	} {
		for _, every := range []time.Duration{pingEvery, pingOften} {
			for first := range 100 {
				var phases []time.Duration
				for n := range pings {
					phases = append(phases, time.Duration(first+n)*every%timer)
				}
				if gap := widestGap(phases, timer); gap > widest {
					t.Fatalf("timer of %v: the phases of pings %d to %d, %v apart, have a gap of %v, want %v at most",
						timer, first, first+pings-1, every, gap, widest)
				}
			}
		}
	}
	var burst []time.Duration
	for n := range burstPings {
		burst = append(burst, time.Duration(n)*burstEvery%latencyTimer)
	}
	if gap := widestGap(burst, latencyTimer); gap > 4*time.Millisecond {
		t.Errorf("the phases of the burst have a gap of %v", gap)
	}
}

// widestGap is the longest way round a circle without a phase.
func widestGap(phases []time.Duration, circle time.Duration) time.Duration {
	slices.Sort(phases)
	widest := phases[0] + circle - phases[len(phases)-1]
	for i := 1; i < len(phases); i++ {
		widest = max(widest, phases[i]-phases[i-1])
	}
	return widest
}

// late is a clock on which every wait ends late by its step.
type late struct {
	now, step instant.Instant
}

func (l *late) Now() instant.Instant {
	l.now += l.step
	return l.now
}

// A beat that comes late does not put off those after it, and those that were
// missed are left out.
func TestBeatKeepsItsPhase(t *testing.T) {
	const every = 10 * time.Microsecond // waits of nothing, by the hands of this clock
	clock := &late{}
	b := startBeat(clock, every)
	for want, n := range []int{1, 2, 3} {
		clock.step = instant.Instant(every) - 1 // just before the next
		if !b.wait(t.Context()) || b.n != n {
			t.Fatalf("beat %d is number %d", want, b.n)
		}
	}
	clock.step = instant.Instant(7 * every)
	if !b.wait(t.Context()) || b.n != 10 {
		t.Errorf("after a stall of 7 beats comes number %d, want 10", b.n)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if startBeat(clock, time.Hour).wait(over) {
		t.Error("it waits on when it is over")
	}
}
