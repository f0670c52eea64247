package face

import (
	"math"
	"slices"
)

// detection is one face that the detector claims.
type detection struct {
	box   Rect
	score float64 // 0..1
}

// overlapLimit is the intersection over union from which two boxes are one
// face, as the net's authors set it.
const overlapLimit = .4

// decodeDetections reads the detector's raw output: 25 planes of grid x grid
// cells, being five anchors of x, y, w, h and score each. side is the side in
// frame pixels of the square that the net saw, whose top left corner is the
// frame's. Scores are those above threshold, best first, overlaps removed.
//
// Boxes are read as in YOLOv2 (Redmon & Farhadi 2016, section 2, "direct
// location prediction"), the cell being the unit.
func decodeDetections(raw []float32, grid int, side, threshold float64) []detection {
	anchors := [5]struct{ w, h float64 }{
		{1.603231, 2.094468},
		{6.041143, 7.080126},
		{2.882459, 3.518061},
		{4.266906, 5.178857},
		{9.041765, 10.66308},
	}
	cells := grid * grid
	px := side / float64(grid) // frame pixels in a cell
	var found []detection
	for k, anchor := range anchors {
		plane := func(i, cell int) float64 { return float64(raw[(5*k+i)*cells+cell]) }
		for cell := range cells {
			score := sigmoid(plane(4, cell))
			if score <= threshold {
				continue
			}
			cx := (float64(cell%grid) + sigmoid(plane(0, cell))) * px
			cy := (float64(cell/grid) + sigmoid(plane(1, cell))) * px
			w := math.Exp(plane(2, cell)) * anchor.w * px
			h := math.Exp(plane(3, cell)) * anchor.h * px
			found = append(found, detection{Rect{cx - w/2, cy - h/2, w, h}, score})
		}
	}
	return suppress(found)
}

// suppress keeps the best of every group of overlapping detections, best first.
func suppress(found []detection) []detection {
	slices.SortStableFunc(found, func(a, b detection) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var kept []detection
	for _, d := range found {
		overlaps := func(k detection) bool { return iou(k.box, d.box) > overlapLimit }
		if !slices.ContainsFunc(kept, overlaps) {
			kept = append(kept, d)
		}
	}
	return kept
}

// participant picks the one face that is measured: the most prominent.
func participant(found []detection, width, height int) (detection, bool) {
	var best detection
	var most float64
	for _, d := range found {
		if p := prominence(d.box, width, height); p > most {
			best, most = d, p
		}
	}
	return best, most > 0
}

// prominence is a face's side in px, where a face at the corner of a picture of
// that size counts half of one in the middle. People who pass behind the
// participant are smaller and at the edge.
func prominence(box Rect, width, height int) float64 {
	half := math.Hypot(float64(width), float64(height)) / 2
	c := box.centre()
	off := math.Hypot(c.X-float64(width)/2, c.Y-float64(height)/2)
	return box.size() * (1 - .5*min(1, off/half))
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
