package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	// DiskFree tells how many bytes can still be written below Dir; nil: DiskFree does.
	DiskFree func(dir string) (int64, error)
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
	// blinding is held until it is kept what the console shows, so that what was kept last
	// is what was asked for last.
	blinding sync.Mutex

	mu      sync.Mutex
	current *run // nil when idle
	closed  bool // no session begins any more
	outcome *Outcome
	waiting []Summary     // recovered sessions
	begun   int           // sessions, by this program
	lasts   time.Duration // of a session, about
	// calibrates tells that the study calibrates the gaze.
	calibrates bool
	board      alarm.Board
}

// NewManager makes a manager. Recovered sessions that the archive holds are
// offered in Status.
func NewManager(ctx context.Context, o Options) (*Manager, error) {
	if o.DiskFree == nil {
		o.DiskFree = DiskFree
	}
	plan := o.Study.Plan(0)
	m := &Manager{o: o, lasts: plan.Duration(), calibrates: slices.ContainsFunc(plan.Steps, func(s study.Step) bool { return s.Action == study.Calibrate }), pace: pace{
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

// Sessions lists all sessions of the study.
func (m *Manager) Sessions(ctx context.Context) ([]Summary, error) {
	return m.o.Archive.Sessions(ctx)
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
