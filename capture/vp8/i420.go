package vp8

// The codec has pictures as I420: a plane of luma, and two of colour at half the
// width and height. Colours are those of BT.601 in the range of television (luma 16 to
// 235), which is what browsers take a VP8 picture for.

// planes is a picture as I420, without padding.
type planes struct {
	width, height int
	y, u, v       []byte
}

// half is the side of a colour plane.
func half(side int) int { return (side + 1) / 2 }

func newPlanes(width, height int) *planes {
	luma, colour := width*height, half(width)*half(height)
	b := make([]byte, luma+2*colour)
	return &planes{width: width, height: height, y: b[:luma], u: b[luma : luma+colour], v: b[luma+colour:]}
}

// from fills the planes with a picture of their size.
func (p *planes) from(bgr []byte) {
	w, cw := p.width, half(p.width)
	for y := 0; y < p.height; y += 2 {
		below := min(y+1, p.height-1) // the last row of an odd height stands twice
		for x := 0; x < w; x += 2 {
			beside := min(x+1, w-1)
			var b, g, r int
			for _, at := range [4]int{y*w + x, y*w + beside, below*w + x, below*w + beside} {
				px := bgr[3*at : 3*at+3 : 3*at+3]
				pb, pg, pr := int(px[0]), int(px[1]), int(px[2])
				p.y[at] = byte((66*pr+129*pg+25*pb+128)>>8 + 16)
				b, g, r = b+pb, g+pg, r+pr
			}
			at := y/2*cw + x/2
			p.u[at] = byte((-38*r-74*g+112*b+512)>>10 + 128)
			p.v[at] = byte((112*r-94*g-18*b+512)>>10 + 128)
		}
	}
}

// bgr returns the picture.
func (p *planes) bgr() []byte {
	out := make([]byte, 3*p.width*p.height)
	cw := half(p.width)
	for y := range p.height {
		row := out[3*y*p.width : 3*(y+1)*p.width]
		luma := p.y[y*p.width : (y+1)*p.width]
		u, v := p.u[y/2*cw:(y/2+1)*cw], p.v[y/2*cw:(y/2+1)*cw]
		for x, l := range luma {
			c, d, e := 298*(int(l)-16)+128, int(u[x/2])-128, int(v[x/2])-128
			row[3*x] = clamped((c + 516*d) >> 8)
			row[3*x+1] = clamped((c - 100*d - 208*e) >> 8)
			row[3*x+2] = clamped((c + 409*e) >> 8)
		}
	}
	return out
}

func clamped(v int) byte { return byte(min(max(v, 0), 255)) }
