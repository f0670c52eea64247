package portrait

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"emolab/fusion/script"
)

// quiet returns a painter without noise.
func quiet() *Painter {
	p := NewPainter(640, 480, 1)
	clear(p.scene.noise)
	return p
}

// differing counts the pixels that two pictures do not share, within columns
// [x0, x1) and rows [y0, y1).
func differing(a, b []byte, x0, y0, x1, y1 int) (n int) {
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			i := 3 * (y*640 + x)
			if !bytes.Equal(a[i:i+3], b[i:i+3]) {
				n++
			}
		}
	}
	return n
}

func TestPaintIsPureButForTheNoise(t *testing.T) {
	a, b := NewPainter(320, 240, 5), NewPainter(320, 240, 5)
	l := Look{Expression: "happy", Intensity: 1}
	first, second := a.Paint(l), a.Paint(l)
	if len(first) != 3*320*240 {
		t.Fatalf("%d bytes, want %d", len(first), 3*320*240)
	}
	if !bytes.Equal(first, b.Paint(l)) {
		t.Error("the same seed gives different pictures")
	}
	if bytes.Equal(first, second) {
		t.Error("two pictures have the same noise")
	}
	// The difference of two pictures has the noise of both: per channel
	// sqrt(2) * sqrt(3² + 1.8²) grey levels.
	var sum float64
	for i := range first {
		d := float64(first[i]) - float64(second[i])
		sum += d * d
	}
	if got, want := math.Sqrt(sum/float64(len(first))), math.Sqrt2*math.Hypot(3, 1.8); math.Abs(got-want) > .2 {
		t.Errorf("noise of %.2f grey levels, want %.2f", got, want)
	}
}

// What was painted before does not show.
func TestPaintForgetsTheLookBefore(t *testing.T) {
	used := quiet()
	r := rand.New(rand.NewPCG(1, 2))
	names := expressions()
	for n := range 4 {
		l := Look{
			Expression: names[n%len(names)], Intensity: r.Float64(),
			Closure: max(0, 2*r.Float64()-1), GazeX: 3*r.Float64() - 1.5, Yaw: 5,
			Hand: r.Float64(), Back: r.Float64(), Light: 1 + r.Float64(),
		}
		blink := l
		blink.Closure = 1
		for _, l := range []Look{l, blink} {
			fresh := &Painter{scene: used.scene, head: newHead(), heights: used.heights}
			if !bytes.Equal(used.Paint(l), fresh.Paint(l)) {
				t.Fatalf("%+v is painted differently after another look", l)
			}
		}
	}
}

func TestPaintMovesWhatItShould(t *testing.T) {
	p := quiet()
	rest := p.Paint(Look{})
	for _, tc := range []struct {
		name           string
		look           Look
		x0, y0, x1, y1 int // px: all changes lie within
	}{
		{"a blink", Look{Closure: 1}, 255, 205, 385, 245},
		{"a glance", Look{GazeX: 1, GazeY: 1}, 255, 205, 385, 245},
		{"a smile", Look{Expression: "happy", Intensity: 1}, 225, 200, 415, 345},
		{"surprise", Look{Expression: "surprised", Intensity: 1}, 215, 160, 425, 400},
		{"a hand on the mouth", Look{Hand: 1}, 250, 250, 450, 450},
	} {
		got := p.Paint(tc.look)
		inside := differing(rest, got, tc.x0, tc.y0, tc.x1, tc.y1)
		all := differing(rest, got, 0, 0, 640, 480)
		if inside == 0 || inside != all {
			t.Errorf("%s changes %d pixels, %d of them where it should", tc.name, all, inside)
		}
	}
	if !bytes.Equal(rest, p.Paint(Look{Expression: "neutral", Intensity: 1, Scale: 1, Light: 1})) {
		t.Error("the neutral face differs from a look that says nothing")
	}
}

// level returns the mean of the picture's three colours within columns [x0, x1)
// and rows [y0, y1).
func level(pix []byte, x0, y0, x1, y1 int) float64 {
	var sum, n float64
	for y := y0; y < y1; y++ {
		for _, v := range pix[3*(y*640+x0) : 3*(y*640+x1)] {
			sum, n = sum+float64(v), n+1
		}
	}
	return sum / n
}

