package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

const (
	// gazeKept and skinKept are how much of the signals a run keeps at hand: the
	// longest cross that drift is measured on, and the minute of rest that a check of
	// skin conductance looks at, with the breath after it.
	gazeKept = time.Minute
	skinKept = 90 * time.Second
	// maxCrosses bounds the fixation crosses of which the drift shown live is made; a
	// session of an hour has fewer.
	maxCrosses = 120
)

// pace is how long things take in front of a participant.
type pace struct {
	settle  time.Duration // eyes on their way to a target
	show    time.Duration // a target, at least
	longer  time.Duration // once more, if too little was seen
	arrive  time.Duration // for samples of the tracker to arrive
	breathe time.Duration // the words that ask for a breath
	watch   time.Duration // the skin, from then on
}

// leader leads the steps about the eyes and the skin in one run of a session, and
// watches the fixation crosses. Present's goroutine and the procedure's, which never
// run it at once, use it; what Status shows is guarded by Manager.mu.
type leader struct {
	m      *Manager
	cur    *run
	pace   pace
	screen eyemovement.Screen
	desk   *desk
	log    *slog.Logger

	eyes, skin *history // nil without such a device
	rounds     map[int]int

	inForce *gaze.Calibration // ours; nil: gaze as it is delivered
	first   *gaze.Validation  // of what is in force

	drift gaze.Drift // since then
}

// newLeader makes the leader of a run; close ends it.
func (m *Manager) newLeader(cur *run, d *desk) *leader {
	l := &leader{
		m: m, cur: cur, pace: m.pace, screen: cur.segment.Screen, desk: d,
		log: m.o.Log.With("session", cur.id), rounds: map[int]int{},
	}
	l.drift = gaze.NewDrift(l.screen)
	if cur.judged != nil {
		l.hold(*cur.judged)
	}
	if info, ok := m.o.Lab.first(stream.Gaze); ok {
		l.eyes = follow(m.o.Lab, info, gazeKept, "gaze_x", "gaze_y", "gaze_valid")
	}
	if info, ok := m.o.Lab.first(stream.EDA); ok {
		l.skin = follow(m.o.Lab, info, skinKept, "eda_us", "", "")
	}
	return l
}

func (l *leader) close() {
	for _, h := range []*history{l.eyes, l.skin} {
		if h != nil {
			h.close()
		}
	}
}

// lead is the Procedure of the run. A page that does not show what it is asked to is
// connected anew and asked again, without end: somebody must look at it.
func (l *leader) lead(ctx context.Context, step study.Step, on Surface) error {
	err := l.conduct(ctx, step, watched{on, func() { l.stuck("") }})
	switch {
	case errors.Is(err, ErrNotShown):
		l.stuck(fmt.Sprintf("step %d (%s)", step.Index+1, step.Action))
	case err == nil:
		l.stuck("")
	}
	return err
}

// stuck notes what the participant's screen does not show; "" when it shows things.
func (l *leader) stuck(at string) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.cur.stuck = at
}

// watched is a Surface that tells whenever it has shown something.
type watched struct {
	Surface
	shown func()
}

func (w watched) Show(ctx context.Context, x, y float64) (Shown, error) {
	s, err := w.Surface.Show(ctx, x, y)
	if err == nil {
		w.shown()
	}
	return s, err
}

func (l *leader) conduct(ctx context.Context, step study.Step, on Surface) error {
	switch step.Action {
	case study.Breath:
		if l.skin == nil {
			return l.passOver(step, "no device for skin conductance in this lab")
		}
		return l.breath(ctx, step, on)
	case study.Calibrate, study.Validate:
		if l.eyes == nil {
			return l.passOver(step, "no eye tracker in this lab")
		}
	}
	if step.Action == study.Validate {
		return l.validateLater(ctx, step, on)
	}
	for {
		again, err := l.calibrate(ctx, step, on)
		if err != nil || !again {
			return err
		}
	}
}

// round numbers the showings of a step.
func (l *leader) round(step study.Step) int {
	n := l.rounds[step.Index]
	l.rounds[step.Index]++
	return n
}

// passOver notes that a step is not done, and why.
func (l *leader) passOver(step study.Step, why string) error {
	l.log.Warn("step passed over", "step", step.Index+1, "action", step.Action, "reason", why)
	round := l.round(step)
	l.begin(step, round, Done)
	return l.decide(step, round, choiceMade{Continue, why}, NotAsked, nil)
}

// begin shows a round on the console.
func (l *leader) begin(step study.Step, round int, p Phase) {
	l.show(func(c *Check) { *c = Check{Action: step.Action, Step: step.Index, Round: round, Phase: p} })
}

