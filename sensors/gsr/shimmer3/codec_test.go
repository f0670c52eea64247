package shimmer3

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/sensors/device"
)

func place(port string) device.Place { return device.Place{ID: "eda", Port: port} }

// The bytes are those that a Shimmer transmits, low byte first.
func TestChecksum(t *testing.T) {
	for _, c := range []struct {
		upTo byte
		want []byte
	}{
		{8, []byte{0xAA, 0x48}},
		{9, []byte{0x5D, 0x2A}},
		{10, []byte{0x17, 0x8B}},
		{11, []byte{0x4E, 0x79}},
	} {
		var m []byte
		for b := byte(1); b <= c.upTo; b++ {
			m = append(m, b)
		}
		got := seal(bytes.Clone(m), checksumSize)
		if !bytes.Equal(got[len(m):], c.want) {
			t.Errorf("01..%02X: % X, want % X", c.upTo, got[len(m):], c.want)
		}
		if !sealed(m, c.want) || sealed(m, []byte{c.want[1], c.want[0]}) {
			t.Errorf("01..%02X: not recognised", c.upTo)
		}
	}
	// A reading's packet to the box in the dock: get the MAC address.
	if crc := checksum([]byte{0x24, 0x03, 0x02, 0x01, 0x02}); crc != 0xEFFB {
		t.Errorf("%04X, want EFFB", crc)
	}
}

func TestConversion(t *testing.T) {
	for _, c := range []struct {
		sent   [2]byte
		number int
		adc    int
		kohm   float64
		us     float64
	}{
		{[2]byte{0xF0, 0x48}, 1, 2288, 122.004, 8.1964},
		{[2]byte{0xB8, 0x0B}, 0, 3000, 11.839, 84.468},
		{[2]byte{0xD0, 0x87}, 2, 2000, 518.027, 1.9304},
	} {
		w := Layout{GSR: 0}.word(c.sent[:])
		if w.Range() != c.number || w.ADC() != c.adc || newWord(c.number, c.adc) != w {
			t.Errorf("% X: range %d, count %d, want %d, %d", c.sent, w.Range(), w.ADC(), c.number, c.adc)
		}
		us := Microsiemens(w, false)
		if math.Abs(us-c.us) > c.us*1e-4 || math.Abs(1000/us-c.kohm) > 1e-3 {
			t.Errorf("% X: %v µS (%v kΩ), want %v (%v)", c.sent, us, 1000/us, c.us, c.kohm)
		}
		if back := reading(us, c.number); math.Abs(back-float64(c.adc)) > 1e-6 {
			t.Errorf("% X: back to %v counts, want %d", c.sent, back, c.adc)
		}
	}
}

func TestConversionAtTheEdges(t *testing.T) {
	for number := range 4 {
		for _, fixed := range []bool{false, true} {
			for _, adc := range []int{0, lastOpen, fullScale, fullScale + 1, 1<<rangeShift - 1} {
				if us := Microsiemens(newWord(number, adc), fixed); !math.IsNaN(us) {
					t.Errorf("range %d, count %d: %v µS, want none", number, adc, us)
				}
			}
			for adc := lastOpen + 1; adc < fullScale; adc++ {
				us := Microsiemens(newWord(number, adc), fixed)
				if !(us > 0 && us <= maxUS) {
					t.Fatalf("range %d, count %d: %v µS", number, adc, us)
				}
			}
		}
	}
	for _, c := range []struct {
		number, adc int
		auto, fixed float64
	}{
		{0, 700, .6378, 15.873}, // below 63 kΩ's
		{1, 4000, 16.9366, 15.873},
		{2, 4000, 4.8611, 4.5455},
		{3, 683, .000222, .21277},
		{3, 4000, 1.4731, 1.4706},
		{1, 2288, 8.1964, 8.1964}, // within
	} {
		w := newWord(c.number, c.adc)
		if us := Microsiemens(w, false); math.Abs(us-c.auto) > 1e-3 {
			t.Errorf("range %d, count %d: %v µS, want %v", c.number, c.adc, us, c.auto)
		}
		if us := Microsiemens(w, true); math.Abs(us-c.fixed) > 1e-4 {
			t.Errorf("fixed range %d, count %d: %v µS, want %v", c.number, c.adc, us, c.fixed)
		}
	}
}

// Dividers on the line, and the rates that they stand for.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		bytes []byte
	}{
		{128, []byte{0x00, 0x01}},
		{51.2, []byte{0x80, 0x02}},
		{10.24, []byte{0x80, 0x0C}}, // 3200
		{1024, []byte{0x20, 0x00}},  // 32
		{100, []byte{0x48, 0x01}},   // 327.68, the nearest is 328
	} {
		o := Options{Rate: c.rate}
		if got := setRate(uint16(o.divider())).bytes; !bytes.Equal(got, append([]byte{0x05}, c.bytes...)) {
			t.Errorf("%v Hz: % X, want 05 % X", c.rate, got, c.bytes)
		}
	}
	if info := New(Options{Rate: 100}).Info()[0]; info.Rate != 32768.0/328 {
		t.Errorf("100 Hz is said to be %v, want what the divider makes of it", info.Rate)
	}
}

