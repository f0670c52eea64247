package portrait

import "math"

// heights is how far each canvas pixel stands out of the plane of the eyes, in
// head heights: a dome with a nose. It gives the flat drawing its parallax when
// the head turns.
type heights []float32

// behind is the height of all that is not the face: hair's rim, ears and neck.
const behind = -.12

func newHeights() heights {
	h := make(heights, canvasWidth*canvasHeight)
	for r := range canvasHeight {
		for c := range canvasWidth {
			h[r*canvasWidth+c] = float32(height(xAt(c), yAt(r)))
		}
	}
	// The rim of the dome is infinitely steep, where pose.trace would not
	// converge and leave speckles.
	const rimBlurPx = 3
	mask{canvasBox(), h}.blur(rimBlurPx)
	return h
}

func height(x, y float64) float64 {
	dome := .36 * math.Pow(clip(1-radius2(x, y), 0, 1), .42)
	ridge := clip((y+.05)/.20, 0, 1) * math.Exp(-(x/.03)*(x/.03)/2)
	if y >= .16 {
		ridge *= math.Exp(-((y - .16) / .03) * ((y - .16) / .03))
	}
	return dome + .066*ridge + behind
}

// at returns the height at a point, that of the surroundings outside the canvas.
func (h heights) at(x, y float64) float64 {
	c, r := int(column(x)), int(row(y))
	if c < 0 || c >= canvasWidth || r < 0 || r >= canvasHeight {
		return behind
	}
	return float64(h[r*canvasWidth+c])
}

// pose is where the head is in the picture, ready to be applied.
type pose struct {
	x, y, scale                        float64 // pixels: the origin of the head, the head's height
	sinRoll, cosRoll                   float64
	sinYaw, cosYaw, sinPitch, cosPitch float64
}

// place turns the head: it returns the pixel at which a point of the canvas at
// height 0 is seen.
func (p pose) place(q point) point {
	x, y := q.x*p.cosYaw, q.y*p.cosPitch
	return point{
		p.x + p.scale*(p.cosRoll*x-p.sinRoll*y),
		p.y + p.scale*(p.sinRoll*x+p.cosRoll*y),
	}
}

// trace returns the point of the canvas that is seen at a pixel.
//
// The head is seen from far away, so a point (u, v) at height z appears at
// u*cos(yaw) + z*sin(yaw), and likewise in v. Since z depends on (u, v), the
// equation is solved by substitution; it converges as long as the surface is
// not steeper than the view, for about 10 degrees of yaw and 6 of pitch.
func (p pose) trace(h heights, px, py float64) point {
	const rounds = 5
	dx, dy := (px-p.x)/p.scale, (py-p.y)/p.scale
	x, y := p.cosRoll*dx+p.sinRoll*dy, p.cosRoll*dy-p.sinRoll*dx
	u, v := x, y
	for range rounds {
		z := h.at(u, v)
		u, v = (x-z*p.sinYaw)/p.cosYaw, (y-z*p.sinPitch)/p.cosPitch
	}
	return point{u, v}
}
