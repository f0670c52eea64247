// Package instant is the lab clock: CLOCK_MONOTONIC of the host in integer
// nanoseconds.
//
// Every time in Emolab is an Instant or is mapped onto one. The wall clock is
// not used for measurement: it steps when NTP corrects it. time.Time is not
// used either, because its monotonic reading cannot be stored, nor compared
// with the stamps that the kernel puts on camera buffers, which are on
// CLOCK_MONOTONIC already.
//
// An Instant has no meaning after the machine restarts. Recordings therefore
// keep the boot id (Boot) with every segment.
package instant

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Instant is a point on the host's CLOCK_MONOTONIC, in nanoseconds.
type Instant int64

// Add returns the instant d after i.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the duration from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// Clock tells the present instant. It is passed in wherever time is read, so
// that tests drive it by hand (Hand).
type Clock interface {
	Now() Instant
}

// Monotonic is the host's own clock.
type Monotonic struct{}

// Now reads CLOCK_MONOTONIC. Reading it cannot fail on Linux with a valid
// clock id, so a failure is a broken host and panics.
func (Monotonic) Now() Instant {
	return Instant(read(unix.CLOCK_MONOTONIC, "CLOCK_MONOTONIC"))
}

// Hand is a clock that moves only when told to. The zero value stands at 0.
// It is safe for concurrent use.
type Hand struct {
	mu    sync.Mutex
	now   Instant
	slept time.Duration
	wall  time.Duration
}

// Now returns the instant that the hand points at.
func (h *Hand) Now() Instant {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Advance moves the hand forward by d.
func (h *Hand) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Sleep lets the host sleep for d: its hand stands still meanwhile.
func (h *Hand) Sleep(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slept += d
}

// SetWall sets the wall clock forward by d, or back.
func (h *Hand) SetWall(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wall += d
}

// Read returns what the hand points at beside the other clocks.
func (h *Hand) Read() Reading {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Reading{At: h.now, Slept: h.slept, Wall: h.wall}
}

// Boot returns the kernel's id of the present boot. Two instants are
// comparable only when they were read under the same boot id.
func Boot() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("instant: read the boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
