//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"runtime"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
	"emolab/capture/face/resample"
	"emolab/capture/frame"
	"emolab/fusion/expression"
	"emolab/fusion/landmark"
)

// expressionMargin enlarges the bounding box of the landmarks for the expression
// net. With it, rather than the detector's box, accuracy on a posed set rose from
// .82 to .92.
const expressionMargin = 1.2

// Analyzer finds the participant's face in a frame and reads it. From frame to
// frame it follows the face that it found, so that a Result depends on the
// frames before it; Reset makes it forget them. It is not safe for concurrent
// use, and must be closed.
type Analyzer struct {
	detector   detector // of the whole picture
	check      *check   // of the followed face
	track      track
	landmarks  *net
	expression *net
	mirror     bool // average the expression with that of the mirror image
	view       view
	models     string
}

// NewAnalyzer checks the model pack and loads its nets. The error says what to
// do when there is no pack.
func NewAnalyzer(o Options) (*Analyzer, error) {
	if o.Models == nil {
		o.Models = EmbeddedModels()
	}
	pack, nets, err := modelpack.Load(o.Models)
	if err != nil {
		return nil, fmt.Errorf("face: %w", err)
	}
	finder, finderName, err := newDetector(o, nets)
	if err != nil {
		return nil, fmt.Errorf("face: %w", err)
	}
	expressionName := modelpack.Expression
	if !o.NoMirror {
		expressionName += " mirrored"
	}
	a := &Analyzer{
		detector: finder,
		mirror:   !o.NoMirror,
		models:   fmt.Sprintf("%s + %s + %s (%s %s)", finderName, modelpack.Landmarks, expressionName, pack.Name, pack.Version),
	}
	if a.check, err = newCheck(nets[modelpack.Detector]); err != nil {
		return nil, errors.Join(fmt.Errorf("face: %w", err), a.Close())
	}
	for _, n := range []struct {
		name string
		net  **net
	}{{modelpack.Landmarks, &a.landmarks}, {modelpack.Expression, &a.expression}} {
		if *n.net, err = newNet(n.name, nets[n.name], modelpack.Crop, cropMean()); err != nil {
			return nil, errors.Join(fmt.Errorf("face: %w", err), a.Close())
		}
	}
	return a, nil
}

// Models names the nets in use, with the pack that they come from.
func (a *Analyzer) Models() string { return a.models }

// Close frees the nets.
func (a *Analyzer) Close() error {
	var errs []error
	if a.detector != nil {
		errs = append(errs, a.detector.Close())
	}
	if a.check != nil {
		errs = append(errs, a.check.Close())
	}
	for _, n := range []*net{a.landmarks, a.expression} {
		if n != nil {
			errs = append(errs, n.Close())
		}
	}
	return errors.Join(append(errs, a.view.Close())...)
}

// Reset forgets the face that was followed, as between pictures that do not
// follow one another. A frame of another size than the one before does so too.
func (a *Analyzer) Reset() { a.track = track{} }

