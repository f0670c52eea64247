package portrait

import "math"

// earMask returns one ear, where it joins the face.
func earMask(side float64) mask {
	const x = .36
	ear := curve{{x - .01, -.06}, {x + .035, -.07}, {x + .045, -.01}, {x + .025, .07}, {x - .01, .10}}
	return fill(ear.mirrored(side), .003)
}

// paintHair sets the hair's shape, between hairline and crown, and its strands.
func (h *head) paintHair() {
	hairline := through(point{-.40, .06}, point{-.345, -.10}, point{-.325, -.22}, point{-.23, -.315}, point{-.05, -.345},
		point{.12, -.335}, point{.25, -.30}, point{.325, -.21}, point{.345, -.10}, point{.40, .06})
	crown := through(bridge(point{-.40, .06}, point{-.41, -.15}, point{-.38, -.36}, point{-.26, -.52}, point{0, -.585})...)
	h.hair = fill(crown.back(hairline), .005)

	shine := gaussian(point{-.12, -.46}, .12, .05)
	for r := h.hair.box.Min.Y; r < h.hair.box.Max.Y; r++ {
		for c := h.hair.box.Min.X; c < h.hair.box.Max.X; c++ {
			x, y := xAt(c), yAt(r)
			strand := .11 * math.Sin(70*x+6*math.Sin(9*y)+20*y)
			h.strands[r*canvasWidth+c] = colour{62, 42, 32}.times(float32(1 + strand))
		}
	}
	for r := shine.box.Min.Y; r < shine.box.Max.Y; r++ {
		for c := shine.box.Min.X; c < shine.box.Max.X; c++ {
			p := &h.strands[r*canvasWidth+c]
			*p = p.times(1 + .45*shine.cover[shine.index(c, r)])
		}
	}
}

// neckColour is the neck's at a point: the darker, the nearer to the chin.
func neckColour(x, y, drop float64) colour {
	s := clip(.5+.9*(y-.5-drop), .4, .85) * clip(1-.5*(x/.25)*(x/.25), .4, 1)
	return colour{skinR, skinG, skinB}.times(float32(s))
}
