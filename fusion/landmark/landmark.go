// Package landmark names the 68 facial points in the iBUG order, which the
// landmark net finds and all facial geometry is reckoned from.
package landmark

import "math"

// Count is the number of points.
const Count = 68

// Point is a place in a plane, x to the right and y down. Its unit is the
// caller's: pixels of a picture, or parts of the distance between the eyes.
type Point struct{ X, Y float64 }

// Face is one face's points in the iBUG order, as seen in the picture: its left
// is the participant's right.
type Face [Count]Point

// First and last points of the parts of a face.
const (
	JawFirst, JawLast             = 0, 16
	BrowRightFirst, BrowRightLast = 17, 21 // the participant's right, outer to inner
	BrowLeftFirst, BrowLeftLast   = 22, 26 // inner to outer
	NoseFirst, NoseLast           = 27, 35
	EyeRightFirst, EyeRightLast   = 36, 41 // outer corner, two upper, inner corner, two lower
	EyeLeftFirst, EyeLeftLast     = 42, 47 // inner corner, two upper, outer corner, two lower
	LipsFirst, LipsLast           = 48, 67 // twelve outer, eight inner
)

// Single points that much is measured from.
const (
	Chin             = 8
	NoseTip          = 30
	EyeRightOuter    = 36
	EyeRightInner    = 39
	EyeLeftInner     = 42
	EyeLeftOuter     = 45
	MouthRightCorner = 48
	MouthLeftCorner  = 54
)

// Centre returns the mean of the points first to last.
func (f *Face) Centre(first, last int) Point {
	var sum Point
	for _, p := range f[first : last+1] {
		sum.X += p.X
		sum.Y += p.Y
	}
	n := float64(last + 1 - first)
	return Point{sum.X / n, sum.Y / n}
}

// EyeDistance returns the distance between the centres of the eyes (inter-ocular
// distance), the unit of all facial measures.
func (f *Face) EyeDistance() float64 {
	return Distance(f.Centre(EyeRightFirst, EyeRightLast), f.Centre(EyeLeftFirst, EyeLeftLast))
}

// Distance returns that between two points.
func Distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// Known tells whether all coordinates are numbers.
func (f *Face) Known() bool {
	for _, p := range f {
		if math.IsNaN(p.X) || math.IsNaN(p.Y) || math.IsInf(p.X, 0) || math.IsInf(p.Y, 0) {
			return false
		}
	}
	return true
}
