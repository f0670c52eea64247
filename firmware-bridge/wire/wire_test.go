package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run returns the bytes from..to, both included.
func run(from, to int) []byte {
	var b []byte
	for i := from; i <= to; i++ {
		b = append(b, byte(i))
	}
	return b
}

func TestCOBSVectors(t *testing.T) {
	for _, c := range []struct {
		name       string
		raw, coded []byte
	}{
		{"empty", nil, unhex(t, "01")},
		{"one zero", unhex(t, "00"), unhex(t, "01 01")},
		{"two zeros", unhex(t, "00 00"), unhex(t, "01 01 01")},
		{"zero inside", unhex(t, "11 22 00 33"), unhex(t, "03 11 22 02 33")},
		{"no zero", unhex(t, "11 22 33 44"), unhex(t, "05 11 22 33 44")},
		{"zeros at the end", unhex(t, "11 00 00 00"), unhex(t, "02 11 01 01 01")},
		{"254 bytes", run(1, 254), append([]byte{0xFF}, run(1, 254)...)},
		{"255 bytes", run(1, 255), append(append([]byte{0xFF}, run(1, 254)...), 2, 0xFF)},
		{"zero and 254 bytes", run(0, 254), append([]byte{1, 0xFF}, run(1, 254)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			coded := appendCOBS(nil, c.raw)
			if !bytes.Equal(coded, c.coded) {
				t.Errorf("encoded % X, want % X", coded, c.coded)
			}
			raw, ok := decodeCOBS(coded)
			if !ok || !bytes.Equal(raw, c.raw) {
				t.Errorf("decoded % X (%v), want % X", raw, ok, c.raw)
			}
		})
	}
}

func TestCOBSRefuses(t *testing.T) {
	for _, s := range []string{"05 11", "02", "03 11 00", "00", "02 11 09 01"} {
		if raw, ok := decodeCOBS(unhex(t, s)); ok {
			t.Errorf("%s decoded to % X, want a refusal", s, raw)
		}
	}
}

func TestCOBSRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.SampledFrom(run(0, 255)), 0, 700).Draw(t, "raw")
		coded := appendCOBS(nil, raw)
		if bytes.IndexByte(coded, 0) >= 0 {
			t.Fatalf("a zero in % X", coded)
		}
		if back, ok := decodeCOBS(coded); !ok || !bytes.Equal(back, raw) {
			t.Fatalf("% X came back as % X", raw, back)
		}
	})
}

func TestCRCCheckValue(t *testing.T) {
	if got := crc16([]byte("123456789")); got != 0x29B1 {
		t.Errorf("crc16 = %04X, want 29B1", got)
	}
}

// one decodes exactly one message.
func one(t interface{ Fatalf(string, ...any) }, frame []byte) Message {
	var d Decoder
	m, rest, ok := d.Next(frame)
	if !ok || len(rest) > 0 || d.Faults() != (Faults{}) {
		t.Fatalf("% X: ok %v, %d bytes left, %+v", frame, ok, len(rest), d.Faults())
	}
	return m
}

