package session

import (
	"fmt"
	"strings"
)

// Blind hides brands and what is measured of emotion from everybody at a console, or
// shows them again for a reason. Either is kept with the recording that runs.
func (m *Manager) Blind(on bool, reason string) error {
	reason = strings.Join(strings.Fields(reason), " ")
	switch {
	case !on && reason == "":
		return ErrNoReason
	case len(reason) > maxReason:
		return fmt.Errorf("a reason is at most %d bytes long", maxReason)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blind.Swap(on) == on {
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
	return nil
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
