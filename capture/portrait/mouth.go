package portrait

import "math"

// paintMouth draws lips, teeth and tongue, still without light. It returns
// where the lower lip shines.
func paintMouth(c canvas, a actions, m mouth) (gloss mask) {
	lip := colour{176, 92, 88}
	lower := fill(m.outerLower.back(m.innerLower), .0025)
	c.paint(fill(m.outerUpper.back(m.innerUpper), .0025), 1, lip.times(.88))
	c.paint(lower, 1, lip)

	if m.opening > .004 {
		hole := fill(m.innerUpper.back(m.innerLower), .0015)
		c.paint(hole, 1, colour{62, 20, 22})
		paintTeeth(c, a, m, hole)
		if a.drop() > .03 {
			tongue := gaussian(point{0, m.lowerY - .012}, .05, .018)
			c.paint(tongue.times(hole), .75, colour{170, 80, 80})
		}
	}

	smile := a[au12]
	c.paint(stroke(m.innerUpper, .006, .003), float32(.85*(1-.3*smile)), colour{88, 34, 34})
	for _, e := range sides() {
		c.paint(gaussian(point{e * m.halfWidth, m.cornerY}, .008, .008), .6, colour{90, 40, 36})
	}
	return lower.times(gaussian(point{0, m.lowerY + .015}, .04, .008))
}

// paintTeeth draws the upper teeth as one bright band below the upper lip,
// which fades towards the corners of the mouth.
func paintTeeth(c canvas, a actions, m mouth, hole mask) {
	if a[au12] <= .15 && a[au26] <= .1 && a[au25] <= .3 && a[au10] <= .2 {
		return
	}
	gum := m.innerUpper
	band := fill(gum.back(gum.lowered(.026+.008*a[au12])), .0015).times(hole)
	strength := float32(clip(.55+.4*min(1, a[au12]+a[au10]), 0, 1))
	fade := func(x float64) float32 { return float32(clip(1.25-math.Abs(x)/(.95*m.halfWidth), 0, 1)) }
	w := band.box.Dx()
	for i := range band.cover {
		band.cover[i] *= fade(xAt(band.box.Min.X + i%w))
	}
	c.paint(band, strength, colour{238, 230, 220})
}
