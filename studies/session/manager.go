package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/bus"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

const (
	// tail is how long the recording goes on after the last step, or after it was
	// stopped, so that what the devices still hold in their buffers arrives.
	tail = 500 * time.Millisecond
	// doubleStart is how long a second Start is taken for a slip of the hand.
	doubleStart = 2 * time.Second
)

var (
	// ErrBusy is returned when a session is running or being sealed.
	ErrBusy = errors.New("a session is running: stop it first")
	// ErrIdle is returned when there is nothing to stop.
	ErrIdle = errors.New("no session is running")

	errStopped  = errors.New("stopped by the operator")
	errDiskFull = errors.New("the disk is nearly full")
	errClosed   = errors.New("the program is ending")
	// errPlanShown ends the group of a session that went its whole way.
	errPlanShown = errors.New("the plan was shown to its end")
)

// Options are what a Manager works with.
type Options struct {
	Clock    instant.Clock
	Lab      *Lab
	Archive  Archive
	Stage    Stage
	Bundler  Bundler
	Film     Film // nil: this lab cannot keep the video of the face
	Study    *study.Study
	Software string // version of this program
	Dir      string // where the data are, for the free space
	Log      *slog.Logger
	// Screen is the participant's; the zero value means that nobody has measured
	// it, and AssumedScreen is taken.
	Screen eyemovement.Screen
	// Tracker is the eye tracker, if it calibrates itself; nil: what it delivers is
	// corrected by a fit of ours.
	Tracker Tracker
	// TargetShown is told each target and cross as it lights up (Until is 0), and
	// again when it has gone; Breathed, when the participant was asked to breathe in
	// deeply. A virtual participant does what they ask. Both may be nil.
	TargetShown func(Target)
	Breathed    func(instant.Instant)
	// Attended tells whether somebody watches at a console. It is asked in a simulated
	// lab only, where nobody may be there to decide; nil: nobody is.
	Attended func() bool
	// Ended is called with each outcome, after the bundle is written. It may be nil.
	Ended func(Outcome)
}

// Manager operates the lab: one session at a time, from its start to its sealed
// bundle. It is safe for concurrent use.
type Manager struct {
	o       Options
	pace    pace
	running sync.WaitGroup

	mu      sync.Mutex
	current *run // nil when idle
	closed  bool // no session begins any more
	outcome *Outcome
	waiting []Summary // recovered sessions
	began   instant.Instant
}

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
}

// NewManager makes a manager. Recovered sessions that the archive holds are
// offered in Status.
func NewManager(ctx context.Context, o Options) (*Manager, error) {
	m := &Manager{o: o, pace: pace{
		settle: gaze.DefaultSettle, show: gaze.ShowFor, longer: time.Second, arrive: 250 * time.Millisecond,
		breathe: 5 * time.Second, watch: conductance.Watch,
	}}
	return m, m.findRecovered(ctx)
}

// Close stops a running session, seals it, and waits. None can begin after it.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.end(errors.New("the program was closed"))
	m.running.Wait()
}

// Start begins a session for a participant and returns its id at once; the
// recording runs on until the plan has been shown, or Stop.
func (m *Manager) Start(ctx context.Context, r Request) (string, error) {
	if err := CheckParticipant(r.Participant); err != nil {
		return "", err
	}
	row, err := m.o.Archive.NextRow(ctx)
	if err != nil {
		return "", fmt.Errorf("choose the order: %w", err)
	}
	seg, err := m.segment()
	if err != nil {
		return "", err
	}
	h := Header{
		ID:          seg.Wall.UTC().Format("20060102-150405-") + r.Participant,
		Study:       m.o.Study,
		Plan:        m.o.Study.Plan(row),
		Participant: r.Participant,
		Segment:     seg,
		Streams:     m.o.Lab.Streams(),
		Software:    m.o.Software,
	}
	cur := &run{id: h.ID, participant: h.Participant, plan: h.Plan, segment: seg}
	return h.ID, m.begin(cur, func() (Recorder, int, error) {
		rec, err := m.o.Archive.Begin(ctx, h)
		if err == nil {
			m.o.Lab.NewPerson()
		}
		return rec, 0, err
	})
}

