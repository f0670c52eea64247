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
	// restart is how many times in a row that do not fit must follow one another: a
	// damaged digit makes one, and a board that restarted makes all.
	restart = 3
	// noClock is how many times in a row may not fit in any way.
	noClock = 20
)

// millis unwraps the times that a sketch prints.
type millis struct {
	begun bool
	tick  int64
	at    instant.Instant // arrival of its line

	strange int // times in a row that did not fit
	anew    int // the last of them that follow one another
	other   uint32
	otherAt instant.Instant
}

// take moves on to a printed time, and tells whether it can be true.
func (m *millis) take(printed float64, arrival instant.Instant) bool {
	if printed < 0 || printed > math.MaxUint32 || printed != math.Trunc(printed) {
		m.strange, m.anew = m.strange+1, 0
		return false
	}
	now := uint32(printed)
	if !m.begun {
		m.begun, m.tick, m.at, m.strange = true, int64(now), arrival, 0
		return true
	}
	if step, ok := follows(uint32(m.tick), now, arrival.Sub(m.at)); ok {
		m.tick, m.at, m.strange, m.anew = m.tick+step, arrival, 0, 0
		return true
	}
	if _, ok := follows(m.other, now, arrival.Sub(m.otherAt)); !ok {
		m.anew = 0
	}
	m.strange, m.anew, m.other, m.otherAt = m.strange+1, m.anew+1, now, arrival
	return false
}

// follows returns the step between two printed times, in ms, and whether it can be
// what passed between the arrivals of their lines.
func follows(before, now uint32, passed time.Duration) (step int64, ok bool) {
	step = int64(int32(now - before))
	stray := time.Duration(step)*time.Second/tickHz - passed
	return step, step > 0 && stray.Abs() <= maxStray
}

// err tells that the board began anew, or that what it prints there is no time.
func (m *millis) err() error {
	switch {
	case m.anew >= restart:
		return fmt.Errorf("grove: %w: its times began anew", connection.ErrRestarted)
	case m.strange >= noClock:
		return fmt.Errorf("grove: %d numbers in the column of the board's time are none: check millis of this device in lab.yaml against its sketch", m.strange)
	}
	return nil
}
