package session

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// darkCamera delivers three seconds of a dark picture without a face, and ends.
type darkCamera struct{ clock *instant.Hand }

func (darkCamera) Info() []stream.Info {
	return []stream.Info{{
		ID: "face", Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Rate: 25,
		Channels: []stream.Channel{{Name: "face_found"}, {Name: "luma_face"}, {Name: "luma_around"}},
	}}
}

func (d darkCamera) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for range 75 {
		d.clock.Advance(40 * time.Millisecond)
		now := d.clock.Now()
		s := stream.Sample{Tick: int64(now), Arrival: now, Values: []float64{0, math.NaN(), 4}}
		if !stream.Send(ctx, out, stream.Chunk{Stream: "face", Samples: []stream.Sample{s}}) {
			return nil
		}
	}
	return nil
}

// What the camera measures becomes a sentence in the lab's health.
func TestLabAdvises(t *testing.T) {
	clock := new(instant.Hand)
	clock.Advance(time.Minute)
	lab, err := NewLab(clock, darkCamera{clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := lab.Health()[0]
	if h.Info.ID != "face" || !strings.HasPrefix(h.Advice, "Too dark to find a face: ") {
		t.Errorf("of %s: advice %q", h.Info.ID, h.Advice)
	}
}
