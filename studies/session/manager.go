package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

var (
	// ErrBusy is returned when a session is running or being sealed, and by a Start that
	// was given before the latest session began: a key that was pressed twice.
	ErrBusy = errors.New("a session is running: stop it first")
	// ErrIdle is returned when there is nothing to stop.
	ErrIdle = errors.New("no session is running")

	errStopped  = errors.New("stopped by the operator")
	errDiskFull = errors.New("the disk is nearly full")
	errNoStage  = errors.New("the participant's screen is not open: open the address that Emolab printed for it at its start, there")
	errClosed   = errors.New("the program is ending")
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
	// Codes makes the codes by which participants withdraw, and Eraser does it; nil:
	// this lab gives out none, and cannot erase by itself.
	Codes  Codes
	Eraser Eraser
	// Custody is what is done about data of sessions that are over; nil: nothing is.
	Custody Custody
	// Conduct is what a simulated participant does in a step; nil: the page answers by
	// itself, if it is one for a simulated participant.
	Conduct func(study.Step) Conduct
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
	// since is the instant from which on samples are being recorded; 0 = none are.
	// measures and rest set it.
	since   atomic.Int64
	listing sync.Mutex // held while waiting is found, so that what was read last stays
	looking sync.Mutex // held by Status, so that the board hears of the lab in order
	blind   atomic.Bool

	mu      sync.Mutex
	current *run // nil when idle
	closed  bool // no session begins any more
	outcome *Outcome
	waiting []Summary     // recovered sessions
	begun   int           // sessions, by this program
	lasts   time.Duration // of a session, about
	board   alarm.Board
}

// NewManager makes a manager. Recovered sessions that the archive holds are
// offered in Status.
func NewManager(ctx context.Context, o Options) (*Manager, error) {
	m := &Manager{o: o, lasts: o.Study.Plan(0).Duration(), pace: pace{
		settle: gaze.DefaultSettle, show: gaze.ShowFor, longer: time.Second, arrive: 250 * time.Millisecond,
		breathe: 5 * time.Second, watch: conductance.Watch,
	}}
	screen, _ := m.screen()
	o.Lab.Watch(screen)
	o.Lab.Contact(o.Study.Devices.EDARangeUS[0], o.Study.Devices.EDARangeUS[1])
	m.blindfold()
	if err := m.finishWithdrawals(ctx); err != nil {
		o.Log.Error("finish what was to be erased", "error", err) // and the day goes on
	}
	return m, m.findRecovered(ctx)
}

// screen is the participant's, and whether it is only assumed.
func (m *Manager) screen() (screen eyemovement.Screen, assumed bool) {
	if m.o.Screen.Valid() {
		return m.o.Screen, false
	}
	return AssumedScreen(), true
}

// Close stops a running session, seals it, and waits. None can begin after it.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.end(errClosed)
	m.running.Wait()
}

// Start begins a session for a participant and returns its id at once; it goes on
// until the plan has been shown, or Stop. A code that was used before, or one Alike, is a
// *KnownError, unless the request says what to do; what the lab lacks is a *NotReadyError,
// unless the request says why it starts all the same. Who presses twice is given the same
// session twice.
func (m *Manager) Start(ctx context.Context, r Request) (string, error) {
	r.Participant = strings.TrimSpace(r.Participant)
	if err := CheckParticipant(r.Participant); err != nil {
		return "", err
	}
	id, err := m.start(ctx, r)
	if err != nil {
		if same := m.justBegun(r.Participant); same != "" {
			return same, nil
		}
	}
	return id, err
}

func (m *Manager) start(ctx context.Context, r Request) (string, error) {
	press, err := m.ready() // before anything is asked of whoever starts
	if err != nil {
		return "", err
	}
	known, err := m.known(ctx, r.Participant)
	switch {
	case err != nil:
		return "", err
	case known == nil:
	case r.Again == NewRun:
		r.Participant = known.Participant // one person, one code: who withdraws is found as a whole
	case r.Again == ContinueIt && known.Cut != "":
		return known.Cut, m.Continue(ctx, known.Cut)
	default:
		return "", known
	}
	override, err := pass(AtStart, m.Status().Readiness, r.Override, m.o.Clock.Now())
	if err != nil {
		return "", err
	}
	row, err := m.o.Archive.NextRow(ctx, m.o.Study.Rows())
	if err != nil {
		return "", fmt.Errorf("choose the order: %w", err)
	}
	seg, err := m.segment()
	if err != nil {
		return "", err
	}
	h := Header{
		ID:          NewID(seg.Wall),
		Study:       m.o.Study,
		Plan:        m.o.Study.Plan(row),
		Participant: r.Participant,
		Segment:     seg,
		Streams:     m.streams(),
		Software:    m.o.Software,
	}
	cur := &run{id: h.ID, participant: h.Participant, plan: h.Plan, segment: seg, state: Recording, settled: -1}
	if h.Plan.Recorded() >= 0 {
		cur.state = Prepared
	}
	if override != nil {
		cur.overrides = []Override{*override}
	}
	return h.ID, m.begin(cur, press, func() (int, error) {
		cur.rec, err = m.o.Archive.Begin(ctx, h)
		return 0, err
	})
}

