package xid_test

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/trigger"
	"emolab/sensors/trigger/xid"
	"emolab/sensors/virtual"
)

func options(port string) xid.Options {
	return xid.Options{
		Place:    device.Place{ID: "trigger", Port: port, Clock: instant.Monotonic{}, Simulated: true},
		Settings: trigger.Settings{PulseMs: 20},
	}
}

// The bytes of a conversation from the first question to a key, for each sort of
// device.
func TestTranscript(t *testing.T) {
	t.Parallel()
	type line struct{ host, device string }
	for name, talk := range map[string][]line{
		"StimTracker 2": {
			{"_c1", "_xid0"}, {"_d2", "S"}, {"_d4", "2"},
			{"mp\x14\x00\x00\x00mh\x00\x00e5_e5", "_e5\x00\x00\x00\x00"},
			{"mh\x11\x00", "oA\x011\x05\x00\x00\x00\x00"},
		},
		"StimTracker 1": {
			{"_c1", "_xid0"}, {"_d2", "S"}, {"_d4", "1"},
			{"a10mp\x14\x00\x00\x00mh\x00\x00e5_e5", "_e5\x02\x00\x00\x00"},
			{"mh\x11\x00", "k\x30\x05\x00\x00\x00"},
		},
		"RB-530": {
			{"_c1", "_xid1"}, {"c10_c1", "_xid0"}, {"_d2", "2"}, {"_d4", "1"},
			{"a10ah\xff\x00e5_e5", "_e5\x00\x00\x00\x00"},
			{"ah\xee\x00", ""}, {"ah\xff\x00", "k\x30\x05\x00\x00\x00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := serialtest.Open(t)
			o := options(far.Path())
			e := xid.New(o)
			got := serialtest.Record(t, e)
			say := func(l line) {
				far.Take([]byte(l.host))
				if l.device != "" {
					far.Send([]byte(l.device))
				}
			}
			ready := slices.IndexFunc(talk, func(l line) bool { return strings.HasPrefix(l.device, "_e5") }) + 1
			for _, l := range talk[:ready] {
				say(l)
			}
			got.AwaitEvents(stream.Connected, 1)
			asked := 0 // before the device is ready a code is lost
			serialtest.Eventually(t, "a code is written", func() bool {
				if len(got.Samples()) == 0 && int(got.Total(stream.Lost)) == asked {
					e.Fire(17, trigger.NoOnset)
					asked++
				}
				return len(got.Samples()) > 0
			})
			for _, l := range talk[ready:] {
				say(l)
			}
			got.AwaitEvents(stream.Marker, 1)
			if d := got.Events(stream.Marker)[0].Detail; !strings.Contains(d, "key 1 pressed at 5 ms") {
				t.Errorf("marker %q", d)
			}
			if s := got.Samples()[0]; s.Values[0] != 17 {
				t.Errorf("sample %+v", s)
			}
		})
	}
}

func TestRecognise(t *testing.T) {
	g := xid.Driver().Greeting
	for heard, want := range map[string]bool{"_xid0": true, "noise_xid2more": true, "_c1": false, "_xid": false, "_xid\xff": false, "": false} {
		if _, ok := g.Recognise([]byte(heard)); ok != want {
			t.Errorf("%q: %t", heard, ok)
		}
	}
}

// What is no XID device is told so.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, xid.New(options(far.Path())))
	far.AwaitOpen()
	far.Send([]byte("ready>\r\n"))
	got.AwaitEvents(stream.Disconnected, 1)
	if d := got.Events(stream.Disconnected)[0].Detail; !strings.Contains(d, "right port") {
		t.Errorf("%q does not say what to do", d)
	}
	if n := len(got.Events(stream.Connected)); n != 0 {
		t.Errorf("connected %d times", n)
	}
}

// bench is a driver with a virtual device.
type bench struct {
	link *virtual.Link
	twin *xid.Twin
	e    *trigger.Emitter
	got  *serialtest.Recording
}

func open(t *testing.T, product byte, firmware int) *bench {
	t.Helper()
	clock := instant.Monotonic{}
	b := &bench{twin: xid.NewTwin(virtual.TwinOptions{Clock: clock, DriftPPM: 3000}, product, firmware)}
	var err error
	b.link, err = virtual.NewLink(filepath.Join(t.TempDir(), "ttyXID"), b.twin, virtual.FTDI(0), 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.link.Close(); err != nil {
			t.Error(err)
		}
	})
	b.e = xid.New(options(b.link.Path()))
	b.got = serialtest.Record(t, b.e)
	b.fire(t, 200)
	return b
}

