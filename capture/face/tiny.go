//go:build !nocv

package face

import (
	"fmt"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
)

// detector finds faces in a picture. It is not safe for concurrent use.
type detector interface {
	// detect returns the faces it claims, best first, overlaps removed.
	detect(picture gocv.Mat) ([]detection, error)
	Close() error
}

// tiny is the detector of the embedded pack.
type tiny struct {
	*net
	size      int // side of the input, px
	threshold float64
}

func newTiny(onnx []byte, size int, threshold float64) (*tiny, error) {
	n, err := newNet(modelpack.Detector, onnx, size, tinyMean())
	if err != nil {
		return nil, err
	}
	return &tiny{n, size, threshold}, nil
}

// tinyMean is what the detector takes off each channel, red first.
func tinyMean() [3]float32 { return [3]float32{117.001, 114.697, 97.404} }

func (t *tiny) detect(picture gocv.Mat) ([]detection, error) {
	return t.detectIn(picture, fit(picture.Cols(), picture.Rows(), t.size))
}

// detectIn is detect in the part of the picture that c lays into the net's
// input. The boxes are in the picture's pixels.
func (t *tiny) detectIn(picture gocv.Mat, c crop) ([]detection, error) {
	raw, err := t.run(picture, c)
	if err != nil {
		return nil, err
	}
	grid := t.size / 32 // five poolings at stride 2
	if len(raw) != 25*grid*grid {
		return nil, fmt.Errorf("%s: %d numbers came out, want 25 planes of %dx%d", t.name, len(raw), grid, grid)
	}
	found := decodeDetections(raw, grid, float64(max(c.w, c.h)), t.threshold)
	for i := range found {
		found[i].box.X += float64(c.x0)
		found[i].box.Y += float64(c.y0)
	}
	return found, nil
}
