package session

import (
	"context"
	"strings"

	"emolab/calibration/conductance"
	"emolab/studies/study"
)

// breath is a Breath step: one deep breath, and whether the skin responds. It never
// holds the session up.
func (l *leader) breath(ctx context.Context, step study.Step, on Surface) error {
	round := l.round(step)
	l.begin(step, round, Breathing)
	cue, err := on.Cue(ctx, CueBreathe)
	if err != nil {
		return err
	}
	if l.m.o.Breathed != nil {
		l.m.o.Breathed(cue.At)
	}
	t := Target{Purpose: ToBreathe, Step: step.Index, Round: round, X: .5, Y: .5, From: cue.At, Err: cue.Err}
	if err := l.watchSkin(ctx, on, &t); err != nil {
		_ = l.keep(t)
		return err
	}
	if err := l.keep(t); err != nil {
		return err
	}
	from, until := conductance.Stretch(l.cur.segment.Start, cue.At) // what can be looked at again later
	at, us, _ := l.skin.between(from, until)
	ready := conductance.Check(at, us, cue.At, conductance.Range{})
	l.show(func(c *Check) { c.Readiness = &ready })
	return l.decide(step, round, choiceMade{Continue, strings.Join(ready.Reasons, " ")}, NotAsked, ready)
}

// watchSkin lets the participant breathe, and waits for the skin. It notes until when.
func (l *leader) watchSkin(ctx context.Context, on Surface, t *Target) error {
	now := l.m.o.Clock.Now
	if err := wait(ctx, t.From.Add(l.pace.breathe).Sub(now())); err != nil {
		return err
	}
	if _, err := on.Cue(ctx, CueRest); err != nil {
		return err
	}
	if err := wait(ctx, t.From.Add(l.pace.watch).Sub(now())); err != nil {
		return err
	}
	until := max(now(), t.From+1)
	if err := l.skin.reached(ctx, until, l.pace.arrive); err != nil {
		return err
	}
	t.Until = until
	return nil
}
