package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/gaze"
	"emolab/fusion/instant"
	"emolab/fusion/usable"
	"emolab/studies/study"
)

// errPlanShown ends the group of a session that went its whole way.
var errPlanShown = errors.New("the plan was shown to its end")

// run is one session while it is prepared, recorded and closed. Its mutable fields are
// guarded by Manager.mu, unless they say otherwise.
type run struct {
	id          string
	participant string
	plan        study.Plan
	answers     []Consent // given in earlier segments
	given       []Answer  // likewise
	judged      *Judged   // the calibration of an earlier segment that goes on to hold; nil = none
	rec         Recorder  // the desk's writer uses it, and after it whoever closes the session
	desk        *desk     // nil where only a session that was cut off is sealed or erased
	stop        context.CancelCauseFunc
	done        chan struct{}

	state   State           // Prepared or Recording
	segment Segment         // of what is recorded; before the recording only its number
	step    int             // index of the step on the stage, -1 before the first
	busy    string          // what closing it is doing; "" while it goes on
	halted  bool            // somebody has stopped it
	gate    chan<- struct{} // while the participant waits for the recording to begin
	paused  bool            // by the participant
	live    instant.Instant // when the recording of samples began, in this segment; 0 = it has not
	over    instant.Instant // when it ended; 0 = it has not
	agreed  bool            // the participant takes part, and has been promised a code
	ended   error           // why the operator has led them to the last pages; nil = has not
	end     chan struct{}   // closed after it
	cut     error           // why the operator has ended the recording at once; nil = has not
	film    film
	marks   []kept     // the latest
	ending  sync.Mutex // held while the film is ended and its files are noted: Stop does it beside Present

	check *Check      // the latest; what it points to is never changed
	drift *gaze.Drift // likewise
	// Who has confirmed the code; the participant said that it is another's.
	confirmed Confirmed
	denied    bool
	sound     soundHeard
	seated    seatFound
	told      told
	overrides []Override

	since instant.Instant // when it began, by whoever started or continued it

	asked chan<- choiceMade // while the operator is asked
	stuck string            // the step that the participant's screen does not show; "" = none

	usable  []usable.Now // what is known of presentations by now; what it points to is never changed
	earlier []usable.Now // likewise, of those that earlier segments have shown to their end
	shown   map[int]bool // presentations whose clip came up, in earlier segments too
	again   []int        // those that are shown once more, in earlier segments too
	settled int          // the step at which that was settled last; -1 = none

	// corrected: a calibration of ours is in force.
	corrected bool

	// Of the goroutine that presents, and then of the one that closes the session.
	why     string   // the participant does not go the whole way; "" = they do
	erasure *Erasure // what was erased at the participant's wish
	erasing error    // why it could not be
}

// leaves tells whether the participant is on the last pages: there is nothing to be led
// out of. Manager.mu is held.
func (r *run) leaves() bool {
	return r.over != 0 || r.step >= 0 && r.step < len(r.plan.Steps) && r.plan.Steps[r.step].Aside
}

// conduct is one session from the participant's first page to its bundle. ctx ends when
// it is to stop early. o opens the recording at once; nil: the Begin step does, or in a session
// that goes on the participant's word that it is theirs, or there is nothing to record.
func (m *Manager) conduct(ctx context.Context, cur *run, o *opening, from int) {
	defer cur.stop(nil)
	log := m.o.Log.With("session", cur.id)
	log.Info(string(cur.state), "segment", cur.segment.Number+1, "from_step", from+1)

	d := cur.desk
	v, led, gauge := m.newVisit(cur, d), m.newLeader(cur, d), m.newGauge(cur, from)
	group, inner := errgroup.WithContext(ctx)
	go func() {
		// The writer outlives ctx: what was observed until the stop is kept.
		d.err = d.write(context.WithoutCancel(ctx), cur.rec, m.closedFilms)
		if d.err != nil {
			cur.stop(d.err)
		}
		close(d.gone)
	}()
	group.Go(func() error { return m.watchDisk(inner) })
	group.Go(func() error {
		err := v.overridden()
		if err == nil {
			err = m.blinded(cur)
		}
		var skip []int
		if err == nil {
			skip, err = v.resume(inner, from, o)
		}
		if err == nil {
			err = m.o.Stage.Present(inner, Presentation{
				Session: cur.id, Participant: cur.participant, Study: m.o.Study, Plan: cur.plan, From: from, Skip: skip, Admit: v.admit,
				Began: v.began, Answered: v.answered, Receipt: v.receipt, Left: v.left, Paused: v.paused,
				Ended: cur.end, Out: v.out,
				Conduct: m.o.Conduct, Procedure: v.lead(led), Ruled: v.ruled, Cross: led.cross,
			})
		}
		if err == nil {
			err = errPlanShown
		}
		return err
	})
	why := group.Wait()
	gauge.close()
	led.close()
	if cause := context.Cause(ctx); cause != nil {
		why = cause
	}
	m.conclude(cur, why)
}

