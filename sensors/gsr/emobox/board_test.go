package emobox

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/firmware-bridge/wire"
)

// bench drives a board slot by slot and keeps what it sends.
type bench struct {
	board   *board
	tick    uint32 // the present slot's beginning
	decoder wire.Decoder
	eda     []wire.EDA
	light   []wire.Light
	trigger []wire.Trigger
	status  []wire.Status
	hello   []wire.Hello
	pong    []wire.Pong
}

func newBench(t testing.TB) *bench {
	b := &bench{}
	b.board = newBoard(9, func(p []byte) {
		m, rest, ok := b.decoder.Next(p)
		if !ok || len(rest) > 0 {
			t.Fatalf("the board sends % X, which is not one frame", p)
		}
		switch m.Type {
		case wire.TypeHello:
			b.hello = append(b.hello, m.Hello())
		case wire.TypeEDA:
			b.eda = append(b.eda, m.EDA())
		case wire.TypeLight:
			b.light = append(b.light, m.Light())
		case wire.TypeTrigger:
			b.trigger = append(b.trigger, m.Trigger())
		case wire.TypeStatus:
			b.status = append(b.status, m.Status())
		case wire.TypePong:
			b.pong = append(b.pong, m.Pong())
		default:
			t.Fatalf("the board sends a message of type %02X", m.Type)
		}
	})
	b.slots(windowSlots, 0, 0) // since power-up
	return b
}

func (b *bench) receive(p []byte) {
	b.board.Receive(p, b.tick, func() uint32 { return b.tick + 3 })
}

// slots plays n slots with codes of the converter.
func (b *bench) slots(n int, light uint16, skin uint32) {
	for range n {
		b.board.Light(light, b.tick+lightTicks)
		b.board.Skin(slotConversions*skin, b.tick+slotEnd)
		b.tick += slotTicks
	}
}

func TestBoardIdentity(t *testing.T) {
	b := newBench(t)
	b.board.Greet(wire.Started)
	b.receive(wire.AppendTriggerSet(wire.AppendRate(nil, 250), true))
	b.receive(wire.AppendRate(wire.AppendRate(nil, 0), 501)) // out of range
	b.receive(wire.AppendIdentify(nil))
	want := wire.Hello{Protocol: 2, Cause: wire.Started, Model: "emobox", Firmware: [3]uint8{2, 0, 0}, Serial: 9,
		TickHz: 1e6, Rate: 100, Has: wire.HasLight | wire.HasTrigger}
	second := want
	second.Cause, second.Rate, second.On = wire.Asked, 250, wire.HasTrigger
	if d := cmp.Diff([]wire.Hello{want, second}, b.hello); d != "" {
		t.Error(d)
	}
}

func TestBoardSamples(t *testing.T) {
	b := newBench(t)
	b.slots(30, 0, 100)
	b.receive(wire.AppendStart(nil))
	start := b.tick
	b.slots(20, 0, 100)
	b.receive(wire.AppendStart(nil)) // ignored
	b.slots(10, 0, 200)
	b.receive(wire.AppendStop(nil))
	b.slots(50, 0, 100)
	want := []wire.EDA{
		{Seq: 0, Tick: start + 9*slotTicks + slotEnd, Raw: 6432}, // (100 + 1/2) * 64
		{Seq: 1, Tick: start + 19*slotTicks + slotEnd, Raw: 6432},
		{Seq: 2, Tick: start + 29*slotTicks + slotEnd, Raw: 9632}, // half the window at 200
	}
	if d := cmp.Diff(want, b.eda); d != "" {
		t.Error(d)
	}
	if len(b.light)+len(b.trigger) > 0 {
		t.Error("light or triggers that nobody asked for")
	}
}

// A mean of a window that is not full would be wrong: a board that is started
// right after power-up waits for it.
func TestBoardFillsItsWindowFirst(t *testing.T) {
	b := newBench(t)
	b.board = newBoard(9, b.board.send)
	b.receive(wire.AppendStart(wire.AppendRate(nil, 500)))
	b.slots(windowSlots, 0, 100)
	if len(b.eda) > 0 {
		t.Errorf("samples %+v of a window that is not full", b.eda)
	}
	b.slots(1, 0, 100)
	if want := []wire.EDA{{Tick: b.tick - slotTicks + slotEnd, Raw: 6432}}; !cmp.Equal(want, b.eda) {
		t.Errorf("then %+v, want %+v", b.eda, want)
	}
}

// Every rate is exact over a second, whether or not it divides 1000.
func TestBoardRates(t *testing.T) {
	for hz := uint16(1); hz <= wire.MaxRate; hz++ {
		b := newBench(t)
		b.receive(wire.AppendStart(wire.AppendRate(nil, hz)))
		b.slots(1000, 0, 0)
		if len(b.eda) != int(hz) {
			t.Errorf("%d samples in a second at %d", len(b.eda), hz)
		}
	}
}

