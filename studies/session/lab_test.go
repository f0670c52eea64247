package session

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// sitter is a camera before which somebody sits calmly for ten seconds, and then
// somebody else.
type sitter struct {
	clock *instant.Hand
	next  func() // the other one sits down
}

func (sitter) Info() []stream.Info {
	info := stream.Info{ID: "face", Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Rate: 30}
	for _, name := range []string{"face_found", "faces", "frame_w_px", "frame_h_px"} {
		info.Channels = append(info.Channels, stream.Channel{Name: name})
	}
	for _, name := range expression.Names() {
		info.Channels = append(info.Channels, stream.Channel{Name: "p_" + name})
	}
	for i := range headpose.Generic() {
		info.Channels = append(info.Channels, stream.Channel{Name: fmt.Sprintf("lm%02d_x_px", i)}, stream.Channel{Name: fmt.Sprintf("lm%02d_y_px", i)})
	}
	return []stream.Info{info}
}

// sitting is how many frames each of the two is filmed.
const sitting = 300

func (s sitter) Run(ctx context.Context, out chan<- stream.Chunk) error {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2 * sitting {
		if i == sitting {
			s.next()
		}
		s.clock.Advance(time.Second / 30)
		v := []float64{1, 1, 640, 480, .94, .01, .01, .01, .01, .01, .01}
		for _, p := range headpose.Generic() {
			x, y := 320+640*p.X/(600+p.Z), 240+640*p.Y/(600+p.Z)
			v = append(v, x+.1*r.NormFloat64(), y+.1*r.NormFloat64())
		}
		now := s.clock.Now()
		c := stream.Chunk{Stream: "face", Samples: []stream.Sample{{Seq: int64(i), Tick: int64(now), Arrival: now, Values: v}}}
		if !stream.Send(ctx, out, c) {
			return nil
		}
	}
	return nil
}

// The lab learns by itself what the participant looks like at rest, tells action
// units from it, and forgets it when another one sits down.
func TestLabLearnsEachPerson(t *testing.T) {
	clock := new(instant.Hand)
	clock.Advance(time.Minute)
	s := &sitter{clock: clock}
	lab, err := NewLab(clock, s)
	if err != nil {
		t.Fatal(err)
	}
	s.next = lab.NewPerson
	rows := lab.Bus().Lossless("test", 3*sitting*2)
	if err := lab.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	smile, quality := trace.Info().Index("au12"), trace.Info().Index("quality")
	var changes []int // frames at which the neutral face becomes known or unknown
	known, n := false, 0
	for c := range rows.C() {
		if c.Stream != trace.ID {
			continue
		}
		for _, r := range c.Samples {
			if has := !math.IsNaN(r.Values[smile]); has != known {
				known, changes = has, append(changes, n)
			}
			if marked := trace.Quality(r.Values[quality])&trace.NoNeutral != 0; marked == known {
				t.Fatalf("row %d: action units known %v, marked as unknown %v", n, known, marked)
			}
			n++
		}
	}
	if n != 2*sitting || len(changes) != 3 {
		t.Fatalf("%d rows; the neutral face comes and goes at %v", n, changes)
	}
	// A neutral face takes two seconds. The other person is announced while up to
	// an inbox of frames, and one on either side of it, is still on the way.
	if changes[0] < 60 || changes[0] > 120 || changes[1] < sitting-inbox-2 || changes[1] > sitting || changes[2] < changes[1]+60 {
		t.Errorf("the neutral face comes and goes at frames %v", changes)
	}
}
