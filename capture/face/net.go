//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"
)

// net is one net with its input. It is not safe for concurrent use.
type net struct {
	name   string
	net    gocv.Net
	square gocv.Mat // the input as a picture; reused from frame to frame
}

// newNet loads a net from its checked ONNX bytes.
func newNet(name string, onnx []byte) (*net, error) {
	n, err := gocv.ReadNetFromONNXBytes(onnx)
	if err == nil && n.Empty() {
		err = errors.New("OpenCV read no layers")
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return &net{name: name, net: n, square: gocv.NewMat()}, nil
}

// Close frees the net.
func (n *net) Close() error { return errors.Join(n.net.Close(), n.square.Close()) }

// run feeds the net with the part of the picture that c describes, RGB, less
// mean, divided by 255, and returns a copy of its output.
func (n *net) run(picture gocv.Mat, c crop, mean gocv.Scalar) ([]float32, error) {
	if n.square.Rows() != c.n {
		n.square.Close()
		n.square = gocv.NewMatWithSize(c.n, c.n, gocv.MatTypeCV8UC3)
	}
	n.square.SetTo(gocv.NewScalar(0, 0, 0, 0))
	part := picture.Region(image.Rect(c.x0, c.y0, c.x0+c.w, c.y0+c.h))
	defer part.Close()
	inner := n.square.Region(image.Rect(c.padX, c.padY, c.padX+c.innerW, c.padY+c.innerH))
	defer inner.Close()
	gocv.Resize(part, &inner, image.Pt(c.innerW, c.innerH), 0, 0, gocv.InterpolationLinear)

	blob := gocv.BlobFromImage(n.square, 1./255, image.Pt(c.n, c.n), mean, true, false)
	defer blob.Close()
	n.net.SetInput(blob, "")
	out := n.net.Forward("")
	defer out.Close()
	values, err := out.DataPtrFloat32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return append([]float32(nil), values...), nil
}

// cropMean is what the landmark and the expression net take off each channel,
// red first.
func cropMean() gocv.Scalar { return gocv.NewScalar(122.782, 117.001, 104.298, 0) }