// Continue goes on with a recovered session as a new segment, from the step at
// which it was cut off.
func (m *Manager) Continue(ctx context.Context, id string) error {
	seg, err := m.segment()
	if err != nil {
		return err
	}
	cur := &run{id: id, segment: seg}
	err = m.begin(cur, func() (Recorder, int, error) {
		rec, back, err := m.o.Archive.Resume(ctx, id, m.o.Study.Hash, seg, m.o.Lab.Streams())
		if err != nil {
			return nil, 0, fmt.Errorf("continue %s: %w", id, err)
		}
		cur.participant, cur.plan, cur.segment.Number = back.Participant, back.Plan, back.Segment
		cur.answers = slices.DeleteFunc(back.Consents, m.void)
		back.Consents = cur.answers
		cur.judged = back.Judged
		m.o.Lab.NewPerson() // somebody else may have sat here since
		return rec, back.unanswered(), nil
	})
	if err != nil {
		return err
	}
	return m.findRecovered(ctx)
}

// Seal closes a recovered session as it is, and exports it.
func (m *Manager) Seal(ctx context.Context, id string) error {
	cur := &run{id: id, step: -1, busy: "sealing", done: make(chan struct{})}
	m.mu.Lock()
	if err := m.vacant(); err != nil {
		m.mu.Unlock()
		return err
	}
	m.current = cur
	cur.stop = func(error) {}
	m.running.Add(1)
	m.mu.Unlock()
	defer m.running.Done()

	err := m.o.Archive.Seal(ctx, id, m.progress(cur))
	m.finish(ctx, cur, Outcome{}, err)
	return err
}

