// Package trace joins aligned streams into one row per camera frame: the
// expression, the stimulus that was on the screen, where on it the eyes were,
// and the skin conductance, all at the instant of the frame.
//
// Live does it while the session runs, from what is known so far. Join does it
// for a finished recording, looking both ways. Both give stream.Samples with
// the channels of Info, so that a trace is stored and shown like any stream.
package trace

import (
	"math"
	"time"

	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

// row is one row in the making.
type row struct {
	sample  stream.Sample
	quality Quality
	joined  time.Duration // the worst bound of the samples that were joined
}

// newRow begins a row with what the camera frame brings.
func newRow(face stream.Sample, columns [len(fromFace)]int) row {
	r := row{sample: stream.Sample{Seq: face.Seq, Tick: face.Tick, Arrival: face.Arrival, At: face.At, Err: face.Err}}
	v := make([]float64, channelCount)
	for i := range v {
		v[i] = math.NaN()
	}
	for i, c := range columns {
		v[faceFound+i] = value(face, c)
	}
	v[gazeValid], v[scrOnset] = 0, 0
	if v[faceFound] != 1 {
		v[faceFound] = 0
		r.quality |= NoFace
	}
	r.sample.Values = v
	return r
}

// join takes in the bound of a sample that a value of the row came from.
func (r *row) join(err time.Duration) { r.joined = max(r.joined, err) }

// finish sums up. The frame is at its place within its own bound, and what was
// joined within the worst of theirs: a value of the row belongs to the frame
// within the sum of the two.
func (r row) finish() stream.Sample {
	r.sample.Err += r.joined
	if r.sample.Err < 0 || r.sample.Err > imprecise {
		r.quality |= Imprecise
		if r.sample.Err < 0 { // the sum of two unbounded ones
			r.sample.Err = math.MaxInt64
		}
	}
	r.sample.Values[quality] = float64(r.quality)
	return r.sample
}

// value reads a column; NaN where the stream has no such column (-1).
func value(s stream.Sample, column int) float64 {
	if column < 0 || column >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[column]
}

func faceColumns(info stream.Info) (c [len(fromFace)]int) {
	for i, name := range fromFace {
		c[i] = info.Index(name)
	}
	return c
}

// gazeColumns are the places of a gaze stream's channels.
type gazeColumns struct{ x, y, valid, left, right int }

func newGazeColumns(i stream.Info) gazeColumns {
	return gazeColumns{i.Index("gaze_x"), i.Index("gaze_y"), i.Index("gaze_valid"), i.Index("pupil_left_mm"), i.Index("pupil_right_mm")}
}

func (c gazeColumns) isValid(s stream.Sample) bool { return value(s, c.valid) == 1 }

// gaze fills in a gaze sample that lies at x, y of the screen, on the stimulus if r
// has one. on is where that lies on the screen.
func (r *row) gaze(s stream.Sample, c gazeColumns, x, y float64, on rect) {
	r.join(s.Err)
	v := r.sample.Values
	v[pupilMM] = mean(value(s, c.left), value(s, c.right))
	if !c.isValid(s) {
		r.quality |= GazeInvalid
		return
	}
	v[gazeValid] = 1
	v[gazeX], v[gazeY] = on.within(x, y)
}

// mean of those that were measured; NaN when neither was.
func mean(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return (a + b) / 2
}

// skinColumns are the places of a skin conductance's channels.
type skinColumns struct{ us, hold int }

func newSkinColumns(i stream.Info) skinColumns {
	return skinColumns{i.Index("eda_us"), i.Index("eda_hold")}
}

// isHeld tells whether the device only repeated its last reading.
func (c skinColumns) isHeld(s stream.Sample) bool { return value(s, c.hold) == 1 }

// rect is where the picture lies, 0..1 of the screen. The zero rect is nowhere.
type rect struct{ x, y, w, h float64 }

// within maps a point of the screen onto the picture; NaN where there is none.
func (r rect) within(x, y float64) (float64, float64) {
	if !(r.w > 0 && r.h > 0) {
		return math.NaN(), math.NaN()
	}
	return (x - r.x) / r.w, (y - r.y) / r.h
}

// OnPicture maps a point of the screen onto the picture of a showing, both in fractions
// of it; NaN where there is none.
func OnPicture(s stimulus.Showing, x, y float64) (float64, float64) {
	return rectOf(s).within(x, y)
}

func rectOf(s stimulus.Showing) rect { return rect{s.Rect[0], s.Rect[1], s.Rect[2], s.Rect[3]} }

// stimulus fills in what was on the screen, if anything was told of it, and returns
// where its picture lies. Of a presentation of which it is not known which frame was
// up, the row has the presentation and no frame; of one that was cut off and began anew
// later it has neither, so that a sum over a presentation holds its last showing only.
func (r *row) stimulus(s stimulus.Showing, told bool) rect {
	if !told {
		r.quality |= StimulusUnknown
		return rect{}
	}
	r.join(s.Err)
	v := r.sample.Values
	if !s.Known {
		r.quality |= StimulusUnknown
	}
	switch {
	case s.CutOff:
		r.quality |= CutOff
	case s.Presentation > 0 && s.Known:
		v[presentation], v[frame], v[mediaNs] = float64(s.Presentation), float64(s.Frame), float64(s.Media)
	case s.Presentation > 0 || s.Known:
		v[presentation] = float64(s.Presentation)
	}
	if s.Presentation == 0 {
		return rect{}
	}
	on := rectOf(s)
	if !(on.w > 0 && on.h > 0) {
		r.quality |= StimulusUnknown
	}
	return on
}
