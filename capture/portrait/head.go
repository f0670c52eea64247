package portrait

import "math"

// The colour of the skin in full light.
const skinR, skinG, skinB = 222, 178, 150

// head draws the face on the canvas. It keeps what does not depend on the
// expression.
type head struct {
	skin     canvas // nose, cheeks and sockets without light
	relief   shade  // the light that falls on the face at rest
	tones    *[tones]colour
	ears     [2]mask
	hair     mask
	strands  canvas // the hair's colour
	lit      canvas // the face with expression but without eyes and brows, last drawn
	litFor   actions
	hasLit   bool
	portrait canvas // scratch: lit with eyes and brows
}

func newHead() *head {
	h := &head{
		skin: newCanvas(), relief: make(shade, canvasWidth*canvasHeight), tones: skinTones(),
		strands: newCanvas(), lit: newCanvas(), portrait: newCanvas(),
	}
	h.paintSkin()
	h.paintRelief()
	h.paintHair()
	for i, e := range sides() {
		h.ears[i] = earMask(e)
	}
	return h
}

// sides are the signs of x to the left and to the right.
func sides() [2]float64 { return [2]float64{-1, 1} }

// paintSkin draws what lies still: complexion, nose, sockets.
func (h *head) paintSkin() {
	for i := range h.skin {
		h.skin[i] = colour{skinR, skinG, skinB}
	}
	rosy := colour{214, 140, 120}
	for _, e := range sides() {
		h.skin.paint(gaussian(point{e * .20, .13}, .07, .06), .30, rosy)
	}
	h.skin.paint(gaussian(point{0, .17}, .05, .03), .20, rosy)

	base := curve{{-.052, .19}, {-.03, .207}, {0, .214}, {.03, .207}, {.052, .19}}
	h.skin.paint(stroke(through(base...), .010, .006), .55, colour{120, 72, 58})
	nostril := around(point{.012, .200}, point{.026, .192}, point{.040, .199}, point{.026, .207})
	for _, e := range sides() {
		h.skin.paint(fill(nostril.mirrored(e), .003), .75, colour{60, 28, 24})
		h.skin.paint(gaussian(point{e * .135, -.030}, .062, .020), .28, colour{150, 100, 84})
		h.skin.paint(gaussian(point{e * .13, .040}, .05, .014), .22, colour{170, 120, 105})
	}
}

// paintRelief sets the light on the face at rest: a dome lit from above left,
// with the hollows and ridges of eyes, nose and chin.
func (h *head) paintRelief() {
	for r := range canvasHeight {
		for c := range canvasWidth {
			x, y := xAt(c), yAt(r)
			edge := min(radius2(x, y), 1.3)
			h.relief[r*canvasWidth+c] = float32(1.02 - .34*math.Pow(edge, 1.6) - .07*x/.35 - .06*y/.5)
		}
	}
	for _, e := range sides() {
		h.relief.add(gaussian(point{e * .075, 0}, .025, .035), -.16)
		h.relief.add(gaussian(point{e * .13, -.035}, .07, .022), -.07)
		h.relief.add(gaussian(point{e * .038, .10}, .014, .07), -.13)
	}
	h.relief.add(gaussian(point{0, .08}, .014, .08), .10)
	h.relief.add(gaussian(point{0, .165}, .022, .018), .10)
	h.relief.add(gaussian(point{0, .222}, .045, .012), -.22)
	h.relief.add(gaussian(point{0, -.2}, .14, .08), .07)
}

// radius2 is the square of the distance from the face's middle, 1 at its rim.
func radius2(x, y float64) float64 { return (x/.37)*(x/.37) + (y/.56)*(y/.56) }

// face draws the face with its eyes; the result is valid until the next call.
// gaze runs over -1..1.
func (h *head) face(a actions, gaze point) canvas {
	// Most frames differ from the one before by the eyes alone.
	still := a
	still[au43] = 0
	if !h.hasLit || still != h.litFor {
		h.paintExpression(a)
		h.litFor, h.hasLit = still, true
	}
	copy(h.portrait, h.lit)
	paintEyes(h.portrait, a, gaze)
	return h.portrait
}

// paintExpression draws skin and mouth under the light that the folds of the
// expression leave.
func (h *head) paintExpression(a actions) {
	m := mouthOf(a)
	copy(h.lit, h.skin)
	gloss := paintMouth(h.lit, a, m)
	h.lit.light(h.folds(a, m), h.tones)
	const glossLevels = 30 // grey levels: wet lips reflect the window, not their own colour
	h.lit.lighten(gloss, glossLevels)
}

// folds returns the light on the face with the folds of an expression.
func (h *head) folds(a actions, m mouth) shade {
	s := append(shade(nil), h.relief...)
	w, y := m.halfWidth, m.cornerY
	nasolabial := through(point{.052, .165}, point{.085 + .012*a[au12], .205}, point{w + .030, y - .045}, point{w + .036, y + .005})
	frown := curve{{.020, -.125}, {.017, -.06}}
	corner := through(point{w - .005, y + .006}, point{w + .012, y + .03}, point{w + .008, y + .06})
	for _, e := range sides() {
		s.add(gaussian(point{e * .185, .115}, .05, .04), .05+.10*a[au12])
		s.add(stroke(nasolabial.mirrored(e), .010, .008), -.06-.24*a[au12])
		s.add(stroke(frown.mirrored(e), .007, .005), -.45*a[au4])
		s.add(stroke(corner.mirrored(e), .010, .007), -.25*a[au15])
	}
	s.add(gaussian(point{0, m.lowerY + .058}, .055, .014), -.20)
	s.add(gaussian(point{0, .44 + .7*a.drop()}, .05, .03), .05)
	for _, y := range [...]float64{-.165, -.205, -.245} {
		line := through(point{-.15, y + .012}, point{-.06, y}, point{.06, y}, point{.15, y + .012})
		s.add(stroke(line, .006, .005), -.22*a[au1]*(.3+.7*a[au2]))
	}
	return s
}
