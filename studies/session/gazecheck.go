package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"emolab/calibration/gaze"
	"emolab/studies/study"
)

// errNoGaze says that the tracker delivered nothing while targets were shown.
var errNoGaze = errors.New("the eye tracker delivers nothing: is it plugged in, and does its program run? Look at its line among the devices")

// calibrate is one round of a Calibrate step: calibrate, validate, decide. again is
// true when another round was chosen.
func (l *leader) calibrate(ctx context.Context, step study.Step, on Surface) (again bool, err error) {
	round := l.round(step)
	l.begin(step, round, Preparing)
	l.show(func(c *Check) { c.Own = l.m.o.Tracker != nil })
	if _, err := on.Cue(ctx, CueLook); err != nil {
		return false, err
	}
	judged, err := l.fit(ctx, step, round, on)
	if err == nil {
		err = l.validate(ctx, step, round, on, judged.Calibration, &judged)
	}
	if cause := lost(ctx, err); cause != nil {
		return false, errors.Join(cause, l.cutOff(step, round, judged))
	}
	if err != nil {
		judged.Verdict = gaze.Verdict{Level: gaze.Refused, Reasons: []string{sentence(err)}}
	}
	l.show(func(c *Check) { c.Judged, c.Target = &judged, nil })
	made, how := choiceMade{Accept, strings.Join(judged.Verdict.Reasons, " ")}, ByLimits
	if judged.Verdict.Level == gaze.Refused {
		if _, err := on.Cue(ctx, CueWait); err != nil {
			return false, err
		}
		l.show(func(c *Check) { c.Phase = Deciding })
		if made, how, err = l.ask(ctx, round); err != nil {
			_ = l.decide(step, round, made, how, judged) // what it came to is kept all the same
			return false, err
		}
	}
	if made.choice == Accept || len(judged.Tracker) > 0 { // a tracker's own holds in it, accepted or not
		l.hold(judged)
	}
	err = l.decide(step, round, made, how, judged)
	return made.choice == Redo, err
}

// cutOff notes of a tracker that calibrates itself that it was cut off: nothing must be
// fitted to its targets later, and what it had finished holds in it.
func (l *leader) cutOff(step study.Step, round int, judged Judged) error {
	if !judged.Own {
		return nil
	}
	why := "cut off before the tracker had calibrated itself"
	if len(judged.Tracker) > 0 {
		why = "cut off after the tracker had calibrated itself, before that was validated"
		l.hold(judged)
	}
	judged.Verdict = gaze.Verdict{Level: gaze.Refused, Reasons: []string{sentence(errors.New(why))}}
	return l.decide(step, round, choiceMade{Continue, why}, NotAsked, judged)
}

// hold puts a calibration in force.
func (l *leader) hold(j Judged) {
	l.inForce, l.first, l.drift = j.Calibration, j.Validation, gaze.NewDrift(l.screen)
	l.m.o.Lab.SetGaze(j.Calibration)
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.cur.corrected, l.cur.drift = j.Calibration != nil, nil
}

// fit has the tracker calibrate itself, or fits a calibration to what it sees. The
// error says why there is none.
func (l *leader) fit(ctx context.Context, step study.Step, round int, on Surface) (Judged, error) {
	l.show(func(c *Check) { c.Phase = Calibrating })
	points := gaze.Targets(l.limits().CalibratePoints)
	if l.m.o.Tracker != nil {
		raw, err := l.trackersOwn(ctx, step, round, on, points)
		return Judged{Own: true, Tracker: raw}, err
	}
	looks, err := l.looks(ctx, step, round, on, ToCalibrate, points, nil)
	if err != nil {
		return Judged{}, err
	}
	c, err := gaze.Fit(looks, l.screen, gaze.FitOptions{Settle: l.pace.settle})
	if err != nil {
		return Judged{}, err
	}
	return Judged{Calibration: &c}, nil
}

// trackersOwn shows the points that the tracker turns to.
func (l *leader) trackersOwn(ctx context.Context, step study.Step, round int, on Surface, points []gaze.Point) (json.RawMessage, error) {
	l.show(func(c *Check) { c.Targets = len(points) })
	var last *Target
	index := 0
	left := func() {
		if last != nil {
			last.Until = max(l.m.o.Clock.Now(), last.From)
			_ = l.keep(*last)
			l.shown(*last)
			last = nil
		}
	}
	var failed error
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	raw, err := l.m.o.Tracker.Calibrate(ctx, points, func(p gaze.Point) {
		if failed != nil {
			return
		}
		left()
		s, err := on.Show(ctx, p.X, p.Y)
		if err != nil {
			failed = err
			stop() // the tracker would calibrate on nothing
			return
		}
		last = &Target{Purpose: ToCalibrate, Step: step.Index, Round: round, Index: index, X: s.X, Y: s.Y, From: s.At, Err: s.Err}
		index++
		l.shown(*last)
		l.show(func(c *Check) { c.Shown, c.Target = min(index-1, c.Targets), &gaze.Point{X: s.X, Y: s.Y} })
	})
	left()
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, fmt.Errorf("the tracker could not calibrate itself: %w", err)
	}
	return raw, nil
}