// conclude closes a session. why is what ended it.
func (m *Manager) conclude(cur *run, why error) {
	closing := context.Background()
	m.mu.Lock()
	m.rest(cur)
	m.mu.Unlock()
	if cur.erasure == nil && cur.erasing == nil && errors.Is(why, errWithdrawn) {
		_ = m.eraseNow(cur, cur.desk) // told by the outcome
	}
	if cur.erasure != nil || cur.erasing != nil {
		m.finish(closing, cur, cur.withdrawn(), cur.erasing)
		return
	}
	cur.ending.Lock()
	videos := m.dropFilm(cur) // first: the tail is for samples only
	cur.ending.Unlock()
	failure := cur.desk.close()
	for _, v := range videos { // whatever became of the rest
		if err := cur.rec.Video(closing, v); failure == nil {
			failure = err
		}
	}
	if failure != nil {
		m.fail(closing, cur, failure)
		return
	}
	m.mu.Lock()
	recorded, stopped := cur.state == Recording, cmp.Or(cur.ended, cur.cut)
	m.mu.Unlock()
	reason := cur.why // who is on the way out already has not been stopped by anybody
	switch {
	case reason != "":
	case stopped != nil: // which is kept already; what came then came after it
		reason = stopped.Error()
	case errors.Is(why, errPlanShown):
	default:
		reason = why.Error()
	}
	switch {
	case !recorded && reason == errClosed.Error():
		m.finish(closing, cur, Outcome{}, errClosed) // goes on when the program is there again
	case !recorded:
		if err := cur.rec.Decline(closing, reason); err != nil {
			m.fail(closing, cur, err)
			return
		}
		m.finish(closing, cur, Outcome{State: Declined, Reason: reason}, nil)
	default:
		if reason != "" {
			m.o.Log.Warn("ended early; the session says why", "session", cur.id)
			if err := cur.rec.Stopped(closing, reason); err != nil {
				m.fail(closing, cur, err)
				return
			}
		}
		m.finish(closing, cur, Outcome{Reason: reason}, cur.rec.Seal(closing, m.progress(cur)))
	}
}

// fail closes a session that could not be recorded.
func (m *Manager) fail(ctx context.Context, cur *run, failure error) {
	if err := cur.rec.Fail(ctx, failure.Error()); err != nil {
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
	case out.State != "": // nothing to export
	case err != nil:
		out.State = Recovered
	default:
		out.State = Sealed
		out.Bundle, err = m.o.Bundler.Export(ctx, cur.id, m.progress(cur))
	}
	switch {
	case errors.Is(err, errClosed): // it waits for the next start of the program
		out.Error = err.Error()
		m.o.Log.Info("the program ends before the recording; the session can be continued", "session", cur.id)
	case err != nil:
		out.Error = err.Error()
		m.o.Log.Error("session ended with an error", "session", cur.id, "error", err)
	case out.Bundle != "":
		m.o.Log.Info("ended", "session", cur.id, "bundle", out.Bundle)
	default: // who declined, and who withdrew, is not the log's to keep
		m.o.Log.Info("ended", "session", cur.id)
	}
	if m.o.Ended != nil {
		m.o.Ended(out)
	}
	if err := m.findRecovered(ctx); err != nil {
		m.o.Log.Error("list the sessions that wait", "session", cur.id, "error", err)
	}
	m.mu.Lock()
	m.current, m.outcome = nil, &out
	m.mu.Unlock()
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
