package portrait

import "math"

// point is a place on the head, in head heights (crown to chin) from the
// middle between the eyes: x to the right of the picture, y down.
type point struct{ x, y float64 }

// curve is a polyline, fine enough to pass for smooth. As an outline it is
// closed from the last point to the first.
type curve []point

// segments is how many straight pieces stand for one span between two given
// points. More cannot be seen at the canvas's resolution.
const segments = 8

// through returns the uniform Catmull-Rom spline through the points.
func through(pts ...point) curve {
	at := func(i int) point { return pts[max(0, min(len(pts)-1, i))] }
	var c curve
	for i := 0; i+1 < len(pts); i++ {
		c = appendSpan(c, at(i-1), at(i), at(i+1), at(i+2))
	}
	return append(c, pts[len(pts)-1])
}

// around returns the closed uniform Catmull-Rom spline through the points.
func around(pts ...point) curve {
	at := func(i int) point { return pts[(i+len(pts))%len(pts)] }
	var c curve
	for i := range pts {
		c = appendSpan(c, at(i-1), at(i), at(i+1), at(i+2))
	}
	return c
}

// appendSpan appends the spline from p1 to p2, without p2 itself.
func appendSpan(c curve, p0, p1, p2, p3 point) curve {
	coordinate := func(a, b, c, d, t float64) float64 {
		return b + t/2*((c-a)+t*((2*a-5*b+4*c-d)+t*(3*(b-c)+d-a)))
	}
	for i := range segments {
		t := float64(i) / segments
		c = append(c, point{
			coordinate(p0.x, p1.x, p2.x, p3.x, t),
			coordinate(p0.y, p1.y, p2.y, p3.y, t),
		})
	}
	return c
}

// bridge completes the left half of a line, which ends at x = 0, by its mirror
// image.
func bridge(left ...point) []point {
	pts := append([]point(nil), left...)
	for i := len(left) - 2; i >= 0; i-- {
		pts = append(pts, point{-left[i].x, left[i].y})
	}
	return pts
}

// mirrored returns the curve on the given side of the face: as it is for +1,
// its mirror image for -1.
func (c curve) mirrored(side float64) curve {
	out := make(curve, len(c))
	for i, p := range c {
		out[i] = point{side * p.x, p.y}
	}
	return out
}

// lowered returns the curve moved down by dy.
func (c curve) lowered(dy float64) curve {
	out := make(curve, len(c))
	for i, p := range c {
		out[i] = point{p.x, p.y + dy}
	}
	return out
}

// back returns the curve followed from its end by another, walked backwards:
// the outline of the region between two lines that run the same way.
func (c curve) back(other curve) curve {
	out := append(curve(nil), c...)
	for i := len(other) - 1; i >= 0; i-- {
		out = append(out, other[i])
	}
	return out
}

// yAt returns the height at which a curve that runs along x passes x; beyond
// its ends, the height of the nearer end.
func (c curve) yAt(x float64) float64 {
	first, last := c[0], c[len(c)-1]
	if first.x > last.x {
		return c.mirrored(-1).yAt(-x)
	}
	if x <= first.x {
		return first.y
	}
	for i := 1; i < len(c); i++ {
		a, b := c[i-1], c[i]
		if x < b.x {
			return a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x)
		}
	}
	return last.y
}

// band returns the outline of a brush stroke along the curve. thickness gives
// the full width at u, which runs from 0 at the beginning to 1 at the end.
func (c curve) band(thickness func(u float64) float64) curve {
	over, under := make(curve, len(c)), make(curve, len(c))
	for i, p := range c {
		a, b := c[max(0, i-1)], c[min(len(c)-1, i+1)]
		dx, dy := b.x-a.x, b.y-a.y
		half := thickness(float64(i)/float64(len(c)-1)) / 2 / max(math.Hypot(dx, dy), 1e-9)
		over[i] = point{p.x + dy*half, p.y - dx*half}
		under[i] = point{p.x - dy*half, p.y + dx*half}
	}
	return over.back(under)
}

// disc returns the outline of a circle.
func disc(centre point, radius float64) curve {
	const corners = 24
	c := make(curve, corners)
	for i := range c {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		c[i] = point{centre.x + radius*cos, centre.y + radius*sin}
	}
	return c
}
