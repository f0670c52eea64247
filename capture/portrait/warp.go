package portrait

import (
	"image"
	"math"
)

// net is the distance in pixels at which the warp is computed exactly; between
// the knots of the net it is interpolated.
const net = 4

// fixed is a canvas coordinate in pixels with 16 binary places.
type fixed int32

const one = 1 << 16

func toFixed(pixels float64) fixed { return fixed(math.Round(pixels * one)) }

// knot is the place on the canvas seen at one knot of the net.
type knot struct{ x, y fixed }

// project lays the head over the picture in the given pose.
func (s *scene) project(pix []byte, t texture, h heights, p pose) {
	box := s.headBox(p)
	if box.Empty() {
		return
	}
	across := (box.Dx()+net-1)/net + 1
	above, below := make([]knot, across), make([]knot, across)
	knots := func(line []knot, y int) {
		for i := range line {
			q := p.trace(h, float64(box.Min.X+i*net)+.5, float64(y)+.5)
			// Texels are addressed by their middles.
			line[i] = knot{toFixed(column(q.x) - .5), toFixed(row(q.y) - .5)}
		}
	}
	knots(below, box.Min.Y)
	for top := box.Min.Y; top < box.Max.Y; top += net {
		above, below = below, above
		knots(below, top+net)
		for y := top; y < min(top+net, box.Max.Y); y++ {
			line := pix[3*(y*s.width+box.Min.X) : 3*(y*s.width+box.Max.X)]
			between(t, line, above, below, fixed(y-top))
		}
	}
}

// between draws one line of the picture, step lines below the upper knots.
func between(t texture, line []byte, above, below []knot, step fixed) {
	at := func(i int) (x, y fixed) {
		a, b := above[i], below[i]
		return a.x + (b.x-a.x)/net*step, a.y + (b.y-a.y)/net*step
	}
	x1, y1 := at(0)
	for i := 0; len(line) > 0; i++ {
		x, y := x1, y1
		x1, y1 = at(i + 1)
		dx, dy := (x1-x)/net, (y1-y)/net
		n := min(net, len(line)/3)
		for k := 0; k < 3*n; k += 3 {
			if c := t.sample(x, y); c>>48 != 0 {
				c.over(line[k : k+3 : k+3])
			}
			x, y = x+dx, y+dy
		}
		line = line[3*n:]
	}
}

// sample interpolates the texture bilinearly; outside it is transparent.
func (t texture) sample(x, y fixed) texel {
	c, r := int(x>>16), int(y>>16)
	if uint(c) >= canvasWidth-1 || uint(r) >= canvasHeight-1 {
		return 0
	}
	quad := t[r*canvasWidth+c : r*canvasWidth+c+canvasWidth+2]
	fx, fy := texel(x>>8&0xff), texel(y>>8&0xff)
	return mix(mix(quad[0], quad[1], fx), mix(quad[canvasWidth], quad[canvasWidth+1], fx), fy)
}

// mix interpolates from a to b by f/256, in all four lanes at once.
func mix(a, b, f texel) texel {
	return (a*(256-f) + b*f) >> 8 & 0x00ff_00ff_00ff_00ff
}

// over lays the texel over one BGR pixel.
func (c texel) over(pixel []byte) {
	through := 255 - uint32(c>>48)
	pixel[0] = byte(uint32(c&0xff) + uint32(pixel[0])*through/255)
	pixel[1] = byte(uint32(c>>16&0xff) + uint32(pixel[1])*through/255)
	pixel[2] = byte(uint32(c>>32&0xff) + uint32(pixel[2])*through/255)
}

// headBox is the part of the picture that the head can reach.
func (s *scene) headBox(p pose) image.Rectangle {
	const left, top = canvasLeft, canvasTop
	const right, bottom = left + canvasWidth/float64(resolution), top + canvasHeight/float64(resolution)
	// Turning shifts what stands out of the plane by at most this much.
	const shift = .06
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, corner := range [...]point{{left, top}, {right, top}, {left, bottom}, {right, bottom}} {
		q := p.place(corner)
		lo = point{min(lo.x, q.x), min(lo.y, q.y)}
		hi = point{max(hi.x, q.x), max(hi.y, q.y)}
	}
	margin := shift * p.scale
	return image.Rect(int(lo.x-margin), int(lo.y-margin), int(hi.x+margin)+1, int(hi.y+margin)+1).
		Intersect(image.Rect(0, 0, s.width, s.height))
}
