package session

import (
	"fmt"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// sleepLimit is the shortest sleep of the computer that is taken for one. A real
	// one takes seconds; what is shorter hides in the delays of any device.
	sleepLimit = 10 * time.Millisecond
	// wallLimit is the smallest step of the wall clock that is worth a remark. NTP
	// slews what is smaller than 128 ms, and leaps by a whole second.
	wallLimit = 50 * time.Millisecond
	// heldBack is how much data, in time, may still come after a sleep that was
	// taken before it: it waited in the buffers of the host.
	heldBack = 500 * time.Millisecond
	// settled is how long after a sleep those buffers are empty.
	settled = 2 * time.Second
	// keptSleeps bounds how many sleeps are remembered.
	keptSleeps = 1000
)

// hostClock is a lab clock that can be compared with the other clocks of its host.
type hostClock interface {
	instant.Clock
	Read() instant.Reading
}

// sleep is a sleep of the computer. The lab clock stands still meanwhile; it is
// known to lie between two of its instants.
type sleep struct {
	from, until instant.Instant
	length      time.Duration
}

// vigil watches the other clocks of the host. The lab clock stands still while the
// computer sleeps, and devices do not: what they counted before a sleep and after it
// is told apart here, as two runs of their clock. It is used by one goroutine.
type vigil struct {
	host   hostClock
	latest instant.Reading // what later ones are compared with, and when the latest was
	runs   map[string]*clockRun
}

func newVigil(host hostClock, streams []stream.Info) *vigil {
	v := &vigil{host: host, latest: host.Read(), runs: map[string]*clockRun{}}
	for _, info := range streams {
		v.runs[info.ID] = newClockRun(info)
	}
	return v
}

// look reads the clocks: whether the computer slept since the last look, and by how
// much its wall clock was set; 0 where it was not.
func (v *vigil) look() (slept *sleep, set time.Duration) {
	now := v.host.Read()
	gone, step := now.Changed(v.latest)
	if gone > sleepLimit {
		slept = &sleep{from: v.latest.At, until: now.At, length: gone}
		for _, r := range v.runs {
			r.sleeps(*slept)
		}
	}
	if step.Abs() > wallLimit {
		set = step
	}
	if slept != nil || set != 0 {
		v.latest = now
	}
	v.latest.At = now.At
	return slept, set
}

// clockRun is the run of one device's clock on the lab clock.
type clockRun struct {
	nsPerTick float64 // 0: its ticks say nothing about a sleep
	added     int     // epochs that sleeps have added to those of the driver

	driver int // the driver's own epoch

	any   bool // something was observed: the latest of it
	epoch int  // of the driver, then
	tick  int64
	at    instant.Instant

	// pending is how long the computer slept since the latest observation; since and
	// until say between which instants.
	pending      time.Duration
	since, until instant.Instant
}

func newClockRun(info stream.Info) *clockRun {
	r := &clockRun{}
	if (info.Clock == stream.PingedClock || info.Clock == stream.TickedClock) && info.TickHz > 0 {
		r.nsPerTick = 1e9 / info.TickHz
	}
	return r
}

// sleeps notes a sleep.
func (r *clockRun) sleeps(s sleep) {
	if r.pending == 0 {
		r.since = s.from
	}
	r.pending += s.length
	r.until = s.until
}

// split returns a chunk as those of one epoch each. What came before the sleep, or
// was taken before it and came after, stays in the epoch before. So does all of a
// device that slept with the computer (a browser on it): its clock and the lab's
// stood still together.
func (r *clockRun) split(c stream.Chunk) []stream.Chunk {
	r.driver = c.Epoch
	before := c
	before.Epoch += r.added
	if r.pending == 0 {
		r.observe(c.Epoch, c.Samples, c.Probes)
		return []stream.Chunk{before}
	}
	if len(c.Samples) == 0 && len(c.Probes) == 0 {
		return []stream.Chunk{before}
	}
	samples, probes := len(c.Samples), len(c.Probes)
	var latest instant.Instant
	for i, s := range c.Samples {
		if r.after(c.Epoch, s.Tick, s.Arrival) {
			samples = i
			break
		}
		latest = max(latest, s.Arrival)
	}
	for i, p := range c.Probes {
		if r.after(c.Epoch, p.Rx, p.T3) {
			probes = i
			break
		}
		latest = max(latest, p.T3)
	}
	if samples == len(c.Samples) && probes == len(c.Probes) {
		if latest.Sub(r.until) > settled {
			r.pending = 0
			r.observe(c.Epoch, c.Samples, c.Probes)
		}
		return []stream.Chunk{before}
	}
	r.pending = 0
	r.added++
	r.observe(c.Epoch, c.Samples, c.Probes)
	after := stream.Chunk{Stream: c.Stream, Epoch: c.Epoch + r.added, Samples: c.Samples[samples:], Probes: c.Probes[probes:]}
	before.Samples, before.Probes = c.Samples[:samples], c.Probes[:probes]
	if len(before.Samples)+len(before.Probes)+len(before.Events) == 0 {
		return []stream.Chunk{after}
	}
	return []stream.Chunk{before, after}
}

// observe remembers the latest observation.
func (r *clockRun) observe(epoch int, samples []stream.Sample, probes []stream.Probe) {
	if n := len(samples); n > 0 {
		r.any, r.epoch, r.tick, r.at = true, epoch, samples[n-1].Tick, samples[n-1].Arrival
	}
	if n := len(probes); n > 0 && (len(samples) == 0 || probes[n-1].T3 > r.at) {
		r.any, r.epoch, r.tick, r.at = true, epoch, probes[n-1].Rx, probes[n-1].T3
	}
}

// present is the epoch that the run is in.
func (r *clockRun) present() int { return r.driver + r.added }

// after tells whether a tick that was heard of at an instant is from after the
// sleep: by then the device has counted more than the lab clock has.
func (r *clockRun) after(epoch int, tick int64, at instant.Instant) bool {
	switch {
	case at <= r.since:
		return false
	case r.nsPerTick == 0 || !r.any || epoch != r.epoch:
		return true
	}
	ahead := float64(tick-r.tick)*r.nsPerTick - float64(at.Sub(r.at))
	return ahead > float64(min(r.pending/2, heldBack))
}

// String says in words that the computer slept.
func (s sleep) String() string {
	return fmt.Sprintf("the computer slept for %.1f s: what the devices measured meanwhile is lost", s.length.Seconds())
}

// awake is said of a device that was there before the computer slept.
const awake = "the computer is awake again"

// events are what a stream is told of a sleep. A device that was there counts as
// gone for it.
func (s sleep) events(connected bool) []stream.Event {
	if !connected {
		return []stream.Event{{Kind: stream.Marker, At: s.from, Detail: s.String()}}
	}
	return []stream.Event{
		{Kind: stream.Disconnected, At: s.from, Detail: s.String()},
		{Kind: stream.Connected, At: s.until, Detail: awake},
	}
}

// wallSet says in words that the wall clock was set.
func wallSet(by time.Duration) string {
	return fmt.Sprintf("the wall clock was set by %+.1f s; times of day in this session are those of its start", by.Seconds())
}
