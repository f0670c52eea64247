package instant

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Reading is the lab clock beside the two clocks that tell what it does not see:
// CLOCK_BOOTTIME, which goes on while the computer sleeps, and CLOCK_REALTIME,
// which is set. NTP makes all three run faster or slower together. They cannot be
// read at once: Slept and Wall are at least as stated, and at most by Within more.
type Reading struct {
	At     Instant       // CLOCK_MONOTONIC
	Slept  time.Duration // CLOCK_BOOTTIME - CLOCK_MONOTONIC: how long the host slept since it was started
	Wall   time.Duration // CLOCK_REALTIME - CLOCK_BOOTTIME: since the epoch of wall time, at the start of the host
	Within time.Duration
}

// Read reads the clocks of the host.
func (m Monotonic) Read() Reading {
	before := m.Now()
	boot, wall := read(unix.CLOCK_BOOTTIME, "CLOCK_BOOTTIME"), read(unix.CLOCK_REALTIME, "CLOCK_REALTIME")
	now := m.Now()
	// Slept is below the truth by the time from the reading of boot to now, which is
	// at most that from before to now. Wall is above it by the time between the two
	// readings; taking all of it away makes Wall the lower bound that it is said to be.
	within := now.Sub(before)
	return Reading{At: now, Slept: boot - time.Duration(now), Wall: wall - boot - within, Within: within}
}

// read reads a clock of the kernel, in nanoseconds from its own beginning.
func read(id int32, name string) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		panic(fmt.Sprintf("instant: %s cannot be read: %v", name, err))
	}
	return time.Duration(ts.Nano())
}

// Changed tells by how much the host has slept since an earlier reading, and by
// how much its wall clock was set, as far as the two readings prove it: 0 where
// they may be equal.
func (r Reading) Changed(since Reading) (slept, set time.Duration) {
	return proven(since.Slept, since.Within, r.Slept, r.Within), proven(since.Wall, since.Within, r.Wall, r.Within)
}

// proven is the least change, in size, from a value in [a, a+da] to one in [b, b+db].
func proven(a, da, b, db time.Duration) time.Duration {
	switch {
	case b > a+da:
		return b - a - da
	case b+db < a:
		return b + db - a
	}
	return 0
}
