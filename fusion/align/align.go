// Package align puts the samples of a device on the lab clock, with a bound on
// the error of every one of them.
//
// It is a pure function of observations: ticks, arrivals and clock pings go in,
// instants come out, and nothing here reads a clock. So a recording can be
// aligned again from its file. The same estimator serves twice: Live looks only
// back (while the session runs), Fit looks both ways (when it is sealed).
// DECISIONS.md states the method, what it assumes, and what would change our
// mind.
package align

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Limits of what is believed of a device and its cable.
const (
	// maxDrift is the largest departure of a device's clock from its nominal
	// rate that is considered: ceramic resonators are specified to 5,000 ppm, and
	// a little is added for their temperature.
	maxDrift = 6000e-6

	// maxWander is how fast a rate may change, per second: a resonator moves by
	// about 10 ppm per degree, and a device on a desk warms up by a degree or so
	// in a minute.
	maxWander = 0.2e-6

	// unseenTransport is the constant part of the way to the host that arrivals
	// alone cannot show: a record of 128 bytes takes 11 ms at 115,200 baud, and a
	// full-speed USB frame 1 ms.
	unseenTransport = 12 * time.Millisecond

	// batchPrior is the length of the batches that arrivals are expected to come
	// in before enough of them were seen: the latency timer of FTDI's adapters.
	batchPrior = 16 * time.Millisecond

	// hostStamp bounds a stamp that the host itself took first thing after a read
	// or around a write: the scheduler's delay on a busy machine, or a USB frame.
	hostStamp = time.Millisecond

	// cameraFrame is the frame interval assumed of a camera that states none. A
	// V4L2 buffer is stamped when its first bytes reach the host, and exposure
	// plus readout are at most one frame interval before that.
	cameraFrame = time.Second / 30

	// farStamp bounds how far the stamp of another computer's camera lies from what that
	// computer tells of its own clock, where the frame did not come late (see far.go):
	// browsers smooth the times of their frames, and medians of 5 to 13 ms too early were
	// measured on an overloaded machine. farClocks is the part of it that no frame's coming
	// shows: browsers count frames in milliseconds, and keep another clock for pages, set
	// within some milliseconds of the first.
	farStamp  = 20 * time.Millisecond
	farClocks = 6 * time.Millisecond

	// unseenCamera is the way from a camera to a stamp taken when the picture had
	// come all the way into this process: 30 to 150 ms have been measured between
	// an event and its frame (ros-drivers/usb_cam issue 75).
	unseenCamera = 150 * time.Millisecond

	// unseenDisplay is the way from the display time that a browser announces to
	// the light: a refresh of the compositor and the panel's own lag, together 10 to
	// 50 ms later than announced, or a refresh earlier where nothing waits for the
	// screen.
	unseenDisplay = 50 * time.Millisecond

	// forecast is how far a browser's forecast of a display may lie from the time
	// it reports it: three frames at 60 Hz.
	forecast = 50 * time.Millisecond

	// arrivalOnly bounds a sample that has nothing but its arrival: two batches,
	// and the transport.
	arrivalOnly = 2*batchPrior + unseenTransport
)

// Unbounded is the error of an instant about which nothing is known: a tick of
// an epoch that was never observed.
const Unbounded = time.Duration(math.MaxInt64)

// Stamp is what alignment needs of a sample.
type Stamp struct {
	Epoch     int
	Seq, Tick int64
	Arrival   instant.Instant
}

// Ping is a clock probe and the epoch in which it was made.
type Ping struct {
	Epoch int
	stream.Probe
}

// Stamps returns what alignment needs of a chunk's samples, appended to dst.
func Stamps(dst []Stamp, c stream.Chunk) []Stamp {
	for _, s := range c.Samples {
		dst = append(dst, Stamp{c.Epoch, s.Seq, s.Tick, s.Arrival})
	}
	return dst
}

// Pings returns a chunk's clock probes, appended to dst.
func Pings(dst []Ping, c stream.Chunk) []Ping {
	for _, p := range c.Probes {
		dst = append(dst, Ping{c.Epoch, p})
	}
	return dst
}

// method is how a stream is aligned, from its Info.
type method struct {
	kind stream.ClockKind
	// nsPerTick is the nominal length of a tick.
	nsPerTick float64
	// hostErr is the bound of the kinds that need no estimate.
	hostErr time.Duration
	// written tells of a host clock that stamps what this process wrote: the tick
	// is the middle of the write, the arrival its end.
	written bool
	// shift corrects every instant by a measured latency, and within adds to every
	// bound what that varies by or, where none was measured, what it may be.
	shift, within time.Duration
	// far tells of stamps that another computer's camera makes.
	far bool
	// arrivalsBound tells whether a sample is taken before it arrives. It is not
	// so for the stimulus: its ticks are the browser's forecast of when a frame
	// will be on the screen, and that may be after the report of it arrived.
	arrivalsBound bool
}

