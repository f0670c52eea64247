//go:build !nocv

package face

import (
	"errors"
	"time"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// Measure takes the time of each part of the analysis of f by itself, whether
// or not it would be needed for that frame. It neither uses nor changes whom the
// Analyzer follows.
func (a *Analyzer) Measure(f frame.Frame, clock instant.Clock) (s Stages, err error) {
	err = withPicture(f, func(picture gocv.Mat) (err error) {
		s, err = a.measure(picture, clock)
		return err
	})
	return s, err
}

func (a *Analyzer) measure(picture gocv.Mat, clock instant.Clock) (s Stages, err error) {
	begin := clock.Now()
	lap := func(to *time.Duration) {
		now := clock.Now()
		*to, begin = now.Sub(begin), now
	}
	all, err := a.detector.detect(picture)
	if err != nil {
		return s, err
	}
	lap(&s.Detection)
	r := Result{Found: true, FrameW: picture.Cols(), FrameH: picture.Rows()}
	d, ok := participant(all, r.FrameW, r.FrameH)
	if !ok {
		return s, ErrNoFace
	}
	if ok, err = a.take(picture, d, &r); err != nil {
		return s, err
	}
	r.Box = bounds(r.Landmarks[:])
	region, seen := r.Box.enlarge(expressionMargin).within(r.FrameW, r.FrameH)
	if !ok || !seen {
		return s, ErrNoFace
	}

	begin = clock.Now()
	_, _, err1 := a.locate(picture, r.Box.enlarge(trackMargin))
	lap(&s.Landmarks)
	_, err2 := a.check.score(picture, r.Box)
	lap(&s.Check)
	_, err3 := a.expression.read(picture, region)
	lap(&s.Expression)
	_, err4 := a.expression.runMirrored()
	lap(&s.Mirror)
	a.view.measure(picture, &r)
	lap(&s.View)
	return s, errors.Join(err1, err2, err3, err4)
}
