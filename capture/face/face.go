// Package face finds the participant's face in camera frames and reads its
// landmarks and expression (Analyzer), and delivers one sample a frame as a
// stream (Source).
//
// The nets are those of the model pack that is embedded from the folder models
// (see modelpack), and run in convnet. OpenCV scales whole pictures and runs the
// optional detector; with the build tag nocv the package builds without it and
// NewAnalyzer says so.
package face

import (
	"math"

	"emolab/fusion/expression"
	"emolab/fusion/landmark"
)

// Rect is an upright rectangle in the picture, in pixels. It may reach beyond
// the picture's edges.
type Rect struct{ X, Y, W, H float64 }

// Result is what one frame shows. Without a face all but Found, Faces, FrameW,
// FrameH and View.LumaAround is zero.
type Result struct {
	Found          bool
	Tracked        bool    // the face was followed from the frame before, not searched for
	Confidence     float64 // 0..1 that what the landmarks lie on is a face
	Faces          int     // in the picture, when all of it was last searched
	FrameW, FrameH int     // of the picture, px
	Box            Rect    // bounding box of the landmarks, px
	Landmarks      landmark.Face
	Expression     expression.Probabilities
	Valence        float64 // -1..1
	Arousal        float64 // -1..1
	View           View
}

// View is how well the camera sees the face.
type View struct {
	LumaFace   float64 // mean luma of the face, 0..255
	LumaAround float64 // mean luma of the picture outside the face (all of it without one), 0..255
	Clipped    float64 // share of the face's pixels that are white: glare
	Sharpness  float64 // fine detail of the face relative to its contrast, 0..
	MouthCover float64 // how likely something hides the mouth, 0..1
}

// bounds returns the smallest rectangle around the points.
func bounds(points []landmark.Point) Rect {
	left, top := math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		left, right = min(left, p.X), max(right, p.X)
		top, bottom = min(top, p.Y), max(bottom, p.Y)
	}
	return Rect{left, top, right - left, bottom - top}
}

// enlarge returns r grown about its centre to factor times its width and height.
func (r Rect) enlarge(factor float64) Rect {
	w, h := r.W*factor, r.H*factor
	return Rect{r.X + (r.W-w)/2, r.Y + (r.H-h)/2, w, h}
}

// centre returns r's middle.
func (r Rect) centre() landmark.Point { return landmark.Point{X: r.X + r.W/2, Y: r.Y + r.H/2} }

// size returns the side of the square of r's area.
func (r Rect) size() float64 { return math.Sqrt(r.W * r.H) }

// clip returns the part of r inside a picture of that size, in whole pixels,
// and whether anything of it is left.
func (r Rect) clip(width, height int) (x0, y0, x1, y1 int, ok bool) {
	x0 = max(0, int(math.Floor(r.X)))
	y0 = max(0, int(math.Floor(r.Y)))
	x1 = min(width, int(math.Ceil(r.X+r.W)))
	y1 = min(height, int(math.Ceil(r.Y+r.H)))
	return x0, y0, x1, y1, x1 > x0 && y1 > y0
}

// within returns the part of r inside a picture of that size, and whether
// anything of it is left.
func (r Rect) within(width, height int) (Rect, bool) {
	x0, y0 := max(0, r.X), max(0, r.Y)
	x1, y1 := min(float64(width), r.X+r.W), min(float64(height), r.Y+r.H)
	return Rect{x0, y0, x1 - x0, y1 - y0}, x1 > x0 && y1 > y0
}

// iou returns the area that two rectangles share over that which they cover.
func iou(a, b Rect) float64 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (a.W*a.H + b.W*b.H - w*h)
}
