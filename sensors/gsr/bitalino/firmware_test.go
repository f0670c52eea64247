package bitalino

import (
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/virtual"
)

// The virtual board obeys as the real one does, and misses what comes too fast.
func TestFirmwareObeys(t *testing.T) {
	type sent struct {
		command byte
		after   time.Duration // the one before
	}
	const slow, hasty = 100 * time.Millisecond, 20 * time.Millisecond
	for _, c := range []struct {
		name     string
		commands []sent
		rate     int
		inputs   []int
		says     string
	}{
		{"version", []sent{{0x07, slow}}, 1000, nil, "BITalino_v5.2\n"},
		{"A3 at 100 Hz", []sent{{0x83, slow}, {0x11, slow}}, 100, []int{3}, ""},
		{"all six", []sent{{0xFD, slow}}, 1000, []int{1, 2, 3, 4, 5, 6}, ""},
		{"start missed", []sent{{0x43, slow}, {0x11, hasty}}, 10, nil, ""},
		{"version missed", []sent{{0x00, slow}, {0x07, hasty}, {0x07, hasty}}, 1000, nil, ""},
		{"stop", []sent{{0x11, slow}, {0x00, slow}}, 1000, nil, ""},
		{"stop missed", []sent{{0x11, slow}, {0x00, hasty}}, 1000, []int{3}, ""},
		{"idle", []sent{{0x11, slow}, {0xFF, slow}}, 1000, nil, ""},
		{"no version while it streams", []sent{{0x11, slow}, {0x07, slow}}, 1000, []int{3}, ""},
		{"no other start either", []sent{{0x11, slow}, {0xFD, slow}}, 1000, []int{3}, ""},
		{"no inputs", []sent{{0x01, slow}}, 1000, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := &instant.Hand{}
			truth := script.NewTruth(script.New(1), clock.Now())
			said := ""
			f := firmware{
				twin: (&Options{}).Twin(virtual.TwinOptions{Truth: truth, Clock: clock}).(*twin),
				rate: bootRate, send: func(b []byte) { said += string(b) },
			}
			for _, s := range c.commands {
				clock.Advance(s.after)
				f.receive(virtual.Arrived{Bytes: []byte{s.command}, At: clock.Now()})
			}
			if f.rate != c.rate || !slices.Equal(f.inputs, c.inputs) || said != c.says {
				t.Errorf("%d Hz, inputs %v, said %q", f.rate, f.inputs, said)
			}
		})
	}
}

// Six inputs share eight bytes; the EDA sensor's place decides its resolution.
func TestFirmwareSendsAllInputs(t *testing.T) {
	clock := &instant.Hand{}
	truth := script.NewTruth(script.New(1), clock.Now())
	var said []byte
	f := firmware{
		twin: (&Options{}).Twin(virtual.TwinOptions{Truth: truth, Clock: clock}).(*twin),
		rate: bootRate, send: func(b []byte) { said = append(said, b...) },
	}
	f.receive(virtual.Arrived{Bytes: []byte{0xFD}})
	for range 20 {
		f.sample()
	}
	got := NewDecoder(6).Put(nil, said, 0)
	if len(got) != 20 {
		t.Fatalf("%d frames, want 20", len(got))
	}
	for i, r := range got {
		eda := R2.Reading(truth.Script().Conductance(time.Duration(i+1) * time.Millisecond))
		want := Frame{Seq: uint8(i & 15), Analog: [6]uint16{512, 512, eda, 512, 32, 32}}
		if r.Frame != want {
			t.Errorf("frame %d: %+v, want %+v", i, r.Frame, want)
		}
	}
}
