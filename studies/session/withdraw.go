package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Eraser takes back everything of the participant of a session.
type Eraser interface {
	// Withdraw erases all sessions of the session's participant: rows, files and what
	// was derived from them. Nothing may record meanwhile.
	Withdraw(ctx context.Context, sessionID string, progress Progress) (Erasure, error)
	// Session finds the session that a code was given out for, as people type it.
	Session(ctx context.Context, typed string) (sessionID string, err error)
}

// Erasure says what a withdrawal erased.
type Erasure struct {
	At         time.Time `json:"at"`
	Sessions   int       `json:"sessions"`
	Rows       int64     `json:"rows"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	Recipients []string  `json:"recipients"` // who holds bundles that were given out, to be told
	Tombstone  string    `json:"tombstone"`  // the keyed hash that stays
	Searched   []string  `json:"searched"`   // folders that were looked through for copies
	// Beside are files that somebody has put beside copies of bundles, or that hold other
	// people's bundles too: they stay.
	Beside  []string `json:"beside"`
	Receipt string   `json:"receipt"` // path of the receipt
}

// Withdrawn is where a session stands whose participant has taken everything back: its
// rows and files are gone, or with an error will be. It is only ever an Outcome.
const Withdrawn State = "withdrawn"

// whyWithdrawn stands in a session from the wish to withdraw until its rows are gone. A
// session that is found with it is erased: the wish outlives the program.
const whyWithdrawn = "withdrawn by the participant"

var (
	errWithdrawn = errors.New(whyWithdrawn)
	// errUnwanted is why what is to be erased neither goes on nor is sealed.
	errUnwanted = errors.New("its participant has taken everything back, and it is still to be erased: withdraw it, or start emolab again")
	// errNoEraser is why nothing can be withdrawn in a lab that was set up without.
	errNoEraser = errors.New("this lab cannot erase by itself: use `emolab session withdraw`")
)

// Withdraw takes back everything of the participant of a session, and says what was
// erased. If that session runs, it ends at once.
func (m *Manager) Withdraw(ctx context.Context, id string) (Erasure, error) {
	m.mu.Lock()
	if cur := m.current; cur != nil && cur.id == id && cur.desk != nil {
		m.halt(cur, errWithdrawn)
		m.mu.Unlock()
		select {
		case <-cur.done:
		case <-ctx.Done():
			return Erasure{}, ctx.Err()
		}
		switch {
		case cur.erasure != nil:
			return *cur.erasure, nil
		case cur.erasing != nil:
			return Erasure{}, cur.erasing
		}
		m.mu.Lock() // it was being closed already, and is erased as any other that has ended
	}
	cur, err := m.occupy(id, "erasing")
	m.mu.Unlock()
	if err != nil {
		return Erasure{}, err
	}
	defer m.running.Done()

	m.erase(ctx, cur)
	m.finish(ctx, cur, cur.withdrawn(), cur.erasing)
	if cur.erasure == nil {
		return Erasure{}, cur.erasing
	}
	return *cur.erasure, nil
}

// WithdrawByCode takes back everything of whoever was given a code, as it is typed.
func (m *Manager) WithdrawByCode(ctx context.Context, typed string) (Erasure, error) {
	if m.o.Eraser == nil {
		return Erasure{}, errNoEraser
	}
	id, err := m.o.Eraser.Session(ctx, typed)
	if err != nil {
		return Erasure{}, err
	}
	return m.Withdraw(ctx, id)
}

// eraseNow ends a running session, and erases all of its participant.
func (m *Manager) eraseNow(cur *run, d *desk) error {
	ctx := context.Background()
	// First of all: whatever happens from here on, it will be done.
	_ = d.keep("note the withdrawal", func(ctx context.Context, rec Recorder) error { return rec.Stopped(ctx, whyWithdrawn) })
	cur.ending.Lock()
	m.dropFilm(cur)
	cur.ending.Unlock()
	_ = d.close() // what could not be written need not be erased
	if err := cur.rec.Fail(ctx, whyWithdrawn); err != nil {
		m.o.Log.Error("close a session before it is erased", "session", cur.id, "error", err)
	}
	m.erase(ctx, cur)
	return cur.erasing
}

// erase erases the participant of a session that is closed, and notes in cur what
// became of it.
func (m *Manager) erase(ctx context.Context, cur *run) {
	var e Erasure
	err := errNoEraser
	if m.o.Eraser != nil {
		e, err = m.o.Eraser.Withdraw(ctx, cur.id, m.progress(cur))
	}
	if err != nil {
		cur.erasing = fmt.Errorf("the withdrawal of session %s is not complete: %w", cur.id, err)
		return
	}
	m.o.Log.Info("withdrawn", "sessions", e.Sessions, "rows", e.Rows, "files", e.Files)
	cur.erasure = &e
}

// withdrawn is the outcome of a session that was to be erased; why it could not be is
// added by finish.
func (r *run) withdrawn() Outcome {
	return Outcome{State: Withdrawn, Reason: whyWithdrawn, Erasure: r.erasure}
}

// wanted refuses a session whose participant has taken everything back, where that could
// not be done yet.
func (m *Manager) wanted(ctx context.Context, id string) error {
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	if slices.ContainsFunc(all, func(s Summary) bool { return s.ID == id && s.Reason == whyWithdrawn }) {
		return errUnwanted
	}
	return nil
}

// finishWithdrawals erases what an earlier run of the program was asked to and could
// not.
func (m *Manager) finishWithdrawals(ctx context.Context) error {
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	var wrong []error
	for len(all) > 0 {
		s := all[0]
		all = all[1:]
		if s.Reason != whyWithdrawn || s.State != Failed && s.State != Recovered {
			continue
		}
		cur := &run{id: s.ID}
		if m.erase(ctx, cur); cur.erasing != nil {
			wrong = append(wrong, cur.erasing)
			continue
		}
		// The others of that participant are gone with it.
		all = slices.DeleteFunc(all, func(o Summary) bool { return o.Participant == s.Participant })
	}
	return errors.Join(wrong...)
}
