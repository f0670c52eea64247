package script

import (
	"math"
	"sync"
	"time"

	"emolab/fusion/instant"
)

// Clock is the true course of a virtual device's clock from one power-on to the
// next: tick = Tick0 + (at - At0) / NsPerTick.
type Clock struct {
	Stream    string          `json:"stream"`
	At0       instant.Instant `json:"at0_ns"` // also when the course began
	Tick0     int64           `json:"tick0"`
	NsPerTick float64         `json:"ns_per_tick"`
	WrapBits  int             `json:"wrap_bits"` // width of the device's counter; 0 = it never wraps
}

// At returns the true instant of a tick. Ticks are unwrapped from Tick0 on.
func (c Clock) At(tick int64) instant.Instant {
	return c.At0.Add(time.Duration(float64(tick-c.Tick0) * c.NsPerTick))
}

// Near returns the true instant of a tick that a host unwrapped. A host that was
// connected later cannot know how often the counter had come round before; the
// turn that is nearest to the arrival is the right one.
func (c Clock) Near(tick int64, arrival instant.Instant) instant.Instant {
	if c.WrapBits > 0 {
		turn := int64(1) << c.WrapBits
		tick += int64(math.Round(float64(c.Tick(arrival)-tick)/float64(turn))) * turn
	}
	return c.At(tick)
}

// Tick returns the clock's reading at an instant.
func (c Clock) Tick(at instant.Instant) int64 {
	return c.Tick0 + int64(float64(at-c.At0)/c.NsPerTick)
}

// Truth is what really happened in the virtual lab, kept beside the session so
// that the errors of a recording can be computed. Virtual devices report to it
// (Power) while they run; it is safe for concurrent use.
type Truth struct {
	Script *Script
	Origin instant.Instant // when the script began

	mu     sync.Mutex
	clocks []Clock
}

// NewTruth starts a script at origin.
func NewTruth(s *Script, origin instant.Instant) *Truth {
	return &Truth{Script: s, Origin: origin}
}

// Power records that a device was switched on and runs on clock c from now on.
func (t *Truth) Power(c Clock) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clocks = append(t.clocks, c)
}

// Clock returns the clock of a stream in force at an instant: the latest that
// began before it.
func (t *Truth) Clock(stream string, at instant.Instant) (Clock, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return inForce(t.clocks, stream, at)
}

func inForce(clocks []Clock, stream string, at instant.Instant) (Clock, bool) {
	for i := len(clocks) - 1; i >= 0; i-- {
		if c := clocks[i]; c.Stream == stream && c.At0 <= at {
			return c, true
		}
	}
	return Clock{}, false
}

// Elapsed returns the script's time at an instant.
func (t *Truth) Elapsed(at instant.Instant) time.Duration { return at.Sub(t.Origin) }

// Record is the form in which a truth is kept beside the session, as JSON.
type Record struct {
	Script *Script         `json:"script"`
	Origin instant.Instant `json:"origin_ns"`
	Clocks []Clock         `json:"clocks"`
}

// Record returns a copy of all that has been reported so far.
func (t *Truth) Record() Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Record{t.Script, t.Origin, append([]Clock(nil), t.clocks...)}
}
