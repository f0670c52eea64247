package emobox

import (
	"fmt"
	"time"

	"emolab/sensors/connection"
)

// numbers follows the numbers and ticks of one kind of message, and tells what is
// missing from what cannot be.
type numbers struct {
	// most is how many of them the box can make in a second. Numbers that jump
	// further than that, given the time between, do not tell of a loss.
	most  int64
	next  uint16
	tick  int64 // of the latest
	begun bool
}

// take enters message number n of a tick and returns how many are missing before
// it. age is how long ago the box was greeted. It fails when the box must have
// restarted.
func (s *numbers) take(n uint16, tick int64, age time.Duration) (missing int64, err error) {
	missing = int64(n - s.next)
	switch {
	case s.begun && tick < s.tick:
		return 0, fmt.Errorf("emobox: %w: its clock went back", connection.ErrRestarted)
	case s.begun && missing > s.possible(tick-s.tick):
		return 0, fmt.Errorf("emobox: %w: its sample numbers jumped", connection.ErrRestarted)
	case !s.begun && missing > s.possible(age.Microseconds()):
		missing = 0 // it samples since before: our Stop was damaged on the way
	}
	s.begun, s.tick, s.next = true, tick, n+1
	return missing, nil
}

// possible is the most messages that the box can have made in us microseconds.
func (s *numbers) possible(us int64) int64 { return us*s.most/1e6 + 1 }
