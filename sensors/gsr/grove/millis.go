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
	// on the way to the host. A line that is late by more, but printed within maxStray
	// of the line before, has waited for a host that stood still.
	maxStray = 2 * time.Second
	// maxBehind is how long all lines may be late by more than that. A host that reads
	// again has caught up before.
	maxBehind = 10 * time.Second
	// drift is how much slower than the host's clock the board's may be, as a share:
	// ten times what a ceramic resonator is off.
	drift = 0.05
	// restart is how many times in a row that do not fit must follow one another: a
	// damaged digit makes one, and a board that restarted makes all.
	restart = 3
	// noClock is how many times in a row may not fit in any way.
	noClock = 20
)

// millis unwraps the times that a sketch prints.
type millis struct {
	begun bool
	last  stamp // the last one believed

	prompt stamp           // the last one that did not wait on its way
	behind bool            // all have been late since
	since  instant.Instant // arrival of the first of those

	strange int // times in a row that did not fit
	anew    int // the last of them that follow one another
	other   stamp
}

// stamp is a time, unwrapped, and the arrival of its line.
type stamp struct {
	tick int64
	at   instant.Instant
}

// take moves on to a printed time, and tells whether it can be true.
func (m *millis) take(printed float64, arrival instant.Instant) bool {
	if printed < 0 || printed > math.MaxUint32 || printed != math.Trunc(printed) {
		m.strange, m.anew = m.strange+1, 0
		return false
	}
	now := stamp{int64(printed), arrival}
	if !m.begun {
		m.begun, m.last, m.prompt, m.strange = true, now, now, 0
		return true
	}
	// What a full buffer dropped while the host stood still is a leap from the line
	// before, but not from the last that did not wait.
	if next := m.last.unwrap(now); m.last.leadsTo(next) || next.tick > m.last.tick && m.prompt.agrees(next) {
		m.believe(next)
		return true
	}
	next := m.other.unwrap(now)
	if !m.other.leadsTo(next) {
		m.anew = 0
	}
	m.strange, m.anew, m.other = m.strange+1, m.anew+1, next
	return false
}

// believe makes a time the last one.
func (m *millis) believe(now stamp) {
	m.last, m.strange, m.anew = now, 0, 0
	late := m.prompt.late(now)
	if float64(late) <= drift*float64(now.at.Sub(m.prompt.at)) {
		m.prompt = now
	}
	switch {
	case late <= maxStray:
		m.behind = false
	case !m.behind:
		m.behind, m.since = true, now.at
	}
}

// unwrap returns what a printed time stands for, next to s.
func (s stamp) unwrap(printed stamp) stamp {
	return stamp{s.tick + int64(int32(uint32(printed.tick)-uint32(s.tick))), printed.at}
}

// late returns by how much more time passed between the arrivals of s and next than
// between their times.
func (s stamp) late(next stamp) time.Duration {
	return next.at.Sub(s.at) - time.Duration(next.tick-s.tick)*time.Second/tickHz
}

// agrees tells whether next came when its time says.
func (s stamp) agrees(next stamp) bool { return s.late(next).Abs() <= maxStray }

// leadsTo tells whether next can be the time of a line after that of s: soon after
// it by its time, however late it came, or when its time says.
func (s stamp) leadsTo(next stamp) bool {
	step := time.Duration(next.tick-s.tick) * time.Second / tickHz
	return step > 0 && (step <= maxStray || s.agrees(next))
}

// err tells that the board began anew, or that what it prints there is no time.
func (m *millis) err() error {
	switch {
	case m.anew >= restart:
		return fmt.Errorf("grove: %w: its times began anew", connection.ErrRestarted)
	case m.strange >= noClock:
		return fmt.Errorf("grove: %d numbers in the column of the board's time are none: check millis of this device in lab.yaml against its sketch", m.strange)
	case m.behind && m.last.at.Sub(m.since) > maxBehind:
		return fmt.Errorf("grove: the board's times are behind by %v and stay so: it restarted, or check that the column millis of this device in lab.yaml has milliseconds",
			m.prompt.late(m.last).Round(time.Second/10))
	}
	return nil
}
