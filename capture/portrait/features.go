package portrait

// The places of the features as the actions move them, in head heights. A
// curve of a paired feature is given for the right of the picture.

// outlineOf returns the face's outline; the jaw lengthens it.
func outlineOf(a actions) curve {
	d := a.drop()
	right := []point{
		{0, -.50}, {.17, -.475}, {.29, -.38}, {.345, -.22}, {.36, -.05}, {.355, .08},
		{.335, .20}, {.308, .32 + .25*d}, {.222, .425 + .55*d}, {.101, .485 + .75*d}, {0, .5 + .75*d},
	}
	whole := right
	for i := len(right) - 2; i > 0; i-- {
		whole = append(whole, point{-right[i].x, right[i].y})
	}
	return around(whole...)
}

// browOf returns the brow's centre line, from the nose outwards.
func browOf(a actions) curve {
	inner := -.096 - .045*a[au1] + .036*a[au4]
	middle := -.116 - .022*a[au1] - .028*a[au2] + .024*a[au4]
	outer := -.092 - .042*a[au2] + .008*a[au4]
	x := .079 - .020*a[au4]
	return through(
		point{x, inner},
		point{x + .045, .6*inner + .4*middle - .004},
		point{x + .090, middle},
		point{x + .135, .55*middle + .45*outer - .004},
		point{x + .178, outer + .008},
	)
}

// eyeX is how far the middle of an eye is from the middle of the face.
const eyeX = .137

// eye is the edges of the lids, both from the nose outwards.
type eye struct{ upper, lower curve }

func eyeOf(a actions) eye {
	const halfWidth = .067
	closed := clip(a[au43], 0, 1)
	open := 1 - closed
	up := .027 * (1 + .5*a[au5] - .3*a[au7]*(1-a[au5]) - .15*a[au6]) * open
	low := .016 * (1 - .6*a[au7] - .6*a[au6] + .15*a[au5])
	// The upper lid comes down onto the lower one, not to the middle, and the
	// lashes hang lower still.
	low = low*open + .026*closed
	up = max(.001, up)*open - .85*low*closed

	in, out := point{eyeX - halfWidth, .004}, point{eyeX + halfWidth, -.004}
	return eye{
		upper: through(in, point{eyeX - .45*halfWidth, -.88 * up}, point{eyeX + .3*halfWidth, -up}, out),
		lower: through(in, point{eyeX - .4*halfWidth, low}, point{eyeX + .4*halfWidth, low}, out),
	}
}

// mouth is the lines of the lips, from the left of the picture to the right,
// and what the painter needs to know of their course.
type mouth struct {
	outerUpper, innerUpper, innerLower, outerLower curve

	halfWidth float64
	cornerY   float64
	opening   float64 // between the lips, in the middle
	lowerY    float64 // of the lower lip's upper edge, in the middle
}

func mouthOf(a actions) mouth {
	d := a.drop()
	y := .311 + .1*d // of the closed lips
	w := .119 + .034*a[au12] + .022*a[au20] - .030*a[au26]*(1-a[au12]) - .004*a[au15] - .025*a[au18]
	corner := point{-w, y - .030*a[au12] + .030*a[au15] + .35*d*(1-.5*a[au12]) + .004}
	opening := .018*a[au25] + d
	pressed := 1 - .65*a[au24]
	upperLip := .026 * (1 - .35*a[au12]) * pressed
	lowerLip := .036 * (1 - .25*a[au12]) * pressed
	upperY := y - .006*a[au25] - .012*a[au10] + .004*a[au12] - .010*a[au17]
	lowerY := upperY + opening

	// A smile bends the lower lip's edge down, all the more when it is open; the
	// edge of a closed mouth follows its corners further inwards.
	bend, follow := 0., .30
	if opening > .01 {
		bend = .012 * a[au12]
	}
	if opening >= .02 {
		follow = .12
	}
	innerCorner := point{-.93 * w, corner.y}
	upper2 := point{-.45 * w, upperY + .3*(corner.y-upperY)}
	lower2 := point{-.5 * w, lowerY + follow*(corner.y-lowerY) + bend}
	lower3 := point{0, lowerY + .003 + .016*a[au12]*min(opening/.03, 1)}

	return mouth{
		outerUpper: through(bridge(corner,
			point{-.5 * w, upper2.y - .78*upperLip}, point{-.14 * w, upperY - upperLip}, point{0, upperY - .8*upperLip})...),
		innerUpper: through(bridge(innerCorner, upper2, point{0, upperY + .003})...),
		innerLower: through(bridge(innerCorner, lower2, lower3)...),
		outerLower: through(bridge(corner,
			point{-.55 * w, lower2.y + .7*lowerLip}, point{0, lower3.y + lowerLip})...),
		halfWidth: w, cornerY: corner.y, opening: opening, lowerY: lowerY,
	}
}
