package store

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// sight is where a tracker says that the eyes were.
type sight struct {
	eyemovement.Gaze       // what is not valid is NaN; stamps rise
	index            []int // of each of its samples among the stream's; nil where none was left out
}

// of is the number of a sample among the stream's.
func (g sight) of(k int) int {
	if g.index == nil {
		return k
	}
	return g.index[k]
}

// spread is what was derived of each sample of a sight as it is of each of the n of its
// stream, none where one was left out. It may be values themselves.
func spread[T any](g sight, values []T, n int, none T) []T {
	if g.index == nil || values == nil {
		return values
	}
	out := slices.Repeat([]T{none}, n)
	for k, i := range g.index {
		out[i] = values[k]
	}
	return out
}

// sightOf reads a gaze stream. A sample that is not later than the one before it, as
// two can be where a clock was set, is left out: it has no velocity.
func sightOf(a *aligned) sight {
	x, y, valid := a.info.Index("gaze_x"), a.info.Index("gaze_y"), a.info.Index("gaze_valid")
	n := len(a.samples)
	g := sight{Gaze: eyemovement.Gaze{At: make([]instant.Instant, 0, n), X: make([]float64, 0, n), Y: make([]float64, 0, n)}}
	for i, s := range a.samples {
		if k := len(g.At); k > 0 && s.At <= g.At[k-1] {
			for len(g.index) < k { // the first that is left out
				g.index = append(g.index, len(g.index))
			}
			continue
		}
		px, py := math.NaN(), math.NaN()
		if s.Values[valid] == 1 {
			px, py = s.Values[x], s.Values[y]
		}
		g.At, g.X, g.Y = append(g.At, s.At), append(g.X, px), append(g.Y, py)
		if g.index != nil {
			g.index = append(g.index, i)
		}
	}
	return g
}

// between is the part of it in [from, until).
func (g sight) between(from, until instant.Instant) eyemovement.Gaze {
	first := sort.Search(len(g.At), func(i int) bool { return g.At[i] >= from })
	last := max(first, sort.Search(len(g.At), func(i int) bool { return g.At[i] >= until }))
	return eyemovement.Gaze{At: g.At[first:last], X: g.X[first:last], Y: g.Y[first:last]}
}

// look is the gaze while a target was shown, as the tracker gave it.
func (g sight) look(t Target) gaze.Look {
	return gaze.NewLook(gaze.Point{X: t.X, Y: t.Y}, t.From, t.Until, g.between(t.From, t.Until))
}

// correction is a calibration that gaze is corrected with from an instant on; nil
// leaves it as the tracker gives it.
type correction struct {
	from  instant.Instant
	fit   *gaze.Calibration
	words string // which it is
}

// corrections are those of a segment, in order of time. The first holds from the beginning.
type corrections []correction

// at is the correction that held at an instant.
func (c corrections) at(at instant.Instant) correction {
	held := correction{}
	for _, v := range c {
		if v.from > at {
			break
		}
		held = v
	}
	return held
}

// apply corrects gaze in place.
func (c corrections) apply(g eyemovement.Gaze) {
	next, held := 0, correction{}
	for i, at := range g.At {
		for next < len(c) && c[next].from <= at {
			held, next = c[next], next+1
		}
		if held.fit != nil {
			g.X[i], g.Y[i] = held.fit.Apply(g.X[i], g.Y[i])
		}
	}
}

// last is the correction that holds when the segment ends, to be carried over to the
// next: the participant and the tracker are the same.
func (c corrections) last() correction {
	if len(c) == 0 {
		return correction{}
	}
	return c[len(c)-1]
}

// words say what the gaze of a session was corrected with.
func (c corrections) words() string {
	var all []string
	for _, v := range c {
		if v.words != "" {
			all = append(all, v.words)
		}
	}
	if len(all) == 0 {
		return "none: as the tracker gave it"
	}
	return distinct(all)
}

// shown is one showing of the targets of a step.
type shown struct {
	segment, step, round  int
	calibrating, checking []Target // in the order in which they were shown
}

// rounds sorts the targets of a segment into showings, in order of time.
func rounds(targets []Target, segment int) (all []shown, crosses, cues []Target) {
	for _, t := range targets {
		known := t.Until > t.From && !math.IsNaN(t.X) && !math.IsNaN(t.Y) // where it was, and when it had gone
		if t.Segment != segment || !known && t.Purpose != session.ToBreathe {
			continue
		}
		switch t.Purpose {
		case session.ToFixate:
			crosses = append(crosses, t)
			continue
		case session.ToBreathe:
			cues = append(cues, t)
			continue
		}
		k := len(all) - 1
		if k < 0 || all[k].step != t.Step || all[k].round != t.Round {
			all, k = append(all, shown{segment: segment, step: t.Step, round: t.Round}), k+1
		}
		if t.Purpose == session.ToCalibrate {
			all[k].calibrating = append(all[k].calibrating, t)
		} else {
			all[k].checking = append(all[k].checking, t)
		}
	}
	return all, crosses, cues
}

