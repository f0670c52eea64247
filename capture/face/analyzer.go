//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"image"
	"runtime"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
	"emolab/capture/frame"
)

const (
	// landmarkMargin enlarges the detector's box for the landmark net: not at
	// all. On 28 pictures of five people, boxes moved and scaled by up to 5 %
	// moved the landmarks by .9 % of the face's size at a margin of 1, by 1.2 %
	// at 1.2. A second pass on the bounding box of the first pass's landmarks,
	// enlarged by 1.2, would bring .4 % for another run of the net.
	landmarkMargin = 1.0
	// expressionMargin enlarges the bounding box of the landmarks for the
	// expression net. With it, rather than the detector's box, accuracy on a
	// posed set rose from .82 to .92.
	expressionMargin = 1.2
)

// Analyzer finds one face in a frame and reads it. It is not safe for
// concurrent use, and must be closed.
type Analyzer struct {
	detector   gocv.Net
	landmarks  gocv.Net
	expression gocv.Net
	size       int // side of the detector's input, px
	threshold  float64
	square     gocv.Mat // a net's input as a picture; reused from frame to frame
}

// NewAnalyzer checks the model pack and loads its nets. The error says what to
// do when there is no pack.
func NewAnalyzer(o Options) (*Analyzer, error) {
	if o.Models == nil {
		o.Models = EmbeddedModels()
	}
	if o.DetectorSize == 0 {
		o.DetectorSize = DefaultDetectorSize
	}
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	if o.DetectorSize < 96 || o.DetectorSize > 1024 || o.DetectorSize%32 != 0 {
		return nil, fmt.Errorf("face: detector size %d: must be a multiple of 32 from 96 to 1024", o.DetectorSize)
	}
	if !(o.Threshold > 0 && o.Threshold < 1) {
		return nil, fmt.Errorf("face: threshold %g: must lie between 0 and 1", o.Threshold)
	}
	// OpenCV ends the process on a net that it cannot parse. The checksums make
	// sure that it only ever sees nets it was tried with.
	_, nets, err := modelpack.Load(o.Models)
	if err != nil {
		return nil, fmt.Errorf("face: %w", err)
	}
	a := &Analyzer{size: o.DetectorSize, threshold: o.Threshold, square: gocv.NewMat()}
	for _, n := range []struct {
		name string
		net  *gocv.Net
	}{
		{modelpack.Detector, &a.detector},
		{modelpack.Landmarks, &a.landmarks},
		{modelpack.Expression, &a.expression},
	} {
		net, err := gocv.ReadNetFromONNXBytes(nets[n.name])
		if err == nil {
			*n.net = net
			if net.Empty() {
				err = errors.New("OpenCV read no layers")
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("face: load %s: %w", n.name, err), a.Close())
		}
	}
	return a, nil
}

// Close frees the nets.
func (a *Analyzer) Close() error {
	return errors.Join(a.detector.Close(), a.landmarks.Close(), a.expression.Close(), a.square.Close())
}

