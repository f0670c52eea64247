package script

import (
	"math"
	"slices"
	"sync"
	"time"

	"emolab/fusion/instant"
)

// Clock is the true course of a virtual device's clock from one power-on to the
// next: tick = Tick0 + (at - At0 + Warming.Gained(At0, at)) / NsPerTick.
type Clock struct {
	Stream    string          `json:"stream"`
	At0       instant.Instant `json:"at0_ns"` // also when the course began
	Tick0     int64           `json:"tick0"`
	NsPerTick float64         `json:"ns_per_tick"`
	WrapBits  int             `json:"wrap_bits"` // width of the device's counter; 0 = it never wraps
	Warming   Warming         `json:"warming,omitzero"`
}

// At returns the true instant of a tick. Ticks are unwrapped from Tick0 on.
func (c Clock) At(tick int64) instant.Instant {
	own := float64(tick-c.Tick0) * c.NsPerTick
	if c.Warming.PPMPerMinute == 0 {
		return c.At0.Add(time.Duration(own))
	}
	// t + gained in t = own, by Newton's method.
	zero := float64(c.At0 - c.Warming.From)
	before, _ := c.Warming.course(zero)
	t := own
	for range warmingRounds {
		gained, rate := c.Warming.course(zero + t)
		t -= (t + gained - before - own) / (1 + rate)
	}
	return c.At0.Add(time.Duration(t))
}

// warmingRounds bring an error of ten seconds, more than a day of warming gains, to
// 8 µs and then to nothing.
const warmingRounds = 2

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
	own := at.Sub(c.At0) + c.Warming.Gained(c.At0, at)
	return c.Tick0 + int64(float64(own)/c.NsPerTick)
}

// Warming is how a clock's rate follows the temperature of its device, whether that
// is on or not: it rises steadily for a while, falls for as long to where it was, and
// so on, never by more than a thousandth. The zero value is a clock that keeps its
// rate.
type Warming struct {
	From         instant.Instant `json:"from_ns"` // when it begins to rise
	PPMPerMinute float64         `json:"ppm_per_minute"`
	For          time.Duration   `json:"for_ns"` // up, and down
}

// Gained returns how much time the clock gains between two instants.
func (w Warming) Gained(from, until instant.Instant) time.Duration {
	if w.PPMPerMinute == 0 {
		return 0
	}
	before, _ := w.course(float64(from - w.From))
	after, _ := w.course(float64(until - w.From))
	return time.Duration(after - before)
}

// course returns what the clock has gained t ns after the warming began, in ns, and
// its rate then.
func (w Warming) course(t float64) (gained, rate float64) {
	half := float64(w.For)
	if t <= 0 || half <= 0 {
		return 0, 0
	}
	// A triangle that rises by 1 a nanosecond: its area, and its height.
	turns := math.Floor(t / (2 * half))
	rest := t - turns*2*half
	area, height := turns*half*half, rest
	if rest <= half {
		area += rest * rest / 2
	} else {
		height = 2*half - rest
		area += half*half - height*height/2
	}
	perNs := w.PPMPerMinute * 1e-6 / float64(time.Minute)
	return perNs * area, perNs * height
}

// Truth is what really happened in the virtual lab, kept beside the session so
// that the errors of a recording can be computed. Virtual devices report to it
// (Power) while they run, and the participant's screen tells it what the
// participant is shown (Look, Breathe); it is safe for concurrent use.
//
// One participant after another takes the seat (Sit).
type Truth struct {
	Origin  instant.Instant // when the scripts began
	Tracker Tracker         // set before the first device runs

	mu      sync.Mutex
	script  *Script // of whoever sits there
	clocks  []Clock
	asked   instant.Instant // the latest of which a device wanted to know: what it was told stays true
	looks   looks
	slips   []Slip
	breaths []Breath
}

// NewTruth starts a script at origin.
func NewTruth(s *Script, origin instant.Instant) *Truth {
	return &Truth{script: s, Origin: origin}
}

// Sit gives the seat to somebody else, who goes by another script. It does not
// begin anew: both run since Origin. Nothing should be recorded meanwhile, for face,
// gaze and skin conductance jump.
func (t *Truth) Sit(s *Script) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.script = s
	t.breaths, t.looks = nil, nil // they were another's
}

// Script returns the script of the participant who sits there now.
func (t *Truth) Script() *Script {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.script
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

// Record is the form in which a truth is kept beside the session, as JSON. Script is
// that of the session's participant.
type Record struct {
	Script *Script         `json:"script"`
	Origin instant.Instant `json:"origin_ns"`
	Clocks []Clock         `json:"clocks"`

	Tracker Tracker  `json:"tracker,omitzero"`
	Looks   looks    `json:"looks,omitempty"`
	Slips   []Slip   `json:"slips,omitempty"`
	Breaths []Breath `json:"breaths,omitempty"`
}

// Record returns a copy of all that has been reported so far.
func (t *Truth) Record() Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Record{
		Script: t.script, Origin: t.Origin, Clocks: slices.Clone(t.clocks),
		Tracker: t.Tracker, Looks: slices.Clone(t.looks), Slips: slices.Clone(t.slips), Breaths: slices.Clone(t.breaths),
	}
}