func TestBoardScale(t *testing.T) {
	b := newBench(t)
	b.receive(wire.AppendStart(wire.AppendRate(nil, 1)))
	b.slots(1000, 0, 0)
	b.slots(1000, 0, 1023)
	if b.eda[0].Raw != 32 || b.eda[1].Raw != 65504 {
		t.Errorf("the ends of the scale read %d and %d, PROTOCOL.md says 32 and 65504", b.eda[0].Raw, b.eda[1].Raw)
	}
}

func TestBoardStatus(t *testing.T) {
	b := newBench(t)
	b.receive(wire.AppendStart(nil))
	damaged := wire.AppendStop(nil)
	damaged[1] ^= 1
	b.receive(append(damaged, wire.AppendEDA(nil, wire.EDA{})...)) // and a type that is no command
	b.slots(10_011, 0, 0)
	want := []wire.Status{{Samples: 501, BadFrames: 2}, {Samples: 1001, BadFrames: 2}}
	if d := cmp.Diff(want, b.status); d != "" {
		t.Error(d)
	}
}

func TestBoardLight(t *testing.T) {
	b := newBench(t)
	b.receive(wire.AppendStart(wire.AppendLightSet(nil, wire.LightSetting{On: true})))
	start := b.tick
	b.slots(29, 50, 0)
	b.slots(40, 700, 0)
	var got []wire.Light
	for _, l := range b.light {
		got = append(got, wire.Light{Seq: l.Seq, Tick: l.Tick, Raw: [12]uint16{l.Raw[0], 11: l.Raw[11]}})
	}
	const dark, bright = 50*64 + 32, 700*64 + 32
	want := []wire.Light{
		{Seq: 0, Tick: start + lightTicks, Raw: [12]uint16{dark, 11: dark}},
		{Seq: 1, Tick: start + 12_000 + lightTicks, Raw: [12]uint16{dark, 11: dark}},
		{Seq: 2, Tick: start + 24_000 + lightTicks, Raw: [12]uint16{dark, 11: bright}},
		{Seq: 3, Tick: start + 36_000 + lightTicks, Raw: [12]uint16{bright, 11: bright}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBoardTriggersAndPings(t *testing.T) {
	b := newBench(t)
	b.receive(wire.AppendTriggerSet(nil, true))
	b.board.Edge(1, 5) // not sampling
	b.tick = 100
	b.receive(wire.AppendPing(wire.AppendStart(nil), 7))
	b.board.Edge(1, 105)
	b.board.Edge(0, 115)
	b.receive(wire.AppendTriggerSet(nil, false))
	b.board.Edge(1, 120)
	if d := cmp.Diff([]wire.Trigger{{Seq: 0, Tick: 105, Level: 1}, {Seq: 1, Tick: 115}}, b.trigger); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]wire.Pong{{ID: 7, Rx: 100, Tx: 103}}, b.pong); d != "" {
		t.Error(d)
	}
}

// Whatever the host sends, the board lives and sends good frames only.
func FuzzBoard(f *testing.F) {
	f.Add(wire.AppendStart(wire.AppendLightSet(wire.AppendRate(nil, 500), wire.LightSetting{On: true, Threshold: 3})), uint16(40))
	f.Add(wire.AppendPing([]byte{0, 1, 2, 0}, 9), uint16(1))
	f.Fuzz(func(t *testing.T, p []byte, skin uint16) {
		b := newBench(t)
		for len(p) > 0 {
			n := min(len(p), 1+int(p[0])%9)
			b.receive(p[:n])
			b.slots(5, uint16(p[0])*4, uint32(skin%1024))
			b.board.Edge(p[0]&1, b.tick)
			p = p[n:]
		}
		for i := 1; i < len(b.eda); i++ {
			if next := b.eda[i].Seq; next != b.eda[i-1].Seq+1 && next != 0 {
				t.Fatalf("sample %d follows %d", next, b.eda[i-1].Seq)
			}
		}
	})
}

func FuzzRecognise(f *testing.F) {
	hello := wire.AppendHello(nil, wire.Hello{Protocol: 2, Model: "emobox", Firmware: [3]uint8{2, 0, 0}, Serial: 9})
	f.Add(hello)
	f.Add(wire.AppendIdentify(bytes.Clone(hello[:9])))
	f.Fuzz(func(t *testing.T, heard []byte) {
		// After anything and a delimiter, a Hello is found.
		model, ok := recognise(slices.Concat(heard, []byte{0}, hello))
		if !ok || model == "" {
			t.Fatalf("no box found: %q", model)
		}
		if _, ok := recognise(wire.AppendIdentify([]byte{0})); ok {
			t.Fatal("the echo of the question passes for an answer")
		}
	})
}
