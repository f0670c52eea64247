//go:build !nocv

package face

import (
	"math"

	"gocv.io/x/gocv"
)

const (
	// checkSize is the side of the check's input, px. At 96 it told 544 frames
	// with a face from 2,200 places without one; at 64 the two overlap, and
	// 128 takes half as long again for no better answer.
	checkSize = 96
	// checkMargin enlarges the landmarks' bounding box to the square that is
	// checked, and checkLift moves it up by that part of its side, as the
	// landmarks end at the brows and the detector's faces at the forehead. Of
	// margins from 1.15 to 1.5 and lifts from 0 to .1 these told faces best.
	checkMargin = 1.15
	checkLift   = .05
	// keepThreshold is the score from which on the landmarks still lie on a
	// face. The lowest of 544 frames with a face was .59, the 99th percentile of
	// places without one .34.
	keepThreshold = .4
	// checkFloor is the score below which a detection is not even looked at.
	checkFloor = .05
	// checkOverlap is how far the detector's box must overlap the landmarks' to
	// be the same face. The lowest of 544 frames was .62.
	checkOverlap = .4
)

// check tells how much the place of a face looks like one: the pack's detector
// on that place alone, at a small size. It is the same whichever detector
// searches the whole picture.
type check struct{ *tiny }

func newCheck(onnx []byte) (*check, error) {
	t, err := newTiny(onnx, checkSize, checkFloor)
	if err != nil {
		return nil, err
	}
	return &check{t}, nil
}

// score returns 0..1 that the landmarks whose bounding box is given lie on a
// face; 0 where the detector finds none, or one elsewhere.
func (c *check) score(picture gocv.Mat, box Rect) (float64, error) {
	side := checkMargin * math.Max(box.W, box.H)
	m := box.centre()
	square := Rect{m.X - side/2, m.Y - side/2 - checkLift*side, side, side}
	crop, ok := newCrop(square, picture.Cols(), picture.Rows(), checkSize)
	if !ok {
		return 0, nil
	}
	found, err := c.detectIn(picture, crop)
	if err != nil {
		return 0, err
	}
	for _, d := range found { // best first
		if iou(d.box, box) >= checkOverlap {
			return d.score, nil
		}
	}
	return 0, nil
}
