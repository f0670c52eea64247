package emobox

import (
	"emolab/firmware-bridge/firmware"
	"emolab/firmware-bridge/wire"
)

// The slots of the converter, see PROTOCOL.md under Sampling.
const (
	// slotTicks is from one slot to the next.
	slotTicks = 1000
	// slotConversions are those of the skin's amplifier in one slot.
	slotConversions = 6
	// conversionTicks is the length of one conversion: 13 cycles of 125 kHz, and
	// one until it starts.
	conversionTicks = 112
	// From a slot's beginning to its light reading, and to its end.
	lightTicks = conversionTicks
	slotEnd    = (1 + slotConversions) * conversionTicks

	// skinTicks is from the middle of a slot's skin readings to its end: what is left
	// of wire.DelayTicks after the slots' own middle.
	skinTicks = wire.DelayTicks - (windowSlots-1)*slotTicks/2

	windowSlots       = 20
	windowConversions = windowSlots * slotConversions
	slotsPerSecond    = 1000
	boxStatusTicks    = 5_000_000
)

// board is the box's firmware in Go: for the same commands and the same codes of
// the converter it sends what the program in firmware-bridge/firmware sends, byte
// for byte. It has no clock and no inputs; whoever drives it gives it both. What
// it does not model is a transmit buffer that runs full.
type board struct {
	send   func(message []byte)
	serial uint32

	decoder wire.Decoder
	foreign int64 // whole frames of types that only a device sends
	rate    uint16
	on      wire.Capabilities

	sampling bool
	number   uint16
	phase    int // of the rate, in 1/1000 sample
	status   wire.Status
	due      uint32 // tick of the next status

	window    [windowSlots]uint32
	oldest    int
	missing   int // slots until the window is full, after power-up
	windowSum uint32

	judge        judge
	light, last  wire.Light // the block being filled, and the one before
	filled       int
	hole         bool
	lightNumber  uint16
	triggerCount uint16
}

// newBoard makes a board with a serial number. Each message goes to send.
func newBoard(serial uint32, send func(message []byte)) *board {
	return &board{send: send, serial: serial, rate: DefaultRate, missing: windowSlots}
}

// Greet sends a Hello. A board greets with wire.Started when it is powered up.
func (b *board) Greet(cause wire.Cause) {
	b.send(wire.AppendHello(nil, wire.Hello{
		Protocol: wire.Version, Cause: cause, Model: firmware.Model,
		Firmware: [3]uint8{firmware.Major, firmware.Minor, firmware.Patch},
		Serial:   b.serial, TickHz: tickHz, Rate: b.rate, Has: wire.HasLight | wire.HasTrigger, On: b.on,
	}))
}

// Receive obeys what the host sent. rx is the tick at which it came; now tells the
// tick at which an answer leaves.
func (b *board) Receive(p []byte, rx uint32, now func() uint32) {
	for len(p) > 0 {
		m, rest, ok := b.decoder.Next(p)
		if ok {
			b.obey(m, rx, now)
		}
		p = rest
	}
	f := b.decoder.Faults()
	b.status.BadFrames = uint16(f.COBS + f.CRC + f.Unknown + f.Short + f.Oversize + b.foreign)
}

func (b *board) obey(m wire.Message, rx uint32, now func() uint32) {
	switch m.Type {
	case wire.TypeIdentify:
		b.Greet(wire.Asked)
	case wire.TypeStart:
		b.start(now())
	case wire.TypeStop:
		b.sampling = false
	case wire.TypeRate:
		if hz := m.Uint16(); hz >= 1 && hz <= wire.MaxRate {
			b.rate = hz
		}
	case wire.TypePing:
		b.send(wire.AppendPong(nil, wire.Pong{ID: m.Uint16(), Rx: rx, Tx: now()}))
	case wire.TypeLightSet:
		set := m.LightSetting()
		b.turn(wire.HasLight, set.On)
		b.judge = judge{threshold: set.Threshold}
		b.filled, b.hole = 0, true
	case wire.TypeTriggerSet:
		b.turn(wire.HasTrigger, m.On())
	default:
		b.foreign++
	}
}

func (b *board) turn(what wire.Capabilities, on bool) {
	b.on &^= what
	if on {
		b.on |= what
	}
}

func (b *board) start(now uint32) {
	if b.sampling {
		return
	}
	b.sampling, b.number, b.phase = true, 0, 0
	b.judge = judge{threshold: b.judge.threshold}
	b.filled, b.hole = 0, true
	b.lightNumber, b.triggerCount = 0, 0
	b.due = now + boxStatusTicks
}

// Skin enters what the converter read of the skin in one slot: the sum of its
// slotConversions codes of 0..1023, the last one done at a tick.
func (b *board) Skin(sum uint32, end uint32) {
	b.windowSum += sum - b.window[b.oldest]
	b.window[b.oldest] = sum
	b.oldest = (b.oldest + 1) % windowSlots
	b.missing = max(0, b.missing-1)
	if !b.sampling || b.missing > 0 {
		return
	}
	b.phase += int(b.rate)
	if b.phase < slotsPerSecond {
		return
	}
	b.phase -= slotsPerSecond
	b.status.Samples++
	b.send(wire.AppendEDA(nil, wire.EDA{Seq: b.number, Tick: end, Raw: scaleMean(b.windowSum)}))
	b.number++
	if int32(end-b.due) >= 0 {
		b.due += boxStatusTicks
		b.send(wire.AppendStatus(nil, b.status))
	}
}

// Idle tells how many slots can pass before the board has something to say.
func (b *board) Idle() int {
	if !b.sampling {
		return slotsPerSecond
	}
	slots := (slotsPerSecond - b.phase + int(b.rate) - 1) / int(b.rate)
	if b.on != 0 {
		slots = min(slots, wire.LightReadings)
	}
	return max(1, slots)
}

// Watching tells whether readings of the photodiode are wanted now.
func (b *board) Watching() bool { return b.sampling && b.on.Has(wire.HasLight) }

// Listening tells whether edges of the trigger are wanted now.
func (b *board) Listening() bool { return b.sampling && b.on.Has(wire.HasTrigger) }

// Edge enters an edge of the trigger input: the level after it.
func (b *board) Edge(level uint8, tick uint32) {
	if !b.Listening() {
		return
	}
	b.send(wire.AppendTrigger(nil, wire.Trigger{Seq: b.triggerCount, Tick: tick, Level: level}))
	b.triggerCount++
}

// Light enters what the converter read of the photodiode in one slot, before the
// skin: its code of 0..1023, done at a tick.
func (b *board) Light(code uint16, tick uint32) {
	if !b.Watching() {
		return
	}
	if b.filled == 0 {
		b.light.Tick = tick
	}
	b.light.Raw[b.filled] = scaleOne(code)
	if b.filled++; b.filled < wire.LightReadings {
		return
	}
	b.filled = 0
	send, last := b.judge.block(&b.light.Raw, !b.hole)
	b.hole = false
	if last {
		b.sendLight(b.last)
	}
	if send {
		b.sendLight(b.light)
	}
	b.last = b.light
}

func (b *board) sendLight(l wire.Light) {
	l.Seq = b.lightNumber
	b.lightNumber++
	b.send(wire.AppendLight(nil, l))
}

// scaleMean returns the reading of a window's sum, see PROTOCOL.md under Sampling.
func scaleMean(sum uint32) uint16 {
	return uint16((128*(sum+windowConversions/2) + windowConversions) / (2 * windowConversions))
}

// scaleOne returns the reading of one code.
func scaleOne(code uint16) uint16 { return code*64 + 32 }
