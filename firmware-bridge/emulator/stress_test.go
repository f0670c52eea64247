package emulator_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
)

// bursts is a world whose trigger line is low, and in each period changes as
// often as there are steps: each is how long after the one before. There is an
// even number of them.
type bursts struct {
	scene
	period time.Duration
	steps  func(period int64) []time.Duration
}

func (w bursts) changes(period int64) []instant.Instant {
	at := w.origin.Add(time.Duration(period) * w.period)
	var all []instant.Instant
	for _, step := range w.steps(period) {
		at = at.Add(step)
		all = append(all, at)
	}
	return all
}

func (w bursts) Trigger(at instant.Instant) bool {
	high := false
	for _, change := range w.changes(w.turn(at, w.period)) {
		if change <= at {
			high = !high
		}
	}
	return high
}

func (w bursts) Jumps(from, until instant.Instant) []instant.Instant {
	all := w.edges(from, until, w.light)
	for p := w.turn(from, w.period); p <= w.turn(until, w.period); p++ {
		for _, change := range w.changes(p) {
			if change >= from && change < until {
				all = append(all, change)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// busiest runs the real firmware at its highest rate with everything on, until it
// has sent some edges of the trigger and a status. Of the samples none may be
// missing, and the edges must be in order.
func busiest(t *testing.T, w emulator.World, edges int) (*board, *heard) {
	t.Helper()
	host, image := realFirmware(t)
	b := start(t, host, image.ELF, emulator.Options{World: w})
	b.open()
	b.begun()
	var h heard
	b.command([]byte{0}, wire.AppendStop(nil), wire.AppendRate(nil, wire.MaxRate),
		wire.AppendLightSet(nil, wire.LightSetting{On: true}), wire.AppendTriggerSet(nil, true), wire.AppendStart(nil))
	for len(h.triggers) < edges || len(h.status) == 0 {
		b.hear(&h)
	}
	if f := h.decoder.Faults(); f != (wire.Faults{}) {
		t.Errorf("damaged frames: %+v", f)
	}
	if s := b.Stats(); s.Lost > 0 || s.Starved > 0 || s.Late > 0 || s.Resets > 0 {
		t.Errorf("%+v", s)
	}
	checkOrder(t, &h)
	return b, &h
}

// checkOrder wants ticks that rise and levels that alternate, and every sample.
func checkOrder(t *testing.T, h *heard) {
	t.Helper()
	for i, e := range h.eda {
		if e.Seq != uint16(i) {
			t.Fatalf("sample %d has number %d", i, e.Seq)
		}
	}
	for i := 1; i < len(h.triggers); i++ {
		a, b := h.triggers[i-1], h.triggers[i]
		if int32(b.Tick-a.Tick) < 0 || (b.Level == a.Level && b.Seq == a.Seq+1) {
			t.Errorf("edge %+v follows %+v", b, a)
		}
	}
}

// Pulses of 1 to 60 µs are told with both edges: the first to the tick, the second
// as PROTOCOL.md says where it came before the hardware was armed for it.
func TestFirmwareShortPulses(t *testing.T) {
	t.Parallel()
	const (
		exact     = 2 * time.Microsecond // a tick, and half a microsecond of the timer
		armedIn   = 40 * time.Microsecond
		stampedIn = 50 * time.Microsecond
	)
	w := bursts{scene: scene{light: 249_700_003}, period: 21_234_567}
	w.origin = instant.Monotonic{}.Now()
	width := func(p int64) time.Duration { return time.Duration(1+p%60) * time.Microsecond }
	w.steps = func(p int64) []time.Duration { return []time.Duration{5 * time.Millisecond, width(p)} }
	b, h := busiest(t, w, 480)
	var begins, ends, longest time.Duration
	for i, g := range h.triggers {
		if g.Seq != uint16(i) {
			t.Fatalf("edge %d has number %d", i, g.Seq)
		}
		at := b.at(float64(g.Tick) + .5)
		p := w.turn(at, w.period)
		miss := at.Sub(w.changes(p)[1-g.Level]).Abs()
		if g.Level == 1 {
			begins = max(begins, miss)
			continue
		}
		ends = max(ends, miss)
		if miss > exact {
			longest = max(longest, width(p))
		}
	}
	if begins > exact || ends > stampedIn || longest > armedIn {
		t.Errorf("pulses begin within %v and end within %v of the truth, the longest with a late end had %v; want at most %v, %v and %v",
			begins, ends, longest, exact, stampedIn, armedIn)
	}
	t.Logf("%d edges: begins within %v, ends within %v; the longest pulse with a late end had %v", len(h.triggers), begins, ends, longest)
}

// A line that flutters costs edges, which are counted, and not one sample.
func TestFirmwareFlutteringTrigger(t *testing.T) {
	t.Parallel()
	w := bursts{scene: scene{light: 249_700_003}, period: 521_234_567}
	w.origin = instant.Monotonic{}.Now()
	w.steps = func(p int64) []time.Duration {
		all := []time.Duration{5 * time.Millisecond}
		for i := range 199 {
			all = append(all, time.Duration(3+(int64(i)*7+p)%40)*time.Microsecond)
		}
		return all
	}
	_, h := busiest(t, w, 150)
	missing := 0
	for i := 1; i < len(h.triggers); i++ {
		missing += int(h.triggers[i].Seq - h.triggers[i-1].Seq - 1)
	}
	last := h.status[len(h.status)-1]
	if missing == 0 || last.TriggerUnsent == 0 || last.Unsent > 0 {
		t.Errorf("%d edges missing by their numbers, the box says %+v", missing, last)
	}
	t.Logf("%d edges, %d missing; %+v", len(h.triggers), missing, last)
}

// PINGs without a pause cost PINGs, not samples.
func TestFirmwareManyPings(t *testing.T) {
	t.Parallel()
	host, image := realFirmware(t)
	b := start(t, host, image.ELF, emulator.Options{})
	b.open()
	var h heard
	b.command([]byte{0}, wire.AppendStop(nil), wire.AppendRate(nil, 250), wire.AppendStart(nil))
	many := bytes.Repeat(wire.AppendPing(nil, 1), 90) // 0.12 s of the line
	for next := 20; len(h.status) == 0; {
		if len(h.eda) >= next {
			b.command(many)
			next += 50
		}
		b.hear(&h)
	}
	checkOrder(t, &h)
	if s := h.status[0]; s.Unsent > 0 || len(h.pongs) < 100 {
		t.Errorf("after %d pongs the box says %+v", len(h.pongs), s)
	}
	t.Logf("%d samples, %d pongs; %+v", len(h.eda), len(h.pongs), h.status[0])
}
