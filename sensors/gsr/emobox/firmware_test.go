package emobox

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/sensors/serialport"
)

// scene is what the emulated firmware's inputs see: a still skin, and a light and
// a trigger that change at a steady pace.
type scene struct {
	origin instant.Instant
	half   time.Duration
}

const (
	skinMV  = 1500
	skinSum = slotConversions * (skinMV * 1024 / emulator.Supply) // of one slot, without noise
)

func (s scene) turn(at instant.Instant) int64    { return int64(at.Sub(s.origin) / s.half) }
func (s scene) Skin(instant.Instant) float64     { return skinMV }
func (s scene) Light(at instant.Instant) float64 { return 300 + 2600*float64(s.turn(at)%2) }
func (s scene) Trigger(at instant.Instant) bool  { return s.turn(at)%2 != 0 }
func (s scene) after(at instant.Instant) instant.Instant {
	return s.origin.Add(time.Duration(s.turn(at)+1) * s.half)
}

func (s scene) Jumps(from, until instant.Instant) []instant.Instant {
	var all []instant.Instant
	for at := s.after(from.Add(-1)); at < until; at = s.after(at) {
		all = append(all, at)
	}
	return all
}

// said is what a box sent from one Hello to the next: the frames of each type.
type said struct {
	hello  []byte
	frames map[wire.Type][][]byte
}

func (s *said) take(m wire.Message) {
	// The frame is put together again: wire has one encoding of each message.
	var frame []byte
	switch m.Type {
	case wire.TypeEDA:
		frame = wire.AppendEDA(nil, m.EDA())
	case wire.TypeLight:
		frame = wire.AppendLight(nil, m.Light())
	case wire.TypeTrigger:
		frame = wire.AppendTrigger(nil, m.Trigger())
	case wire.TypeStatus:
		frame = wire.AppendStatus(nil, m.Status())
	case wire.TypePong:
		frame = wire.AppendPong(nil, m.Pong())
	case wire.TypeHello:
		s.hello = wire.AppendHello(nil, m.Hello())
		return
	}
	s.frames[m.Type] = append(s.frames[m.Type], frame)
}

// message decodes frame i of a type.
func (s *said) message(t *testing.T, of wire.Type, i int) wire.Message {
	t.Helper()
	var d wire.Decoder
	m, _, ok := d.Next(s.frames[of][i])
	if !ok {
		t.Fatalf("% X is no frame", s.frames[of][i])
	}
	return m
}

// round is one recording: what is sent in front of Start, and for how many samples.
type round struct {
	rate    uint16
	samples int
}

// commands are those that begin a round. The damaged one is counted by the box.
func (r round) commands() []byte {
	damaged := wire.AppendPing(nil, 1)
	damaged[1] ^= 8
	return slices.Concat(damaged, wire.AppendRate(nil, r.rate), wire.AppendLightSet(nil, wire.LightSetting{On: true}),
		wire.AppendTriggerSet(nil, true), wire.AppendStart(nil))
}

var ask = slices.Concat([]byte{0}, wire.AppendStop(nil), wire.AppendIdentify(nil))

// TestBoardIsTheFirmware runs the real firmware under simavr, and drives a board
// with the same commands and the readings that the firmware had: it must have sent
// the same frames, each kind in the same order.
func TestBoardIsTheFirmware(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 7 s of real time")
	}
	t.Parallel()
	rounds := []round{{rate: 70, samples: 370}, {rate: 500, samples: 600}}
	heard := runFirmware(t, rounds)
	if len(heard[0].frames[wire.TypeStatus]) == 0 || len(heard[0].frames[wire.TypeLight]) < 20 || len(heard[0].frames[wire.TypeTrigger]) < 8 {
		t.Errorf("the firmware said too little to compare: %d statuses, %d blocks of light, %d edges",
			len(heard[0].frames[wire.TypeStatus]), len(heard[0].frames[wire.TypeLight]), len(heard[0].frames[wire.TypeTrigger]))
	}

	var now *said
	var d wire.Decoder
	b := newBoard(4242, func(p []byte) {
		m, _, ok := d.Next(p)
		if !ok {
			t.Fatalf("the board sends % X, which is no frame", p)
		}
		now.take(m)
	})
	for i, r := range rounds {
		now = &said{frames: map[wire.Type][][]byte{}}
		replay(t, b, r, heard[i])
		if !bytes.Equal(now.hello, heard[i].hello) {
			t.Errorf("round %d: hello % X, the firmware's % X", i, now.hello, heard[i].hello)
		}
		for _, of := range []wire.Type{wire.TypeEDA, wire.TypeLight, wire.TypeTrigger, wire.TypeStatus, wire.TypePong} {
			compare(t, fmt.Sprintf("round %d, type %d", i, of), now.frames[of], heard[i].frames[of])
		}
	}
}

// compare wants the same frames. The last ones may be missing on one side: the
// recording ends in the middle of a block.
func compare(t *testing.T, what string, board, real [][]byte) {
	t.Helper()
	if d := len(board) - len(real); d < -2 || d > 2 {
		t.Errorf("%s: the board sent %d frames, the firmware %d", what, len(board), len(real))
	}
	for i := range min(len(board), len(real)) {
		if !bytes.Equal(board[i], real[i]) {
			t.Errorf("%s: frame %d is % X, the firmware's % X", what, i, board[i], real[i])
			return
		}
	}
}

