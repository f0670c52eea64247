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
	if size < 96 || size > 1024 || size%32 != 0 {
		return nil, fmt.Errorf("detector size %d: must be a multiple of 32 from 96 to 1024", size)
	}
	n, err := newNet(modelpack.Detector, onnx)
	if err != nil {
		return nil, err
	}
	return &tiny{n, size, threshold}, nil
}

// tinyMean is what the detector takes off each channel, red first.
func tinyMean() gocv.Scalar { return gocv.NewScalar(117.001, 114.697, 97.404, 0) }

func (t *tiny) detect(picture gocv.Mat) ([]detection, error) {
	c := fit(picture.Cols(), picture.Rows(), t.size)
	raw, err := t.run(picture, c, tinyMean())
	if err != nil {
		return nil, err
	}
	grid := t.size / 32 // five poolings at stride 2
	if len(raw) != 25*grid*grid {
		return nil, fmt.Errorf("%s: %d numbers came out, want 25 planes of %dx%d", t.name, len(raw), grid, grid)
	}
	return decodeDetections(raw, grid, float64(max(c.w, c.h)), t.threshold), nil
}
