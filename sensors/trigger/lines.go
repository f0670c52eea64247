package trigger

import (
	"slices"
	"sync"

	"emolab/fusion/instant"
)

// maxLevels bounds what Lines remembers: some hours of stimuli.
const maxLevels = 10_000

// Level is what the output lines show from an instant on.
type Level struct {
	At   instant.Instant
	Code uint8
}

// Lines are the eight output lines of a virtual device: what a recorder on them
// would have seen. The zero value is low. It is safe for concurrent use.
type Lines struct {
	mu     sync.Mutex
	levels []Level // changes only, the oldest first
}

// Set puts a code on the lines.
func (l *Lines) Set(code uint8, at instant.Instant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.levels); (n == 0 && code == 0) || (n > 0 && l.levels[n-1].Code == code) {
		return // no recorder sees it
	}
	if len(l.levels) == maxLevels {
		l.levels = append(l.levels[:0], l.levels[maxLevels/2:]...)
	}
	l.levels = append(l.levels, Level{at, code})
}

// Levels returns the changes so far.
func (l *Lines) Levels() []Level {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.levels)
}

// Codes returns the codes other than 0 that a recorder would have seen, in
// their order.
func (l *Lines) Codes() []uint8 {
	var codes []uint8
	for _, v := range l.Levels() {
		if v.Code != 0 {
			codes = append(codes, v.Code)
		}
	}
	return codes
}
