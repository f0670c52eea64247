package session

import (
	"context"
	"fmt"
)

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