// Analyze finds the participant's face in f and reads it. Frames come in the
// order they were taken; some may be missing. A frame without a face is a
// Result with Found false and no error; an error means a frame that is no
// picture, or a net that failed.
func (a *Analyzer) Analyze(f frame.Frame) (Result, error) {
	r := Result{FrameW: f.Width, FrameH: f.Height}
	err := withPicture(f, func(picture gocv.Mat) error {
		if err := a.read(picture, &r); err != nil {
			a.Reset()
			return err
		}
		a.view.measure(picture, &r)
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	return r, nil
}

// withPicture gives do the frame as OpenCV has pictures. It looks at the frame's
// own bytes, which spares a copy and is over when do returns. The error names
// the frame.
func withPicture(f frame.Frame, do func(gocv.Mat) error) error {
	if f.Width < 1 || f.Height < 1 || len(f.Pix) != 3*f.Width*f.Height {
		return fmt.Errorf("face: frame %d: %d bytes are no %dx%d picture of 3 channels", f.Seq, len(f.Pix), f.Width, f.Height)
	}
	var pin runtime.Pinner
	pin.Pin(&f.Pix[0])
	defer pin.Unpin()
	picture, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err == nil {
		err = errors.Join(do(picture), picture.Close())
	}
	if err != nil {
		return fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	return nil
}

// read fills in all of r that the nets tell.
func (a *Analyzer) read(picture gocv.Mat, r *Result) error {
	a.track.begin(picture.Cols(), picture.Rows())
	found, err := a.find(picture, r)
	r.Faces = a.track.faces
	if err != nil {
		return err
	}
	if found {
		r.Box = bounds(r.Landmarks[:])
		r.Expression, found, err = a.classify(picture, r.Box.enlarge(expressionMargin))
		if err != nil {
			return err
		}
	}
	if !found {
		a.track.lose()
		*r = Result{Faces: r.Faces, FrameW: r.FrameW, FrameH: r.FrameH}
		return nil
	}
	a.track.follow(r.Box)
	r.Found = true
	r.Valence, r.Arousal = expression.Affect(r.Expression)
	return nil
}

// find looks for the participant's landmarks: where the face was, or else in
// the whole picture. It says whether they were found, and fills in r's
// landmarks, confidence and whether the face was followed.
func (a *Analyzer) find(picture gocv.Mat, r *Result) (bool, error) {
	if a.track.following {
		kept, err := a.keep(picture, r)
		if err != nil || kept && !a.track.due() {
			return kept, err
		}
		if kept {
			all, err := a.detector.detect(picture)
			if err != nil {
				return false, err
			}
			if d, better := a.track.review(all, bounds(r.Landmarks[:])); better {
				return a.take(picture, d, r)
			}
			return true, nil
		}
	}
	all, err := a.detector.detect(picture)
	if err != nil {
		return false, err
	}
	d, ok := a.track.choose(all)
	if !ok {
		return false, nil
	}
	return a.take(picture, d, r)
}

// keep looks for the followed face near its last place.
func (a *Analyzer) keep(picture gocv.Mat, r *Result) (bool, error) {
	points, ok, err := a.locate(picture, a.track.region())
	if err != nil || !ok {
		return false, err
	}
	box := bounds(points[:])
	if !a.track.plausible(box) {
		return false, nil
	}
	score, err := a.check.score(picture, box)
	if err != nil || score < keepThreshold {
		return false, err
	}
	r.Tracked, r.Confidence, r.Landmarks = true, score, points
	return true, nil
}

// take reads the landmarks of a face that the detector found, first in the
// detector's box as it is: in one larger by a fifth they depend more on how the
// box happens to lie (see DECISIONS.md). They are read twice, the second time in the region that the first gives: so a face that
// was just found is read as one that is followed.
func (a *Analyzer) take(picture gocv.Mat, d detection, r *Result) (bool, error) {
	points, ok, err := a.locate(picture, d.box)
	if err == nil && ok {
		points, ok, err = a.locate(picture, bounds(points[:]).enlarge(trackMargin))
	}
	r.Tracked, r.Confidence, r.Landmarks = false, d.score, points
	return ok, err
}

// locate returns the 68 landmarks of the face in box; false when the box lies
// outside the picture.
func (a *Analyzer) locate(picture gocv.Mat, box Rect) (points landmark.Face, ok bool, err error) {
	box, ok = box.within(picture.Cols(), picture.Rows())
	if !ok {
		return points, false, nil
	}
	raw, err := a.landmarks.read(picture, box)
	if err != nil {
		return points, false, fmt.Errorf("landmarks: %w", err)
	}
	if len(raw) != 2*len(points) {
		return points, false, fmt.Errorf("landmarks: %d numbers came out, want %d", len(raw), 2*len(points))
	}
	// They come in parts of the square that the net saw.
	seen := resample.Rect(box).Square()
	for i := range points {
		points[i] = landmark.Point{X: seen.X + float64(raw[2*i])*seen.W, Y: seen.Y + float64(raw[2*i+1])*seen.H}
	}
	return points, true, nil
}

// classify returns the expression of the face in box; false when the box lies
// outside the picture.
func (a *Analyzer) classify(picture gocv.Mat, box Rect) (p expression.Probabilities, ok bool, err error) {
	box, ok = box.within(picture.Cols(), picture.Rows())
	if !ok {
		return p, false, nil
	}
	raw, err := a.expression.read(picture, box)
	if err != nil {
		return p, false, fmt.Errorf("expression: %w", err)
	}
	if len(raw) != len(p) {
		return p, false, fmt.Errorf("expression: %d numbers came out, want %d", len(raw), len(p))
	}
	for i := range p {
		p[i] = float64(raw[i])
	}
	if !a.mirror {
		return p, true, nil
	}
	if raw, err = a.expression.runMirrored(); err != nil {
		return p, false, fmt.Errorf("expression: %w", err)
	}
	for i := range p {
		p[i] = (p[i] + float64(raw[i])) / 2
	}
	return p, true, nil
}
