package face

import (
	"math"

	"emolab/fusion/landmark"
)

// crop is how a part of the frame lies in the square input of a net: scaled so
// that its longer side fills the square, the rest black.
type crop struct {
	x0, y0, w, h int // the part of the frame, px
	// Where it lies in the net's input of side n, px.
	padX, padY, innerW, innerH int
	n                          int
}

// newCrop lays the part of a frame of width x height that r covers into the
// middle of a square of side n; false when r lies outside the frame.
func newCrop(r Rect, width, height, n int) (crop, bool) {
	c, ok := newCornerCrop(r, width, height, n)
	c.padX, c.padY = (n-c.innerW)/2, (n-c.innerH)/2
	return c, ok
}

// newCornerCrop lays the part of a frame of width x height that r covers into
// the top left of a square of side n; false when r lies outside the frame.
func newCornerCrop(r Rect, width, height, n int) (crop, bool) {
	x0, y0, x1, y1, ok := r.clip(width, height)
	if !ok {
		return crop{}, false
	}
	c := fit(x1-x0, y1-y0, n)
	c.x0, c.y0 = x0, y0
	return c, true
}

// fit lays a whole picture of w x h into the top left of a square of side n.
func fit(w, h, n int) crop {
	scale := float64(n) / float64(max(w, h))
	return crop{
		w: w, h: h, n: n,
		innerW: max(1, int(math.Round(float64(w)*scale))),
		innerH: max(1, int(math.Round(float64(h)*scale))),
	}
}

// point returns the place in the frame of a point given in parts of the net
// input's side.
func (c crop) point(u, v float64) landmark.Point {
	n := float64(c.n)
	return landmark.Point{
		X: float64(c.x0) + (u*n-float64(c.padX))*float64(c.w)/float64(c.innerW),
		Y: float64(c.y0) + (v*n-float64(c.padY))*float64(c.h)/float64(c.innerH),
	}
}