// Continue goes on with a recovered session as a new segment, from the step at
// which it was cut off.
func (m *Manager) Continue(ctx context.Context, id string) error {
	press, err := m.ready()
	if err != nil {
		return err
	}
	if !m.o.Stage.Connected() {
		return errNoStage
	}
	if err := m.wanted(ctx, id); err != nil {
		return err
	}
	seg, err := m.segment()
	if err != nil {
		return err
	}
	cur := &run{id: id, segment: seg, state: Recording}
	err = m.begin(cur, press, func() (int, error) {
		rec, back, err := m.o.Archive.Resume(ctx, id, m.o.Study.Hash, seg, m.streams())
		if err != nil {
			return 0, fmt.Errorf("continue %s: %w", id, err)
		}
		cur.rec, cur.participant, cur.plan, cur.segment.Number = rec, back.Participant, back.Plan, back.Segment
		if back.Segment < 0 {
			cur.state, cur.segment.Number = Prepared, 0
		}
		cur.answers, cur.given = slices.DeleteFunc(back.Consents, m.void), back.Answers
		cur.judged, back.Consents = back.Judged, cur.answers
		cur.again, cur.settled = back.Again, back.From-1
		return m.unanswered(back), nil
	})
	if err != nil {
		return err
	}
	return m.findRecovered(ctx)
}

// Seal closes a recovered session as it is, and exports it.
func (m *Manager) Seal(ctx context.Context, id string) error {
	if err := m.wanted(ctx, id); err != nil {
		return err
	}
	m.mu.Lock()
	cur, err := m.occupy(id, "sealing")
	m.mu.Unlock()
	if err != nil {
		return err
	}
	defer m.running.Done()

	err = m.o.Archive.Seal(ctx, id, m.progress(cur))
	m.finish(ctx, cur, Outcome{}, err)
	return err
}

