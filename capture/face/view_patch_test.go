package face

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/landmark"
)

// uniform returns a patch of one colour that begins at the frame's corner.
func uniform(w, h int, blue, green, red byte) patch {
	p := patch{pix: make([]byte, 3*w*h), w: w, h: h, stepX: 1, stepY: 1}
	for i := 0; i < len(p.pix); i += 3 {
		p.pix[i], p.pix[i+1], p.pix[i+2] = blue, green, red
	}
	return p
}

func TestLight(t *testing.T) {
	var grey []float64
	for _, c := range []struct {
		blue, green, red byte
		want             light
	}{
		{0, 0, 0, light{}},
		{100, 100, 100, light{mean: 100}},
		{255, 255, 255, light{mean: 255, clipped: 1}},
		{100, 120, 180, light{mean: luma(100, 120, 180), colour: 60 / luma(100, 120, 180)}},
	} {
		p := uniform(50, 60, c.blue, c.green, c.red)
		got := p.light(&grey)
		if math.Abs(got.mean-c.want.mean) > 1e-9 || got.clipped != c.want.clipped || math.Abs(got.colour-c.want.colour) > 1e-9 {
			t.Errorf("%v: %+v, want %+v", [3]byte{c.blue, c.green, c.red}, got, c.want)
		}
	}
	// What lies in the corners is not the face.
	p := uniform(50, 60, 0, 0, 0)
	for _, corner := range []int{0, 49, 59 * 50, 59*50 + 49} {
		p.pix[3*corner], p.pix[3*corner+1], p.pix[3*corner+2] = 255, 255, 255
	}
	if got := p.light(&grey); got.mean != 0 {
		t.Errorf("white corners make the face %v bright", got.mean)
	}
}

// The ellipse of the patch has the area of an ellipse, and is symmetric.
func TestEllipse(t *testing.T) {
	for _, size := range [][2]int{{112, 112}, {90, 112}, {31, 40}, {2, 2}, {1, 1}} {
		w, h := size[0], size[1]
		area := 0
		for y := range h {
			from, to := ellipse(y, w, h)
			mirrorFrom, mirrorTo := ellipse(h-1-y, w, h)
			if from < 0 || to > w || from > to || from != mirrorFrom || to != mirrorTo {
				t.Fatalf("%v: row %d is %d to %d, its mirror image %d to %d", size, y, from, to, mirrorFrom, mirrorTo)
			}
			area += to - from
		}
		if want := math.Pi / 4 * float64(w*h); w > 20 && math.Abs(float64(area)-want) > .01*want {
			t.Errorf("%v: area %d, want %.0f", size, area, want)
		}
	}
}

func TestSharpness(t *testing.T) {
	const w, h = 56, 56
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]float64, w*h)
	for i := range noise {
		noise[i] = 128 + 20*r.NormFloat64()
	}
	if got := sharpness(noise, w, h); math.Abs(got-1) > .15 {
		t.Errorf("of noise: %.3f, want 1", got)
	}
	curve := make([]float64, w*h)
	rows := make([]float64, w*h)
	for i := range curve {
		x, y := float64(i%w), float64(i/w)
		curve[i] = (x*x + y*y) / 40
		rows[i] = (x*x)/40 + noise[(i/w)*w] // sharp from row to row, smooth along them
	}
	for name, c := range map[string]struct {
		grey []float64
		want float64
	}{"a smooth surface": {curve, 1. / 16}, "smeared along its rows": {rows, 1. / 16}, "one colour": {make([]float64, w*h), 0}} {
		if got := sharpness(c.grey, w, h); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("of %s: %.4f, want %.4f", name, got, c.want)
		}
	}
	// It does not depend on light and contrast.
	brighter := make([]float64, w*h)
	for i, l := range noise {
		brighter[i] = 2.5*l + 7
	}
	if a, b := sharpness(noise, w, h), sharpness(brighter, w, h); math.Abs(a-b) > 1e-9 {
		t.Errorf("%.4f becomes %.4f with light and contrast", a, b)
	}
	for _, size := range [][2]int{{0, 0}, {1, 1}, {4, 4}, {5, 5}} {
		if got := sharpness(make([]float64, size[0]*size[1]), size[0], size[1]); got != 0 {
			t.Errorf("of %v: %v", size, got)
		}
	}
}

func TestHalve(t *testing.T) {
	grey := []float64{
		1, 3, 5, 7, 100,
		1, 3, 5, 7, 100,
		50, 50, 50, 50, 50,
	}
	var scratch []float64
	got, w, h := halve(grey, 5, 3, &scratch)
	if w != 2 || h != 1 || len(got) != 2 || got[0] != 2 || got[1] != 6 {
		t.Errorf("%v of %dx%d", got, w, h)
	}
}

// at gives back a colour that changes linearly, between its pixels as on them.
func TestPatchAt(t *testing.T) {
	p := uniform(20, 10, 0, 0, 0)
	for i := range p.w * p.h {
		x, y := i%p.w, i/p.w
		p.pix[3*i], p.pix[3*i+1], p.pix[3*i+2] = byte(10*x), byte(20*y), byte(5*x+5*y)
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-3, 23).Draw(t, "x")
		y := rapid.Float64Range(-3, 13).Draw(t, "y")
		blue, green, red, ok := p.at(x, y)
		if inside := x >= 0 && y >= 0 && x < 19 && y < 9; ok != inside {
			t.Fatalf("seen %v, want %v", ok, inside)
		}
		if !ok {
			return
		}
		if math.Abs(blue-10*x) > 1e-9 || math.Abs(green-20*y) > 1e-9 || math.Abs(red-5*x-5*y) > 1e-9 {
			t.Fatalf("colour %v %v %v", blue, green, red)
		}
	})
}

func TestPatchPlace(t *testing.T) {
	p := patch{w: 10, h: 10, x: 100, y: 50, stepX: 4, stepY: 5}
	if got := p.place(landmark.Point{X: 102, Y: 52.5}); got != (landmark.Point{}) {
		t.Errorf("the middle of the first pixel lies at %v", got)
	}
	if got := p.place(landmark.Point{X: 138, Y: 97.5}); got != (landmark.Point{X: 9, Y: 9}) {
		t.Errorf("the middle of the last pixel lies at %v", got)
	}
}
