package device_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/sensors/connection"
	"emolab/sensors/device"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		place device.Place
		says  string // "" = fine
	}{
		{device.Place{Port: "/dev/ttyUSB0"}, ""},
		{device.Place{Serial: "A1"}, ""},
		{device.Place{Serial: "A1", Port: "/dev/ttyUSB0"}, ""}, // the serial number wins
		{device.Place{Address: "tcp://127.0.0.1:4242"}, ""},
		{device.Place{}, "needs one of"},
		{device.Place{Address: "tcp://127.0.0.1:4242", Port: "/dev/ttyUSB0"}, "keep one"},
		{device.Place{Address: "127.0.0.1:4242"}, "tcp://"},
	} {
		err := c.place.Check()
		if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, want %q", c.place, err, c.says)
		}
	}
}

// nowhere is a line that opens, if at all, with words of its own.
type nowhere struct{ silence time.Duration }

func (n *nowhere) Open(silence time.Duration) (connection.Line, error) {
	n.silence = silence
	return nil, errors.New("nowhere")
}

// A line of another kind wins over every other place.
func TestPlaceThrough(t *testing.T) {
	line := &nowhere{}
	for _, p := range []device.Place{
		{Through: line}, {Through: line, Port: "/dev/ttyUSB0"}, {Through: line, Address: "tcp://127.0.0.1:4242"},
	} {
		line.silence = 0
		if err := p.Check(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
		if _, err := p.Dial(115200, time.Minute)(); err == nil || err.Error() != "nowhere" || line.silence != time.Minute {
			t.Errorf("%+v: %v, told a silence of %v", p, err, line.silence)
		}
	}
}

// The corners of the screen are 0 and 1, whatever the device calls them.
func TestSpan(t *testing.T) {
	s := device.Span{Left: 100, Top: 480, Right: 740, Bottom: 0} // counts upwards
	for _, c := range [][4]float64{{100, 480, 0, 0}, {740, 0, 1, 1}, {420, 240, .5, .5}} {
		if x, y := s.Share(c[0], c[1]); x != c[2] || y != c[3] {
			t.Errorf("%v, %v is %v, %v of the screen, want %v, %v", c[0], c[1], x, y, c[2], c[3])
		}
	}
	if x, _ := s.Share(math.NaN(), 0); !math.IsNaN(x) {
		t.Errorf("%v for a position that was not measured", x)
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64Range(-1, 2).Draw(t, "x"), rapid.Float64Range(-1, 2).Draw(t, "y")
		bx, by := s.Share(s.Units(x, y))
		if math.Abs(bx-x) > 1e-12 || math.Abs(by-y) > 1e-12 {
			t.Fatalf("%v, %v comes back as %v, %v", x, y, bx, by)
		}
	})
	if err := (device.Span{Left: 1, Right: 1, Bottom: 2}).Check(); err == nil {
		t.Error("a screen without width is taken")
	}
}