// Stop ends the running session, which is sealed with what it has. It returns
// when the bundle is written or ctx ends.
func (m *Manager) Stop(ctx context.Context, reason string) error {
	why := errStopped
	if reason != "" {
		why = fmt.Errorf("%w: %s", errStopped, reason)
	}
	cur := m.end(why)
	if cur == nil {
		return ErrIdle
	}
	select {
	case <-cur.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end asks the running session to stop, and returns it; nil when none runs.
func (m *Manager) end(why error) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	cur := m.current
	if cur == nil {
		return nil
	}
	cur.stop(why)
	if cur.busy == "" {
		cur.busy = "stopping"
	}
	return cur
}

// vacant tells why no session can take the lab now, if so; m.mu is held.
func (m *Manager) vacant() error {
	switch {
	case m.closed:
		return errClosed
	case m.current != nil:
		return ErrBusy
	}
	return nil
}

// Wait blocks until no session runs, and returns how the latest one ended.
func (m *Manager) Wait(ctx context.Context) (Outcome, error) {
	m.mu.Lock()
	cur := m.current
	m.mu.Unlock()
	if cur != nil {
		select {
		case <-cur.done:
		case <-ctx.Done():
			return Outcome{}, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outcome == nil {
		return Outcome{}, ErrIdle
	}
	return *m.outcome, nil
}

// Sessions lists all sessions of the study.
func (m *Manager) Sessions(ctx context.Context) ([]Summary, error) {
	return m.o.Archive.Sessions(ctx)
}

// segment describes the run of a session that begins now.
func (m *Manager) segment() (Segment, error) {
	boot, err := instant.Boot()
	seg := Segment{Boot: boot, Start: m.o.Clock.Now(), Wall: time.Now(), Screen: m.o.Screen}
	if !seg.Screen.Valid() {
		seg.Screen, seg.ScreenAssumed = AssumedScreen(), true
	}
	return seg, err
}

// ready tells why a session cannot begin now, if so.
func (m *Manager) ready() error {
	free, err := DiskFree(m.o.Dir)
	if err != nil {
		return err
	}
	if free < DiskStop {
		return fmt.Errorf("%w: %d MB left in %s; move old bundles away", errDiskFull, free>>20, m.o.Dir)
	}
	if !m.o.Stage.Connected() {
		return errors.New("the participant's screen is not open: open the address that Emolab printed for it at its start, there")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vacant()
}

// begin records a session in the background. open gives its recorder and the
// step of the plan to begin with; it may complete cur.
func (m *Manager) begin(cur *run, open func() (rec Recorder, from int, err error)) error {
	if err := m.ready(); err != nil {
		return err
	}
	cur.step, cur.done = -1, make(chan struct{})
	ctx, stop := context.WithCancelCause(context.Background())
	cur.stop = stop

	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.vacant()
	if err == nil && m.began != 0 && m.o.Clock.Now().Sub(m.began) < doubleStart {
		err = ErrBusy
	}
	if err != nil {
		stop(nil)
		return err
	}
	rec, from, err := open()
	if err != nil {
		stop(nil)
		return err
	}
	m.current, m.outcome, m.began = cur, nil, m.o.Clock.Now()
	// Subscribed here, so that everything is kept from the moment Start returns.
	sub := m.o.Lab.Bus().Lossless("session "+cur.id, backlog)
	absent := m.o.Lab.absent(cur.segment.Start)
	m.running.Go(func() { m.record(ctx, cur, rec, absent, sub, from) })
	return nil
}

// record is one session from its first sample to its bundle. ctx ends when it
// is to stop early. absent tells of the devices that are not there at its start.
func (m *Manager) record(ctx context.Context, cur *run, rec Recorder, absent []stream.Chunk, sub *bus.Subscription, from int) {
	defer cur.stop(nil)
	log := m.o.Log.With("session", cur.id)
	log.Info("recording", "participant", cur.participant, "segment", cur.segment.Number, "from_step", from)

	if allowed(cur.answers, FaceVideo) {
		m.startFilm(cur, cur.segment.Start)
	}
	reached, answers, notes := make(chan int), make(chan answer), make(chan note)
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
			Began: func(step int) {
				m.mu.Lock()
				cur.step = step
				m.mu.Unlock()
				select {
				case reached <- step:
				case <-inner.Done():
				}
			},
			Answered:  func(c Consent) { m.answered(inner, cur, answers, c) },
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

// findRecovered asks the archive which sessions wait to be continued or sealed.
func (m *Manager) findRecovered(ctx context.Context) error {
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	var waiting []Summary
	for _, s := range all {
		if s.State == Recovered {
			waiting = append(waiting, s)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = waiting
	return nil
}

// Status returns the whole state of the lab.
func (m *Manager) Status() Status {
	s := Status{
		Step: -1, Streams: m.o.Lab.Health(), Stage: m.o.Stage.Connected(), Waiting: m.o.Stage.Waiting(),
		StudyID: m.o.Study.ID, StudyTitle: m.o.Study.Title,
	}
	// A file system that cannot be asked counts as full: better an alarm too
	// many than a lost session.
	s.DiskFree, _ = DiskFree(m.o.Dir)
	s.DiskHours = float64(s.DiskFree) / TypicalBytesPerHour

	m.mu.Lock()
	defer m.mu.Unlock()
	if cur := m.current; cur != nil {
		s.State, s.Busy, s.SessionID = Recording, cur.busy, cur.id
		s.Participant, s.Segment, s.Plan, s.Step = cur.participant, cur.segment.Number, cur.plan, cur.step
		if cur.segment.Start != 0 { // of a recovered session that is sealed as it is, it is
			s.ElapsedMs = inMs(m.o.Clock.Now().Sub(cur.segment.Start))
		}
	}
	s.Recovered, s.LastOutcome = m.waiting, m.outcome
	s.Alarms = alarms(s.Streams, s.DiskFree, m.current != nil, s.Waiting)
	if cur := m.current; cur != nil {
		s.Check, s.Drift, s.Screen, s.ScreenAssumed = cur.check, cur.drift, &cur.segment.Screen, cur.segment.ScreenAssumed
		if s.Asked = cur.asked != nil; s.Asked {
			s.Alarms = append([]Alarm{cur.check.alarm()}, s.Alarms...)
		}
		m.showFilm(cur, &s)
		if cur.segment.Start != 0 {
			s.Alarms = append(overslept(m.o.Lab.slept(cur.segment.Start)), s.Alarms...)
		}
	}
	return s
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
