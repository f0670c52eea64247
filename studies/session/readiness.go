package session

import (
	"strings"
	"time"
)

// ReadyLevel says how one check of the readiness turned out.
type ReadyLevel string

// The levels of readiness.
const (
	ReadyOK        ReadyLevel = "ok"
	ReadyAttention ReadyLevel = "attention" // look at it; holds nothing up
	ReadyWaiting   ReadyLevel = "waiting"   // to come: holds the gate up, and is nobody's fault
	ReadyMissing   ReadyLevel = "missing"   // holds the gate up, unless it is overridden for a reason
)

// The gates at which a session is held up.
const (
	AtStart = "start"
	AtBegin = "begin"
)

// Readiness is one check of whether a session can begin.
type Readiness struct {
	ID     string     `json:"id"`    // "stage", "device/eda", "clock", "calibration", "disk", "consent", "screening", "camera", "sound", "code"
	Label  string     `json:"label"` // in two words
	Level  ReadyLevel `json:"level"`
	Text   string     `json:"text"`
	Advice string     `json:"advice"` // what to do; "" where it is ok
	Gate   string     `json:"gate"`   // AtStart or AtBegin: which one it holds up while it is missing or to come
}

// NotReadyError says what a gate is held up by.
type NotReadyError struct {
	Gate   string      `json:"gate"`
	Checks []Readiness `json:"checks"` // those that are missing or to come
}

// Error says it in words.
func (e *NotReadyError) Error() string {
	if len(e.Checks) == 1 {
		return e.Checks[0].Text + ": " + e.Checks[0].Advice
	}
	var all []string
	for _, c := range e.Checks {
		all = append(all, c.Text)
	}
	return strings.Join(all, "; ")
}

// Beginning is what the operator gives to begin the recording.
type Beginning struct {
	// Confirm is the last two characters of the participant's code, as it stands on the
	// participant's screen.
	Confirm string `json:"confirm"`
	// Override is why the recording begins although something is missing; "" = it does
	// not.
	Override string `json:"override,omitempty"`
}

// look fills in the readiness of a lab in which nothing is recorded. m.mu is held.
func (m *Manager) look(s *Status) {
	cur := m.current
	r := ready{
		study: m.o.Study, gate: AtStart, streams: s.Streams, stage: s.Stage, waiting: s.Waiting, disk: s.DiskFree,
		lasts: m.lasts, calibrates: m.calibrates, own: m.o.Tracker != nil,
	}
	_, r.assumed = m.screen()
	switch sits := cur != nil && !cur.halted && cur.over == 0 && s.Busy == ""; {
	case cur == nil:
		s.Readiness = r.lab()
	case sits && cur.segment.Number > 0 && !cur.confirmed.Participant: // it goes on when they have confirmed the code
		r.plan, r.gate = cur.plan, AtBegin
		s.Readiness = append(r.lab(), reached{confirmed: cur.confirmed, denied: cur.denied}.code())
		s.Readiness[len(s.Readiness)-1].Gate = r.gate
	case sits && cur.state == Prepared:
		r.plan, r.gate = cur.plan, AtBegin
		s.Readiness = excused(append(r.lab(), r.person(reached{
			told: cur.told, seated: cur.seated, sound: cur.sound, confirmed: cur.confirmed, denied: cur.denied, waits: cur.gate != nil,
		})...), cur.overrides)
	}
}

// toCome names what the participant has still to reach before the recording.
func toCome(checks []Readiness) string {
	var all []string
	for _, c := range checks {
		if c.Level == ReadyWaiting {
			all = append(all, strings.ToLower(c.Label))
		}
	}
	return strings.Join(all, ", ")
}

// twice is how long after a Start another one for the same participant is a key that was
// pressed twice.
const twice = 2 * time.Second

// justBegun is the session that runs, if it was begun for that participant a moment ago;
// "" = none was.
func (m *Manager) justBegun(participant string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur := m.current; cur != nil && cur.since != 0 && Alike(cur.participant, participant) && m.o.Clock.Now().Sub(cur.since) < twice {
		return cur.id
	}
	return ""
}
