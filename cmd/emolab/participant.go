package main

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/studies/session"
)

const (
	// biasBearing is which way the virtual trackers are off before they are
	// calibrated: mostly to the right, a little up.
	biasBearing = -math.Pi / 6
	// biasStretch is by how much they also stretch the screen.
	biasStretch = .02
)

// tracker is how the virtual eye trackers err on a screen.
func (f virtualFlags) tracker(on eyemovement.Screen) script.Tracker {
	var t script.Tracker
	if f.GazeBias != 0 {
		x, y := on.At(f.GazeBias*math.Cos(biasBearing), f.GazeBias*math.Sin(biasBearing))
		t.OffsetX, t.OffsetY, t.Stretch = x-.5, y-.5, biasStretch
	}
	x, y := on.At(f.GazeNoise, f.GazeNoise)
	t.NoiseX, t.NoiseY = x-.5, y-.5
	return t
}

// ownSlip is how far the virtual trackers slip, once, with somebody who moves after a
// calibration, in degrees: it has to be refused and made again.
const ownSlip = 2.5

// seat gives the seat before the virtual devices to a person. Nothing is recorded yet.
func (r *rig) seat(p script.Person) {
	r.truth.Sit(p.Script())
	r.slip, r.slips = r.everySlip, math.MaxInt
	if p.Slips {
		r.slip, r.slips = max(ownSlip, r.everySlip), 1
	}
}

// shown lets the virtual participant look where the participant's screen shows
// something. In a real lab it does nothing.
func (r *rig) shown(t session.Target) {
	if r.truth == nil || t.Purpose == session.ToBreathe {
		return
	}
	if t.Until != 0 {
		r.truth.Look(t.Until, t.X, t.Y, false)
		return
	}
	switch t.Purpose {
	case session.ToCalibrate:
		r.fresh = true
	case session.ToValidate:
		if r.slip != 0 && r.fresh && t.Round < r.slips {
			x, y := r.screen.At(r.slip, 0)
			r.truth.Slip(t.From, x-.5, y-.5)
		}
		r.fresh = false // later validations measure that same slip
	}
	r.truth.Look(t.From, t.X, t.Y, true)
}

// breathed lets the virtual participant breathe in deeply.
func (r *rig) breathed(at instant.Instant) {
	if r.truth != nil {
		r.truth.Breathe(at)
	}
}

// tracker is the lab's eye tracker if it calibrates itself; nil otherwise. Of
// several trackers it is the first that counts.
func (r *rig) tracker() session.Tracker {
	for _, s := range r.sources {
		if infos := s.Info(); len(infos) == 0 || infos[0].Kind != stream.Gaze {
			continue
		}
		if g, ok := s.(*gazepoint.Source); ok {
			return openGaze{g, cmp.Or(r.arrives, arrives)}
		}
		return nil
	}
	return nil
}

// openGaze is a tracker that speaks Open Gaze, as a session has it calibrate
// itself.
type openGaze struct {
	source  *gazepoint.Source
	arrives time.Duration
}

const (
	// arrives is how long the tracker waits at each point before it measures: the
	// target's way across the screen, and the eyes' after it.
	arrives = 1300 * time.Millisecond
	// lookedAt is how long it measures there.
	lookedAt = 900 * time.Millisecond
)

// Calibrate has the tracker calibrate itself on these points. turn shows each; the
// first stands there before the tracker begins.
func (t openGaze) Calibrate(ctx context.Context, points []gaze.Point, turn func(gaze.Point)) (json.RawMessage, error) {
	w := waymarks{points: points, turn: turn}
	o := gazepoint.CalibrationOptions{Delay: t.arrives, Timeout: lookedAt, Progress: w.step}
	for _, p := range points {
		o.Points = append(o.Points, gazepoint.Target{X: p.X, Y: p.Y})
	}
	if len(points) > 0 {
		w.to(1, points[0])
	}
	c, err := t.source.Calibrate(ctx, o)
	if err != nil {
		return nil, err
	}
	result := struct {
		Method      string                  `json:"method"`
		Points      []gazepoint.PointResult `json:"points"`
		MeanErrorPx *float64                `json:"mean_error_px,omitempty"` // as the tracker states it
		ValidPoints *int                    `json:"valid_points,omitempty"`
	}{Method: "open gaze, by the tracker itself", Points: c.Points}
	if !math.IsNaN(c.MeanErrorPx) {
		result.MeanErrorPx = &c.MeanErrorPx
	}
	if c.ValidPoints >= 0 {
		result.ValidPoints = &c.ValidPoints
	}
	return json.Marshal(result)
}

// waymarks turns to the points of a calibration as a tracker tells of it: when it
// announces one, or is done with the one before, for a line may lose either.
type waymarks struct {
	points []gaze.Point
	turn   func(gaze.Point)
	turned int // so many points were turned to
}

func (w *waymarks) step(s gazepoint.Step) {
	switch {
	case s.Begins:
		w.to(s.Point, gaze.Point{X: s.X, Y: s.Y})
	case s.Point < len(w.points):
		w.to(s.Point+1, w.points[s.Point])
	}
}

// to turns to the n-th point, from 1, unless it was turned to it or beyond.
func (w *waymarks) to(n int, p gaze.Point) {
	if n > w.turned {
		w.turned = n
		w.turn(p)
	}
}
