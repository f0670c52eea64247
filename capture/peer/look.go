package peer

import (
	"fmt"
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
	Blurred Look = "blurred" // with the head unrecognisable, and the face's box
)

// looks are all of them.
var looks = []Look{Clear, Box, Blurred}

// What the covering of a head holds, in parts of the box of the landmarks, which ends at
// the brows and the chin.
const (
	headAbove  = .7 // hair
	headBelow  = .25
	headBeside = .35
	// headDrift is by how much the covering grows on each side in a second in which the
	// face is not found: as much as a head moves aside.
	headDrift = 1.5
	// headKept is for how long the face may not be found until it may be anywhere.
	headKept = time.Second
	// squares is how many squares of the mosaic there are along the longer side of the
	// covering: some four along a face, which tell no expression.
	squares = 7
	// wholeSquares is that number along a whole picture's height.
	wholeSquares = 12
	// squareStep is what the side of a square is a multiple of, so that it does not
	// change with every frame.
	squareStep = 8
)

// head is where the participant's head was seen last. The zero value has seen none.
type head struct {
	box  face.Rect
	at   instant.Instant
	seen bool
}

// covering is what is to be covered of a frame; whole is all of it.
func (h *head) covering(r face.Result, at instant.Instant) (cover face.Rect, whole bool) {
	if r.Found {
		h.box, h.at, h.seen = r.Box, at, true
	}
	away := at.Sub(h.at)
	if !h.seen || r.Faces > 1 || away < 0 || away > headKept {
		return face.Rect{}, true
	}
	drift := headDrift * away.Seconds()
	b := h.box
	side, above, below := (headBeside+drift)*b.W, (headAbove+drift)*b.H, (headBelow+drift)*b.H
	return face.Rect{X: b.X - side, Y: b.Y - above, W: b.W + 2*side, H: b.H + above + below}, false
}

// draw is what a look shows of a frame that was scaled to the canvas c, by scale; what
// was found is in the frame's own pixels. c is not changed.
func draw(c *canvas, look Look, r face.Result, h *head, at instant.Instant, scale float64) *canvas {
	cover, whole := h.covering(r, at) // always: it may be asked for at the next frame
	if look == Clear {
		return c
	}
	c = c.clone()
	if look == Blurred {
		c.cover(sized(cover, scale), whole)
	}
	if r.Found {
		c.outline(sized(r.Box, scale))
	}
	if look == Box && r.Found {
		points := r.Landmarks
		for i := range points {
			points[i].X, points[i].Y = points[i].X*scale, points[i].Y*scale
		}
		c.dots(points)
	}
	c.words(wordEdge, c.height-2*wordEdge, remark(look, r, whole))
	return c
}

// cover makes a head, or a whole picture, unrecognisable.
func (c *canvas) cover(head face.Rect, whole bool) {
	if whole {
		c.mosaic(0, 0, c.width, c.height, square(float64(c.height)/wholeSquares))
		return
	}
	c.mosaic(int(head.X), int(head.Y), int(head.X+head.W)+1, int(head.Y+head.H)+1, square(max(head.W, head.H)/squares))
}

// square is the side of a square that is at least so long.
func square(least float64) int { return (int(least)/squareStep + 1) * squareStep }

// sized is a rectangle in a picture of another size.
func sized(r face.Rect, scale float64) face.Rect {
	return face.Rect{X: r.X * scale, Y: r.Y * scale, W: r.W * scale, H: r.H * scale}
}

// remark says in words what the picture shows. The letters are those of ASCII.
func remark(look Look, r face.Result, whole bool) string {
	found := "Face"
	switch {
	case r.Faces > 1:
		found = fmt.Sprintf("%d faces", r.Faces)
	case !r.Found:
		found = "No face"
	}
	switch {
	case look == Blurred && whole:
		return found + ", all blurred"
	case look == Blurred:
		return found + ", blurred"
	}
	return found
}