func TestInquiry(t *testing.T) {
	for _, c := range []struct {
		name    string
		h       hardware
		payload []byte
		want    Inquiry
		layout  Layout
		wrong   string
	}{
		{"GSR only", shimmer3, []byte{0x80, 0x02, 1, 2, 3, 0x08, 1, 1, 0x1C},
			Inquiry{640, 4, []byte{0x1C}}, Layout{640, 6, 4}, ""},
		{"Shimmer3R", shimmer3R, []byte{0x00, 0x01, 0, 0, 0, 0x04, 0, 0, 0, 1, 1, 0x1C},
			Inquiry{256, 2, []byte{0x1C}}, Layout{256, 6, 4}, ""},
		{"between others", shimmer3, []byte{0x80, 0x02, 0, 0, 0, 0x08, 6, 1, 0x03, 0x12, 0x1A, 0x1B, 0x1C, 0x1D},
			Inquiry{640, 4, []byte{0x03, 0x12, 0x1A, 0x1B, 0x1C, 0x1D}}, Layout{640, 16, 13}, ""},
		{"temperature of a Shimmer3R", shimmer3R, []byte{0x80, 0x02, 0, 0, 0, 0x08, 0, 0, 0, 3, 1, 0x1B, 0x1A, 0x1C},
			Inquiry{640, 4, []byte{0x1B, 0x1A, 0x1C}}, Layout{640, 12, 10}, ""},
		{"no GSR", shimmer3, []byte{0x80, 0x02, 0, 0, 0, 0x08, 1, 1, 0x12},
			Inquiry{640, 4, []byte{0x12}}, Layout{}, "no skin conductance"},
		{"unknown channel", shimmer3, []byte{0x80, 0x02, 0, 0, 0, 0x08, 2, 1, 0x29, 0x1C},
			Inquiry{640, 4, []byte{0x29, 0x1C}}, Layout{}, "channel 29"},
		{"no rate", shimmer3, []byte{0, 0, 0, 0, 0, 0x08, 1, 1, 0x1C},
			Inquiry{0, 4, []byte{0x1C}}, Layout{}, "no sampling rate"},
		{"too many", shimmer3, append([]byte{1, 0, 0, 0, 0, 0, 51, 1}, make([]byte, 51)...),
			Inquiry{1, 0, make([]byte, 51)}, Layout{}, "51 channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if size, ok := inquiry(c.h).reply.length(c.payload); !ok || size != len(c.payload) {
				t.Fatalf("length %d, want %d", size, len(c.payload))
			}
			q := parseInquiry(c.h, c.payload)
			if q.Divider != c.want.Divider || q.Range != c.want.Range || !bytes.Equal(q.Channels, c.want.Channels) {
				t.Fatalf("%+v, want %+v", q, c.want)
			}
			l, err := q.layout(c.h)
			if c.wrong == "" && (err != nil || l != c.layout) {
				t.Errorf("%+v, %v, want %+v", l, err, c.layout)
			}
			if c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
				t.Errorf("%v, want an error of %q", err, c.wrong)
			}
		})
	}
}

// Every id either has a size or is refused; the sizes are the vendor's.
func TestChannelSizes(t *testing.T) {
	sizes := map[hardware]map[int][]byte{
		shimmer3: {
			1: {0x1D, 0x20},
			2: {0x00, 0x0C, 0x0D, 0x13, 0x14, 0x19, 0x1A, 0x1C, 0x23, 0x26, 0x27, 0x28},
			3: {0x1B, 0x1E, 0x1F, 0x21, 0x22},
		},
		shimmer3R: {3: {0x1A, 0x1B}},
	}
	for h, bySize := range sizes {
		for want, ids := range bySize {
			for _, id := range ids {
				if size, ok := channelSize(h, id); !ok || size != want {
					t.Errorf("%v, channel %02X: %d, %v, want %d", h, id, size, ok, want)
				}
			}
		}
	}
	for id := 0x29; id <= 0xFF; id++ {
		if _, ok := channelSize(shimmer3, byte(id)); ok {
			t.Errorf("channel %02X has a size that nobody knows", id)
		}
	}
}