// looks shows points until each has been looked at, or often enough. What they are
// calibrated with, if anything, decides nothing but whether a look is good.
func (l *leader) looks(ctx context.Context, step study.Step, round int, on Surface, why Purpose, points []gaze.Point, c *gaze.Calibration) ([]gaze.Look, error) {
	p := gaze.NewProcedure(points, gaze.ProcedureOptions{
		Screen: l.screen, Settle: l.pace.settle, First: why == ToCalibrate,
		// Another order in each round, and the same one for the same participant.
		Seed: l.m.o.Study.Seed + uint64(l.cur.plan.Row)<<20 + uint64(step.Index)<<8 + uint64(round),
	})
	correct := func(k gaze.Look) gaze.Look {
		if c == nil {
			return k
		}
		return c.Correct(k)
	}
	for index := 0; ; index++ {
		next, more := p.Next()
		if !more {
			return p.Looks(), nil
		}
		l.show(func(k *Check) { k.Shown, k.Targets = index, index+p.Left() })
		t := Target{Purpose: why, Step: step.Index, Round: round, Index: index, X: next.X, Y: next.Y}
		look, err := l.target(ctx, on, t, func(k gaze.Look) string { return p.Weak(correct(k)) })
		if err != nil {
			return nil, err
		}
		if len(look.At) == 0 {
			return nil, errNoGaze
		}
		weak := p.Add(correct(look))
		l.show(func(k *Check) { k.Shown, k.Weak = index+1, weak })
	}
}

// validate measures the error on points that nothing was fitted to, and judges it.
func (l *leader) validate(ctx context.Context, step study.Step, round int, on Surface, c *gaze.Calibration, into *Judged) error {
	l.show(func(k *Check) { k.Phase, k.Shown, k.Targets, k.Weak = Validating, 0, 0, "" })
	limits := l.limits()
	looks, err := l.looks(ctx, step, round, on, ToValidate, gaze.ValidationTargets(limits.ValidatePoints), c)
	if err != nil {
		return err
	}
	v := gaze.Validate(looks, l.screen, gaze.FitOptions{Settle: l.pace.settle})
	into.Validation = &v
	into.Verdict = v.Judge(gaze.Limits{AcceptDeg: limits.AcceptDeg, WarnDeg: limits.WarnDeg})
	return nil
}

// validateLater is a Validate step: it says how far off what is in force is now, and
// never holds the session up.
func (l *leader) validateLater(ctx context.Context, step study.Step, on Surface) error {
	round := l.round(step)
	l.begin(step, round, Preparing)
	if _, err := on.Cue(ctx, CueLook); err != nil {
		return err
	}
	var judged Judged
	err := l.validate(ctx, step, round, on, l.inForce, &judged)
	if cause := lost(ctx, err); cause != nil {
		return cause
	}
	if err != nil {
		judged.Verdict = gaze.Verdict{Level: gaze.Refused, Reasons: []string{sentence(err)}}
	}
	if v, was := judged.Validation, l.first; v != nil && was != nil {
		if shift := math.Hypot(v.RightDeg-was.RightDeg, v.DownDeg-was.DownDeg); !math.IsNaN(shift) {
			judged.ShiftDeg = &shift
		}
	}
	l.show(func(c *Check) { c.Judged = &judged })
	made := choiceMade{Accept, strings.Join(judged.Verdict.Reasons, " ")}
	if judged.Verdict.Level == gaze.Refused {
		made.choice = Continue
	}
	return l.decide(step, round, made, NotAsked, judged)
}

func (l *leader) limits() study.Gaze { return gazeLimits(l.m.o.Study) }

// gazeLimits are the study's; those of a study that has none are the default.
func gazeLimits(s *study.Study) study.Gaze {
	g := s.Gaze
	if gaze.Targets(g.CalibratePoints) == nil || gaze.ValidationTargets(g.ValidatePoints) == nil {
		return study.DefaultGaze()
	}
	return g
}

// lost tells why the participant's screen cannot be led any further, if so; err is what
// became of a showing.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrNotShown) {
		return err
	}
	return nil
}

// sentence is an error as a person reads it.
func sentence(err error) string {
	words := strings.TrimPrefix(err.Error(), "gaze: ")
	first, size := utf8.DecodeRuneInString(words)
	words = string(unicode.ToUpper(first)) + words[size:]
	if strings.TrimRight(words, ".?!") == words {
		words += "."
	}
	return words
}