// Analyze finds the participant's face in f and reads it. A frame without a
// face is a Result with Found false and no error; an error means a frame that
// is no picture, or a net that failed.
func (a *Analyzer) Analyze(f frame.Frame) (Result, error) {
	if f.Width < 1 || f.Height < 1 || len(f.Pix) != 3*f.Width*f.Height {
		return Result{}, fmt.Errorf("face: frame %d: %d bytes are no %dx%d picture of 3 channels", f.Seq, len(f.Pix), f.Width, f.Height)
	}
	// The Mat looks at the frame's own bytes, which spares a copy; the pin
	// keeps them in place meanwhile.
	var pin runtime.Pinner
	pin.Pin(&f.Pix[0])
	defer pin.Unpin()
	picture, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		return Result{}, fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	defer picture.Close()

	found, err := a.detect(picture)
	if err != nil {
		return Result{}, fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	d, ok := participant(found, f.Width, f.Height)
	if !ok {
		return Result{}, nil
	}
	r := Result{Found: true, Confidence: d.score}
	if r.Landmarks, ok, err = a.locate(picture, d.box.enlarge(landmarkMargin)); err != nil || !ok {
		return Result{}, wrap(f, err)
	}
	r.Box = bounds(r.Landmarks[:])
	if r.Expression, ok, err = a.classify(picture, r.Box.enlarge(expressionMargin)); err != nil || !ok {
		return Result{}, wrap(f, err)
	}
	r.Valence, r.Arousal = Affect(r.Expression)
	return r, nil
}

// wrap says in which frame a net failed; nil stays nil.
func wrap(f frame.Frame, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("face: frame %d: %w", f.Seq, err)
}

// detectorMean is what the detector takes off each channel, red first.
func detectorMean() gocv.Scalar { return gocv.NewScalar(117.001, 114.697, 97.404, 0) }

// detect returns the faces that the detector claims, best first.
func (a *Analyzer) detect(picture gocv.Mat) ([]detection, error) {
	c := fit(picture.Cols(), picture.Rows(), a.size)
	raw, err := a.run(&a.detector, picture, c, detectorMean())
	if err != nil {
		return nil, fmt.Errorf("detector: %w", err)
	}
	grid := a.size / 32 // five poolings at stride 2
	if len(raw) != 25*grid*grid {
		return nil, fmt.Errorf("detector: %d numbers came out, want 25 planes of %dx%d", len(raw), grid, grid)
	}
	return decodeDetections(raw, grid, float64(max(c.w, c.h)), a.threshold), nil
}

// cropMean is what the landmark and the expression net take off each channel,
// red first.
func cropMean() gocv.Scalar { return gocv.NewScalar(122.782, 117.001, 104.298, 0) }

// locate returns the 68 landmarks of the face in box; false when the box lies
// outside the picture.
func (a *Analyzer) locate(picture gocv.Mat, box Rect) (points [68]Point, ok bool, err error) {
	c, ok := newCrop(box, picture.Cols(), picture.Rows(), modelpack.Crop)
	if !ok {
		return points, false, nil
	}
	raw, err := a.run(&a.landmarks, picture, c, cropMean())
	if err != nil {
		return points, false, fmt.Errorf("landmarks: %w", err)
	}
	if len(raw) != 2*len(points) {
		return points, false, fmt.Errorf("landmarks: %d numbers came out, want %d", len(raw), 2*len(points))
	}
	for i := range points {
		points[i] = c.point(float64(raw[2*i]), float64(raw[2*i+1]))
	}
	return points, true, nil
}

// classify returns the expression of the face in box; false when the box lies
// outside the picture.
func (a *Analyzer) classify(picture gocv.Mat, box Rect) (p Probabilities, ok bool, err error) {
	c, ok := newCrop(box, picture.Cols(), picture.Rows(), modelpack.Crop)
	if !ok {
		return p, false, nil
	}
	raw, err := a.run(&a.expression, picture, c, cropMean())
	if err != nil {
		return p, false, fmt.Errorf("expression: %w", err)
	}
	if len(raw) != len(p) {
		return p, false, fmt.Errorf("expression: %d numbers came out, want %d", len(raw), len(p))
	}
	for i := range p {
		p[i] = float64(raw[i])
	}
	return p, true, nil
}

// run feeds a net with the part of the picture that c describes, RGB, less
// mean, divided by 255, and returns a copy of its output.
func (a *Analyzer) run(net *gocv.Net, picture gocv.Mat, c crop, mean gocv.Scalar) ([]float32, error) {
	if a.square.Rows() != c.n {
		a.square.Close()
		a.square = gocv.NewMatWithSize(c.n, c.n, gocv.MatTypeCV8UC3)
	}
	a.square.SetTo(gocv.NewScalar(0, 0, 0, 0))
	part := picture.Region(image.Rect(c.x0, c.y0, c.x0+c.w, c.y0+c.h))
	defer part.Close()
	inner := a.square.Region(image.Rect(c.padX, c.padY, c.padX+c.innerW, c.padY+c.innerH))
	defer inner.Close()
	gocv.Resize(part, &inner, image.Pt(c.innerW, c.innerH), 0, 0, gocv.InterpolationLinear)

	blob := gocv.BlobFromImage(a.square, 1./255, image.Pt(c.n, c.n), mean, true, false)
	defer blob.Close()
	net.SetInput(blob, "")
	out := net.Forward("")
	defer out.Close()
	values, err := out.DataPtrFloat32()
	if err != nil {
		return nil, err
	}
	return append([]float32(nil), values...), nil
}
