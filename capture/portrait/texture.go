package portrait

import "math"

// texel is one pixel of the finished head with its opacity: blue, green, red,
// alpha in four 16-bit lanes, each 0..255 and the colours multiplied by alpha.
// The spare eight bits let one multiplication weigh all four at once.
type texel uint64

// texture is the finished head, canvasWidth x canvasHeight, transparent around.
type texture []texel

// layer is a pixel while it is put together, in floating point.
type layer struct {
	colour
	alpha float32
}

// over lays an opaque colour over the pixel where cover says so.
func (l *layer) over(c colour, cover float32) {
	for i := range c {
		l.colour[i] += (c[i] - l.colour[i]) * cover
	}
	l.alpha += (1 - l.alpha) * cover
}

func (l layer) texel() texel {
	lane := func(v float32) texel { return texel(max(0, min(255*l.alpha, v)) + .5) }
	return lane(l.colour[2]) | lane(l.colour[1])<<16 | lane(l.colour[0])<<32 | lane(255*l.alpha)<<48
}

// earX is where the ears join the face, in head heights from its middle.
const earX = .36

func earsMask() mask {
	ear := curve{{earX - .01, -.06}, {earX + .035, -.07}, {earX + .045, -.01}, {earX + .025, .07}, {earX - .01, .10}}
	right, left := fill(ear, .003), fill(ear.mirrored(-1), .003)
	both := mask{right.box.Union(left.box), nil}
	both.cover = make([]float32, both.box.Dx()*both.box.Dy())
	for _, m := range []mask{left, right} {
		for y := m.box.Min.Y; y < m.box.Max.Y; y++ {
			copy(both.cover[both.index(m.box.Min.X, y):], m.cover[m.index(m.box.Min.X, y):][:m.box.Dx()])
		}
	}
	return both
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

// compose lays neck, ears, face and hair over one another, and softens the
// whole as a lens does.
func (h *head) compose(face canvas, a actions) texture {
	drop := a.drop()
	neck := fill(curve{{-.20, .25}, {.20, .25}, {.215, .79}, {-.215, .79}}, .006)
	outline := fill(outlineOf(a), .004)
	ears := colour{skinR * .80, skinG * .74, skinB * .70}

	t := make(texture, canvasWidth*canvasHeight)
	for r := range canvasHeight {
		y := yAt(r)
		for c := range canvasWidth {
			i := r*canvasWidth + c
			var l layer
			if k := neck.at(c, r); k > 0 {
				l.over(neckColour(xAt(c), y, drop), k)
			}
			if k := h.ears.at(c, r); k > 0 {
				l.over(ears, k)
			}
			if k := outline.at(c, r); k > 0 {
				l.over(face[i], k)
			}
			if k := h.hair.at(c, r); k > 0 {
				l.over(h.strands[i], k)
			}
			if l.alpha > 0 {
				t[i] = l.texel()
			}
		}
	}
	t.soften()
	return t
}

// soften blurs by the binomial filter 1 4 6 4 1, a Gaussian of sigma 1 pixel.
// Together with the interpolation of the warp this makes the sigma of about 1.4
// pixels that a webcam's lens has at 640x480.
func (t texture) soften() {
	t.soften1(1, canvasWidth, canvasWidth, canvasHeight)
	t.soften1(canvasWidth, canvasHeight, 1, canvasWidth)
}

// soften1 filters along one direction: lines of n texels, step apart in memory;
// the lines themselves are next apart.
func (t texture) soften1(step, n, next, lines int) {
	const half = 8 | 8<<16 | 8<<32 | 8<<48 // rounds the division by 16
	const lanes = 0x00ff_00ff_00ff_00ff
	for l := range lines {
		v := t[l*next:]
		a, b := texel(0), texel(0) // the rim of the canvas is transparent
		for i := 0; i+2 < n; i++ {
			c, d, e := v[i*step], v[(i+1)*step], v[(i+2)*step]
			sum := a + e + 4*(b+d) + 6*c + half
			v[i*step] = sum >> 4 & lanes
			a, b = b, c
		}
	}
}
