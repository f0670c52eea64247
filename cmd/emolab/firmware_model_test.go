package main

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialport"
)

// tickWorld is a world that is fixed to the board's own clock, so that a model
// that is given the same inputs at the same ticks must say the same. Nothing
// moves in the first seconds, while the clock is not known yet.
type tickWorld struct{ clock *atomic.Pointer[script.Clock] }

const (
	worldSkinMV  = 1234.
	worldDarkMV  = 300.
	worldLitMV   = 2900.
	worldStill   = 3_000_000 // ticks until the first jump
	flashTicks   = 250_000
	triggerTicks = 171_300
	// A jump lies between two slots' readings, which are taken some 100 ticks
	// after each thousand.
	jumpPhase = 600
)

// turns counts the jumps of one input until a tick.
func turns(tick, every int64) int64 { return max(0, tick-worldStill-jumpPhase+every) / every }

func (w tickWorld) tick(at instant.Instant) int64 {
	c := w.clock.Load()
	if c == nil || at < c.At0 {
		return 0
	}
	return int64(math.Round(float64(at-c.At0) / c.NsPerTick))
}

func (w tickWorld) Skin(instant.Instant) float64 { return worldSkinMV }

func (w tickWorld) Light(at instant.Instant) float64 { return lightAt(w.tick(at)) }

func lightAt(tick int64) float64 {
	if turns(tick, flashTicks)%2 == 1 {
		return worldLitMV
	}
	return worldDarkMV
}

func (w tickWorld) Trigger(at instant.Instant) bool { return turns(w.tick(at), triggerTicks)%2 == 1 }

func (w tickWorld) Jumps(from, until instant.Instant) []instant.Instant {
	c := w.clock.Load()
	if c == nil {
		return nil
	}
	var jumps []instant.Instant
	for _, every := range []int64{flashTicks, triggerTicks} {
		for k := turns(w.tick(from), every); ; k++ {
			at := c.At(worldStill + jumpPhase + k*every)
			if at >= until {
				break
			}
			if at >= from {
				jumps = append(jumps, at)
			}
		}
	}
	slices.Sort(jumps)
	return slices.Compact(jumps)
}

// said is one message of either.
type said struct {
	kind    wire.Type
	payload []byte
}

// decode returns the messages in a run of bytes, but the pongs' and triggers' apart.
func decode(t *testing.T, d *wire.Decoder, p []byte) []said {
	t.Helper()
	var all []said
	for len(p) > 0 {
		m, rest, ok := d.Next(p)
		p = rest
		if ok {
			all = append(all, said{m.Type, append([]byte(nil), m.Payload...)})
		}
	}
	if f := d.Faults(); f != (wire.Faults{}) {
		t.Fatalf("damaged frames: %+v", f)
	}
	return all
}

// of returns the messages of some types, in order.
func of(all []said, kinds ...wire.Type) []said {
	var some []said
	for _, m := range all {
		if slices.Contains(kinds, m.kind) {
			some = append(some, m)
		}
	}
	return some
}

// ticksOf returns where in a payload its ticks are.
func ticksOf(kind wire.Type) []int {
	switch kind {
	case wire.TypeEDA, wire.TypeLight, wire.TypeTrigger:
		return []int{2}
	case wire.TypePong:
		return []int{2, 6}
	}
	return nil
}

// jitter is how late, in ticks, another interrupt can make a stamp of the
// firmware; the model has none.
const jitter = 60

// sameSaid compares the firmware's messages with the model's: byte for byte, but
// for ticks, which may differ by jitter (those of pongs are not compared).
func sameSaid(t *testing.T, what string, firmware, model []said) {
	t.Helper()
	if d := len(firmware) - len(model); d < -1 || d > 1 { // the end is not at the same slot
		t.Errorf("%s: %d messages of the firmware, %d of the model", what, len(firmware), len(model))
	}
	for i := range min(len(firmware), len(model)) {
		f, m := firmware[i], model[i]
		if f.kind == m.kind && len(f.payload) == len(m.payload) {
			for _, at := range ticksOf(f.kind) {
				d := int32(binary.LittleEndian.Uint32(f.payload[at:]) - binary.LittleEndian.Uint32(m.payload[at:]))
				if f.kind != wire.TypePong && (d < -jitter || d > jitter) {
					t.Fatalf("%s: message %d: the firmware's tick is %d beside the model's", what, i, d)
				}
				copy(f.payload[at:at+4], m.payload[at:])
			}
		}
		if f.kind != m.kind || !slices.Equal(f.payload, m.payload) {
			t.Fatalf("%s: message %d: the firmware says %02x % x, the model %02x % x", what, i, f.kind, f.payload, m.kind, m.payload)
		}
	}
}

