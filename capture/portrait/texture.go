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

// layers is the whole head while it is put together.
type layers []layer

// over lays an opaque drawing over the head where the mask covers it.
func (l layers) over(m mask, drawing func(column, row int) colour) {
	for r := m.box.Min.Y; r < m.box.Max.Y; r++ {
		line := l[r*canvasWidth+m.box.Min.X:][:m.box.Dx()]
		cover := m.cover[m.index(m.box.Min.X, r):][:len(line)]
		for i, k := range cover {
			if k == 0 {
				continue
			}
			c, p := drawing(m.box.Min.X+i, r), &line[i]
			p.colour[0] += (c[0] - p.colour[0]) * k
			p.colour[1] += (c[1] - p.colour[1]) * k
			p.colour[2] += (c[2] - p.colour[2]) * k
			p.alpha += (1 - p.alpha) * k
		}
	}
}

func (l layer) texel() texel {
	// Rounding must not leave a colour above its alpha.
	alpha := 255*l.alpha + .5
	b, g, r := min(alpha, l.colour[2]+.5), min(alpha, l.colour[1]+.5), min(alpha, l.colour[0]+.5)
	return texel(b) | texel(g)<<16 | texel(r)<<32 | texel(alpha)<<48
}

// compose lays neck, ears, face and hair over one another, and softens the
// whole as a lens does.
func (h *head) compose(face canvas, a actions) texture {
	drop := a.drop()
	neck := fill(curve{{-.20, .25}, {.20, .25}, {.215, .79}, {-.215, .79}}, .006)
	ear := colour{skinR * .80, skinG * .74, skinB * .70}

	all := make(layers, canvasWidth*canvasHeight)
	all.over(neck, func(c, r int) colour { return neckColour(xAt(c), yAt(r), drop) })
	for _, m := range h.ears {
		all.over(m, func(int, int) colour { return ear })
	}
	all.over(fill(outlineOf(a), .004), face.at)
	all.over(h.hair, h.strands.at)

	t := make(texture, len(all))
	for i, l := range all {
		if l.alpha > 0 {
			t[i] = l.texel()
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
