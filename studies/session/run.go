package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/gaze"
	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// tail is how long the recording goes on after the last step, or after it was
// stopped, so that what the devices still hold in their buffers arrives.
const tail = 500 * time.Millisecond

// errPlanShown ends the group of a session that went its whole way.
var errPlanShown = errors.New("the plan was shown to its end")

// run is one session while it is recorded and closed. Its mutable fields are
// guarded by Manager.mu.
type run struct {
	id          string
	participant string
	plan        study.Plan
	segment     Segment
	answers     []Consent // given in earlier segments
	judged      *Judged   // the calibration of an earlier segment that goes on to hold; nil = none
	stop        context.CancelCauseFunc
	done        chan struct{}

	step int    // index of the step on the stage, -1 before the first
	busy string // what closing it is doing; "" while it records
	film film

	check *Check            // the latest; what it points to is never changed
	drift *gaze.Drift       // likewise
	asked chan<- choiceMade // while the operator is asked
	stuck string            // the step that the participant's screen does not show; "" = none
	// corrected: a calibration of ours is in force.
	corrected bool
}

// record is one session from its first sample to its bundle. ctx ends when it
// is to stop early. absent tells of the devices that are not there at its start.
func (m *Manager) record(ctx context.Context, cur *run, rec Recorder, absent []stream.Chunk, sub *bus.Subscription, from int) {
	defer cur.stop(nil)
	log := m.o.Log.With("session", cur.id)
	log.Info("recording", "participant", cur.participant, "segment", cur.segment.Number+1, "from_step", from+1)

	if allowed(cur.answers, FaceVideo) {
		m.startFilm(cur, cur.segment.Start)
	}
	reached, answers, notes := make(chan arrival), make(chan answer), make(chan note)
	deaf := make(chan struct{}) // closed when nobody reads the three any more
	led := m.newLeader(cur, notes, deaf)
	group, inner := errgroup.WithContext(ctx)
	written := make(chan error, 1)
	go func() {
		defer close(deaf)
		// The writer outlives ctx: what was observed until the stop is kept.
		err := write(context.WithoutCancel(ctx), rec, absent, sub, reached, answers, notes, m.closedFilms)
		sub.Close() // a failed writer must not hold up the lab
		cur.stop(err)
		written <- err
	}()
	group.Go(func() error { return m.watchDisk(inner) })
	group.Go(func() error {
		err := m.o.Stage.Present(inner, Presentation{
			Session: cur.id, Study: m.o.Study, Plan: cur.plan, From: from,
			Began: func(step int, at instant.Instant) {
				m.mu.Lock()
				cur.step = step
				m.mu.Unlock()
				select {
				case reached <- arrival{step, at}:
				case <-inner.Done():
				}
			},
			Answered: func(ctx context.Context, a Answer) (Ruling, error) {
				m.answered(inner, cur, answers, Consent{Scope: a.Sheet, Granted: a.Values[a.Sheet] == "true", At: a.At, Language: a.Language, TextSHA256: a.TextSHA256, How: a.How})
				return Ruling{}, nil
			},
			Procedure: led.lead,
			Cross:     led.cross,
		})
		if err == nil {
			err = errPlanShown
		}
		return err
	})
	why := group.Wait()
	led.close()
	if cause := context.Cause(ctx); cause != nil {
		why = cause
	}
	failure, over := hold(written, tail)
	sub.Close()
	if !over {
		failure = <-written
	}

	closing := context.Background()
	if err := m.endFilm(closing, cur, rec); failure == nil {
		failure = err
	}
	if failure != nil {
		m.fail(closing, cur, rec, failure)
		return
	}
	var out Outcome
	if !errors.Is(why, errPlanShown) {
		out.Reason = why.Error()
		log.Warn("ended early", "reason", why)
		if err := rec.Stopped(closing, out.Reason); err != nil {
			m.fail(closing, cur, rec, err)
			return
		}
	}
	m.finish(closing, cur, out, rec.Seal(closing, m.progress(cur)))
}

// hold waits d, or shorter if the writer ends before; then over is true.
func hold(written <-chan error, d time.Duration) (failure error, over bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case failure = <-written:
		return failure, true
	case <-t.C:
		return nil, false
	}
}

// fail closes a session that could not be recorded.
func (m *Manager) fail(ctx context.Context, cur *run, rec Recorder, failure error) {
	if err := rec.Fail(ctx, failure.Error()); err != nil {
		m.o.Log.Error("mark the session as failed", "session", cur.id, "error", err)
	}
	m.finish(ctx, cur, Outcome{State: Failed}, failure)
}

// finish exports the session if it could be sealed, and makes the manager idle
// again. err is why it failed or could not be sealed. In the second case what
// was recorded is whole, and can be sealed as a recovered session.
func (m *Manager) finish(ctx context.Context, cur *run, out Outcome, err error) {
	out.SessionID = cur.id
	switch {
	case out.State == Failed:
	case err != nil:
		out.State = Recovered
	default:
		out.State = Sealed
		out.Bundle, err = m.o.Bundler.Export(ctx, cur.id, m.progress(cur))
	}
	if err != nil {
		out.Error = err.Error()
		m.o.Log.Error("session ended with an error", "session", cur.id, "error", err)
	} else {
		m.o.Log.Info("sealed", "session", cur.id, "bundle", out.Bundle)
	}
	if m.o.Ended != nil {
		m.o.Ended(out)
	}
	m.mu.Lock()
	m.current, m.outcome = nil, &out
	m.mu.Unlock()
	if err := m.findRecovered(ctx); err != nil {
		m.o.Log.Error("list the sessions that wait", "session", cur.id, "error", err)
	}
	close(cur.done)
}

// progress shows how far closing a session is.
func (m *Manager) progress(cur *run) Progress {
	return func(done, total int, doing string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		cur.busy = fmt.Sprintf("%s (%d of %d)", doing, done, total)
	}
}

// wait blocks for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
