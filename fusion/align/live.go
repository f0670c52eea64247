package align

import (
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// refit is how often the estimate is renewed once it has settled.
	refit = 500 * time.Millisecond
	// settling is how long after a (re)connect every chunk renews it.
	settling = 5 * time.Second

	// keepPings is how many pings are kept however old they are.
	keepPings = 8

	// falseInARow is how many samples must arrive too early in a row before it is
	// not they but the estimate that is false: the host slept, or the device's
	// clock stepped without telling.
	falseInARow = 32
)

// Live aligns a stream while it arrives. It looks only back, does constant work
// a sample, and never goes back in time within an epoch. It is not safe for
// concurrent use.
type Live struct {
	method method
	known  bool // false: info describes no clock, arrivals stand as they are
	tally  tally
	epochs int
	pings  int

	epoch    int
	begun    bool // an epoch has begun
	estimate estimate
	ear      ear             // of a counted clock
	last     instant.Instant // the latest At given in this epoch
	given    bool
}

// NewLive makes the live alignment of one stream. Where info does not describe
// a clock (see Fit), samples are put at their arrival, with a bound to match.
func NewLive(info stream.Info) *Live {
	m, err := methodOf(info)
	if err != nil {
		m.kind = ""
	}
	return &Live{method: m, known: err == nil}
}

// Align returns a copy of c with At and Err of its samples filled in, from all
// that has been observed up to and including c. Chunks are given in order of
// arrival.
func (l *Live) Align(c stream.Chunk) stream.Chunk {
	if !l.begun || c.Epoch != l.epoch {
		l.begun, l.epoch, l.given = true, c.Epoch, false
		l.estimate, l.ear = estimate{}, ear{}
		l.epochs++
	}
	l.pings += len(c.Probes)
	c.Samples = slices.Clone(c.Samples)
	if l.known && l.method.kind != stream.HostClock {
		l.observe(c)
	}
	for i := range c.Samples {
		s := &c.Samples[i]
		s.At, s.Err = l.place(c.Epoch, *s)
		if early := s.At.Sub(s.Arrival); early > 0 && l.method.arrivalsBound && l.method.kind != stream.HostClock {
			// Taken after it arrived: the tick is false, or the clock has stepped.
			s.At, s.Err = s.Arrival, s.Err+early
		}
		if l.given && s.At < l.last {
			s.Err += l.last.Sub(s.At)
			s.At = l.last
		}
		l.given, l.last = true, s.At
		l.tally.add(s.Seq, s.Arrival.Sub(s.At), s.Err)
	}
	return c
}

func (l *Live) place(epoch int, s stream.Sample) (instant.Instant, time.Duration) {
	switch {
	case !l.known:
		return s.Arrival, arrivalOnly
	case l.method.kind == stream.HostClock:
		return instant.Instant(s.Tick), l.method.hostBound(Stamp{epoch, s.Seq, s.Tick, s.Arrival})
	case !l.estimate.line.ok:
		return s.Arrival, arrivalOnly
	}
	at, err := l.estimate.at(l.method.tick(s.Seq, s.Tick))
	if l.method.kind == stream.CountedClock {
		// Samples may be missing just before this one and not be noticed yet: it can
		// have been taken as late as it arrived.
		err = max(err, s.Arrival.Sub(at))
	}
	return at, err
}

// observe takes what the chunk says of the clock into the estimate.
func (l *Live) observe(c stream.Chunk) {
	e := &l.estimate
	if l.method.kind == stream.PingedClock {
		for _, p := range c.Probes {
			if l.method.usable(p) {
				e.ping(l.method, p)
			}
		}
	}
	counted := l.method.kind == stream.CountedClock
	for _, s := range c.Samples {
		st := Stamp{c.Epoch, s.Seq, s.Tick, s.Arrival}
		if counted {
			if e.any && l.method.breaks(e.lastStamp, st) {
				*e, l.ear = estimate{prior: e.line.slope}, ear{}
			}
			l.ear.hear(l.method, st)
		}
		e.sample(l.method, st)
	}
	e.renew(l.method)
	if counted && e.line.ok && l.ear.behind(l.method, func(tick int64) instant.Instant { at, _ := e.at(tick); return at }) {
		l.recount()
	}
}

// recount begins the estimate of a counted clock anew with the latest samples:
// there are some missing before them. A short estimate knows too little of the rate
// to hand it on.
func (l *Live) recount() {
	e := &l.estimate
	prior := e.prior
	if e.now > float64(settling) {
		prior = e.line.slope
	}
	*e = estimate{prior: prior}
	for _, s := range l.ear.latest(l.method) {
		e.sample(l.method, s)
	}
	e.renew(l.method)
}

// Statement is what can be said of the stream so far. Its drift is the present
// one. It costs well under a microsecond however long the stream, so it may be
// asked for with every chunk.
func (l *Live) Statement() Statement {
	s := l.tally.statement()
	s.Method, s.Epochs, s.Pings = l.method.name(l.pings), l.epochs, l.pings
	if l.estimate.line.ok {
		s.DriftPPM = (1/(1+l.estimate.line.slope) - 1) * 1e6
	}
	return s
}
