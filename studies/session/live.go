package session

import "emolab/fusion/instant"

// RecordingSince returns the instant from which on samples are being recorded; 0 = none
// are. What the devices delivered before it, or deliver while it is 0, is nobody's to see:
// the participant has not agreed yet, has gone, or there is none. It never waits.
func (m *Manager) RecordingSince() instant.Instant { return instant.Instant(m.since.Load()) }

// measures notes that samples of a run are recorded from an instant on, unless it has
// been stopped meanwhile.
func (m *Manager) measures(cur *run, since instant.Instant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur.over == 0 {
		cur.live = since
		m.since.Store(int64(since))
		m.lasting(since)
		if m.Blinded() {
			m.said(since, Mark{Kind: BlindMark, Source: ownSource, Text: "on"})
		}
	}
}

// rest ends the recording of samples in a run at this instant, if it is recorded. m.mu is
// held.
func (m *Manager) rest(cur *run) {
	if cur.over != 0 || cur.state != Recording {
		return
	}
	m.since.Store(0)
	cur.over = cur.desk.hush()
}

// withhold takes out of a status what is measured of whoever sits there: where the eyes
// look, when something of use was seen last, which tells every blink, and what was said of
// the recording before, such as how well its participant's eyes could be calibrated. For how
// much of what they were shown they were measured stays until they have gone. What else
// stays says that the devices work, and in words what hinders them: that is how seat, light
// and electrodes are put right before the recording.
func (s *Status) withhold() {
	s.Eyes = nil
	if !s.Over {
		s.Usable = nil
	}
	for i := range s.Streams {
		h := &s.Streams[i]
		h.UsableAgeMs = -1
		if h.marked {
			h.Remark = ""
		}
	}
}
