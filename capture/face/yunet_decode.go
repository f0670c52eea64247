package face

import (
	"math"

	"emolab/capture/face/modelpack"
)

// yunetCells is how many cells of all strides cover an input of that side.
func yunetCells(size int) int {
	n := 0
	for _, stride := range modelpack.YuNetStrides() {
		n += (size / stride) * (size / stride)
	}
	return n
}

// decodeYuNet reads modelpack.YuNetRows' output for an input of that side, which
// shows a square of side pixels of the frame from its top left corner. Scores
// are those above threshold, best first, overlaps removed. A row is the scores
// of class and object, whose geometric mean is the face's, then the box: centre
// from the cell's corner in cells, logarithm of the size in cells.
func decodeYuNet(raw []float32, size int, side, threshold float64) []detection {
	var found []detection
	px := side / float64(size) // frame pixels in a pixel of the input
	for _, stride := range modelpack.YuNetStrides() {
		grid := size / stride
		cell := float64(stride) * px
		for i := range grid * grid {
			row := raw[:modelpack.YuNetPlanes]
			raw = raw[modelpack.YuNetPlanes:]
			score := math.Sqrt(clamp01(row[0]) * clamp01(row[1]))
			if !(score > threshold) {
				continue
			}
			cx := (float64(i%grid) + float64(row[2])) * cell
			cy := (float64(i/grid) + float64(row[3])) * cell
			w, h := math.Exp(float64(row[4]))*cell, math.Exp(float64(row[5]))*cell
			found = append(found, detection{Rect{cx - w/2, cy - h/2, w, h}, score})
		}
	}
	return suppress(found)
}

func clamp01(v float32) float64 { return min(max(float64(v), 0), 1) }
