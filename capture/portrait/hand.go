package portrait

import "math"

// The hand that lies over the mouth: the participant's left one, its back to
// the camera, fingers across the lips. Lengths are in head heights.

// handHeight is how far the hand is in front of the plane of the eyes: on the
// lips.
const handHeight = .22

// handRaise is how far below its place over the mouth a hand is that is not
// raised at all: out of the face, before the chest.
const handRaise = .50

// hand is the drawn hand. The zero value draws it when it is first needed.
type hand struct {
	drawn    texture
	lit      texture // drawn, under exposure
	exposure float64
	heights  heights
}

// under returns the hand as the camera's exposure shows it.
func (h *hand) under(exposure float64) texture {
	if h.drawn == nil {
		h.drawn, h.heights = newHand(), make(heights, canvasWidth*canvasHeight)
		for i := range h.heights {
			h.heights[i] = handHeight
		}
	}
	if h.lit == nil || exposure != h.exposure {
		h.lit, h.exposure = append(texture(nil), h.drawn...).dimmed(exposure), exposure
	}
	return h.lit
}

// limb is a finger, thumb or forearm: straight, with a round end.
type limb struct {
	from, to point
	width    float64 // at its beginning
	taper    float64 // share of its width that it loses towards its end
	nail     bool
}

// fingers returns the fingers from the little one, which lies under the others,
// to the index.
func fingers() []limb {
	return []limb{
		{point{.150, .452}, point{-.085, .446}, .060, .22, true},
		{point{.165, .396}, point{-.130, .384}, .068, .18, true},
		{point{.165, .334}, point{-.150, .312}, .070, .16, true},
		{point{.150, .272}, point{-.120, .242}, .068, .18, true},
	}
}

// outline returns the edge of the limb: a band that ends in half a circle.
func (l limb) outline() curve {
	dx, dy := l.to.x-l.from.x, l.to.y-l.from.y
	length := math.Hypot(dx, dy)
	ux, uy := dx/length, dy/length
	at := func(along, across float64) point {
		return point{l.from.x + ux*along - uy*across, l.from.y + uy*along + ux*across}
	}
	half := func(u float64) float64 { return l.width / 2 * (1 - l.taper*u) }
	const pieces = 12
	var c curve
	for i := range pieces + 1 {
		u := float64(i) / pieces
		c = append(c, at(u*length, half(u)))
	}
	for i := 1; i < pieces; i++ {
		sin, cos := math.Sincos(math.Pi * float64(i) / pieces)
		c = append(c, at(length+half(1)*sin, half(1)*cos))
	}
	for i := pieces; i >= 0; i-- {
		u := float64(i) / pieces
		c = append(c, at(u*length, -half(u)))
	}
	return c
}

// place returns how far along the limb a point lies, 0..1, and how far beside
// its axis, -1 the one and 1 the other edge; beside > 0 is below a limb that runs
// to the left.
func (l limb) place(p point) (along, beside float64) {
	dx, dy := l.to.x-l.from.x, l.to.y-l.from.y
	length2 := dx*dx + dy*dy
	qx, qy := p.x-l.from.x, p.y-l.from.y
	along = clip((qx*dx+qy*dy)/length2, 0, 1)
	half := l.width / 2 * (1 - l.taper*along)
	return along, (qx*dy - qy*dx) / math.Sqrt(length2) / half
}

// colourAt returns the skin of a round limb that is lit from above.
func (l limb) colourAt(p point) colour {
	along, beside := l.place(p)
	light := 1 - .22*beside*beside - .12*beside
	for _, joint := range [...]float64{.32, .68} { // wrinkles over the joints
		d := (along - joint) / .022
		light -= .07 * math.Exp(-d*d/2)
	}
	c := handSkin().times(float32(light))
	if l.nail {
		// Half a nail is seen at the end.
		u, v := (along-.97)/.07, beside/.55
		if r := u*u + v*v; r < 1 {
			c = colour{226, 178, 160}.times(float32(light))
		}
	}
	return c
}

// handSkin is somewhat darker and redder than the face's.
func handSkin() colour { return colour{206, 156, 128} }

// newHand draws the hand in its place over the mouth, without light from behind.
func newHand() texture {
	all := make(layers, canvasWidth*canvasHeight)
	dark := func(int, int) colour { return colour{70, 36, 28} }
	back := around(point{.130, .236}, point{.205, .252}, point{.262, .330}, point{.285, .430},
		point{.262, .520}, point{.190, .520}, point{.140, .486}, point{.120, .36})
	arm := limb{from: point{.355, .86}, to: point{.225, .44}, width: .19, taper: .25}
	thumb := limb{from: point{.235, .36}, to: point{.225, .205}, width: .066, taper: .2, nail: true}
	lit := func(l limb) func(c, r int) colour {
		return func(c, r int) colour { return l.colourAt(point{xAt(c), yAt(r)}) }
	}

	// What the hand takes of the light on the face.
	all.over(fill(back.lowered(.015), .012).thinned(.35), dark)
	for _, f := range fingers() {
		all.over(fill(f.outline().lowered(.014), .010).thinned(.35), dark)
	}
	// The sleeve begins at the wrist and is lost in the garment.
	sleeve := fill(arm.outline(), .004)
	for i := range sleeve.cover {
		y := yAt(sleeve.box.Min.Y + i/sleeve.box.Dx())
		sleeve.cover[i] *= float32(clip((.80-y)/.08, 0, 1))
	}
	all.over(sleeve, func(c, r int) colour {
		if y := yAt(r); y > .60 {
			_, beside := arm.place(point{xAt(c), y})
			return garment().times(float32(.95 - .2*beside*beside))
		}
		return lit(arm)(c, r)
	})
	all.over(fill(thumb.outline().lowered(.008), .006).thinned(.4), dark)
	all.over(fill(thumb.outline(), .003), lit(thumb))
	all.over(fill(back, .004), func(c, r int) colour {
		x, y := xAt(c), yAt(r)
		return handSkin().times(float32(1.02 - .9*(y-.25)*(y-.25)/.07*.12 - .35*max(0, x-.2)))
	})
	for _, f := range fingers() {
		all.over(fill(f.outline().lowered(.006), .004).thinned(.55), dark)
		all.over(fill(f.outline(), .003), lit(f))
	}

	t := make(texture, len(all))
	for i, l := range all {
		if l.alpha > 0 {
			t[i] = l.texel()
		}
	}
	t.soften()
	return t
}

// raised returns the pose in which a hand is drawn that is raised to the mouth
// by a share.
func (p pose) raised(share float64) pose {
	p.y += handRaise * p.scale * (1 - share)
	return p
}
