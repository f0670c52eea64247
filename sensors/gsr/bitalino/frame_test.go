package bitalino

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// vectors are frames whose bytes are known.
var vectors = []struct {
	channels int
	frame    Frame
	bytes    []byte
}{
	{1, Frame{1, 0b0000, [6]uint16{512}}, []byte{0x00, 0x08, 0x1D}},
	{2, Frame{5, 0b1010, [6]uint16{1023, 341}}, []byte{0x55, 0xFD, 0xAF, 0x50}},
	{3, Frame{15, 0b1100, [6]uint16{1, 2, 3}}, []byte{0xC0, 0x00, 0x02, 0x04, 0xC0, 0xF3}},
	{4, Frame{7, 0b0101, [6]uint16{100, 200, 300, 400}}, []byte{0x00, 0x19, 0x4B, 0xC8, 0x90, 0x51, 0x79}},
	{6, Frame{3, 0b0011, [6]uint16{1023, 0, 511, 256, 63, 1}}, []byte{0xC1, 0x0F, 0xD0, 0x7F, 0x00, 0xFC, 0x3F, 0x39}},
	{1, Frame{}, []byte{0, 0, 0}}, // a line stuck at 0 has right checksums
}

func TestFrameVectors(t *testing.T) {
	for _, v := range vectors {
		if got, ok := Parse(v.bytes, v.channels); !ok || got != v.frame {
			t.Errorf("% X reads as %+v, %v; want %+v", v.bytes, got, ok, v.frame)
		}
		if got := Append(nil, v.frame, v.channels); !bytes.Equal(got, v.bytes) {
			t.Errorf("%+v is sent as % X, want % X", v.frame, got, v.bytes)
		}
	}
}

// drawFrame draws a frame that channels inputs can make.
func drawFrame(t *rapid.T, channels int) Frame {
	f := Frame{Seq: rapid.Uint8Range(0, 15).Draw(t, "seq"), Digital: rapid.Uint8Range(0, 15).Draw(t, "digital")}
	for i := range channels {
		largest := uint16(1023)
		if i >= 4 {
			largest = 63
		}
		f.Analog[i] = rapid.Uint16Range(0, largest).Draw(t, "reading")
	}
	return f
}

func TestParseIsTheInverseOfAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channels := rapid.IntRange(1, MaxChannels).Draw(t, "channels")
		want := drawFrame(t, channels)
		if got, ok := Parse(Append(nil, want, channels), channels); !ok || got != want {
			t.Fatalf("%+v came back as %+v, %v", want, got, ok)
		}
	})
}

// The checksum finds every damage to up to four neighbouring bits.
func TestChecksumFindsShortBursts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channels := rapid.IntRange(1, MaxChannels).Draw(t, "channels")
		b := Append(nil, drawFrame(t, channels), channels)
		first := rapid.IntRange(0, 8*len(b)-1).Draw(t, "first bit")
		pattern := 1 + 2*rapid.IntRange(0, 7).Draw(t, "others") // begins with a flipped bit
		for i := range 4 {
			if bit := first + i; pattern>>i&1 == 1 && bit < 8*len(b) {
				b[bit/8] ^= 0x80 >> (bit % 8)
			}
		}
		if f, ok := Parse(b, channels); ok {
			t.Fatalf("passed as %+v", f)
		}
	})
}

func TestCommands(t *testing.T) {
	for hz, want := range map[int]byte{1: 0x03, 10: 0x43, 100: 0x83, 1000: 0xC3} {
		if got := rateCommand(hz); got != want {
			t.Errorf("%d Hz is set by %#x, want %#x", hz, got, want)
		}
	}
	for input, want := range map[int]byte{1: 0x05, 3: 0x11, 6: 0x81} {
		if got := startCommand(input); got != want {
			t.Errorf("A%d is started by %#x, want %#x", input, got, want)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for _, c := range []struct {
		heard string
		want  string
	}{
		{"BITalino_v5.2\n", "BITalino (r)evolution, firmware 5.2"},
		{"\x12\x80\xFFBITalino_v4.2\r\n\x00", "BITalino (r)evolution, firmware 4.2"},
		{"BITalino_v4.1\n", "BITalino, firmware 4.1"},
		{"BITalino V3.0\n", "BITalino, firmware 3.0"},
		{"BITalino_v10.0\n", "BITalino (r)evolution, firmware 10.0"},
		{"BITalino_v5.2", ""}, // not all of it yet
		{"BITalino_v5\n", ""},
		{"BITalino\x00_v5.2\n", ""},
		{"v5.2\n", ""},
		{"BITalino_v99999999999999999999.1\n", ""},
		{"", ""},
	} {
		v, ok := ParseVersion([]byte(c.heard))
		if ok != (c.want != "") || (ok && v.String() != c.want) {
			t.Errorf("%q: %v, %v, want %q", c.heard, v, ok, c.want)
		}
	}
}
