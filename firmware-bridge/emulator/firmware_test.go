package emulator_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
)

// scene is a moving world: the skin swings slowly, the light is a square wave,
// and so, with another period, is the trigger line.
type scene struct {
	origin        instant.Instant
	light, pulses time.Duration // half periods
}

const (
	darkMV   = 300.
	brightMV = 2900.
)

func (s scene) Skin(at instant.Instant) float64 {
	return 1500 + 800*math.Sin(2*math.Pi*.2*at.Sub(s.origin).Seconds())
}

func (s scene) Light(at instant.Instant) float64 {
	if s.turn(at, s.light)%2 == 0 {
		return darkMV
	}
	return brightMV
}

func (s scene) Trigger(at instant.Instant) bool { return s.turn(at, s.pulses)%2 != 0 }

func (s scene) turn(at instant.Instant, half time.Duration) int64 {
	return int64(math.Floor(float64(at.Sub(s.origin)) / float64(half)))
}

// edges returns the changes of one of the square waves in [from, until).
func (s scene) edges(from, until instant.Instant, half time.Duration) []instant.Instant {
	var all []instant.Instant
	for k := s.turn(from, half); ; k++ {
		at := s.origin.Add(time.Duration(k) * half)
		if at >= until {
			return all
		}
		if at >= from {
			all = append(all, at)
		}
	}
}

func (s scene) Jumps(from, until instant.Instant) []instant.Instant {
	all := append(s.edges(from, until, s.light), s.edges(from, until, s.pulses)...)
	slices.Sort(all)
	return slices.Compact(all)
}

// heard is what the firmware said.
type heard struct {
	decoder  wire.Decoder
	eda      []wire.EDA
	light    []wire.Light
	triggers []wire.Trigger
	status   []wire.Status
	pongs    []wire.Pong
	hellos   []wire.Hello
}

// hear reads once.
func (b *board) hear(h *heard) {
	b.t.Helper()
	if err := b.port.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	p := make([]byte, 4096)
	n, err := b.port.Read(p)
	if err != nil {
		b.t.Fatal(err)
	}
	for p = p[:n]; len(p) > 0; {
		m, rest, ok := h.decoder.Next(p)
		p = rest
		if !ok {
			break
		}
		switch m.Type {
		case wire.TypeEDA:
			h.eda = append(h.eda, m.EDA())
		case wire.TypeLight:
			h.light = append(h.light, m.Light())
		case wire.TypeTrigger:
			h.triggers = append(h.triggers, m.Trigger())
		case wire.TypeStatus:
			h.status = append(h.status, m.Status())
		case wire.TypePong:
			h.pongs = append(h.pongs, m.Pong())
		case wire.TypeHello:
			h.hellos = append(h.hellos, m.Hello())
		}
	}
}

func (b *board) command(frames ...[]byte) {
	b.t.Helper()
	b.write(string(slices.Concat(frames...)))
}

// realFirmware builds the host program and the box's firmware, or skips.
func realFirmware(t *testing.T) (host string, image firmware.Image) {
	t.Helper()
	host, _ = tools(t)
	image, err := firmware.Build(t.Context(), firmware.Options{Dir: t.TempDir(), Serial: 4242})
	if errors.Is(err, firmware.ErrNoCompiler) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Log(image.Use())
	return host, image
}