func TestFirmware(t *testing.T) {
	f := parseFirmware([]byte{3, 0, 0, 0, 15, 4})
	if f.String() != "LogAndStream 0.15.4" || !f.instreamAck() || !f.longTicks() {
		t.Errorf("%v, %+v", f, f)
	}
	for _, c := range []struct {
		f           firmware
		prefix, u24 bool
	}{
		{firmware{3, 0, 15, 3}, false, true},
		{firmware{3, 0, 5, 3}, false, false},
		{firmware{3, 0, 5, 4}, false, true},
		{firmware{3, 1, 0, 0}, true, true},
	} {
		if c.f.instreamAck() != c.prefix || c.f.longTicks() != c.u24 {
			t.Errorf("%v: %v, %v, want %v, %v", c.f, c.f.instreamAck(), c.f.longTicks(), c.prefix, c.u24)
		}
	}
	if n := statusSize(shimmer3R, firmware{3, 1, 0, 24}); n != 2 {
		t.Errorf("%d status bytes, want 2", n)
	}
	if n := statusSize(shimmer3R, firmware{3, 1, 0, 23}) + statusSize(shimmer3, firmware{3, 1, 0, 24}); n != 2 {
		t.Errorf("%d status bytes together, want one each", n)
	}
	if v := volts([]byte{0x76, 0x0A, 0x80}); math.Abs(v-3.9002) > 1e-4 {
		t.Errorf("%v V, want 3.9002", v)
	}
}

func TestRecognise(t *testing.T) {
	device, run := []byte{0xFF, 0x25, 3}, []byte{0xFF, 0x2F, 3, 0, 0, 0, 16, 11}
	deviceR := []byte{0xFF, 0x25, 10}
	sealedOnes := slices.Concat(seal(bytes.Clone(device), 2), seal(bytes.Clone(run), 2))
	packets := []byte{0, 1, 2, 3, 0xF0, 0x48, 0, 0x81, 4, 3, 0xF0, 0x48}
	for name, c := range map[string]struct {
		heard []byte
		want  string
	}{
		"plain":         {slices.Concat(device, run), "Shimmer3, LogAndStream 0.16.11"},
		"R":             {slices.Concat(deviceR, run), "Shimmer3R, LogAndStream 0.16.11"},
		"checksums":     {sealedOnes, "Shimmer3, LogAndStream 0.16.11"},
		"streaming":     {slices.Concat(packets, device, packets, run, packets), "Shimmer3, LogAndStream 0.16.11"},
		"BtStream":      {slices.Concat(device, []byte{0xFF, 0x2F, 1, 0, 0, 0, 8, 0}), "Shimmer3, BtStream 0.8.0"},
		"echo":          {[]byte{cmdGetDevice, cmdGetFirmware}, ""},
		"half":          {slices.Concat(device, run[:7]), ""},
		"no device":     {run, ""},
		"other answers": {[]byte("OK\r\n\xFF\xFF\x25\x41\xFF\x2F\x00\x00\x00\x00\x00\x00\x00"), ""},
		"nothing":       {nil, ""},
	} {
		model, ok := recognise(c.heard)
		if model != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, model, ok, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	set, ok := Driver().Settings().(*Options)
	if !ok || set.Rate != DefaultRate || !set.CRC || set.Range.String() != "auto" {
		t.Fatalf("defaults %+v", set)
	}
	info := New(Options{Place: place("/dev/rfcomm0")}).Info()[0]
	if info.Clock != stream.TickedClock || info.TickHz != 32768 || info.Rate != 51.2 ||
		info.Index("raw") != 0 || info.Index("eda_us") != 1 || info.Index("eda_range") != 2 || info.Index("eda_hold") != 3 {
		t.Errorf("%+v", info)
	}
	for _, o := range []Options{
		{},
		{Place: place("/dev/rfcomm0"), Rate: .5},
		{Place: place("/dev/rfcomm0"), Rate: 2000},
		{Place: place("/dev/rfcomm0"), Rate: -1},
		{Place: place("/dev/rfcomm0"), Rate: math.NaN()},
		{Place: place("/dev/rfcomm0"), Range: Fixed(4)},
	} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := (&Options{Place: place("/dev/rfcomm0")}).Open(); err != nil {
		t.Error(err)
	}
}

func TestRangeFromYAML(t *testing.T) {
	says := func(value any) func(any) error {
		return func(into any) error {
			*into.(*any) = value
			return nil
		}
	}
	for want, value := range map[string]any{"auto": "auto", "0": uint64(0), "3": "3", "2": int64(2)} {
		var r Range
		if err := r.UnmarshalYAML(says(value)); err != nil || r.String() != want {
			t.Errorf("%v: %v, %v", value, r, err)
		}
	}
	for _, value := range []any{"4", -1, "", nil, 1.5, "Auto!"} {
		var r Range
		if err := r.UnmarshalYAML(says(value)); err == nil {
			t.Errorf("%v: no error, but %v", value, r)
		}
	}
	broken := errors.New("broken")
	var r Range
	if err := r.UnmarshalYAML(func(any) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want the reader's error", err)
	}
	if fmt.Sprint(Fixed(1).code(), Range{}.code()) != "1 4" {
		t.Errorf("codes %d, %d", Fixed(1).code(), Range{}.code())
	}
}
