package peer

import (
	"encoding/binary"
	"slices"
	"time"

	"emolab/capture/vp8"
)

const (
	// TickHz is how many ticks of a browser's clock make a second.
	TickHz = 1_000_000
	// ntpEpoch is from where NTP counts to where browsers do, in seconds.
	ntpEpoch = 2208988800

	// remembered is how many frames' ticks are kept to compare the browser's two clocks
	// by: some seconds of them.
	remembered = 128
	// compared is how many comparisons a verdict takes.
	compared = 9
	// apart is by how much the clocks may differ. Both are read on one machine; a
	// browser's steps are of a millisecond.
	apart = 5 * time.Millisecond
)

// origin is where frames' capture times come from.
type origin string

const (
	noOrigin  origin = ""
	perFrame  origin = "stated with the frames" // the header abs-capture-time
	perReport origin = "counted from the sender's reports"
)

// stamps tells when frames were taken, on the browser's clock: µs since 1970. Browsers
// state it about once a second, and RTP's time counts on from there.
type stamps struct {
	origin origin
	tick   int64  // that was stated
	rtp    uint32 // of the frame of which it was
}

// state takes a statement: a frame of RTP time rtp was taken at that NTP time.
func (s *stamps) state(from origin, ntp uint64, rtp uint32) {
	if s.origin == perFrame && from == perReport {
		return // the frames' own are nearer to what happened
	}
	s.origin, s.tick, s.rtp = from, ntpTick(ntp), rtp
}

// ntpTick is an NTP time on the browser's clock.
func ntpTick(ntp uint64) int64 {
	seconds, fraction := int64(ntp>>32)-ntpEpoch, ntp&(1<<32-1)
	return seconds*TickHz + int64(fraction*TickHz>>32)
}

// at is when the frame of RTP time rtp was taken, once something was stated.
func (s *stamps) at(rtp uint32) int64 {
	return s.tick + int64(int32(rtp-s.rtp))*TickHz/vp8.ClockRate
}

// statedTime reads the header abs-capture-time.
func statedTime(extension []byte) (ntp uint64, ok bool) {
	if len(extension) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(extension), true
}

// agreement compares the clock of a browser's frames with that which its page reads: the
// page tells when it saw frames taken by its own.
type agreement struct {
	ticks []int64 // of the latest frames
	diffs []int64 // of the latest comparisons
}

func (a *agreement) frame(tick int64) {
	a.ticks = latest(append(a.ticks, tick), remembered)
}

// page takes when a frame was taken by the page's clock, and returns by how much the
// frames' clock is ahead of it as far as that is known by now. Which frame it was is not
// told: it is taken for the nearest.
func (a *agreement) page(tick int64) (ahead time.Duration, known bool) {
	if len(a.ticks) == 0 {
		return 0, false
	}
	nearest := a.ticks[0] - tick
	for _, t := range a.ticks {
		if d := t - tick; max(d, -d) < max(nearest, -nearest) {
			nearest = d
		}
	}
	a.diffs = latest(append(a.diffs, nearest), compared)
	if len(a.diffs) < compared {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(a.diffs))
	return time.Duration(sorted[compared/2]) * time.Microsecond, true
}

// latest is at most n of the last values.
func latest(values []int64, n int) []int64 { return values[max(0, len(values)-n):] }
