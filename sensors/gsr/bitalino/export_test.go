package bitalino

import "time"

// NewHasty makes the source of a board that a test plays: it needs no time between
// commands, and has answer and start to say its version and to send frames.
func NewHasty(o Options, answer, start time.Duration) *Source {
	s := New(o)
	s.pace.pause, s.pace.settle = time.Millisecond, time.Millisecond
	s.pace.answer, s.pace.start = answer, start
	return s
}