// show changes what the console shows.
func (l *leader) show(change func(*Check)) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	var c Check
	if l.cur.check != nil {
		c = *l.cur.check
	}
	change(&c)
	l.cur.check = &c // who has the old one may go on reading it
}

// decide keeps a decision. value is what was decided about; nil for nothing.
func (l *leader) decide(step study.Step, round int, c choiceMade, how string, value any) error {
	d := Decision{Step: step.Index, Round: round, Choice: c.choice, Reason: c.reason, How: how, At: l.m.o.Clock.Now()}
	if value != nil {
		b, err := json.Marshal(value)
		if err != nil { // it can be made again from what is kept; the session is worth more
			l.log.Error("keep what a step came to", "step", step.Index+1, "error", err)
		}
		d.Value = b
	}
	// in the log, as wherever a person reads, steps and rounds count from 1
	l.log.Info("decided", "action", step.Action, "step", step.Index+1, "round", round+1, "choice", c.choice, "how", how)
	l.show(func(k *Check) {
		without := d
		without.Value = nil
		k.Phase, k.Target, k.Decision = Done, nil, &without
	})
	return l.desk.keep("keep what was decided", func(ctx context.Context, rec Recorder) error { return rec.Decision(ctx, d) })
}

// keep keeps a target, also when the page has gone or the session is being stopped:
// what was shown was shown.
func (l *leader) keep(t Target) error {
	return l.desk.keep("keep what was shown", func(ctx context.Context, rec Recorder) error { return rec.Target(ctx, t) })
}

// shown tells the virtual participant, if there is one, of a target.
func (l *leader) shown(t Target) {
	if l.m.o.TargetShown != nil {
		l.m.o.TargetShown(t)
	}
}

// cross takes in a fixation cross: as it lights up (Until is 0), and when it has gone.
func (l *leader) cross(t Target) {
	l.shown(t)
	if t.Until == 0 {
		return
	}
	_ = l.keep(t) // without a writer the session ends anyway
	if l.eyes == nil {
		return
	}
	until := min(t.Until, l.eyes.latest()+1)
	look := gaze.NewLook(gaze.Point{X: t.X, Y: t.Y}, t.From, until, l.eyes.gaze(t.From, until))
	if l.inForce != nil {
		look = l.inForce.Correct(look)
	}
	l.drift.Crosses = latest(l.drift.Crosses, maxCrosses-1)
	l.drift.Missed = latest(l.drift.Missed, maxCrosses-1)
	l.drift.Add(look, gaze.FitOptions{Settle: l.pace.settle})
	drift := l.drift
	l.m.mu.Lock()
	l.cur.drift = &drift
	l.m.mu.Unlock()
}

// latest is the last n of all.
func latest[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// target shows a target for as long as it takes, and returns the look at it. Whether
// it was looked at, weak tells.
func (l *leader) target(ctx context.Context, on Surface, t Target, weak func(gaze.Look) string) (gaze.Look, error) {
	s, err := on.Show(ctx, t.X, t.Y)
	if err != nil {
		return gaze.Look{}, err
	}
	t.X, t.Y, t.From, t.Err = s.X, s.Y, s.At, s.Err
	l.shown(t)
	l.show(func(c *Check) { c.Target = &gaze.Point{X: t.X, Y: t.Y} })
	look, err := l.collect(ctx, t, l.pace.show)
	if err == nil && weak(look) != "" && len(look.At) > 0 {
		look, err = l.collect(ctx, t, l.pace.show+l.pace.longer)
	}
	if err != nil { // cut off: nobody knows since when
		_ = l.keep(t)
		l.gone(t, l.m.o.Clock.Now())
		return gaze.Look{}, err
	}
	t.Until = look.Until
	l.gone(t, t.Until)
	return look, l.keep(t)
}

func (l *leader) gone(t Target, at instant.Instant) {
	t.Until = at
	l.shown(t)
}

// collect waits until a target has been shown for a time, and returns the gaze
// meanwhile.
func (l *leader) collect(ctx context.Context, t Target, long time.Duration) (gaze.Look, error) {
	if err := wait(ctx, t.From.Add(long).Sub(l.m.o.Clock.Now())); err != nil {
		return gaze.Look{}, err
	}
	until := max(l.m.o.Clock.Now(), t.From+1)
	if err := l.eyes.reached(ctx, until, l.pace.arrive); err != nil {
		return gaze.Look{}, err
	}
	return gaze.NewLook(gaze.Point{X: t.X, Y: t.Y}, t.From, until, l.eyes.gaze(t.From, until)), nil
}
