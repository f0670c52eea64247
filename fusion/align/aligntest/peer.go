package aligntest

import (
	"math"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Peer is what another method would give on the same data: a reference to hold
// ours against.
type Peer struct {
	Name  string
	Place func(Recording) (at []instant.Instant, ok bool) // false: it needs what the recording lacks
}

// The names of the peers.
const (
	Arrival       = "arrival"
	LineOverIndex = "line over index"
	OneOffset     = "one offset"
	ProbesAndLine = "probes and line"
)

// Peers are the reference methods.
func Peers() []Peer {
	return []Peer{
		{Arrival, arrivals},
		{LineOverIndex, lineOverIndex},
		{OneOffset, oneOffset},
		{ProbesAndLine, probesAndLine},
	}
}

// arrivals takes each sample to be taken when it arrived.
func arrivals(r Recording) ([]instant.Instant, bool) {
	at := make([]instant.Instant, len(r.Stamps))
	for i, s := range r.Stamps {
		at[i] = s.Arrival
	}
	return at, true
}

// A gap splits the line over the index when it is longer than both of these
// (pyxdf's defaults break_threshold_seconds and break_threshold_samples).
const (
	splitAfter   = time.Second
	splitSamples = 500
)

// lineOverIndex replaces arrivals by one plain least-squares line over the index
// of the samples that came, between gaps: what common readers of XDF do where
// the nominal rate is known (pyxdf, _jitter_removal).
func lineOverIndex(r Recording) ([]instant.Instant, bool) {
	split := max(splitAfter, time.Duration(splitSamples/r.Info.Rate*float64(time.Second)))
	at := make([]instant.Instant, len(r.Stamps))
	begin := 0
	for i := range r.Stamps {
		if i+1 < len(r.Stamps) && r.Stamps[i+1].Arrival.Sub(r.Stamps[i].Arrival).Abs() <= split {
			continue
		}
		run, origin := r.Stamps[begin:i+1], r.Stamps[begin].Arrival
		var l leastSquares
		for k, s := range run {
			l.add(float64(k), float64(s.Arrival-origin))
		}
		offset, slope := l.solve()
		for k := range run {
			at[begin+k] = origin + instant.Instant(math.Round(offset+slope*float64(k)))
		}
		begin = i + 1
	}
	return at, true
}

// oneOffset adds one offset to the device's own time at its nominal rate: that of
// the ping with the smallest round trip, without pings that of the first arrival.
// After a reset there is a new one.
func oneOffset(r Recording) ([]instant.Instant, bool) {
	ns := r.nsPerTick()
	offsets := map[int]float64{}
	for i := len(r.Stamps) - 1; i >= 0; i-- { // the first of each epoch is last
		s := r.Stamps[i]
		offsets[s.Epoch] = float64(s.Arrival) - ns*float64(s.Tick)
	}
	best := map[int]time.Duration{}
	for _, p := range r.Pings {
		if rtt := p.RTT(ns); best[p.Epoch] == 0 || rtt < best[p.Epoch] {
			best[p.Epoch], offsets[p.Epoch] = rtt, offset(p, ns)
		}
	}
	at := make([]instant.Instant, len(r.Stamps))
	for i, s := range r.Stamps {
		at[i] = instant.Instant(math.Round(offsets[s.Epoch] + ns*float64(s.Tick)))
	}
	return at, true
}

// probeEvery is how often an offset is measured: liblsl probes every 2 s and
// LabRecorder asks for it every 5 s.
const probeEvery = 5 * time.Second

// probesAndLine does what LSL does with devices that answer: every 5 s the offset
// of the probe with the smallest round trip (liblsl, time_receiver.cpp), and one
// line through the offsets of an epoch (pyxdf, _clock_sync; there robust, here
// plain). LSL sends eight probes at a time; here they are those that were made.
func probesAndLine(r Recording) ([]instant.Instant, bool) {
	if len(r.Pings) == 0 || r.Info.Clock != stream.PingedClock {
		return nil, false
	}
	ns := r.nsPerTick()
	first := map[int]align.Ping{} // of an epoch: where its lines are counted from
	lines := map[int]*leastSquares{}
	take := func(p align.Ping) {
		o := first[p.Epoch]
		lines[p.Epoch].add(ns*float64(p.Rx-o.Rx), offset(p, ns)-offset(o, ns))
	}
	var best align.Ping
	var from instant.Instant
	for i, p := range r.Pings {
		switch {
		case i > 0 && p.Epoch == best.Epoch && p.T3.Sub(from) < probeEvery:
			if p.RTT(ns) < best.RTT(ns) {
				best = p
			}
			continue
		case i > 0:
			take(best)
		}
		if _, known := first[p.Epoch]; !known {
			first[p.Epoch], lines[p.Epoch] = p, new(leastSquares)
		}
		best, from = p, p.T3
	}
	take(best)
	at := make([]instant.Instant, len(r.Stamps))
	for i, s := range r.Stamps {
		l, known := lines[s.Epoch]
		if !known {
			at[i] = s.Arrival
			continue
		}
		o := first[s.Epoch]
		a, b := l.solve()
		at[i] = instant.Instant(math.Round(ns*float64(s.Tick) + offset(o, ns) + a + b*ns*float64(s.Tick-o.Rx)))
	}
	return at, true
}

// offset is what the lab clock is ahead of the device's time, in ns, if both ways
// of the ping took equally long.
func offset(p align.Ping, nsPerTick float64) float64 {
	lab := float64(p.T0) + float64(p.T3-p.T0)/2
	return lab - nsPerTick*(float64(p.Rx)+float64(p.Tx-p.Rx)/2)
}

func (r Recording) nsPerTick() float64 {
	if r.Info.Clock == stream.CountedClock {
		return 1e9 / r.Info.Rate
	}
	return 1e9 / r.Info.TickHz
}

// leastSquares gathers points for a line, in the way of Welford (1962).
type leastSquares struct{ n, x, y, xx, xy float64 }

func (l *leastSquares) add(x, y float64) {
	l.n++
	dx := x - l.x
	l.x += dx / l.n
	l.y += (y - l.y) / l.n
	l.xx += dx * (x - l.x)
	l.xy += dx * (y - l.y)
}

// solve returns the line y = offset + slope*x; of one point the level one.
func (l *leastSquares) solve() (offset, slope float64) {
	if l.xx > 0 {
		slope = l.xy / l.xx
	}
	return l.y - slope*l.x, slope
}
