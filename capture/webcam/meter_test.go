package webcam

import (
	"context"
	"math"
	"testing"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

func TestMeterReadsLight(t *testing.T) {
	m := NewMeter(newCamera(Options{}, Description{}, nil, new(instant.Hand)), "camera", 3, 2, new(instant.Hand))
	// 7 x 5 pixels do not divide evenly; the lower right cell is white.
	f := frame.Frame{Width: 7, Height: 5, Pix: make([]byte, 3*7*5)}
	for y := 2; y < 5; y++ {
		for x := 4; x < 7; x++ {
			for c := range 3 {
				f.Pix[3*(y*7+x)+c] = 255
			}
		}
	}
	for i, v := range m.read(f) {
		if want := map[bool]float64{true: 1}[i == 5]; math.Abs(v-want) > 1e-9 {
			t.Errorf("cell %d has the light %v, want %v", i, v, want)
		}
	}
	// Half the light is a value of 188 of 255.
	for i := range f.Pix {
		f.Pix[i] = 188
	}
	if v := m.read(f)[0]; math.Abs(v-.5) > .01 {
		t.Errorf("188 is read as the light %v, want half", v)
	}
	// A picture smaller than the grid has cells without a pixel.
	for _, v := range m.read(frame.Frame{Width: 1, Height: 1, Pix: []byte{9, 9, 9}}) {
		if math.IsNaN(v) {
			t.Error("a cell without a pixel is no number")
		}
	}
}

func TestMeterStream(t *testing.T) {
	hand := new(instant.Hand)
	s := &fakeSource{hand: hand, takes: lasting(1000, stampTries, asDue)}
	m := NewMeter(settled(t, s, Options{}), "camera", 2, 2, hand)
	info := m.Info()[0]
	if info.Clock != stream.HostClock || info.Rate != 30 || len(info.Channels) != 4 || info.Channels[3].Name != "light_01_01" {
		t.Errorf("described as %+v", info)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	out := make(chan stream.Chunk)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, out) }()
	var samples []stream.Sample
	var events []stream.EventKind
	for len(events) == 0 || events[len(events)-1] != stream.Disconnected {
		select {
		case c := <-out:
			samples = append(samples, c.Samples...)
			for _, e := range c.Events {
				events = append(events, e.Kind)
			}
		case <-time.After(deadline):
			t.Fatalf("the camera went and nothing was said; events %v", events)
		}
	}
	if events[0] != stream.Connected || len(samples) == 0 {
		t.Errorf("%d samples, events %v", len(samples), events)
	}
	for _, x := range samples {
		if x.Arrival.Sub(instant.Instant(x.Tick)) != ms(20) || len(x.Values) != 4 {
			t.Errorf("sample %+v", x)
		}
	}
	cancel()
	if err := wait(t, done); err != nil {
		t.Errorf("Run returned %v", err)
	}
}
