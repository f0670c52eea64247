// Package aoi says what was looked at: areas of interest on a stimulus, still
// or moving, and the measures per area that are made of fixations.
//
// Places are fractions of the stimulus, 0..1 from its upper left corner; times
// count from the stimulus' start. FORMAT.md describes the file of areas.
package aoi

import (
	"math"
	"time"
)

// Shape is the form of an area.
type Shape string

const (
	Polygon Shape = "polygon" // by its corners
	Rect    Shape = "rect"    // by its box
	Ellipse Shape = "ellipse" // by the box around it
)

// Point is a place in fractions of the stimulus.
type Point struct{ X, Y float64 }

// Box is an upright rectangle: its upper left corner and its size, in fractions
// of the stimulus.
type Box struct{ X, Y, Width, Height float64 }

// Keyframe is what an area looks like at a time. Between two keyframes corners
// and boxes move in straight lines.
type Keyframe struct {
	At     time.Duration
	Points []Point // of a polygon; as many in all keyframes of an area
	Box    Box     // of a rectangle or an ellipse
	Hidden bool    // from here on, until the next keyframe that is not hidden, the area is not there
}

// Area is one area of interest. One keyframe makes it a still one, whatever its
// time. A moving area is not there before its first keyframe, and stays as it is
// after its last.
type Area struct {
	Name      string
	Shape     Shape
	Tag       string // what whoever drew it sorts it under; nothing is computed from it
	Layer     int    // where areas overlap the higher layer wins, in one layer the smaller area
	Keyframes []Keyframe
}

// Set is the areas of one stimulus.
type Set struct {
	Stimulus string // the file that the areas are drawn on
	Areas    []Area
}

// None is the index of no area: elsewhere.
const None = -1

// At returns the index of the area at a place and time: of those that hold it
// the one of the highest layer, then the smallest at that time, then the first.
func (s Set) At(x, y float64, at time.Duration) int {
	best, size := None, 0.0
	for i := range s.Areas {
		f, ok := s.Areas[i].frame(at)
		if !ok || !f.holds(s.Areas[i].Shape, x, y) {
			continue
		}
		a := f.size(s.Areas[i].Shape)
		if best == None || s.Areas[i].Layer > s.Areas[best].Layer || s.Areas[i].Layer == s.Areas[best].Layer && a < size {
			best, size = i, a
		}
	}
	return best
}

// Outline returns the corners of the area at a time (of an ellipse 64 points of
// it), for pictures; nil when it is not there.
func (a Area) Outline(at time.Duration) []Point {
	f, ok := a.frame(at)
	if !ok {
		return nil
	}
	switch b := f.Box; a.Shape {
	case Polygon:
		return f.Points
	case Ellipse:
		const points = 64
		out := make([]Point, points)
		for i := range out {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / points)
			out[i] = Point{b.X + b.Width/2*(1+cos), b.Y + b.Height/2*(1+sin)}
		}
		return out
	default:
		return []Point{{b.X, b.Y}, {b.X + b.Width, b.Y}, {b.X + b.Width, b.Y + b.Height}, {b.X, b.Y + b.Height}}
	}
}

// frame returns what the area looks like at a time; false when it is not there.
func (a Area) frame(at time.Duration) (Keyframe, bool) {
	k := a.Keyframes
	if len(k) == 1 {
		return k[0], !k[0].Hidden
	}
	i := after(k, at) - 1 // the keyframe before
	if i < 0 || k[i].Hidden {
		return Keyframe{}, false
	}
	if i+1 == len(k) || k[i+1].Hidden {
		return k[i], true
	}
	return between(k[i], k[i+1], at), true
}

// after returns the index of the first keyframe after a time.
func after(k []Keyframe, at time.Duration) int {
	low, high := 0, len(k)
	for low < high {
		if mid := (low + high) / 2; k[mid].At <= at {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// between is the keyframe on the way from a to b.
func between(a, b Keyframe, at time.Duration) Keyframe {
	w := float64(at-a.At) / float64(b.At-a.At)
	mix := func(p, q float64) float64 { return p + w*(q-p) }
	f := Keyframe{At: at, Box: Box{mix(a.Box.X, b.Box.X), mix(a.Box.Y, b.Box.Y), mix(a.Box.Width, b.Box.Width), mix(a.Box.Height, b.Box.Height)}}
	for i := range min(len(a.Points), len(b.Points)) {
		f.Points = append(f.Points, Point{mix(a.Points[i].X, b.Points[i].X), mix(a.Points[i].Y, b.Points[i].Y)})
	}
	return f
}

// holds tells whether the place lies in the shape, or on its left or upper edge.
func (k Keyframe) holds(s Shape, x, y float64) bool {
	switch b := k.Box; s {
	case Polygon:
		return inside(k.Points, x, y)
	case Ellipse:
		u, v := 2*(x-b.X)/b.Width-1, 2*(y-b.Y)/b.Height-1
		return u*u+v*v <= 1
	default:
		return x >= b.X && x < b.X+b.Width && y >= b.Y && y < b.Y+b.Height
	}
}

// size is the area covered, in parts of the stimulus.
func (k Keyframe) size(s Shape) float64 {
	switch s {
	case Polygon:
		return math.Abs(signedArea(k.Points))
	case Ellipse:
		return math.Pi / 4 * k.Box.Width * k.Box.Height
	default:
		return k.Box.Width * k.Box.Height
	}
}

// inside tells whether a ray to the right crosses the outline an odd number of
// times.
func inside(p []Point, x, y float64) bool {
	in := false
	for i, j := 0, len(p)-1; i < len(p); j, i = i, i+1 {
		if (p[i].Y > y) != (p[j].Y > y) && x < p[i].X+(y-p[i].Y)/(p[j].Y-p[i].Y)*(p[j].X-p[i].X) {
			in = !in
		}
	}
	return in
}

func signedArea(p []Point) float64 {
	var twice float64
	for i, j := 0, len(p)-1; i < len(p); j, i = i, i+1 {
		twice += p[j].X*p[i].Y - p[i].X*p[j].Y
	}
	return twice / 2
}
