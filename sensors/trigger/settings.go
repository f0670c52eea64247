package trigger

import (
	"fmt"
	"time"
)

const (
	// DefaultPulseMs is how long a code stands on the lines: what the maker of the
	// USB TTL module advises, and more than six samples of an amplifier at 250 Hz.
	DefaultPulseMs = 25
	// maxPulseMs keeps the lines free for the next code.
	maxPulseMs = 1000
	// maxCode is what eight lines can carry. 0 is the state between codes.
	maxCode = 255
)

// Settings are what every device that takes codes can be told. Their options
// embed them inline.
type Settings struct {
	PulseMs int `yaml:"pulse_ms"` // how long a code stands on the lines, 1..1000; 0 = DefaultPulseMs
	// Codes gives each stimulus its code, 1..255, by its id in the study. A
	// stimulus that is not named gets none. Without Codes the code is the number
	// of the presentation in its session.
	Codes map[string]int `yaml:"codes"`
}

// Check tells what is wrong.
func (s Settings) Check() error {
	if s.PulseMs < 0 || s.PulseMs > maxPulseMs {
		return fmt.Errorf("pulse_ms: %d, need 1 to %d milliseconds", s.PulseMs, maxPulseMs)
	}
	for id, code := range s.Codes {
		if code < 1 || code > maxCode {
			return fmt.Errorf("codes: %s has %d, need 1 to %d: 0 is the state between codes, and there are eight lines", id, code, maxCode)
		}
	}
	return nil
}

// Pulse returns how long a code stands on the lines.
func (s Settings) Pulse() time.Duration {
	if s.PulseMs == 0 {
		return DefaultPulseMs * time.Millisecond
	}
	return time.Duration(s.PulseMs) * time.Millisecond
}
