package peer

import (
	"testing"
	"time"

	"emolab/capture/face"
	"emolab/fusion/instant"
	"emolab/fusion/landmark"
)

func abs(v int) int { return max(v, -v) }

// checks is a picture of a fine chequerboard: what is left of it tells what was covered.
func checks(width, height int) *canvas {
	c := newCanvas(width, height)
	for i := range c.pix {
		if (i/3%width/4+i/3/width/4)%2 == 0 {
			c.pix[i] = 255
		}
	}
	return c
}

// fine is how much fine detail there is around a place.
func (c *canvas) fine(x, y int) int {
	least, most := 255, 0
	for dy := -4; dy < 4; dy++ {
		for dx := -4; dx < 4; dx++ {
			v := int(c.pix[3*((y+dy)*c.width+x+dx)+1])
			least, most = min(least, v), max(most, v)
		}
	}
	return most - least
}

func found(x, y, w, h float64) face.Result {
	r := face.Result{Found: true, Faces: 1, Box: face.Rect{X: x, Y: y, W: w, H: h}}
	for i := range r.Landmarks {
		r.Landmarks[i] = landmark.Point{X: x + w*float64(i%8)/8, Y: y + h*float64(i/8)/9}
	}
	return r
}

// Nothing is left in a blurred picture that anybody would have to be found for first:
// neither the participant's face nor that of somebody of whom nobody knows yet.
func TestNothingIsLeftOfABlurredPicture(t *testing.T) {
	c := checks(640, 480)
	for _, one := range []struct {
		r    face.Result
		side int
	}{{face.Result{}, 48}, {found(250, 200, 120, 130), 48}, {found(60, 20, 380, 400), 104}} {
		got := draw(c, Blurred, one.r, new(near), 0, 1)
		box := onSquares(one.r.Box, one.side)
		outlined := func(x, y int) bool { // the box is drawn there
			const thick = 6
			inside := func(d float64) bool {
				return float64(x) >= box.X-d && float64(x) < box.X+box.W+d && float64(y) >= box.Y-d && float64(y) < box.Y+box.H+d
			}
			return one.r.Found && inside(thick) && !inside(-thick)
		}
		for y := range 480 - 4*wordEdge { // the words lie below
			for x := range 640 {
				cx, cy := min(x/one.side*one.side+one.side/2, 639), min(y/one.side*one.side+one.side/2, 479-4*wordEdge)
				if a, b := got.pix[3*(y*640+x)], got.pix[3*(cy*640+cx)]; a != b && !outlined(x, y) {
					t.Fatalf("a face at %+v: %d,%d is %d in a square of %d", one.r.Box, x, y, a, b)
				}
			}
		}
	}
	if c.fine(300, 260) < 200 {
		t.Error("the picture that all looks are drawn from was changed")
	}
}

// The squares are as large as the nearest face of late wants them, and do not change with
// every frame.
func TestSquaresAreOfTheNearestFace(t *testing.T) {
	var n near
	at := instant.Instant(time.Hour)
	for _, c := range []struct {
		r     face.Result
		after time.Duration
		want  float64
	}{
		{face.Result{}, 0, 0},
		{found(250, 200, 120, 130), time.Second, 130},
		{found(200, 100, 220, 240), 2 * time.Second, 240},
		{found(250, 200, 120, 130), 3 * time.Second, 240},
		{face.Result{}, 2*time.Second + nearKept + 1, 240}, // who is not found may still be as near
		{found(250, 200, 120, 130), 2*time.Second + nearKept + 1, 130},
		{found(250, 200, 100, 110), -time.Minute, 110}, // another clock
	} {
		if got := n.see(c.r, at.Add(c.after)); got != c.want {
			t.Errorf("after %v a face of %v: %v, want %v", c.after, c.r.Box.H, got, c.want)
		}
	}
}

// What shows where the face is does not show the brows and the chin.
func TestTheBoxOfABlurredFaceIsOfSquares(t *testing.T) {
	open, closed := onSquares(face.Rect{X: 250, Y: 197, W: 120, H: 138}, 48), onSquares(face.Rect{X: 251, Y: 203, W: 119, H: 124}, 48)
	if want := (face.Rect{X: 240, Y: 192, W: 144, H: 144}); open != want || closed != want {
		t.Errorf("%+v and %+v, want %+v", open, closed, want)
	}
}

// What is drawn fits the frame, also where that is scaled.
func TestTheBoxIsWhereTheFaceIs(t *testing.T) {
	c := newCanvas(640, 360)
	got := draw(c, Box, found(400, 200, 200, 240), new(near), 0, .5)
	for _, p := range []struct{ x, y int }{{199, 150}, {301, 150}, {256, 99}, {256, 221}} { // around 200,100 to 300,220
		if v := got.pix[3*(p.y*640+p.x)]; v != ink {
			t.Errorf("the box is not at %d,%d: %d", p.x, p.y, v)
		}
	}
	points := 0
	for y := 105; y < 215; y++ {
		for x := 205; x < 295; x++ {
			if got.pix[3*(y*640+x)] == ink {
				points++
			}
		}
	}
	if points < 100 {
		t.Errorf("%d pixels of landmarks", points)
	}
	if &draw(c, Clear, found(1, 1, 9, 9), new(near), 0, 1).pix[0] != &c.pix[0] {
		t.Error("the clear look is another picture")
	}
	// What lies outside of the picture is no trouble.
	draw(c, Blurred, found(-300, -200, 200, 240), new(near), 0, 1)
	draw(c, Box, found(600, 300, 900, 900), new(near), 0, 1)
}

func TestFitted(t *testing.T) {
	for _, c := range []struct{ w, h, fw, fh int }{
		{640, 480, 640, 480}, {1280, 720, 640, 360}, {720, 1280, 270, 480}, {320, 241, 320, 240}, {1, 1, 2, 2}, {9000, 3, 640, 2},
	} {
		if w, h := fitted(c.w, c.h); w != c.fw || h != c.fh {
			t.Errorf("%dx%d becomes %dx%d, want %dx%d", c.w, c.h, w, h, c.fw, c.fh)
		}
		w, h := fitted(c.w, c.h)
		if got := scaled(make([]byte, 3*c.w*c.h), c.w, c.h, w, h); len(got.pix) != 3*w*h {
			t.Errorf("%dx%d: %d bytes", c.w, c.h, len(got.pix))
		}
	}
}

func BenchmarkBlurred(b *testing.B) {
	c, h, r := checks(640, 480), new(near), found(250, 200, 120, 130)
	for b.Loop() {
		draw(c, Blurred, r, h, 0, 1)
	}
}

func BenchmarkScaled1080(b *testing.B) {
	pix := make([]byte, 3*1920*1080)
	for b.Loop() {
		scaled(pix, 1920, 1080, 640, 360)
	}
}
