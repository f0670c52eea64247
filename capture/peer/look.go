package peer

import (
	"fmt"
	"math"
	"time"

	"emolab/capture/face"
	"emolab/fusion/instant"
)

// Look is what somebody wants to see of the participant.
type Look string

// The looks.
const (
	Clear   Look = "clear"   // as the camera sees it
	Box     Look = "box"     // with the face's box and landmarks
	Blurred Look = "blurred" // all of it unrecognisable, with where the face is
)

// looks are all of them.
var looks = []Look{Clear, Box, Blurred}

// How coarse the mosaic of the blurred look is.
const (
	// faceSquares is how many squares there are along a face that is found: so few tell
	// no expression.
	faceSquares = 4
	// heightSquares is how many there are along the picture's height at most: somebody
	// whom the nets do not find may be nearer than the participant.
	heightSquares = 12
	// squareStep is what the side of a square is a multiple of, so that it does not
	// change with every frame.
	squareStep = 8
	// nearKept is for how long the squares stay as coarse as the nearest face wanted them:
	// squares of changing sizes would tell more than squares of one.
	nearKept = 5 * time.Second
)

// near is how near a face came lately. The zero value has seen none.
type near struct {
	height float64         // of the face, in the frame's pixels
	at     instant.Instant // when it was seen
}

// see takes a frame and returns the height of the nearest face of late.
func (n *near) see(r face.Result, at instant.Instant) float64 {
	over := at < n.at || at.Sub(n.at) > nearKept
	if r.Found && (r.Box.H >= n.height || over) {
		n.height, n.at = r.Box.H, at
	}
	return n.height
}

// draw is what a look shows of a frame that was scaled to the canvas c, by scale; what
// was found is in the frame's own pixels. c is not changed.
func draw(c *canvas, look Look, r face.Result, n *near, at instant.Instant, scale float64) *canvas {
	height := n.see(r, at) * scale // always: it may be asked for at the next frame
	if look == Clear {
		return c
	}
	c = c.clone()
	box := sized(r.Box, scale)
	if look == Blurred {
		side := square(max(float64(c.height)/heightSquares, height/faceSquares))
		c.mosaic(side)
		box = onSquares(box, side)
	}
	if r.Found {
		c.outline(box)
	}
	if look == Box && r.Found {
		points := r.Landmarks
		for i := range points {
			points[i].X, points[i].Y = points[i].X*scale, points[i].Y*scale
		}
		c.dots(points)
	}
	c.words(wordEdge, c.height-2*wordEdge, remark(look, r))
	return c
}

// square is the side of a square that is at least so long.
func square(least float64) int { return (int(least)/squareStep + 1) * squareStep }

// sized is a rectangle in a picture of another size.
func sized(r face.Rect, scale float64) face.Rect {
	return face.Rect{X: r.X * scale, Y: r.Y * scale, W: r.W * scale, H: r.H * scale}
}

// onSquares is the least rectangle of whole squares around another: a box that ends at the
// brows and the chin would tell of them.
func onSquares(r face.Rect, side int) face.Rect {
	s := float64(side)
	x0, y0 := math.Floor(r.X/s)*s, math.Floor(r.Y/s)*s
	x1, y1 := math.Ceil((r.X+r.W)/s)*s, math.Ceil((r.Y+r.H)/s)*s
	return face.Rect{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// remark says in words what the picture shows. The letters are those of ASCII.
func remark(look Look, r face.Result) string {
	found := "Face"
	switch {
	case r.Faces > 1:
		found = fmt.Sprintf("%d faces", r.Faces)
	case !r.Found:
		found = "No face"
	}
	if look == Blurred {
		return found + ", blurred"
	}
	return found
}