// calibrateGaze fits the calibrations of a segment again, from what was shown and the
// gaze meanwhile, and measures each validation and the crosses with what held then.
// The gaze is corrected with a calibration from the decision that accepted it on, and
// with none that nobody accepted: one can be fitted now that could not be then.
func (f *final) calibrateGaze(d *Detail, targets []Target, held correction) {
	held.from = math.MinInt64 // also of samples that were on their way when the segment began
	f.corrections = corrections{held}
	a := f.first(stream.Gaze)
	all, crosses, _ := rounds(targets, f.segment)
	if a == nil || len(all)+len(crosses) == 0 {
		return
	}
	g := sightOf(a)
	for _, r := range all {
		using := f.corrections.last()
		decision := d.decided(r.segment, r.step, r.round)
		holds := decision != nil && decision.Choice == session.Accept
		var judged session.Judged
		if decision != nil {
			judged = judgedOf(decision.Value)
		}
		switch {
		case len(r.calibrating) == 0:
			holds = false // nothing was calibrated
		case len(judged.Tracker) > 0: // it holds in the tracker, accepted or not
			using, holds = correction{words: fmt.Sprintf("none since step %d: the tracker's own", r.step)}, true
		case judged.Own || decision == nil && d.ownTracker(): // it failed or was cut off: what held goes on to
			holds = false
		default:
			fit, row := f.fitGaze(g, r)
			using = correction{fit: fit, words: r.words(fit)}
			if holds && judged.Calibration == nil {
				using = correction{words: fmt.Sprintf("none since %s: it was accepted without a calibration", r.place())}
			}
			row.Stream, row.Used = a.info.ID, holds && using.fit != nil
			f.calibrations = append(f.calibrations, row)
		}
		if holds {
			using.from = decision.At
			f.corrections = append(f.corrections, using)
		}
		if len(r.checking) > 0 {
			row := f.validateGaze(g, r, using)
			row.Stream = a.info.ID
			f.calibrations = append(f.calibrations, row)
		}
	}
	if len(crosses) > 0 {
		row := f.driftOf(g, crosses)
		row.Stream = a.info.ID
		f.calibrations = append(f.calibrations, row)
	}
}

// ownTracker tells whether the tracker of a session calibrates itself, as far as its
// decisions say: of a showing that was cut off with the power there is none.
func (d *Detail) ownTracker() bool {
	return slices.ContainsFunc(d.Decisions, func(v Decision) bool {
		j := judgedOf(v.Value)
		return j.Own || len(j.Tracker) > 0
	})
}

// place says which showing it is.
func (r shown) place() string {
	return fmt.Sprintf("segment %d, step %d, round %d", r.segment, r.step, r.round)
}

// words say what was fitted to it; nil where nothing could be.
func (r shown) words(fit *gaze.Calibration) string {
	if fit == nil {
		return fmt.Sprintf("none since %s: what was accepted there cannot be fitted again (see the calibration)", r.place())
	}
	return fmt.Sprintf("%s: calibration/gaze Fit %s, %s, %d targets, mean residual %.2f deg, cross-validated %.2f deg",
		r.place(), fit.Version, fit.Model, len(fit.Points), fit.MeanDeg, fit.CVDeg)
}

// fitGaze fits one calibration; nil where it cannot be made, and the row says why.
func (f *final) fitGaze(g sight, r shown) (*gaze.Calibration, Calibration) {
	row := r.row(kindGaze, r.calibrating)
	looks := make([]gaze.Look, len(r.calibrating))
	for i, t := range r.calibrating {
		looks[i] = g.look(t)
	}
	fit, err := gaze.Fit(looks, f.screen, gaze.FitOptions{})
	if err != nil {
		row.set(struct {
			Version string `json:"version"`
			Refused string `json:"refused"`
		}{gaze.Version, err.Error()}, math.NaN())
		return nil, row
	}
	if !row.set(fit, fit.MeanDeg) {
		return nil, row // what cannot be kept must not be corrected with
	}
	return &fit, row
}

// validateGaze measures how far off the gaze was with one correction.
func (f *final) validateGaze(g sight, r shown, using correction) Calibration {
	row := r.row(kindValidation, r.checking)
	looks := make([]gaze.Look, len(r.checking))
	for i, t := range r.checking {
		looks[i] = using.correct(g.look(t))
	}
	v := gaze.Validate(looks, f.screen, gaze.FitOptions{})
	row.set(v, v.MeanDeg)
	return row
}

// driftOf measures how far off the gaze was at the crosses, each with the correction
// that held then.
func (f *final) driftOf(g sight, crosses []Target) Calibration {
	row := shown{segment: f.segment}.row(kindDrift, crosses)
	row.Step, row.Round = nil, nil
	looks := make([]gaze.Look, len(crosses))
	for i, t := range crosses {
		looks[i] = f.corrections.at(t.From).correct(g.look(t))
	}
	v := gaze.MeasureDrift(looks, f.screen, gaze.FitOptions{})
	residual := math.NaN()
	if n := len(v.Crosses); n > 0 {
		residual = v.Crosses[n-1].ErrorDeg
	}
	row.set(v, residual)
	return row
}

// correct is the look with the correction done to it.
func (c correction) correct(l gaze.Look) gaze.Look {
	if c.fit == nil {
		return l
	}
	return c.fit.Correct(l)
}

// row begins the calibration that a showing of targets gives.
func (r shown) row(kind string, targets []Target) Calibration {
	return Calibration{Segment: r.segment, Kind: kind, Step: &r.step, Round: &r.round,
		From: targets[0].From, Until: targets[len(targets)-1].Until}
}

// set says what was found; false where it cannot be kept.
func (c *Calibration) set(value any, residual float64) bool {
	b, err := json.Marshal(value)
	if err != nil { // a number that is none
		b, _ = json.Marshal(struct { // of a string it cannot fail
			Refused string `json:"refused"`
		}{strings.TrimSpace("it is incomplete: " + err.Error())})
		residual = math.NaN()
	}
	c.Value, c.Residual = b, residual
	return err == nil
}