// fire fires a code until it was written once: the device may not be ready, or this
// machine too busy to write it in time.
func (b *bench) fire(t *testing.T, code uint8) {
	t.Helper()
	before := len(b.got.Samples())
	asked, answered := 0, before+int(b.got.Total(stream.Lost))
	serialtest.Eventually(t, "a code is written", func() bool {
		n := len(b.got.Samples())
		if n == before && n+int(b.got.Total(stream.Lost)) == answered+asked {
			b.e.Fire(code, trigger.NoOnset)
			asked++
		}
		return n > before
	})
}

func TestTwin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		product  byte
		firmware int
	}{{"StimTracker Quad", xid.StimTracker, 2}, {"c-pod", xid.CPod, 2}, {"StimTracker", xid.StimTracker, 1}, {"RB-730", xid.ResponsePad, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, c.product, c.firmware)
			want := []uint8{200, 1, 128, 255, 255, 107}
			// One after the other: a machine that is too busy hands the device two codes
			// at once, and it sees no pause between.
			for i, code := range want {
				if i > 0 {
					b.fire(t, code)
				}
				serialtest.Eventually(t, "the pulse is over", func() bool { return len(b.twin.Levels()) == 2*(i+1) })
			}
			if codes := b.twin.Codes(); !slices.Equal(codes, want) {
				t.Errorf("the lines showed %v, want %v", codes, want)
			}
			levels := b.twin.Levels()
			for i := 0; i < len(levels); i += 2 {
				// A pad's pulse is ended by the host, as late as this machine is.
				pad := c.product == xid.ResponsePad
				if d := levels[i+1].At.Sub(levels[i].At); levels[i+1].Code != 0 || d < 0 || !pad && d != 20*time.Millisecond {
					t.Errorf("code %d stood for %v, want 20 ms", levels[i].Code, d)
				}
			}
			for i := range 4 {
				b.twin.Press(1, uint8(1+i/2), i%2 == 0)
			}
			b.got.AwaitEvents(stream.Marker, 4)
			for i, e := range b.got.Events(stream.Marker) {
				want := []string{"key 1 pressed", "key 1 released", "key 2 pressed", "key 2 released"}[i]
				if !strings.Contains(e.Detail, want) {
					t.Errorf("marker %q, want %s", e.Detail, want)
				}
			}
		})
	}
}

// A device that comes back is identified again, and has its pulses set.
func TestReplug(t *testing.T) {
	t.Parallel()
	b := open(t, xid.CPod, 2)
	for round := range 5 {
		if err := b.link.Unplug(); err != nil {
			t.Fatal(err)
		}
		b.got.AwaitEvents(stream.Disconnected, round+1)
		if err := b.link.Plug(); err != nil {
			t.Fatal(err)
		}
		b.fire(t, 200)
	}
	if n := len(b.got.Events(stream.Connected)); n != 6 {
		t.Errorf("connected %d times, want 6", n)
	}
}

// Garbage and floods between keys cost only themselves.
func TestGarbageAndFlood(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	clock := instant.Monotonic{}
	got := serialtest.Record(t, xid.New(options(far.Path())))
	for _, l := range [][2]string{{"_c1", "_xid0"}, {"_d2", "4"}, {"_d4", "2"}} {
		far.Take([]byte(l[0]))
		far.Send([]byte(l[1]))
	}
	far.Take([]byte("_e5"))
	zero := clock.Now()
	far.Send([]byte("_e5\x00\x00\x00\x00"))
	r := rand.New(rand.NewPCG(5, 6))
	key := func() []byte {
		return binary.LittleEndian.AppendUint32([]byte{'k', 0x30}, uint32(clock.Now().Sub(zero)/time.Millisecond))
	}
	for range 50 {
		far.SendSplit(r, append(serialtest.Garbage(r, 200), key()...))
	}
	got.AwaitEvents(stream.Marker, 50)
	if n := len(got.Events(stream.Marker)); n != 50 {
		t.Errorf("%d responses, want 50", n)
	}
	flooded := clock.Now()
	for range 50 {
		far.Send(slices.Repeat(key(), 50))
	}
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	seconds := int(clock.Now().Sub(flooded)/time.Second) + 3
	if n := len(got.Events(stream.Marker)); n > 50+seconds*100 {
		t.Errorf("%d of 2550 responses were recorded within %d s, the limit is 100 a second", n, seconds)
	}
	if n := got.Total(stream.Fault); n < 50*190 {
		t.Errorf("%d faults, want one for most bytes of garbage", n)
	}
}
