package resample

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// noise returns a picture of random bytes.
func noise(seed uint64, width, height int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	pixels := make([]byte, 3*width*height)
	for i := range pixels {
		pixels[i] = byte(random.IntN(256))
	}
	return pixels
}

// share returns how much of pixel i, on either axis, lies between from and to.
func share(i int, from, to float64) float64 {
	return max(0, min(to, float64(i+1))-max(from, float64(i)))
}

// reference is Run from its definition: for each pixel a sum over the whole picture.
func reference(pixels []byte, width, height int, r Rect, side int) []float64 {
	q := r.Square()
	step := q.W / float64(side)
	area := max(1, step)
	out := make([]float64, 3*side*side)
	for i := range out {
		x, y := q.X+(float64(i/3%side)+.5)*step, q.Y+(float64(i/3/side)+.5)*step
		left, right := max(x-area/2, r.X), min(x+area/2, r.X+r.W)
		top, bottom := max(y-area/2, r.Y), min(y+area/2, r.Y+r.H)
		for py := range height {
			for px := range width {
				out[i] += float64(pixels[3*(py*width+px)+i%3]) * share(px, left, right) * share(py, top, bottom) / area / area
			}
		}
	}
	return out
}

// rects draws rectangles in and around a picture of that size.
func rects(t *rapid.T, width, height int) Rect {
	place := func(size int) float64 {
		return rapid.Float64Range(-1.5*float64(size), 1.5*float64(size)).Draw(t, "place")
	}
	length := func(size int) float64 { return rapid.Float64Range(.01, 3*float64(size)).Draw(t, "length") }
	return Rect{place(width), place(height), length(width), length(height)}
}

func TestRunIsTheMeanOverEachPixelsShare(t *testing.T) {
	var s Resampler // used again and again, as it is meant to be
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 30).Draw(t, "width"), rapid.IntRange(1, 30).Draw(t, "height")
		side := rapid.IntRange(1, 9).Draw(t, "side")
		r := rects(t, width, height)
		pixels := noise(rapid.Uint64().Draw(t, "seed"), width, height)
		out := make([]byte, 3*side*side)
		if err := s.Run(pixels, width, height, r, out, side); err != nil {
			t.Fatal(err)
		}
		for i, want := range reference(pixels, width, height, r, side) {
			if math.Abs(float64(out[i])-want) > .51 {
				t.Fatalf("byte %d of %v is %d, want %.2f", i, r, out[i], want)
			}
		}
	})
}

// What a crop of whole pixels does not have: half the way makes half the difference.
func TestRunChangesAsLittleAsTheRectangle(t *testing.T) {
	const width, height, side = 90, 70, 24
	var s Resampler
	rapid.Check(t, func(t *rapid.T) {
		pixels := noise(rapid.Uint64().Draw(t, "seed"), width, height)
		r := Rect{
			rapid.Float64Range(0, 20).Draw(t, "x"), rapid.Float64Range(0, 20).Draw(t, "y"),
			rapid.Float64Range(24, 60).Draw(t, "w"), rapid.Float64Range(24, 45).Draw(t, "h"),
		}
		moved := Rect{r.X + .01, r.Y + .01, r.W, r.H}
		before, after := make([]byte, 3*side*side), make([]byte, 3*side*side)
		for _, run := range []struct {
			r   Rect
			out []byte
		}{{r, before}, {moved, after}} {
			if err := s.Run(pixels, width, height, run.r, run.out, side); err != nil {
				t.Fatal(err)
			}
		}
		// At each edge of a pixel's share .01 px comes in or goes, at most 255 each,
		// over a share of 1 px or more; and each is rounded.
		const most = 2*2*.01*255 + 1
		for i := range before {
			if d := math.Abs(float64(before[i]) - float64(after[i])); d > most {
				t.Fatalf("byte %d went from %d to %d by .01 px", i, before[i], after[i])
			}
		}
	})
}

func TestAPictureOfItsOwnSizeStaysAsItIs(t *testing.T) {
	const side = 17
	pixels, out := noise(1, side, side), make([]byte, 3*side*side)
	var s Resampler
	if err := s.Run(pixels, side, side, Rect{0, 0, side, side}, out, side); err != nil {
		t.Fatal(err)
	}
	if string(out) != string(pixels) {
		t.Error("it changed")
	}
}

func TestRunRefuses(t *testing.T) {
	pixels, out := make([]byte, 3*4*4), make([]byte, 3*2*2)
	good := Rect{0, 0, 4, 4}
	nan, inf := math.NaN(), math.Inf(1)
	var s Resampler
	for name, err := range map[string]error{
		"a short picture": s.Run(pixels[1:], 4, 4, good, out, 2),
		"no picture":      s.Run(nil, 0, 0, good, out, 2),
		"a short result":  s.Run(pixels, 4, 4, good, out[1:], 2),
		"no result":       s.Run(pixels, 4, 4, good, nil, 0),
		"no width":        s.Run(pixels, 4, 4, Rect{0, 0, 0, 4}, out, 2),
		"a place unknown": s.Run(pixels, 4, 4, Rect{nan, 0, 4, 4}, out, 2),
		"a size unknown":  s.Run(pixels, 4, 4, Rect{0, 0, 4, nan}, out, 2),
		"without end":     s.Run(pixels, 4, 4, Rect{0, 0, inf, 4}, out, 2),
		"far away":        s.Run(pixels, 4, 4, Rect{1e300, 0, 4, 4}, out, 2),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	const width, height, side = 1280, 720, 112
	pixels, out := noise(1, width, height), make([]byte, 3*side*side)
	var s Resampler
	for _, size := range []struct {
		name string
		side float64
	}{{"face of 150 px", 150}, {"of 400 px", 400}, {"of 700 px", 700}} {
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Run(pixels, width, height, Rect{10.3, 9.7, size.side * .9, size.side}, out, side); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
