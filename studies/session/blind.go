package session

import (
	"context"
	"fmt"
	"strings"
)

// Blind hides brands and what is measured of emotion from everybody at a console, or
// shows them again for a reason. Either is kept with the session that runs, and comes back
// with it when it was cut off and goes on.
func (m *Manager) Blind(on bool, reason string) error {
	reason = strings.Join(strings.Fields(reason), " ")
	switch {
	case !on && reason == "":
		return ErrNoReason
	case len(reason) > maxReason:
		return fmt.Errorf("a reason is at most %d bytes long", maxReason)
	}
	m.blinding.Lock()
	defer m.blinding.Unlock()
	m.mu.Lock()
	if m.blind.Swap(on) == on {
		m.mu.Unlock()
		return nil
	}
	words := "off"
	if on {
		words = "on"
	}
	if reason != "" {
		words += ": " + reason
	}
	m.said(m.o.Clock.Now(), Mark{Kind: BlindMark, Source: ownSource, Text: words})
	cur := m.current
	m.mu.Unlock()
	if cur != nil && cur.desk != nil {
		_ = cur.keepBlind(on, reason) // a desk that is shut means that the session is being closed
	}
	return nil
}

// keepBlind keeps with a run that what the console shows is hidden, or shown again and why:
// if the program is killed, the session goes on as it was. Manager.blinding is held.
func (r *run) keepBlind(on bool, reason string) error {
	return r.desk.keep("keep what the console shows", func(ctx context.Context, rec Recorder) error {
		return rec.Blind(ctx, on, reason)
	})
}

// blinded keeps that the console is blind as a run of a session begins, if it is.
func (m *Manager) blinded(cur *run) error {
	m.blinding.Lock()
	defer m.blinding.Unlock()
	if !m.Blinded() {
		return nil
	}
	return cur.keepBlind(true, "")
}

// Blinded tells whether they are hidden now. It never waits.
func (m *Manager) Blinded() bool { return m.blind.Load() }

// blindfold hides them as a session begins whose study asks for it, whatever was shown
// for a reason in the one before.
func (m *Manager) blindfold() {
	if m.o.Study.Blind {
		m.blind.Store(true)
	}
}
