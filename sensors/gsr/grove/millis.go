package grove

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// tickHz is what millis() of an Arduino counts. It wraps after 49.7 days.
	tickHz = 1000

	// maxStray is by how much a printed time may differ from the time that passed
	// on the way to the host since the line before.
	maxStray = 2 * time.Second
	// restart is how many times in a row may not fit: a damaged digit makes one,
	// and a board that restarted makes all.
	restart = 3
)

// millis unwraps the times that a sketch prints.
type millis struct {
	begun   bool
	tick    int64
	at      instant.Instant // arrival of its line
	strange int             // times in a row that did not fit
}

// take moves on to a printed time, and tells whether it can be true.
func (m *millis) take(printed float64, arrival instant.Instant) bool {
	if printed < 0 || printed > math.MaxUint32 || printed != math.Trunc(printed) {
		m.strange++
		return false
	}
	now := uint32(printed)
	if !m.begun {
		m.begun, m.tick, m.at = true, int64(now), arrival
		return true
	}
	step := int64(int32(now - uint32(m.tick)))
	stray := time.Duration(step)*time.Second/tickHz - arrival.Sub(m.at)
	if step <= 0 || stray.Abs() > maxStray {
		m.strange++
		return false
	}
	m.tick, m.at, m.strange = m.tick+step, arrival, 0
	return true
}

// err tells that the board began anew.
func (m *millis) err() error {
	if m.strange < restart {
		return nil
	}
	return fmt.Errorf("grove: %w: its times began anew", connection.ErrRestarted)
}