// TestModelIsTheFirmware holds one conversation with both, over the same inputs:
// identification, damaged and foreign frames, a wrong rate, pings, light, trigger,
// status, stop.
func TestModelIsTheFirmware(t *testing.T) {
	hostProgram(t)
	host, err := emulator.Find()
	if err != nil {
		t.Fatal(err)
	}
	const serial = 77
	image, err := firmware.Build(t.Context(), firmware.Options{Dir: t.TempDir(), Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	w := tickWorld{new(atomic.Pointer[script.Clock])}
	powered := make(chan struct{})
	board, err := emulator.Start(t.Context(), emulator.Options{
		Host: host, ELF: image.ELF, Link: filepath.Join(t.TempDir(), "emobox"), World: w, Clock: instant.Monotonic{},
		PoweredOn: func(c script.Clock) {
			if w.clock.Swap(&c) == nil {
				close(powered)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := board.Close(); err != nil {
			t.Error(err)
		}
	}()
	<-powered // Start returns a moment before the first cycle
	port, err := serialport.Open(serialport.Config{Path: board.Path(), Silence: 5 * time.Second, Clock: instant.Monotonic{}})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()

	damaged := wire.AppendRate(nil, 50)
	damaged[2] ^= 0x40
	before := slices.Concat([]byte{0}, wire.AppendStop(nil), wire.AppendIdentify(nil), damaged,
		wire.AppendEDA(nil, wire.EDA{}), wire.AppendRate(nil, 0), wire.AppendRate(nil, wire.MaxRate+1),
		wire.AppendPing(nil, 7), wire.AppendRate(nil, 200), wire.AppendLightSet(nil, wire.LightSetting{On: true}),
		wire.AppendTriggerSet(nil, true), wire.AppendIdentify(nil), wire.AppendPing(nil, 0))
	start := wire.AppendStart(nil)
	after := slices.Concat(wire.AppendStop(nil), wire.AppendIdentify(nil))

	// The first window of 20 ms reaches back to before the board had power; the model
	// has no such moment.
	var clock instant.Monotonic
	until := time.NewTimer(w.clock.Load().At0.Add(50 * time.Millisecond).Sub(clock.Now()))
	defer until.Stop()
	<-until.C
	heard := converse(t, port, before, start, after)
	modelled := model(t, serial, heard, before, start, after)
	sameSaid(t, "hello", of(heard, wire.TypeHello), of(modelled, wire.TypeHello))
	sameSaid(t, "pong", of(heard, wire.TypePong), of(modelled, wire.TypePong))
	sameSaid(t, "samples and status", of(heard, wire.TypeEDA, wire.TypeStatus), of(modelled, wire.TypeEDA, wire.TypeStatus))
	sameSaid(t, "light", of(heard, wire.TypeLight), of(modelled, wire.TypeLight))
	sameSaid(t, "trigger", of(heard, wire.TypeTrigger), of(modelled, wire.TypeTrigger))
	if s := of(heard, wire.TypeStatus); len(s) == 0 {
		t.Error("no status")
	}
	if n := len(of(heard, wire.TypeTrigger)); n < 10 {
		t.Errorf("%d triggers", n)
	}
	t.Logf("%d messages are the same", len(heard))
}

// samplesHeld is how many samples the conversation lasts: 5.4 s at 200 a second.
const samplesHeld = 1080

// converse talks to the firmware and returns what it said from its first answer on.
func converse(t *testing.T, port *serialport.Port, before, start, after []byte) []said {
	t.Helper()
	var d wire.Decoder
	var all []said
	until := func(what string, done func() bool) {
		t.Helper()
		b := make([]byte, 4096)
		for !done() {
			n, _, err := port.Read(b)
			if err != nil {
				t.Fatalf("waiting for %s: %v", what, err)
			}
			all = append(all, decode(t, &d, b[:n])...)
		}
	}
	send := func(p []byte) {
		t.Helper()
		if _, err := port.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	send(before)
	until("two pongs", func() bool { return len(of(all, wire.TypePong)) == 2 })
	if all[0].kind == wire.TypeHello && wire.Cause(all[0].payload[1]) != wire.Asked {
		all = all[1:] // of power-up: it comes only where the port was open by then
	}
	send(start)
	until("the samples", func() bool { return len(of(all, wire.TypeEDA)) >= samplesHeld })
	hellos := len(of(all, wire.TypeHello))
	send(after)
	until("the last hello", func() bool { return len(of(all, wire.TypeHello)) > hellos })
	return all
}

// model lets the model have the same conversation. When each slot came it takes
// from the ticks of the firmware.
func model(t *testing.T, serial uint32, heard []said, before, start, after []byte) []said {
	t.Helper()
	lights, samples := of(heard, wire.TypeLight), of(heard, wire.TypeEDA)
	if len(lights) == 0 || len(samples) == 0 {
		t.Fatal("no light, or no samples")
	}
	first := binary.LittleEndian.Uint32(lights[0].payload[2:]) // light reading of slot 0
	// At 200 a second the first sample is the fifth slot's.
	end := binary.LittleEndian.Uint32(samples[0].payload[2:]) - 4*emobox.SlotTicks

	var d wire.Decoder
	var all []said
	b := emobox.NewBoard(serial, func(m []byte) { all = append(all, decode(t, &d, m)...) })
	code := func(mv float64) uint32 { return uint32(math.Floor(mv * 1024 / emulator.Supply)) }
	skin := emobox.SlotConversions * code(worldSkinMV)
	slot := func(n int64) {
		lit := first + uint32(n*emobox.SlotTicks)
		b.Slot(uint16(code(lightAt(int64(lit)))), lit, skin, end+uint32(n*emobox.SlotTicks))
	}
	now := func() uint32 { return first }
	for n := int64(-40); n < 0; n++ {
		slot(n) // before START, so that the window is full
	}
	b.Receive(before, first, now)
	b.Receive(start, first, now)
	edge := turns(int64(first), triggerTicks)
	for n := int64(0); len(of(all, wire.TypeEDA)) < len(samples); n++ {
		at := worldStill + jumpPhase + edge*triggerTicks
		if at <= int64(first)+n*emobox.SlotTicks {
			edge++
			b.Edge(uint8(edge%2), uint32(at))
		}
		slot(n)
	}
	b.Receive(after, first, now)
	return all
}
