package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// Whatever a camera and its nets make of a face, the session can be sealed and
// derived again: the rest of it must not be lost for the face's sake.
func TestSealingTakesOddFaces(t *testing.T) {
	t.Parallel()
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 1, -1, 1e300, -1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}
	fill := func(c *stream.Chunk, value func(i, k int) float64) {
		for i := range c.Samples {
			for k := range c.Samples[i].Values {
				c.Samples[i].Values[k] = value(i, k)
			}
		}
	}
	always := func(v float64) func(*stream.Chunk) {
		return func(c *stream.Chunk) { fill(c, func(int, int) float64 { return v }) }
	}
	cases := map[string]func(*stream.Chunk){
		"no frame":    func(c *stream.Chunk) { c.Samples = nil },
		"one frame":   func(c *stream.Chunk) { c.Samples = c.Samples[:1] },
		"all NaN":     always(math.NaN()),
		"all 0":       always(0),
		"all 1":       always(1),
		"all +Inf":    always(math.Inf(1)),
		"all largest": always(math.MaxFloat64),
		"found, with nothing else known": func(c *stream.Chunk) {
			fill(c, func(_, k int) float64 {
				if k == 0 {
					return 1
				}
				return math.NaN()
			})
		},
		"clock goes back": func(c *stream.Chunk) {
			for i := range c.Samples {
				c.Samples[i].Tick -= int64(i%7) * 1e8
			}
		},
		"clock stands still": func(c *stream.Chunk) {
			for i := range c.Samples {
				c.Samples[i].Tick = int64(origin)
			}
		},
		"numbers far apart": func(c *stream.Chunk) {
			for i := range c.Samples {
				c.Samples[i].Seq = int64(i) * 1e15
			}
		},
	}
	for seed := range uint64(4) {
		cases[fmt.Sprint("random ", seed)] = func(c *stream.Chunk) {
			r := rand.New(rand.NewPCG(seed, 0))
			fill(c, func(i, k int) float64 {
				switch {
				case k == 0:
					return 1
				case r.IntN(4) > 0:
					return c.Samples[i].Values[k]
				}
				return odd[r.IntN(len(odd))]
			})
		}
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			r := begin(t, s, "s1")
			info := lab(t)[2]
			c := person(t, info, run(info, 0, 100))
			spoil(&c)
			appendAll(t, r, c, run(lab(t)[0], 0, 400))
			if err := r.Seal(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Rederive(t.Context(), "s1", RederiveOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			d := detail(t, s, "s1")
			if d.State != session.Sealed || d.Frames != int64(len(c.Samples)) {
				t.Errorf("it is %s, with %d rows of %d frames", d.State, d.Frames, len(c.Samples))
			}
		})
	}
}

// A lab without a camera has no rows of a trace, and is sealed like any other.
func TestSealingWithoutACamera(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := header(t, "s1")
	h.Streams = append(h.Streams[:2], h.Streams[3:]...)
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, run(lab(t)[0], 0, 1000))
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.State != session.Sealed || d.Frames != 0 || len(d.Calibrations) != 0 {
		t.Errorf("it is %s with %d rows, calibrations %+v", d.State, d.Frames, d.Calibrations)
	}
}
