package face

import (
	"math"

	"emolab/capture/face/modelpack"
)

// wholeCells returns the least number of pixels that is not below n and that
// cells of all strides fill.
func wholeCells(n int) int {
	strides := modelpack.YuNetStrides()
	largest := strides[len(strides)-1]
	return (n + largest - 1) / largest * largest
}

// yunetCells is how many cells of all strides cover an input of w x h.
func yunetCells(w, h int) int {
	n := 0
	for _, stride := range modelpack.YuNetStrides() {
		n += (w / stride) * (h / stride)
	}
	return n
}

// decodeYuNet reads modelpack.YuNetRows' output for an input of w x h whose
// pixels are px frame pixels wide; the frame's top left corner is its own.
// Scores are those above threshold, best first, overlaps removed. A row is the
// scores of class and object, whose geometric mean is the face's, then the box:
// centre from the cell's corner in cells, logarithm of the size in cells.
func decodeYuNet(raw []float32, w, h int, px, threshold float64) []detection {
	var found []detection
	for _, stride := range modelpack.YuNetStrides() {
		columns := w / stride
		cell := float64(stride) * px
		for i := range columns * (h / stride) {
			row := raw[:modelpack.YuNetPlanes]
			raw = raw[modelpack.YuNetPlanes:]
			score := math.Sqrt(clamp01(row[0]) * clamp01(row[1]))
			if !(score > threshold) {
				continue
			}
			cx := (float64(i%columns) + float64(row[2])) * cell
			cy := (float64(i/columns) + float64(row[3])) * cell
			boxW, boxH := math.Exp(float64(row[4]))*cell, math.Exp(float64(row[5]))*cell
			found = append(found, detection{Rect{cx - boxW/2, cy - boxH/2, boxW, boxH}, score})
		}
	}
	return suppress(found)
}

func clamp01(v float32) float64 { return min(max(float64(v), 0), 1) }
