package portrait

import (
	"image"
	"math"
)

// mask says how much of each canvas pixel inside box a shape covers, 0..1, row
// by row.
type mask struct {
	box   image.Rectangle
	cover []float32
}

// fill returns the mask of the region that an outline encloses, its edge
// blurred by a Gaussian of sigma feather (head heights).
func fill(outline curve, feather float64) mask {
	sigma := feather * resolution
	box := pixelBounds(outline, math.Ceil(reach*sigma)+1)
	if box.Empty() {
		return mask{}
	}
	m := mask{box, make([]float32, box.Dx()*box.Dy())}
	m.rasterise(outline)
	m.blur(sigma)
	return m
}

// stroke returns the mask of a line of even thickness (head heights) along c.
func stroke(c curve, thickness, feather float64) mask {
	return fill(c.band(func(float64) float64 { return thickness }), feather)
}

// pixelBounds is the part of the canvas that an outline can touch, with a
// margin in pixels.
func pixelBounds(outline curve, margin float64) image.Rectangle {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range outline {
		lo = point{min(lo.x, p.x), min(lo.y, p.y)}
		hi = point{max(hi.x, p.x), max(hi.y, p.y)}
	}
	return image.Rect(
		int(math.Floor(column(lo.x)-margin)), int(math.Floor(row(lo.y)-margin)),
		int(math.Ceil(column(hi.x)+margin)), int(math.Ceil(row(hi.y)+margin)),
	).Intersect(canvasBox())
}

// rasterise writes the exact share of each pixel that the outline encloses.
//
// Every edge adds, to the pixels of the rows that it crosses, the area to its
// right, signed by its direction. The running sum along a row is then the
// winding number averaged over the pixel.
func (m mask) rasterise(outline curve) {
	w, h := m.box.Dx(), m.box.Dy()
	// The last column takes what lies to the right of the box.
	edges := make([]float64, (w+1)*h)
	for i, p := range outline {
		q := outline[(i+1)%len(outline)]
		x0, y0 := column(p.x)-float64(m.box.Min.X), row(p.y)-float64(m.box.Min.Y)
		x1, y1 := column(q.x)-float64(m.box.Min.X), row(q.y)-float64(m.box.Min.Y)
		direction := 1.0
		if y0 > y1 {
			x0, y0, x1, y1, direction = x1, y1, x0, y0, -1
		}
		if y0 == y1 {
			continue
		}
		slope := (x1 - x0) / (y1 - y0)
		for r := max(0, int(y0)); r < h && float64(r) < y1; r++ {
			top, bottom := max(y0, float64(r)), min(y1, float64(r+1))
			if top >= bottom {
				continue
			}
			addEdge(edges[r*(w+1):(r+1)*(w+1)], direction*(bottom-top),
				x0+(top-y0)*slope, x0+(bottom-y0)*slope)
		}
	}
	for r := range h {
		var sum float64
		for x := range w {
			sum += edges[r*(w+1)+x]
			m.cover[r*w+x] = float32(min(1, math.Abs(sum)))
		}
	}
}

// addEdge adds one edge's part within one row: height is the signed share of
// the row that it spans while x goes from a to b.
func addEdge(cells []float64, height, a, b float64) {
	if a > b {
		a, b = b, a
	}
	limit := float64(len(cells) - 1)
	a, b = max(0, min(limit, a)), max(0, min(limit, b))
	for c := int(a); ; c++ {
		begin, end := max(a, float64(c)), min(b, float64(c+1))
		part := height
		if b > a {
			part *= (end - begin) / (b - a)
		}
		inside := (begin+end)/2 - float64(c) // mean distance from the pixel's left side
		cells[c] += part * (1 - inside)
		if c+1 < len(cells) {
			cells[c+1] += part * inside
		}
		if end >= b {
			return
		}
	}
}

// blur spreads the mask by a Gaussian of sigma pixels, within its box.
func (m mask) blur(sigma float64) {
	if sigma < .1 {
		return // less than the rasteriser's own softness
	}
	k := kernel(sigma)
	w, h := m.box.Dx(), m.box.Dy()
	line := make([]float32, max(w, h))
	for y := range h {
		smear(m.cover[y*w:], 1, w, k, line)
	}
	for x := range w {
		smear(m.cover[x:], w, h, k, line)
	}
}

// reach is where a Gaussian is cut off, in sigmas.
const reach = 3

// kernel returns one half of a Gaussian's weights, the middle first, such that
// the whole sums to 1.
func kernel(sigma float64) []float32 {
	half := make([]float64, int(math.Ceil(reach*sigma))+1)
	sum := -1.0
	for i := range half {
		half[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += 2 * half[i]
	}
	k := make([]float32, len(half))
	for i := range k {
		k[i] = float32(half[i] / sum)
	}
	return k
}

// smear convolves n values, stride apart, with the kernel; what lies beyond the
// ends counts as the end itself. line is scratch for n values.
func smear(v []float32, stride, n int, k, line []float32) {
	line = line[:n]
	for i := range line {
		line[i] = v[i*stride]
	}
	for i := range line {
		sum := k[0] * line[i]
		for j := 1; j < len(k); j++ {
			sum += k[j] * (line[max(0, i-j)] + line[min(n-1, i+j)])
		}
		v[i*stride] = sum
	}
}

// times returns the product of two masks.
func (m mask) times(other mask) mask {
	out := mask{box: m.box.Intersect(other.box)}
	w := out.box.Dx()
	out.cover = make([]float32, w*out.box.Dy())
	for y := out.box.Min.Y; y < out.box.Max.Y; y++ {
		a := m.cover[m.index(out.box.Min.X, y):]
		b := other.cover[other.index(out.box.Min.X, y):]
		to := out.cover[out.index(out.box.Min.X, y):]
		for i := range w {
			to[i] = a[i] * b[i]
		}
	}
	return out
}

// thinned returns the mask times k.
func (m mask) thinned(k float32) mask {
	out := mask{m.box, make([]float32, len(m.cover))}
	for i, c := range m.cover {
		out.cover[i] = k * c
	}
	return out
}

// index is the position of a canvas pixel in cover.
func (m mask) index(x, y int) int {
	return (y-m.box.Min.Y)*m.box.Dx() + x - m.box.Min.X
}

// gaussian returns exp(-((x-cx)/sx)²/2 - ((y-cy)/sy)²/2) around a point, as a
// mask; lengths in head heights.
func gaussian(centre point, sx, sy float64) mask {
	// Where it falls below a hundredth nobody sees it end.
	const cut = 3.1
	box := pixelBounds(curve{
		{centre.x - cut*sx, centre.y - cut*sy}, {centre.x + cut*sx, centre.y + cut*sy},
	}, 0)
	if box.Empty() {
		return mask{}
	}
	m := mask{box, make([]float32, box.Dx()*box.Dy())}
	across := make([]float32, box.Dx())
	for i := range across {
		d := (xAt(box.Min.X+i) - centre.x) / sx
		across[i] = float32(math.Exp(-d * d / 2))
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		d := (yAt(y) - centre.y) / sy
		down := float32(math.Exp(-d * d / 2))
		line := m.cover[m.index(box.Min.X, y):]
		for i, a := range across {
			line[i] = a * down
		}
	}
	return m
}
