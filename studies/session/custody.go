package session

import (
	"context"
	"errors"
	"time"
)

// Custody is what is done about data when their session is over: whose a code is, another
// code for who has none, and what is kept beyond its date.
type Custody interface {
	// Holder tells whose a withdrawal code is, as people type it.
	Holder(ctx context.Context, typed string) (Holder, error)
	// GiveCode makes another withdrawal code for a session that does not run. Those of
	// before go on to hold.
	GiveCode(ctx context.Context, sessionID string) (Slip, error)
	// Overdue lists what is kept beyond its date.
	Overdue(ctx context.Context) ([]Overdue, error)
	// PurgeOverdue erases it, if it is still so many items. Nothing may record meanwhile.
	PurgeOverdue(ctx context.Context, items int, progress Progress) (Purge, error)
}

// Holder is who has a withdrawal code.
type Holder struct {
	SessionID   string   `json:"session_id"` // that the code was given out in
	Participant string   `json:"participant"`
	Sessions    int      `json:"sessions"`   // all of theirs: they are erased together
	Bundles     int      `json:"bundles"`    // that were made of them
	Recipients  []string `json:"recipients"` // who was given one
}

// Slip is what a participant is given: a code, which is kept nowhere, and the page it
// stands on, to be printed.
type Slip struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Overdue is one class of data of one session that is kept beyond its date.
type Overdue struct {
	Session string    `json:"session"`
	What    string    `json:"what"` // in words
	Until   time.Time `json:"until"`
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
}

// Purge is what was erased because it was overdue.
type Purge struct {
	Items      int      `json:"items"`
	Files      int      `json:"files"`
	Recipients []string `json:"recipients"` // who was given bundles, to be told
	Beside     []string `json:"beside"`     // files that stay, as of an Erasure
	Report     string   `json:"report"`     // path
}

// ErrOtherOverdue says that something else is overdue than what was looked at.
var ErrOtherOverdue = errors.New("something else is past its date by now: look at the list again")

// Holder tells whose a withdrawal code is.
func (m *Manager) Holder(ctx context.Context, typed string) (Holder, error) {
	if m.o.Custody == nil {
		return Holder{}, errNoEraser
	}
	return m.o.Custody.Holder(ctx, typed)
}

// GiveCode makes another withdrawal code for a session that is over, or was cut off.
func (m *Manager) GiveCode(ctx context.Context, id string) (Slip, error) {
	if m.o.Custody == nil {
		return Slip{}, errNoEraser
	}
	if err := m.wanted(ctx, id); err != nil {
		return Slip{}, err
	}
	return m.o.Custody.GiveCode(ctx, id)
}

// Overdue lists what is kept beyond its date. While a session runs it is ErrBusy: the
// disk is the recorder's then.
func (m *Manager) Overdue(ctx context.Context) ([]Overdue, error) {
	if m.o.Custody == nil {
		return nil, nil
	}
	m.mu.Lock()
	err := m.vacant()
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return m.o.Custody.Overdue(ctx)
}

// PurgeOverdue erases what is kept beyond its date, if it is still so many items. No
// session begins meanwhile.
func (m *Manager) PurgeOverdue(ctx context.Context, items int) (Purge, error) {
	if m.o.Custody == nil {
		return Purge{}, errNoEraser
	}
	m.mu.Lock()
	cur, err := m.occupy("", "erasing")
	m.mu.Unlock()
	if err != nil {
		return Purge{}, err
	}
	defer m.running.Done()

	done, err := m.o.Custody.PurgeOverdue(ctx, items, m.progress(cur))
	err = errors.Join(err, m.findRecovered(ctx)) // one that waited may have gone
	m.mu.Lock()
	m.current = nil
	m.mu.Unlock()
	close(cur.done)
	return done, err
}
