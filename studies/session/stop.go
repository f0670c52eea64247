package session

import (
	"context"
	"fmt"
	"strings"
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
	cur, cut := m.end(why)
	if cur == nil {
		return ErrIdle
	}
	if cut {
		cur.keepStop(why)
	}
	select {
	case <-cur.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end asks the running session to stop, and returns it; nil when none runs. cut tells that
// its recording went on until now.
func (m *Manager) end(why error) (cur *run, cut bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur = m.current; cur == nil {
		return nil, false
	}
	if cut = cur.desk != nil && cur.state == Recording && cur.over == 0; cut {
		cur.cut = why
	}
	m.halt(cur, why)
	return cur, cut
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
	m.rest(cur)
	m.mu.Unlock()
	cur.keepStop(why) // before they are led anywhere
	close(cur.end)
	m.endFilm(cur)
	return true
}

// keepStop keeps that the operator has stopped a run, and why: if the program is killed
// before the session is closed, it does not go on as if nobody had.
func (r *run) keepStop(why error) {
	_ = r.desk.keep("note the stop", func(ctx context.Context, rec Recorder) error {
		return rec.Stopped(ctx, why.Error())
	}) // a desk that is shut means that the session is being closed, with that reason
}

// StoppedForGood tells of the reason of a session that was cut off whether the operator had
// stopped it before: then it is not recorded any further.
func StoppedForGood(reason string) bool { return strings.HasPrefix(reason, errStopped.Error()) }
