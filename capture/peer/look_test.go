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

func TestTheHeadIsBlurredAndTheRestIsNot(t *testing.T) {
	c := checks(640, 480)
	var h head
	got := draw(c, Blurred, found(250, 200, 120, 130), &h, 0, 1)
	for y := 130; y < 340; y += 10 {
		for x := 215; x < 405; x += 10 {
			onBox := abs(x-250) < 12 || abs(x-370) < 12 || abs(y-200) < 12 || abs(y-330) < 12
			if detail := got.fine(x, y); detail > 40 && !onBox {
				t.Fatalf("detail of %d is left at %d,%d of the head", detail, x, y)
			}
		}
	}
	if got.fine(100, 100) < 200 {
		t.Error("what is no head is blurred")
	}
	if c.fine(300, 260) < 200 {
		t.Error("the picture that all looks are drawn from was changed")
	}
}

// While the face is not found the covering grows, and then is everywhere.
func TestAHeadThatIsNotFoundStaysCovered(t *testing.T) {
	var h head
	if _, whole := h.covering(face.Result{}, 5); !whole {
		t.Error("a head that was never seen may be anywhere")
	}
	at := instant.Instant(time.Hour)
	first, whole := h.covering(found(250, 200, 120, 130), at)
	if whole {
		t.Fatal("a head that was found is not everywhere")
	}
	last := first
	for ms := 33; ms < 1000; ms += 33 {
		cover, whole := h.covering(face.Result{}, at.Add(time.Duration(ms)*time.Millisecond))
		if whole || cover.W <= last.W || cover.H <= last.H || cover.X >= last.X || cover.Y >= last.Y {
			t.Fatalf("after %d ms the covering is %+v (all: %v), before it was %+v", ms, cover, whole, last)
		}
		last = cover
	}
	if _, whole := h.covering(face.Result{}, at.Add(headKept+1)); !whole {
		t.Error("a head that was lost for long may be anywhere")
	}
	two := found(250, 200, 120, 130)
	two.Faces = 2
	if _, whole := h.covering(two, at.Add(2*time.Second)); !whole {
		t.Error("a second face stays uncovered")
	}
	got := draw(checks(640, 480), Blurred, face.Result{}, new(head), 0, 1)
	for y := 8; y < 440; y += 24 {
		for x := 8; x < 632; x += 24 {
			if detail := got.fine(x, y); detail > 60 {
				t.Fatalf("detail of %d is left at %d,%d", detail, x, y)
			}
		}
	}
}

// What is drawn fits the frame, also where that is scaled.
func TestTheBoxIsWhereTheFaceIs(t *testing.T) {
	c := newCanvas(640, 360)
	got := draw(c, Box, found(400, 200, 200, 240), new(head), 0, .5)
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
	if &draw(c, Clear, found(1, 1, 9, 9), new(head), 0, 1).pix[0] != &c.pix[0] {
		t.Error("the clear look is another picture")
	}
	// What lies outside of the picture is no trouble.
	draw(c, Blurred, found(-300, -200, 200, 240), new(head), 0, 1)
	draw(c, Box, found(600, 300, 900, 900), new(head), 0, 1)
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
	c, h, r := checks(640, 480), new(head), found(250, 200, 120, 130)
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
