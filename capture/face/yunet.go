//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
)

// yunet is YuNet (Wu, Peng & Yu 2023, Machine Intelligence Research 20:656), the
// optional detector. It finds smaller and more turned faces than tiny.
type yunet struct {
	net       gocv.Net
	input     gocv.Mat // as a picture; reused while frames keep their shape
	size      int      // longer side of the input, px
	threshold float64
}

func newYuNet(onnx []byte, size int, threshold float64) (*yunet, error) {
	n, err := gocv.ReadNetFromONNXBytes(modelpack.YuNetRows(onnx))
	if err == nil && n.Empty() {
		err = errors.New("OpenCV read no layers")
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", modelpack.YuNet, err)
	}
	return &yunet{n, gocv.NewMat(), size, threshold}, nil
}

// Close frees the net.
func (y *yunet) Close() error { return errors.Join(y.net.Close(), y.input.Close()) }

func (y *yunet) detect(picture gocv.Mat) ([]detection, error) {
	c := fit(picture.Cols(), picture.Rows(), y.size)
	// The net takes any shape in whole cells: what a square would add to it is
	// black, and time.
	w, h := wholeCells(c.innerW), wholeCells(c.innerH)
	if y.input.Cols() != w || y.input.Rows() != h {
		if err := y.input.Close(); err != nil {
			return nil, fmt.Errorf("%s: %w", modelpack.YuNet, err)
		}
		y.input = gocv.NewMatWithSize(h, w, gocv.MatTypeCV8UC3)
	}
	y.input.SetTo(gocv.NewScalar(0, 0, 0, 0))
	inner := y.input.Region(image.Rect(0, 0, c.innerW, c.innerH))
	defer inner.Close()
	gocv.Resize(picture, &inner, image.Pt(c.innerW, c.innerH), 0, 0, gocv.InterpolationLinear)

	// Blue, green, red from 0 to 255, as they are.
	blob := gocv.BlobFromImage(y.input, 1, image.Pt(w, h), gocv.NewScalar(0, 0, 0, 0), false, false)
	defer blob.Close()
	y.net.SetInput(blob, "")
	out := y.net.Forward("")
	defer out.Close()
	raw, err := out.DataPtrFloat32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", modelpack.YuNet, err)
	}
	if want := modelpack.YuNetPlanes * yunetCells(w, h); len(raw) != want {
		return nil, fmt.Errorf("%s: %d numbers came out, want %d", modelpack.YuNet, len(raw), want)
	}
	return decodeYuNet(raw, w, h, float64(max(c.w, c.h))/float64(y.size), y.threshold), nil
}