// Stop ends the running session. What is recorded, or asked before it, ends at once. Who
// has agreed is led to the last pages, with the code that the consent has promised, and
// the session is closed when they have gone through them: then Stop returns when the
// recording has ended, and Status says Stopped. A second Stop closes the pages. In every
// other case Stop returns when the session is closed, its bundle written, or ctx ends.
func (m *Manager) Stop(ctx context.Context, reason string) error {
	why := errStopped
	if reason != "" {
		why = fmt.Errorf("%w: %s", errStopped, reason)
	}
	if m.leadOut(why) {
		return nil
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
	if cur != nil {
		m.halt(cur, why)
	}
	return cur
}

// halt asks a running session to stop; m.mu is held.
func (m *Manager) halt(cur *run, why error) {
	cur.stop(why)
	cur.halted = true
	m.rest(cur)
}

// leadOut ends the recording of a running session, or what is asked before it, and has
// the participant led to the last pages. false: nothing is due to them there, or nobody
// could show it.
func (m *Manager) leadOut(why error) bool {
	shown := m.o.Stage.Connected()
	m.mu.Lock()
	cur := m.current
	if cur == nil || !shown || !cur.agreed || cur.halted || cur.ended != nil || cur.leaves() {
		m.mu.Unlock()
		return false
	}
	cur.ended = why
	close(cur.end)
	m.rest(cur)
	m.mu.Unlock()
	m.endFilm(cur)
	return true
}

// occupy takes the lab for work on a session that does not run ("": on several), so that
// none begins meanwhile. m.mu is held; m.running.Done is owed after it.
func (m *Manager) occupy(id, busy string) (*run, error) {
	if err := m.vacant(); err != nil {
		return nil, err
	}
	m.current = &run{id: id, step: -1, busy: busy, done: make(chan struct{}), stop: func(error) {}}
	m.running.Add(1)
	return m.current, nil
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
	seg := Segment{Boot: boot, Start: m.o.Clock.Now(), Wall: time.Now()}
	seg.Screen, seg.ScreenAssumed = m.screen()
	return seg, err
}

// ready tells why a session cannot begin now, if so. press tells begin that no other
// has begun since.
func (m *Manager) ready() (press int, err error) {
	free, err := DiskFree(m.o.Dir)
	if err != nil {
		return 0, err
	}
	if free < DiskStop {
		return 0, fmt.Errorf("%w: %d MB left in %s; move old bundles away", errDiskFull, free>>20, m.o.Dir)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.begun, m.vacant()
}

// begin conducts a session in the background, unless another has begun since press. open
// completes cur, with its recorder, and gives the step of the plan to begin with.
func (m *Manager) begin(cur *run, press int, open func() (from int, err error)) error {
	cur.since, cur.step, cur.done, cur.end = m.o.Clock.Now(), -1, make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancelCause(context.Background())
	cur.stop = stop

	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.vacant()
	if err == nil && press != m.begun {
		err = ErrBusy
	}
	if err != nil {
		stop(nil)
		return err
	}
	from, err := open()
	if err != nil {
		stop(nil)
		return err
	}
	m.blindfold()
	m.o.Lab.NewPerson() // also in a session that goes on: somebody else may have sat here since
	m.current, m.outcome, cur.desk = cur, nil, newDesk(m.o.Clock)
	m.begun++
	var o *opening // none where a Begin step, or the participant's word, opens it
	if cur.state == Recording && cur.segment.Number == 0 && records(cur.plan, from) {
		// Subscribed here, so that everything is kept from the moment Start returns.
		o = m.opening(cur.id, cur.overrides, cur.segment.Start)
	}
	m.running.Go(func() { m.conduct(ctx, cur, o, from) })
	return nil
}

// findRecovered asks the archive which sessions wait to be continued or sealed.
func (m *Manager) findRecovered(ctx context.Context) error {
	m.listing.Lock()
	defer m.listing.Unlock()
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	var waiting []Summary
	for _, s := range all {
		if s.State == Recovered && s.Reason != whyWithdrawn {
			waiting = append(waiting, s)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = waiting
	return nil
}

// Status returns the whole state of the lab, and brings the alarms up to date.
func (m *Manager) Status() Status {
	m.looking.Lock()
	defer m.looking.Unlock()
	since := m.RecordingSince() // before anything measured is read, and again after it
	s := Status{
		Step: -1, Readiness: []Readiness{}, Streams: m.o.Lab.Health(), Stage: m.o.Stage.Connected(), Waiting: m.o.Stage.Waiting(),
		StudyID: m.o.Study.ID, StudyTitle: m.o.Study.Title,
	}
	// A file system that cannot be asked counts as full: better an alarm too
	// many than a lost session.
	s.DiskFree, _ = DiskFree(m.o.Dir)
	s.DiskHours = RecordingHours(s.DiskFree, asksForVideo(m.o.Study))
	s.Eyes = m.o.Lab.Eyes()

	m.mu.Lock()
	defer m.mu.Unlock()
	if cur := m.current; cur != nil {
		s.State, s.Busy, s.SessionID = cur.state, cur.busy, cur.id
		if cur.halted && cur.busy == "" {
			s.Busy = "stopping"
		}
		s.Ready, s.Paused, s.Over, s.Stopped = cur.gate != nil, cur.paused, cur.over != 0, cur.ended != nil
		s.Participant, s.Segment, s.Plan, s.Step = cur.participant, cur.segment.Number, cur.plan, cur.step
		if cur.segment.Start != 0 { // of a recovered session that is sealed as it is, it is
			until := cur.over
			if until == 0 {
				until = m.o.Clock.Now()
			}
			s.ElapsedMs = inMs(max(until.Sub(cur.segment.Start), 0))
		}
	}
	s.Recovered, s.LastOutcome = m.waiting, m.outcome
	s.Blind, s.BlindByStudy, s.Marks = m.Blinded(), m.o.Study.Blind, []Mark{}
	now := m.o.Clock.Now()
	var wrong []alarm.Condition
	if cur := m.current; cur != nil {
		s.Corrected, s.Confirmed = cur.corrected, cur.confirmed
		if cur.state == Recording {
			s.Usable = m.usable(cur)
		}
		s.Check, s.Drift, s.ScreenAssumed = cur.check, cur.drift, cur.segment.ScreenAssumed
		screen := cur.segment.Screen // its own: the Begin step gives the run another segment
		s.Screen = &screen
		if s.Asked = cur.asked != nil; s.Asked {
			wrong = append(wrong, cur.check.refused())
		}
		if cur.denied {
			wrong = append(wrong, notTheirs())
		}
		if cur.stuck != "" {
			wrong = append(wrong, notShown(cur.stuck))
		}
		wrong = append(wrong, m.showFilm(cur, &s)...)
		if slept := m.o.Lab.slept(cur.segment.Start); cur.segment.Start != 0 && slept > 0 {
			wrong = append(wrong, overslept(slept))
		}
		if cur.desk != nil {
			s.Backlog = cur.desk.waiting()
		}
		s.Marks = cur.latest(now)
	}
	found := situation{
		streams: s.Streams, diskFree: s.DiskFree, diskHours: s.DiskHours, waiting: s.Waiting, behind: s.Backlog, live: since != 0,
		recording: m.current != nil && m.current.state == Recording && m.current.over == 0,
		idle:      m.current == nil || m.current.over != 0 || s.Busy != "",
	}
	m.changed(now, m.board.Update(now, append(wrong, found.conditions()...)))
	s.Alarms = m.board.Alarms(now)
	if s.Live = since != 0 && since == m.RecordingSince(); !s.Live {
		s.withhold()
		m.look(&s)
	}
	return s
}
