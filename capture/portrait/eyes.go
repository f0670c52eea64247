package portrait

import "math"

// paintEyes draws both eyes and brows onto the lit face. gaze runs over -1..1
// in both directions.
func paintEyes(c canvas, a actions, gaze point) {
	e, brow := eyeOf(a), browOf(a)
	for _, side := range sides() {
		paintEye(c, a, eye{e.upper.mirrored(side), e.lower.mirrored(side)}, side, gaze)
		paintBrow(c, brow.mirrored(side))
	}
}

func paintEye(c canvas, a actions, e eye, side float64, gaze point) {
	// A lid that closes loses its crease and catches the light; the lashes come
	// to lie on one another. The landmark net hardly sees a lid that does less.
	closed := clip(a[au43], 0, 1)
	crease := e.upper.lowered(-.018 - .006*a[au5])
	c.paint(stroke(crease, .005, .004), float32(.55*(1-closed)), colour{120, 72, 58})
	if closed > 0 {
		c.paint(gaussian(point{side * eyeX, -.004}, .036, .014), float32(.7*closed), colour{232, 188, 160})
	}

	open := fill(e.upper.back(e.lower), .0015)
	c.paintWith(open, 1, func(x, y float64) colour {
		// The upper lid throws a shadow on the ball, and the ball turns away to
		// both sides.
		lid := clip((e.upper.yAt(x)+.016-y)/.02, 0, 1)
		turn := min(math.Abs(x-side*eyeX)/.07, 1)
		return colour{232, 226, 220}.times(float32(.92 - .18*lid - .12*turn))
	})

	// Iris and pupil stay behind the lids.
	at := point{side*eyeX + .03*gaze.x, -.006 + .02*gaze.y}
	iris := colour{86, 62, 40}
	round := func(centre point, radius float64) mask { return fill(disc(centre, radius), .0015).times(open) }
	c.paint(round(at, .029), 1, iris.times(.55))
	c.paint(round(at, .0255), 1, iris)
	c.paint(round(at, .0125), 1, colour{14, 10, 10})
	c.paint(round(point{at.x - .008, at.y - .009}, .006), .9, colour{255, 255, 255})

	c.paint(stroke(e.upper, .0085+.003*closed, .0022), .9, colour{38, 22, 18})
	c.paint(stroke(e.lower, .004, .0022), .6, colour{110, 66, 56})
}

// paintBrow draws a brow: thickest at a third of its length, thin at its end.
func paintBrow(c canvas, centre curve) {
	band := centre.band(func(u float64) float64 {
		return .022 * (.75 + .6*math.Sin(math.Pi*min(1.15*u+.12, 1))) * (1 - .35*u)
	})
	c.paint(fill(band, .0035), .88, colour{58, 40, 30})
}
