// Package face finds the participant's face in camera frames and reads its
// landmarks and expression (Analyzer), and delivers one sample a frame as a
// stream (Source).
//
// The nets are those of the model pack that is embedded from the folder models
// (see modelpack). They run in OpenCV's DNN module; with the build tag nocv
// the package builds without OpenCV and NewAnalyzer says so.
package face

import "math"

// Point is a place in the picture, in pixels from its top left corner.
type Point struct{ X, Y float64 }

// Rect is an upright rectangle in the picture, in pixels. It may reach beyond
// the picture's edges.
type Rect struct{ X, Y, W, H float64 }

// Probabilities are those of the seven expressions, in the order of Neutral to
// Surprised. They add up to 1.
type Probabilities [7]float64

// Positions in Probabilities.
const (
	Neutral = iota
	Happy
	Sad
	Angry
	Fearful
	Disgusted
	Surprised
)

// Expressions returns the names of the seven expressions in their order, as
// scripts, tables and exports spell them.
func Expressions() [7]string {
	return [7]string{"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"}
}

// Top returns the position of the largest probability.
func (p Probabilities) Top() int {
	top := 0
	for i, v := range p {
		if v > p[top] {
			top = i
		}
	}
	return top
}

// Result is what one frame shows. All but Found is zero when no face was found.
type Result struct {
	Found      bool
	Confidence float64 // of the detector, 0..1
	Box        Rect    // bounding box of the landmarks, px
	Landmarks  [68]Point
	Expression Probabilities
	Valence    float64 // -1..1
	Arousal    float64 // -1..1
}

// AffectVersion names the coordinates and the rule of Affect.
const AffectVersion = "va-1"

// Affect returns valence and arousal, both -1..1, as the mixture of fixed
// coordinates by the probabilities (version va-1). The coordinates are those of
// the emotion words in Warriner, Kuperman & Brysbaert 2013 (Behavior Research
// Methods 45:1191), (rating-5)/4, but for neutral, which is the origin, and
// surprised, whose valence a face does not show.
func Affect(p Probabilities) (valence, arousal float64) {
	coordinates := [7]struct{ valence, arousal float64 }{
		Neutral:   {0, 0},
		Happy:     {.87, .38},
		Sad:       {-.65, -.55},
		Angry:     {-.63, .23},
		Fearful:   {-.52, .29},
		Disgusted: {-.42, 0},
		Surprised: {0, .39},
	}
	for i, c := range coordinates {
		valence += p[i] * c.valence
		arousal += p[i] * c.arousal
	}
	return valence, arousal
}

// bounds returns the smallest rectangle around the points.
func bounds(points []Point) Rect {
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

// clip returns the part of r inside a picture of that size, in whole pixels,
// and whether anything of it is left.
func (r Rect) clip(width, height int) (x0, y0, x1, y1 int, ok bool) {
	x0 = max(0, int(math.Floor(r.X)))
	y0 = max(0, int(math.Floor(r.Y)))
	x1 = min(width, int(math.Ceil(r.X+r.W)))
	y1 = min(height, int(math.Ceil(r.Y+r.H)))
	return x0, y0, x1, y1, x1 > x0 && y1 > y0
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
