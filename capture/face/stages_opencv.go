//go:build !nocv

package face

import (
	"errors"
	"fmt"
	"time"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// Measure takes the time of each part of the analysis of f by itself, whether
// or not it would be needed for that frame. It neither uses nor changes whom the
// Analyzer follows.
func (a *Analyzer) Measure(f frame.Frame, clock instant.Clock) (Stages, error) {
	if f.Width < 1 || f.Height < 1 || len(f.Pix) != 3*f.Width*f.Height {
		return Stages{}, fmt.Errorf("face: frame %d: %d bytes are no %dx%d picture of 3 channels", f.Seq, len(f.Pix), f.Width, f.Height)
	}
	picture, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		return Stages{}, fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	defer picture.Close()

	var s Stages
	begin := clock.Now()
	lap := func(to *time.Duration) {
		now := clock.Now()
		*to, begin = now.Sub(begin), now
	}
	all, err := a.detector.detect(picture)
	if err != nil {
		return s, fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	lap(&s.Detection)
	r := Result{Found: true, FrameW: f.Width, FrameH: f.Height}
	d, ok := participant(all, f.Width, f.Height)
	if !ok {
		return s, ErrNoFace
	}
	if ok, err = a.take(picture, d, &r); err != nil || !ok {
		return s, errors.Join(ErrNoFace, err)
	}
	r.Box = bounds(r.Landmarks[:])

	begin = clock.Now()
	_, ok1, err1 := a.locate(picture, r.Box.enlarge(trackMargin))
	lap(&s.Landmarks)
	_, err2 := a.check.score(picture, r.Box)
	lap(&s.Check)
	region, ok2 := r.Box.enlarge(expressionMargin).within(f.Width, f.Height)
	if !ok1 || !ok2 {
		return s, ErrNoFace
	}
	_, err3 := a.expression.read(picture, region)
	lap(&s.Expression)
	_, err4 := a.expression.runMirrored()
	lap(&s.Mirror)
	a.view.measure(picture, &r)
	lap(&s.View)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return s, fmt.Errorf("face: frame %d: %w", f.Seq, err)
	}
	return s, nil
}