// TestFirmware runs the box's real firmware for some seconds and holds every
// message against the truth.
func TestFirmware(t *testing.T) {
	t.Parallel()
	host, image := realFirmware(t)
	var monotonic instant.Monotonic
	// Half periods that are no multiples of anything that the firmware does.
	w := scene{origin: monotonic.Now(), light: 249_700_003, pulses: 171_300_007}
	b := start(t, host, image.ELF, emulator.Options{World: w, DriftPPM: 2500, Noise: emulator.Supply / 1024., Seed: 3})
	b.open()
	b.begun()
	var h heard
	b.command([]byte{0}, wire.AppendStop(nil), wire.AppendIdentify(nil))
	for len(h.hellos) == 0 || h.hellos[len(h.hellos)-1].Cause != wire.Asked {
		b.hear(&h)
	}
	if got := h.hellos[len(h.hellos)-1]; got.Protocol != wire.Version || got.Serial != 4242 || got.TickHz != 1e6 ||
		got.Rate != 100 || !got.Has.Has(wire.HasLight|wire.HasTrigger) {
		t.Errorf("hello %+v", got)
	}
	b.command(wire.AppendRate(nil, 100), wire.AppendLightSet(nil, wire.LightSetting{On: true}),
		wire.AppendTriggerSet(nil, true), wire.AppendStart(nil))
	const seconds = 6
	sent := map[uint16]instant.Instant{}
	for id := uint16(0); len(h.eda) < 100*seconds || len(h.pongs) < int(id); {
		if len(h.eda) >= 10*int(id) && len(h.eda) < 100*seconds { // a ping each 100 ms
			sent[id] = monotonic.Now()
			b.command(wire.AppendPing(nil, id))
			id++
		}
		before := len(h.pongs)
		b.hear(&h)
		now := monotonic.Now()
		for _, p := range h.pongs[before:] {
			rx, tx := b.at(float64(p.Rx)), b.at(float64(p.Tx))
			if rx < sent[p.ID] || tx < rx || now < tx {
				t.Errorf("ping %d: sent at %d, received at %d, answered at %d, back at %d", p.ID, sent[p.ID], rx, tx, now)
			}
		}
	}
	if len(h.light) == 0 {
		t.Fatal("no light")
	}
	// What happened between these must have been told by now, whatever this machine
	// did meanwhile. Around an edge 16 readings come after it.
	begun := b.at(float64(h.light[0].Tick)).Add(20 * time.Millisecond)
	ended := b.at(float64(h.eda[len(h.eda)-1].Tick)).Add(-60 * time.Millisecond)

	if f := h.decoder.Faults(); f != (wire.Faults{}) {
		t.Errorf("damaged frames: %+v", f)
	}
	if len(h.status) == 0 {
		t.Error("no status within 6 s")
	}
	for _, s := range h.status {
		if s.Unsent != 0 || s.BadFrames != 0 || s.Overruns != 0 || s.LightUnsent != 0 || s.TriggerUnsent != 0 {
			t.Errorf("the firmware lost something: %+v", s)
		}
	}
	if len(h.pongs) != len(sent) || len(sent) < 10 {
		t.Errorf("%d pongs, want one for each of %d pings", len(h.pongs), len(sent))
	}
	checkEDA(t, b, w, h.eda)
	checkLight(t, b, w, h.light, begun, ended)
	checkTriggers(t, b, w, h.triggers, begun, ended)
	s := b.Stats()
	if s.Lost > 0 || s.Starved > 0 || s.Late > 0 || s.Resets > 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d samples, %d light messages, %d edges, %d pongs; farthest behind %v",
		len(h.eda), len(h.light), len(h.triggers), len(h.pongs), s.MaxLag)
}

// checkEDA holds the samples against the skin's voltage.
func checkEDA(t *testing.T, b *board, w scene, all []wire.EDA) {
	t.Helper()
	const (
		count = emulator.Supply / 65536. // mV
		// A conversion's noise is one step of 64 counts, and its rounding adds
		// 64/sqrt(12): over 120 conversions 6 counts. The mean over 20 ms of the
		// swing is its middle to less than that.
		tolerance = 5.5 * 6 * count
	)
	sum, most := 0., 0.
	for i, e := range all {
		if e.Seq != uint16(i) {
			t.Fatalf("sample %d has number %d", i, e.Seq)
		}
		if i > 0 && e.Tick-all[i-1].Tick != 10_000 {
			// The tick is read in the converter's interrupt, which can be some µs late.
			if d := int64(e.Tick-all[i-1].Tick) - 10_000; d < -30 || d > 30 {
				t.Errorf("sample %d comes %d ticks after the one before", i, e.Tick-all[i-1].Tick)
			}
		}
		miss := (float64(e.Raw)+.5)*count - w.Skin(b.at(float64(e.Tick)-wire.DelayTicks))
		sum += miss
		most = max(most, math.Abs(miss))
	}
	if mean := sum / float64(len(all)); math.Abs(mean) > 2*count || most > tolerance {
		t.Errorf("skin: off by %.3f mV on average and %.2f at most, want less than %.3f and %.2f", mean, most, 2*count, tolerance)
	} else {
		t.Logf("skin: off by %.4f mV on average, %.2f at most", mean, most)
	}
}

