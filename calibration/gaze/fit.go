package gaze

import (
	"errors"
	"fmt"
	"math"
	"time"

	"emolab/fusion/eyemovement"
)

// FitOptions of Fit and Validate. The zero value is the default.
type FitOptions struct {
	Settle time.Duration // after a target's onset, left out; 0 = DefaultSettle
	Model  Model         // "" = chosen by cross-validation
}

func (o FitOptions) settle() time.Duration {
	if o.Settle > 0 {
		return o.Settle
	}
	return DefaultSettle
}

// leastTargets is how many different targets must have been looked at.
const leastTargets = 4

// alikeDeg is the difference in degrees of cross-validated errors that no study
// can see: within it the simpler model is taken.
const alikeDeg = .02

// followed is how much better than "always the middle of the targets" a model
// must predict a target that it has not seen, or the eyes did not follow.
const followed = .5

// ErrNotFollowed says that the gaze had nothing to do with the targets.
var ErrNotFollowed = errors.New("the gaze did not follow the targets")

// ErrTooFewTargets says that too few targets were looked at.
var ErrTooFewTargets = errors.New("too few targets were looked at")

// Fit makes a calibration from looks at targets, which hold the gaze as the
// tracker gave it. Looks with too little gaze, or scattered, count as not
// there. Of the candidates (see Model) the simplest is taken whose
// cross-validated error is that of the best, or at most .02° more: every target is
// predicted by a fit to the others, so that a model gains nothing by following
// the noise.
//
// Errors wrap ErrTooFewTargets or ErrNotFollowed and say what to do.
func Fit(looks []Look, s eyemovement.Screen, o FitOptions) (Calibration, error) {
	if !s.Valid() {
		return Calibration{}, fmt.Errorf("gaze: the screen is %v x %v mm at %v mm: set its size and distance", s.WidthMM, s.HeightMM, s.DistanceMM)
	}
	c := Calibration{Version: Version, Screen: s}
	all := c.observe(looks, s, o.settle())
	targets := distinct(all)
	if targets < leastTargets {
		return Calibration{}, fmt.Errorf("gaze: %w: %d of %d, need %d: is the tracker on, does it see the eyes, were all the points looked at?",
			ErrTooFewTargets, targets, targets+len(c.Unused), leastTargets)
	}
	chosen, err := c.choose(all, targets, s, o.Model)
	if err != nil {
		return Calibration{}, err
	}
	c.set(chosen)
	c.judge(all, chosen, s)
	return c, nil
}

// observe sifts the looks, writes down what was used of each, and returns the
// observations, every target with weight 1 however often it was shown.
func (c *Calibration) observe(looks []Look, s eyemovement.Screen, settle time.Duration) []observation {
	step := interval(looks...)
	shown := map[Point]int{}
	for _, l := range looks {
		r := l.sift(s, settle, step)
		c.Samples.add(r)
		if reason := r.weak(step); reason != "" {
			c.Samples.Used -= len(r.kept)
			c.Samples.Unused += len(r.kept)
			c.Unused = append(c.Unused, Unused{Target: l.Target, Reason: reason})
			continue
		}
		shown[l.Target]++
		c.Points = append(c.Points, PointFit{Target: l.Target, Raw: r.mean, Used: len(r.kept), Outliers: r.outliers, Missing: r.missing})
	}
	all := make([]observation, len(c.Points))
	for i, p := range c.Points {
		all[i] = observation{target: p.Target, raw: p.Raw, weight: 1 / float64(shown[p.Target])}
	}
	return all
}

func distinct(all []observation) int {
	seen := map[Point]bool{}
	for _, o := range all {
		seen[o.target] = true
	}
	return len(seen)
}

// choose fits the candidates and takes one.
func (c *Calibration) choose(all []observation, targets int, s eyemovement.Screen, wanted Model) (polynomial, error) {
	fits := map[Model]polynomial{}
	best := -1
	for _, m := range models() {
		if wanted != "" && m != wanted {
			continue
		}
		k := Candidate{Model: m, Parameters: m.Parameters()}
		if targets < m.leastTargets() {
			k.Refused = fmt.Sprintf("needs %d targets, there are %d", m.leastTargets(), targets)
		} else if p, ok := fitModel(m, all); !ok {
			k.Refused = "the gaze at the targets does not determine it"
		} else if left, err := leaveOut(m, all, s); err != nil {
			k.Refused = err.Error()
		} else if err := p.folds(); err != nil {
			k.Refused = err.Error()
		} else {
			fits[m] = p
			k.CVDeg, k.CVStandardErrorDeg = meanAndError(left)
			k.FitDeg, _ = meanAndError(residuals(p, all, s))
		}
		c.Candidates = append(c.Candidates, k)
		if k.Refused == "" && (best < 0 || k.CVDeg < c.Candidates[best].CVDeg) {
			best = len(c.Candidates) - 1
		}
	}
	if best < 0 {
		if wanted != "" && len(c.Candidates) == 1 {
			return polynomial{}, fmt.Errorf("gaze: %s: %s", wanted, c.Candidates[0].Refused)
		}
		return polynomial{}, fmt.Errorf("gaze: %w: calibrate again, and ask the participant to look at each point until it goes", ErrNotFollowed)
	}
	least := c.Candidates[best]
	if least.CVDeg > followed*guessed(all, s) {
		return polynomial{}, fmt.Errorf("gaze: %w (a target is predicted %.1f° wrong): calibrate again, and ask the participant to look at each point until it goes", ErrNotFollowed, least.CVDeg)
	}
	for _, k := range c.Candidates {
		if k.Refused == "" && k.CVDeg <= least.CVDeg+alikeDeg {
			return fits[k.Model], nil
		}
	}
	return fits[least.Model], nil
}

// leaveOut predicts every target by a fit to the others: errors in degrees, one
// per observation.
func leaveOut(m Model, all []observation, s eyemovement.Screen) ([]float64, error) {
	off := make([]float64, len(all))
	for i, o := range all {
		var others []observation
		for _, k := range all {
			if k.target != o.target {
				others = append(others, k)
			}
		}
		p, ok := fitModel(m, others)
		if !ok {
			return nil, fmt.Errorf("without the target at %.2f, %.2f it is not determined", o.target.X, o.target.Y)
		}
		// no apply: the left-out corner lies outside the others' domain by design
		at := powers(o.raw.X-p.origin.X, o.raw.Y-p.origin.Y)
		off[i] = s.Degrees(dot(p.x, at), dot(p.y, at), o.target.X, o.target.Y)
	}
	return off, nil
}

// residuals are the errors of the fit itself in degrees.
func residuals(p polynomial, all []observation, s eyemovement.Screen) []float64 {
	off := make([]float64, len(all))
	for i, o := range all {
		at := p.apply(o.raw)
		off[i] = s.Degrees(at.X, at.Y, o.target.X, o.target.Y)
	}
	return off
}

// guessed is the mean error in degrees of taking every target to be in the
// middle of the others.
func guessed(all []observation, s eyemovement.Screen) float64 {
	sum := 0.0
	for _, o := range all {
		var x, y, n float64
		for _, k := range all {
			if k.target != o.target {
				x, y, n = x+k.target.X, y+k.target.Y, n+1
			}
		}
		sum += s.Degrees(x/n, y/n, o.target.X, o.target.Y)
	}
	return sum / float64(len(all))
}

// meanAndError are the mean and its standard error.
func meanAndError(x []float64) (mean, standardError float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	if n < 2 {
		return mean, 0
	}
	for _, v := range x {
		standardError += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(standardError / (n - 1) / n)
}
