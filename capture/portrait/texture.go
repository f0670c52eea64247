package portrait

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
			if k := h.ears[0].at(c, r) + h.ears[1].at(c, r); k > 0 {
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
	t.softenLines(1, canvasWidth, canvasWidth, canvasHeight)
	t.softenLines(canvasWidth, canvasHeight, 1, canvasWidth)
}

// softenLines filters along one direction: lines of n texels, step apart in memory;
// the lines themselves are next apart.
func (t texture) softenLines(step, n, next, lines int) {
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