func TestPaintInOtherLight(t *testing.T) {
	p := quiet()
	face := func(pix []byte) float64 { return level(pix, 280, 260, 360, 330) }
	wall := func(pix []byte) float64 { return level(pix, 460, 120, 560, 240) }
	rest := p.Paint(Look{})

	dark := p.Paint(Look{Light: .15})
	if f, w := face(dark)/face(rest), wall(dark)/wall(rest); math.Abs(f-.15) > .01 || math.Abs(w-.15) > .01 {
		t.Errorf("at light .15 the face has %.3f of its brightness and the wall %.3f", f, w)
	}
	if got := face(p.Paint(Look{Light: 2})); got < 230 {
		t.Errorf("at light 2 the face has %.0f of 255 levels", got)
	}
	last := face(rest)
	for _, back := range []float64{.25, .5, .75, 1} {
		got := p.Paint(Look{Back: back})
		if face(got) >= last || wall(got) <= wall(rest) {
			t.Errorf("with %v of the window's light the face has %.0f levels (%.0f before) and the wall %.0f (%.0f without)",
				back, face(got), last, wall(got), wall(rest))
		}
		last = face(got)
	}
	if w := wall(p.Paint(Look{Back: 1})); last > 60 || w < 240 {
		t.Errorf("before the window the face has %.0f levels and the window %.0f", last, w)
	}
	if !bytes.Equal(rest, p.Paint(Look{})) {
		t.Error("the light stays as it was")
	}
}

// A hand comes up from below and covers the lips, which are red, with skin.
func TestPaintAHand(t *testing.T) {
	p := quiet()
	redness := func(l Look) float64 {
		pix := p.Paint(l)
		var red, green float64
		for y := 300; y < 312; y++ {
			for x := 300; x < 340; x++ {
				green, red = green+float64(pix[3*(y*640+x)+1]), red+float64(pix[3*(y*640+x)+2])
			}
		}
		return red / green
	}
	lips := redness(Look{})
	if got := redness(Look{Hand: .2}); got != lips {
		t.Errorf("a hand before the chest changes the lips from %.2f to %.2f", lips, got)
	}
	if got := redness(Look{Hand: 1}); got > .85*lips {
		t.Errorf("under the hand red is %.2f times green, of the lips %.2f times", got, lips)
	}
}

// darkColumn returns the mean column of the dark pixels, those of iris and pupil,
// around the eye on the right of the picture.
func darkColumn(pix []byte) float64 {
	var sum, n float64
	for y := 218; y < 236; y++ {
		for x := 335; x < 375; x++ {
			if i := 3 * (y*640 + x); int(pix[i])+int(pix[i+1])+int(pix[i+2]) < 150 {
				sum, n = sum+float64(x), n+1
			}
		}
	}
	return sum / n
}

func TestTheEyesFollowTheGaze(t *testing.T) {
	p := quiet()
	left, ahead, right := darkColumn(p.Paint(Look{GazeX: -.8})), darkColumn(p.Paint(Look{})), darkColumn(p.Paint(Look{GazeX: .8}))
	// .8 of .03 head heights of 250 px are 6 px; the lids hide some of it.
	if !(left < ahead-3 && right > ahead+3) {
		t.Errorf("the iris is at columns %.1f, %.1f, %.1f for a gaze to the left, ahead, to the right", left, ahead, right)
	}
}

// Heads that reach over the edge, and any size of picture, are drawn as far as
// they are seen.
func TestPaintAtTheEdges(t *testing.T) {
	for _, size := range [][2]int{{32, 32}, {321, 243}, {100, 500}, {500, 100}} {
		p := NewPainter(size[0], size[1], 1)
		for _, l := range []Look{
			{}, {ShiftX: 400}, {ShiftX: -400, Roll: 45}, {ShiftY: 400}, {ShiftY: -400},
			{Scale: 4}, {Scale: .1}, {ShiftX: 5000, ShiftY: -5000}, {Yaw: 40, Pitch: -40},
		} {
			if got := len(p.Paint(l)); got != 3*size[0]*size[1] {
				t.Errorf("%v: %d bytes, want %d", size, got, 3*size[0]*size[1])
			}
		}
	}
}

// BenchmarkPaint films a whole script: most pictures repeat the face of the one
// before in another pose, the others show a blink, a saccade or a ramp.
func BenchmarkPaint(b *testing.B) {
	s, w, p := script.New(1), newSway(1), NewPainter(640, 480, 1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		p.Paint(lookAt(s, time.Duration(n)*time.Second/30, w))
		n++
	}
}

func BenchmarkPaintSameFace(b *testing.B) {
	p := NewPainter(640, 480, 1)
	for b.Loop() {
		p.Paint(Look{Yaw: 1, Pitch: -.5, Roll: 1})
	}
}

func BenchmarkPaintNewFace(b *testing.B) {
	p := NewPainter(640, 480, 1)
	n := 0
	for b.Loop() {
		p.Paint(Look{Expression: "happy", Intensity: float64(n%intensitySteps) / intensitySteps})
		n++
	}
}
