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

	// heldUp is by how long the first arrivals after a (re)connect may all be held up,
	// which without pings only later ones can show; it is less the more have come, and
	// nothing after heldUpFor.
	heldUp    = 200 * time.Millisecond
	heldUpFor = 750 * time.Millisecond

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

	epoch     int
	begun     bool            // an epoch has begun
	since     instant.Instant // arrival of its first sample
	estimate  estimate
	ear       ear             // of a counted clock
	recounted bool            // its numbers did not count what was missing, once at least
	prompt    promptest       // of the frames of another computer's camera
	last      instant.Instant // the latest At given in this epoch
	given     bool
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
		l.estimate, l.ear, l.prompt = estimate{rate: l.estimate.handedOn()}, ear{}, nil
		l.epochs++
	}
	l.pings += len(c.Probes)
	c.Samples = slices.Clone(c.Samples)
	// One read after the other, so that it makes no difference how many of them a
	// chunk holds.
	for samples, probes := c.Samples, c.Probes; len(samples)+len(probes) > 0; {
		n, p := firstRead(samples, probes)
		if l.known && !l.method.byHost() {
			l.observe(c.Epoch, samples[:n], probes[:p])
		}
		for i := range n {
			l.put(c.Epoch, &samples[i])
		}
		samples, probes = samples[n:], probes[p:]
	}
	return c
}

// firstRead counts the samples and the probes that came with the earliest read.
func firstRead(samples []stream.Sample, probes []stream.Probe) (n, p int) {
	var read instant.Instant
	switch {
	case len(samples) == 0:
		read = probes[0].T3
	case len(probes) == 0:
		read = samples[0].Arrival
	default:
		read = min(samples[0].Arrival, probes[0].T3)
	}
	for n < len(samples) && samples[n].Arrival <= read {
		n++
	}
	for p < len(probes) && probes[p].T3 <= read {
		p++
	}
	return n, p
}

// put fills in At and Err of one sample.
func (l *Live) put(epoch int, s *stream.Sample) {
	if !l.given {
		l.since = s.Arrival
	}
	s.At, s.Err = l.place(epoch, *s)
	if early := s.At.Sub(s.Arrival); early > 0 && l.method.arrivalsBound && !l.method.byHost() {
		// Taken after it arrived: the tick is false, or the clock has stepped.
		s.At, s.Err = s.Arrival, sum(s.Err, early)
	}
	if l.method.far {
		d := delay{s.Arrival, s.Arrival.Sub(s.At)}
		l.prompt.add(d)
		s.Err = sum(s.Err, strayed(d.by-l.prompt.since(s.Arrival.Add(-window))))
	}
	s.At, s.Err = l.method.shifted(s.At, s.Err)
	if l.given && s.At < l.last {
		s.Err = sum(s.Err, l.last.Sub(s.At))
		s.At = l.last
	}
	l.given, l.last = true, s.At
	l.tally.add(s.Seq, s.Arrival.Sub(s.At), s.Err)
}

func (l *Live) place(epoch int, s stream.Sample) (instant.Instant, time.Duration) {
	switch {
	case !l.known:
		return s.Arrival, arrivalOnly
	case l.method.kind == stream.ArrivalClock:
		// Whether it was held up only the next ones will tell.
		return hostInstant(s.Tick), 2 * l.method.hostErr
	case l.method.byHost():
		return hostInstant(s.Tick), l.method.hostBound(Stamp{epoch, s.Seq, s.Tick, s.Arrival})
	case !l.estimate.line.ok:
		return s.Arrival, arrivalOnly
	}
	at, err := l.estimate.at(l.method.tick(s.Seq, s.Tick))
	if l.method.kind == stream.CountedClock {
		// Samples may be missing just before this one and not be noticed yet: it can
		// have been taken as late as it arrived.
		latest := s.Arrival.Sub(at)
		if l.recounted {
			// As has been seen of this device. It is put where such a loss would have
			// put it, until more samples have shown what it was.
			by := nanoseconds(float64(l.ear.skipped(l.method, float64(latest))) * l.method.nsPerTick)
			at, err = at.Add(by), sum(err, by)
		}
		err = max(err, latest)
	}
	if heard := s.Arrival.Sub(l.since); heard < heldUpFor && len(l.estimate.asked) == 0 {
		err = sum(err, time.Duration(float64(heldUp)*(1-float64(heard)/float64(heldUpFor))))
	}
	return at, err
}

// observe takes what one read says of the clock into the estimate.
func (l *Live) observe(epoch int, samples []stream.Sample, probes []stream.Probe) {
	e := &l.estimate
	if l.method.kind == stream.PingedClock {
		for _, p := range probes {
			if l.method.usable(p) {
				e.ping(l.method, p)
			}
		}
	}
	counted := l.method.kind == stream.CountedClock
	for _, s := range samples {
		st := Stamp{epoch, s.Seq, s.Tick, s.Arrival}
		if counted {
			switch {
			case e.any && l.method.breaks(e.lastStamp, st):
				*e, l.ear = estimate{rate: e.handedOn()}, ear{}
			case e.any && st.Seq <= e.lastStamp.Seq:
				continue // once more, or overtaken: it tells nothing new
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
// there are some missing before them.
func (l *Live) recount() {
	l.recounted = true
	e := &l.estimate
	*e = estimate{rate: e.handedOn()}
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