// runFirmware records the rounds from the real firmware.
func runFirmware(t *testing.T, rounds []round) []*said {
	t.Helper()
	host, err := emulator.BuildHost(t.Context(), "../../../firmware-bridge/emulator/host", t.TempDir())
	if errors.Is(err, emulator.ErrNoSimavr) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	image, err := firmware.Build(t.Context(), firmware.Options{Dir: t.TempDir(), Serial: 4242})
	if errors.Is(err, firmware.ErrNoCompiler) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	clock := instant.Monotonic{}
	link := filepath.Join(t.TempDir(), "ttyBOX")
	e, err := emulator.Start(t.Context(), emulator.Options{
		Host: host, ELF: image.ELF, Link: link, Clock: clock,
		World: scene{origin: clock.Now().Add(-time.Hour), half: 249_700_003},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	port, err := serialport.Open(serialport.Config{Path: link, Silence: 10 * time.Second, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close() // its end is the emulator's
	write := func(b []byte) {
		if _, err := port.Write(b); err != nil {
			t.Fatal(err)
		}
	}

	var all []*said
	var d wire.Decoder
	b := make([]byte, 4096)
	for rx := uint32(0); rx < (windowSlots+1)*slotTicks; { // before that it takes no samples
		write(wire.AppendPing([]byte{0}, 0))
		rx = awaitPong(t, port, &d).Rx
	}
	for _, r := range rounds {
		now := &said{frames: map[wire.Type][][]byte{}}
		all = append(all, now)
		write(ask)
		for pings := uint16(0); len(now.frames[wire.TypeEDA]) < r.samples; {
			n, _, err := port.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			for p := b[:n]; len(p) > 0; {
				m, rest, ok := d.Next(p)
				p = rest
				if !ok {
					continue
				}
				if m.Type == wire.TypeHello && m.Hello().Cause == wire.Asked {
					now.take(m)
					write(r.commands())
				} else if now.hello != nil { // not what the round before left
					now.take(m)
				}
			}
			if len(now.frames[wire.TypeEDA]) > 50*int(pings+1) {
				write(wire.AppendPing(nil, pings))
				pings++
			}
		}
	}
	if f := d.Faults(); f != (wire.Faults{}) {
		t.Errorf("damaged frames of the firmware: %+v", f)
	}
	return all
}

// awaitPong reads until a pong comes.
func awaitPong(t *testing.T, port *serialport.Port, d *wire.Decoder) wire.Pong {
	t.Helper()
	b := make([]byte, 4096)
	for {
		n, _, err := port.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		for p := b[:n]; len(p) > 0; {
			m, rest, ok := d.Next(p)
			p = rest
			if ok && m.Type == wire.TypePong {
				return m.Pong()
			}
		}
	}
}

// replay drives the board through one round: its slots lie where the firmware's
// samples say, and its light is what the firmware reported. What it did not report
// is as the reading before it, or the firmware would have reported an edge.
func replay(t *testing.T, b *board, r round, real *said) {
	t.Helper()
	samples, blocks := real.frames[wire.TypeEDA], real.frames[wire.TypeLight]
	if len(blocks) == 0 {
		t.Fatal("the firmware sent no light")
	}
	ends, lits, codes := map[int64]uint32{}, map[int64]uint32{}, map[int64]uint16{}
	first := int64((slotsPerSecond + int(r.rate) - 1) / int(r.rate)) // slot of sample 0, the first after Start being 1
	t0 := real.message(t, wire.TypeEDA, 0).EDA().Tick
	last := int64(0)
	for i := range samples {
		tick := real.message(t, wire.TypeEDA, i).EDA().Tick
		last = slotsFrom(t0, tick) + first
		ends[last] = tick
	}
	l0 := real.message(t, wire.TypeLight, 0).Light().Tick
	begin := slotsFrom(t0-slotEnd+lightTicks, l0) + first // slot of the first reading
	for i := range blocks {
		l := real.message(t, wire.TypeLight, i).Light()
		at := slotsFrom(l0, l.Tick) + begin
		lits[at] = l.Tick
		for k, raw := range l.Raw {
			codes[at+int64(k)] = (raw - 32) / 64
		}
	}

	b.Receive(ask, 0, func() uint32 { return 0 })
	for range windowSlots { // before Start
		b.Skin(skinSum, 0)
	}
	start := t0 - uint32(first)*slotTicks + slotTicks/2 // somewhere in the slot before the first
	b.Receive(r.commands(), start, func() uint32 { return start })
	code := codes[begin]
	for slot := int64(1); slot <= last; slot++ {
		end, ok := ends[slot]
		if !ok {
			end = t0 + uint32(slot-first)*slotTicks
		}
		if c, ok := codes[slot]; ok {
			code = c
		}
		if slot >= begin {
			b.Light(code, lits[slot])
		}
		b.Skin(skinSum, end)
	}
	for i := range real.frames[wire.TypeTrigger] {
		e := real.message(t, wire.TypeTrigger, i).Trigger()
		b.Edge(e.Level, e.Tick)
	}
	for i := range real.frames[wire.TypePong] {
		p := real.message(t, wire.TypePong, i).Pong()
		b.Receive(wire.AppendPing(nil, p.ID), p.Rx, func() uint32 { return p.Tx })
	}
}

// slotsFrom is how many slots lie between two ticks, which are stamped to some µs.
func slotsFrom(from, to uint32) int64 {
	return (int64(int32(to-from)) + slotTicks/2) / slotTicks
}