func TestMessagesRoundTrip(t *testing.T) {
	u16, u32 := rapid.Uint16(), rapid.Uint32()
	rapid.Check(t, func(t *rapid.T) {
		h := Hello{
			Protocol: Version,
			Cause:    Cause(rapid.IntRange(0, 2).Draw(t, "cause")),
			Model:    rapid.StringMatching(`[A-Za-z0-9-]{0,8}`).Draw(t, "model"),
			Firmware: [3]uint8{1, rapid.Uint8().Draw(t, "minor"), 3},
			Serial:   u32.Draw(t, "serial"),
			TickHz:   1e6,
			Rate:     u16.Draw(t, "rate"),
			Has:      Capabilities(rapid.IntRange(0, 3).Draw(t, "has")),
			On:       Capabilities(rapid.IntRange(0, 3).Draw(t, "on")),
		}
		if d := cmp.Diff(h, one(t, AppendHello(nil, h)).Hello()); d != "" {
			t.Fatal(d)
		}
		e := EDA{u16.Draw(t, "seq"), u32.Draw(t, "tick"), u16.Draw(t, "raw")}
		if got := one(t, AppendEDA(nil, e)).EDA(); got != e {
			t.Fatalf("%+v, want %+v", got, e)
		}
		p := Pong{u16.Draw(t, "id"), u32.Draw(t, "rx"), u32.Draw(t, "tx")}
		if got := one(t, AppendPong(nil, p)).Pong(); got != p {
			t.Fatalf("%+v, want %+v", got, p)
		}
		s := Status{u32.Draw(t, "samples"), u16.Draw(t, "unsent"), u16.Draw(t, "bad"), u16.Draw(t, "over"),
			u16.Draw(t, "light unsent"), u16.Draw(t, "trigger unsent")}
		if got := one(t, AppendStatus(nil, s)).Status(); got != s {
			t.Fatalf("%+v, want %+v", got, s)
		}
		l := Light{Seq: u16.Draw(t, "light"), Tick: u32.Draw(t, "light tick")}
		for i := range l.Raw {
			l.Raw[i] = u16.Draw(t, "reading")
		}
		if got := one(t, AppendLight(nil, l)).Light(); got != l {
			t.Fatalf("%+v, want %+v", got, l)
		}
		g := Trigger{u16.Draw(t, "edge"), u32.Draw(t, "edge tick"), uint8(rapid.IntRange(0, 1).Draw(t, "level"))}
		if got := one(t, AppendTrigger(nil, g)).Trigger(); got != g {
			t.Fatalf("%+v, want %+v", got, g)
		}
		set := LightSetting{rapid.Bool().Draw(t, "on"), u16.Draw(t, "threshold")}
		if got := one(t, AppendLightSet(nil, set)).LightSetting(); got != set {
			t.Fatalf("%+v, want %+v", got, set)
		}
		if m := one(t, AppendTriggerSet(nil, set.On)); m.Type != TypeTriggerSet || m.On() != set.On {
			t.Fatalf("%+v, want %v", m, set.On)
		}
		id := u16.Draw(t, "ping")
		if m := one(t, AppendPing(nil, id)); m.Type != TypePing || m.Uint16() != id {
			t.Fatalf("%+v, want ping %d", m, id)
		}
		if m := one(t, AppendRate(nil, id)); m.Type != TypeRate || m.Uint16() != id {
			t.Fatalf("%+v, want rate %d", m, id)
		}
	})
	for typ, frame := range map[Type][]byte{
		TypeIdentify: AppendIdentify(nil), TypeStart: AppendStart(nil), TypeStop: AppendStop(nil),
	} {
		if m := one(t, frame); m.Type != typ || len(m.Payload) != 0 {
			t.Errorf("%+v, want the bare type %02X", m, typ)
		}
	}
}

// TestSpecifiedBytes pins the layout: a change here is a change of PROTOCOL.md.
func TestSpecifiedBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string // type and payload
	}{
		{"eda", AppendEDA(nil, EDA{0x0102, 0x03040506, 0x0708}), "02 02 01 06 05 04 03 08 07"},
		{"pong", AppendPong(nil, Pong{1, 2, 3}), "03 01 00 02 00 00 00 03 00 00 00"},
		{"status", AppendStatus(nil, Status{1, 2, 3, 4, 5, 6}), "04 01 00 00 00 02 00 03 00 04 00 05 00 06 00"},
		{"light", AppendLight(nil, Light{0x0102, 0x03040506, [LightReadings]uint16{0x0708, 0xFFFF, 11: 0x0A0B}}),
			"05 02 01 06 05 04 03 08 07 FF FF 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0B 0A"},
		{"trigger", AppendTrigger(nil, Trigger{0x0102, 0x03040506, 1}), "06 02 01 06 05 04 03 01"},
		{"light set", AppendLightSet(nil, LightSetting{true, 0x8000}), "86 01 00 80"},
		{"trigger set", AppendTriggerSet(nil, true), "87 01"},
		{"rate", AppendRate(nil, 100), "84 64 00"},
		{"hello of version 1", AppendHello(nil, Hello{1, Started, "emobox", [3]uint8{1, 2, 3}, 4, 1e6, 100, 0, 0}),
			"01 01 01 65 6D 6F 62 6F 78 00 00 01 02 03 04 00 00 00 40 42 0F 00 64 00"},
		{"hello", AppendHello(nil, Hello{2, Hung, "emobox", [3]uint8{2, 0, 1}, 4, 1e6, 100, HasLight | HasTrigger, HasLight}),
			"01 02 02 65 6D 6F 62 6F 78 00 00 02 00 01 04 00 00 00 40 42 0F 00 64 00 03 01"},
	} {
		body, ok := decodeCOBS(c.got[:len(c.got)-1])
		if !ok {
			t.Errorf("%s: no COBS", c.name)
			continue
		}
		if want := unhex(t, c.want); !bytes.Equal(body[:len(body)-crcSize], want) {
			t.Errorf("%s: % X, want % X", c.name, body[:len(body)-crcSize], want)
		}
	}
	if got, want := AppendStart(nil), unhex(t, "04 82 3A 50 00"); !bytes.Equal(got, want) {
		t.Errorf("start: % X, want % X", got, want)
	}
}

