package face

import "math"

// crop is how a part of the frame lies in the top left of the square input of a
// detector: scaled so that its longer side fills the square, the rest black.
type crop struct {
	x0, y0, w, h   int // the part of the frame, px
	innerW, innerH int // its size in the net's input, px
	n              int // side of that input, px
}

// newCrop lays the part of a frame of width x height that r covers into a square
// of side n; false when r lies outside the frame.
func newCrop(r Rect, width, height, n int) (crop, bool) {
	x0, y0, x1, y1, ok := r.clip(width, height)
	if !ok {
		return crop{}, false
	}
	c := fit(x1-x0, y1-y0, n)
	c.x0, c.y0 = x0, y0
	return c, true
}

// fit lays a whole picture of w x h into a square of side n.
func fit(w, h, n int) crop {
	scale := float64(n) / float64(max(w, h))
	return crop{
		w: w, h: h, n: n,
		innerW: max(1, int(math.Round(float64(w)*scale))),
		innerH: max(1, int(math.Round(float64(h)*scale))),
	}
}
