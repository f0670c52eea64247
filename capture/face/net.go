//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"emolab/capture/face/convnet"
	"emolab/capture/face/resample"
)

// net is one net of the pack with its input. It is not safe for concurrent use.
type net struct {
	name             string
	net              *convnet.Net
	square, mirrored gocv.Mat // the input as a picture; reused from frame to frame
	sampler          resample.Resampler
}

// newNet builds a net from its checked ONNX bytes for pictures of size x size,
// which it sees less mean (red first), divided by 255.
func newNet(name string, onnx []byte, size int, mean [3]float32) (*net, error) {
	n, err := convnet.New(onnx, size, convnet.Scaling{Mean: mean, Scale: 1. / 255})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return &net{
		name: name, net: n,
		square: gocv.NewMatWithSize(size, size, gocv.MatTypeCV8UC3), mirrored: gocv.NewMat(),
	}, nil
}

// Close frees the net.
func (n *net) Close() error { return errors.Join(n.square.Close(), n.mirrored.Close()) }

// read feeds the net with the rectangle r of the picture, in the middle of its
// input. Its output holds until the next run.
func (n *net) read(picture gocv.Mat, r Rect) ([]float32, error) {
	from, err := picture.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	to, err := n.square.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	if err := n.sampler.Run(from, picture.Cols(), picture.Rows(), resample.Rect(r), to, n.net.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return n.answer(n.square)
}

// run feeds the net with the part of the picture that c describes, in whole
// pixels: for detectors, which need not see the same from frame to frame. Its
// output holds until the next run.
func (n *net) run(picture gocv.Mat, c crop) ([]float32, error) {
	if c.n != n.net.Size() {
		return nil, fmt.Errorf("%s: an input of %d pixels, want %d", n.name, c.n, n.net.Size())
	}
	part := picture.Region(image.Rect(c.x0, c.y0, c.x0+c.w, c.y0+c.h))
	defer part.Close()
	if c.innerW == c.n && c.innerH == c.n {
		gocv.Resize(part, &n.square, image.Pt(c.n, c.n), 0, 0, gocv.InterpolationLinear)
	} else {
		n.square.SetTo(gocv.NewScalar(0, 0, 0, 0))
		inner := n.square.Region(image.Rect(0, 0, c.innerW, c.innerH))
		defer inner.Close()
		gocv.Resize(part, &inner, image.Pt(c.innerW, c.innerH), 0, 0, gocv.InterpolationLinear)
	}
	return n.answer(n.square)
}

// runMirrored feeds the net with the mirror image of what it saw last. Its
// output holds until the next run.
func (n *net) runMirrored() ([]float32, error) {
	gocv.Flip(n.square, &n.mirrored, 1)
	return n.answer(n.mirrored)
}

// answer runs the net on a square picture.
func (n *net) answer(square gocv.Mat) ([]float32, error) {
	pixels, err := square.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	out, err := n.net.Run(pixels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return out, nil
}

// cropMean is what the landmark and the expression net take off each channel,
// red first.
func cropMean() [3]float32 { return [3]float32{122.782, 117.001, 104.298} }
