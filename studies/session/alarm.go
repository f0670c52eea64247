package session

import (
	"context"
	"errors"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/alarm"
)

// Alarm and Severity are those of the board.
type (
	Alarm    = alarm.Alarm
	Severity = alarm.Severity
)

// The severities.
const (
	Minor = alarm.Minor
	Major = alarm.Major
)

// Shelved is the state of an alarm that was put aside.
const Shelved = alarm.Shelved

// lookEvery is how often the alarms are brought up to date when nobody asks: a pulled
// cable is on the record within it.
const lookEvery = 250 * time.Millisecond

// ErrNoAlarm is returned for an alarm that is not there.
var ErrNoAlarm = errors.New("there is no such alarm any more")

// Watch keeps the alarms up to date until ctx ends, also while nobody asks for a Status.
func (m *Manager) Watch(ctx context.Context) {
	for wait(ctx, lookEvery) == nil {
		m.Status()
	}
}

// Acknowledge notes that somebody has seen an alarm; "" = all that there are.
func (m *Manager) Acknowledge(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Clock.Now()
	changes, ok := m.board.Acknowledge(now, id)
	if !ok {
		return ErrNoAlarm
	}
	m.changed(now, changes)
	return nil
}

// Shelve puts an alarm aside for so long.
func (m *Manager) Shelve(id string, how time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Clock.Now()
	changes, ok := m.board.Shelve(now, id, how)
	if !ok {
		return ErrNoAlarm
	}
	m.changed(now, changes)
	return nil
}

// changed keeps what has become of alarms with the recording that runs. m.mu is held.
func (m *Manager) changed(now instant.Instant, changes []alarm.Change) {
	for _, c := range changes {
		m.said(now, Mark{Kind: AlarmMark, Source: ownSource, Text: string(c.Event) + ", " + string(c.Alarm.Severity) + ", " + c.Alarm.ID + ": " + c.Alarm.Text})
	}
}

// lasting keeps with a recording that begins which alarms there are already. m.mu is held.
func (m *Manager) lasting(since instant.Instant) {
	for _, a := range m.board.Alarms(since) {
		if a.ClearedMs < 0 {
			m.said(since, Mark{Kind: AlarmMark, Source: ownSource, Text: "lasts, " + string(a.Severity) + ", " + a.ID + ": " + a.Text})
		}
	}
}

// said keeps what the program itself says of the recording, if one runs. It never waits.
// m.mu is held.
func (m *Manager) said(at instant.Instant, k Mark) {
	if m.current != nil && m.current.desk != nil && m.RecordingSince() != 0 {
		m.current.desk.note(stream.Event{Kind: stream.Marker, At: at, Detail: k.Label()})
	}
}

// Severities lists the severities, the worst first.
func Severities() []Severity { return []Severity{Major, Minor} }

// AlarmStates lists the states of an alarm.
func AlarmStates() []alarm.State {
	return []alarm.State{alarm.Active, alarm.Acknowledged, alarm.Cleared, alarm.Shelved}
}