// checkLight finds the edges of the light in the readings, as a host does, and
// holds them against the truth.
func checkLight(t *testing.T, b *board, w scene, all []wire.Light, begun, ended instant.Instant) {
	t.Helper()
	const middle = (darkMV + brightMV) / 2 / emulator.Supply * 65536
	var found []instant.Instant
	var lastTick uint32
	last := math.NaN()
	for i, l := range all {
		if l.Seq != uint16(i) {
			t.Fatalf("light message %d has number %d", i, l.Seq)
		}
		for k, r := range l.Raw {
			tick := l.Tick + uint32(k)*wire.LightTicks
			if x := float64(r); !math.IsNaN(last) && (last < middle) != (x < middle) && tick-lastTick < 1100 {
				found = append(found, b.at(float64(lastTick)/2+float64(tick)/2))
			}
			last, lastTick = float64(r), tick
		}
	}
	want := w.edges(begun, ended, w.light)
	most := time.Duration(0)
	for _, at := range want {
		miss := time.Hour
		for _, f := range found {
			miss = min(miss, f.Sub(at).Abs())
		}
		most = max(most, miss)
		if miss > 700*time.Microsecond { // half of the 1 ms between two readings, and a conversion
			t.Errorf("light: an edge is %v from the nearest in the readings", miss)
		}
	}
	t.Logf("light: %d edges, %v beside the truth at most", len(want), most)
}

// checkTriggers holds the edges of the trigger line against the truth.
func checkTriggers(t *testing.T, b *board, w scene, all []wire.Trigger, begun, ended instant.Instant) {
	t.Helper()
	most := time.Duration(0)
	for i, g := range all {
		if g.Seq != uint16(i) {
			t.Fatalf("trigger %d has number %d", i, g.Seq)
		}
		at := b.at(float64(g.Tick))
		if w.Trigger(at.Add(time.Millisecond)) != (g.Level == 1) {
			t.Errorf("trigger %d has level %d", i, g.Level)
		}
		miss := time.Hour
		for _, edge := range w.edges(at.Add(-time.Second), at.Add(time.Second), w.pulses) {
			miss = min(miss, at.Sub(edge).Abs())
		}
		most = max(most, miss)
	}
	if most > 20*time.Microsecond {
		t.Errorf("triggers: %v beside the truth at most", most)
	}
	if n, want := len(all), len(w.edges(begun, ended, w.pulses)); n < want {
		t.Errorf("%d triggers, want %d", n, want)
	}
	t.Logf("triggers: %d edges, %v beside the truth at most", len(all), most)
}

// A box that hangs is not this test's to make; the button is. Each says so.
func TestFirmwareSaysWhyItBegan(t *testing.T) {
	t.Parallel()
	host, image := realFirmware(t)
	b := start(t, host, image.ELF, emulator.Options{ResetOnOpen: true})
	b.open()
	var h heard
	for len(h.hellos) == 0 {
		b.hear(&h)
	}
	if err := b.Reset(); err != nil {
		t.Fatal(err)
	}
	for len(h.hellos) < 2 {
		b.hear(&h)
	}
	for i, got := range h.hellos {
		if got.Cause != wire.Started {
			t.Errorf("hello %d has cause %d", i, got.Cause)
		}
	}
}