func methodOf(info stream.Info) (method, error) {
	m := method{kind: info.Clock, arrivalsBound: info.Kind != stream.Stimulus}
	switch {
	case info.Shift != nil:
		m.shift, m.within = info.Shift.By, info.Shift.Within
	case info.Kind == stream.Stimulus && !info.Simulated:
		m.within = unseenDisplay
	case info.Clock == stream.ArrivalClock:
		m.within = unseenCamera
	case info.Kind == stream.Face && info.Clock == stream.PingedClock:
		// A camera stamped by its own computer: the exposure lies in the frame before.
		m.within, m.far = frameInterval(info)+farStamp, true
	}
	hz := info.TickHz
	switch info.Clock {
	case stream.HostClock, stream.ArrivalClock:
		m.nsPerTick = 1
		m.hostErr = hostStamp
		m.written = info.Kind == stream.Trigger
		// A measured latency takes the place of the frame in which the exposure lies,
		// but not of the one by which an arrival may be held up.
		if info.Kind == stream.Face && (info.Shift == nil || info.Clock == stream.ArrivalClock) {
			m.hostErr = frameInterval(info)
		}
		return m, nil
	case stream.PingedClock, stream.TickedClock:
	case stream.CountedClock:
		hz = info.Rate
	default:
		return m, fmt.Errorf("align: stream %q has the unknown kind of clock %q; use one of host, arrival, pinged, ticked, counted", info.ID, info.Clock)
	}
	if !(hz > 0) || math.IsInf(hz, 1) {
		return m, fmt.Errorf("align: stream %q has a %s clock of %v ticks a second; state its nominal rate in Info", info.ID, info.Clock, hz)
	}
	m.nsPerTick = 1e9 / hz
	return m, nil
}

// frameInterval is the time between two frames of a camera.
func frameInterval(info stream.Info) time.Duration {
	if info.Rate > 0 {
		return time.Duration(float64(time.Second) / info.Rate)
	}
	return cameraFrame
}

// byHost tells whether ticks are instants of the lab clock already.
func (m method) byHost() bool { return m.kind == stream.HostClock || m.kind == stream.ArrivalClock }

// shifted corrects an instant and its bound by the measured latency.
func (m method) shifted(at instant.Instant, err time.Duration) (instant.Instant, time.Duration) {
	return at.Add(m.shift), sum(err, m.within)
}

// sum adds two bounds; what is too large for a Duration is Unbounded.
func sum(a, b time.Duration) time.Duration {
	if a > Unbounded-b {
		return Unbounded
	}
	return a + b
}

// hostBound is the bound of a sample that the host stamped. What was written left
// at some time of the write.
func (m method) hostBound(s Stamp) time.Duration {
	if !m.written {
		return m.hostErr
	}
	return sum(m.hostErr, s.Arrival.Sub(hostInstant(s.Tick)).Abs())
}

// hostInstant is a tick that is an instant of the lab clock.
func hostInstant(tick int64) instant.Instant {
	return instant.Instant(min(max(tick, -farthest), farthest))
}

// name says in Statement how a stream was aligned.
func (m method) name(pings int) string {
	switch m.kind {
	case stream.HostClock:
		return "host clock"
	case stream.ArrivalClock:
		return "arrivals at the host"
	case stream.PingedClock:
		if pings > 0 {
			return "corridor of pings and arrivals"
		}
		return "envelope of arrivals (pings expected, none seen)"
	case stream.TickedClock:
		return "envelope of arrivals"
	case stream.CountedClock:
		return "envelope of arrivals over sequence numbers"
	}
	return "arrivals as they are"
}

// grain is what stays unknown, in ns, however good the estimate: the clock's
// own step, and the forecast where samples are all there is to relate to.
func (m method) grain(pings int) float64 {
	if !m.arrivalsBound && pings == 0 {
		return m.nsPerTick + float64(forecast)
	}
	return m.nsPerTick
}

// tick is the count that a sample is aligned by.
func (m method) tick(seq, tick int64) int64 {
	if m.kind == stream.CountedClock {
		return seq
	}
	return tick
}

// usable tells whether a probe can be true: answered after it was asked, in
// both clocks, and not held longer than the round trip took.
func (m method) usable(p stream.Probe) bool {
	held := float64(p.Tx-p.Rx) * m.nsPerTick * (1 - maxDrift)
	return p.T3 >= p.T0 && p.Tx >= p.Rx && held <= float64(p.T3-p.T0)
}

// byEpoch splits observations by epoch, keeping their order. The epochs are
// returned in increasing order.
func byEpoch(stamps []Stamp, pings []Ping) (epochs []int, s map[int][]Stamp, p map[int][]Ping) {
	s = grouped(stamps, func(s Stamp) int { return s.Epoch })
	p = grouped(pings, func(p Ping) int { return p.Epoch })
	for e := range s {
		epochs = append(epochs, e)
	}
	for e := range p {
		if _, both := s[e]; !both {
			epochs = append(epochs, e)
		}
	}
	slices.SortFunc(epochs, cmp.Compare[int])
	return epochs, s, p
}

// grouped groups values by a number, keeping their order. A group whose values stand
// together is a part of vs and no copy.
func grouped[T any](vs []T, of func(T) int) map[int][]T {
	groups := map[int][]T{}
	for from := 0; from < len(vs); {
		n := of(vs[from])
		until := from + 1
		for until < len(vs) && of(vs[until]) == n {
			until++
		}
		if g, again := groups[n]; again {
			groups[n] = append(g, vs[from:until]...)
		} else {
			groups[n] = vs[from:until:until]
		}
		from = until
	}
	return groups
}