// A device of version 1 sends less, and that is no fault.
func TestVersion1(t *testing.T) {
	old := Hello{Protocol: 1, Model: "emobox", TickHz: 1e6, Rate: 100}
	if got := one(t, AppendHello(nil, old)).Hello(); got != old {
		t.Errorf("%+v, want %+v", got, old)
	}
	status := appendFrame(nil, TypeStatus, []byte{1, 0, 0, 0, 2, 0, 3, 0, 4, 0})
	if got, want := one(t, status).Status(), (Status{Samples: 1, Unsent: 2, BadFrames: 3, Overruns: 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestLineIsWideEnough repeats the sum of PROTOCOL.md: at the highest rate, with
// a photodiode that never rests, the start's burst of pings and a hundred edges of
// the trigger a second, the line still has room.
func TestLineIsWideEnough(t *testing.T) {
	const bytesPerSecond = 115200 / 10
	sum := MaxRate*len(AppendEDA(nil, EDA{})) +
		1000*len(AppendLight(nil, Light{}))/LightReadings +
		48*len(AppendPong(nil, Pong{})) +
		100*len(AppendTrigger(nil, Trigger{})) +
		len(AppendStatus(nil, Status{}))
	if sum != 11355 || sum > bytesPerSecond {
		t.Errorf("%d bytes a second of %d, PROTOCOL.md says 11355", sum, bytesPerSecond)
	}
	if twice := 1000 * len(AppendEDA(nil, EDA{})); twice <= bytesPerSecond {
		t.Errorf("1000 samples a second take %d bytes of %d: why not allow them?", twice, bytesPerSecond)
	}
}

// What goes out as a ping comes back as long.
func TestPingIsAsLongAsPong(t *testing.T) {
	if ping, pong := len(AppendPing(nil, 0x1234)), len(AppendPong(nil, Pong{ID: 0x1234})); ping != pong {
		t.Errorf("a ping has %d bytes on the line, a pong %d", ping, pong)
	}
}

func TestTicksUnwrap(t *testing.T) {
	var u Ticks
	for _, c := range []struct {
		tick uint32
		want int64
	}{
		{1<<32 - 20, 1<<32 - 20},
		{1<<32 - 10, 1<<32 - 10},
		{5, 1<<32 + 5},
		{1<<32 - 3, 1<<32 - 3}, // out of order, across the wrap
		{1 << 31, 1<<32 + 1<<31},
		{1<<32 - 1, 2<<32 - 1},
		{1, 2<<32 + 1},
	} {
		if got := u.Unwrap(c.tick); got != c.want {
			t.Errorf("Unwrap(%d) = %d, want %d", c.tick, got, c.want)
		}
	}
}

func TestTicksUnwrapProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u Ticks
		at := int64(rapid.Uint32().Draw(t, "start"))
		if got := u.Unwrap(uint32(at)); got != at {
			t.Fatalf("first tick %d, want %d", got, at)
		}
		for _, step := range rapid.SliceOf(rapid.Int64Range(0, 1<<31-1)).Draw(t, "steps") {
			at += step
			if got := u.Unwrap(uint32(at)); got != at {
				t.Fatalf("tick %d, want %d", got, at)
			}
		}
	})
}
