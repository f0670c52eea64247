// Package aligntest is a device on a bad cable whose true clock is known: it
// makes the observations that alignment gets to see, and keeps the truth to
// score the result by. Tests and `emolab bench sync` use it.
//
// Everything follows from the seed; no clock is read.
package aligntest

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Delay is the time that one way takes: a floor, the scheduler's jitter (the
// absolute value of a Gaussian), and now and then a stall (exponential).
type Delay struct {
	Floor, Sigma time.Duration
	StallShare   float64       // 0..1: how many messages meet a stall
	Stall        time.Duration // mean length of one
}

func (d Delay) draw(r *rand.Rand) time.Duration {
	v := d.Floor + time.Duration(math.Abs(r.NormFloat64())*float64(d.Sigma))
	if r.Float64() < d.StallShare {
		v += time.Duration(r.ExpFloat64() * float64(d.Stall))
	}
	return v
}

// Device says what a device and its cable are like.
type Device struct {
	Info stream.Info
	Seed uint64

	DriftPPM     float64       // how much faster than nominal its clock runs
	WanderPPM    float64       // amplitude of a slow sine on top, as of temperature
	WanderPeriod time.Duration // of that sine
	WarmingPPM   float64       // change of its rate per minute, up for WarmingFor, then down, and so on
	WarmingFor   time.Duration
	Resolution   int64 // ticks that a stamp is rounded down to; 0 or 1 = every tick

	// Line is how long a record of a sample is on the line to the host: a constant,
	// on top of the floor of ToHost.
	Line time.Duration

	// Batch is the period of the adapter's free-running flush from the device to
	// the host, through which samples and pongs go; 0 = none.
	Batch    time.Duration
	ToDevice Delay
	ToHost   Delay
	Loss     float64         // 0..1: share of samples that never arrive
	Resets   []time.Duration // when the device starts anew: next epoch, clock from elsewhere
	Unplug   time.Duration   // how long it is silent at each reset
	Pauses   []Span          // when the device takes no samples; its clock goes on, its count does not
	Stalls   []Span          // when the host reads and asks nothing; all that came is read at the end

	Duplicates float64 // 0..1: share of samples that arrive twice
	Reordered  float64 // 0..1: share of samples that change places with the one before, in the same read
	Uncounted  bool    // the device numbers nothing: Seq counts what arrived

	Burst      int // pings at each connect, BurstEvery apart
	BurstEvery time.Duration
	PingEvery  time.Duration // afterwards; 0 = never

	// Ahead is by how much sample stamps lie in the future of their sending, as
	// a browser's forecast of a frame's display does.
	Ahead time.Duration
	// Glass is by how much later than its stamp a sample is true: the light of a
	// frame after the display that the browser forecast. GlassSD is how much that
	// varies (Gaussian).
	Glass, GlassSD time.Duration
}

// Span is a stretch of a recording, counted from its beginning.
type Span struct{ From, Until time.Duration }

// over returns the end of the first of the spans that at lies in, or at itself.
func over(spans []Span, at instant.Instant) instant.Instant {
	for _, s := range spans {
		if t := at.Sub(begin); t >= s.From && t < s.Until {
			return begin.Add(s.Until)
		}
	}
	return at
}

// EDABox is our own box on a USB-serial adapter: the device of the alignment
// budget (16 ms batches, 2,000 ppm, 2 % loss).
func EDABox(seed uint64) Device {
	return Device{
		Info:     stream.Info{ID: "eda", Kind: stream.EDA, Clock: stream.PingedClock, TickHz: 1e6, Rate: 100, Simulated: true},
		Seed:     seed,
		DriftPPM: 2000, WanderPPM: 5, WanderPeriod: 5 * time.Minute,
		Resolution: 4,
		Batch:      16 * time.Millisecond,
		ToDevice:   Delay{800 * time.Microsecond, 300 * time.Microsecond, .01, 5 * time.Millisecond},
		ToHost:     Delay{200 * time.Microsecond, 150 * time.Microsecond, .01, 5 * time.Millisecond},
		Loss:       .02,
		Burst:      8, BurstEvery: 21 * time.Millisecond, PingEvery: time.Second,
	}
}

// EyeTracker stamps its samples and cannot be asked for the time.
func EyeTracker(seed uint64) Device {
	d := EDABox(seed)
	d.Info = stream.Info{ID: "gaze", Kind: stream.Gaze, Clock: stream.TickedClock, TickHz: 1e6, Rate: 60, Simulated: true}
	d.Resolution, d.Burst, d.PingEvery = 1, 0, 0
	return d
}

// Browser is the participant's page on the same machine: quick pings, a good
// clock, and stamps that forecast the display.
func Browser(seed uint64) Device {
	return Device{
		Info:     stream.Info{ID: "stimulus", Kind: stream.Stimulus, Clock: stream.PingedClock, TickHz: 1e6, Rate: 30, Simulated: true},
		Seed:     seed,
		DriftPPM: 10, WanderPPM: 1, WanderPeriod: 5 * time.Minute,
		Resolution: 5,
		ToDevice:   Delay{400 * time.Microsecond, 500 * time.Microsecond, .02, 5 * time.Millisecond},
		ToHost:     Delay{500 * time.Microsecond, 500 * time.Microsecond, .02, 5 * time.Millisecond},
		Burst:      16, BurstEvery: 64 * time.Millisecond, PingEvery: time.Second,
		Ahead: 17 * time.Millisecond,
	}
}

// Recording is what a device delivered, and the truth about it.
type Recording struct {
	Info   stream.Info
	Stamps []align.Stamp
	Pings  []align.Ping
	Truth  []instant.Instant // when Stamps[i] was really taken
	// Chunks are the same observations as a driver sends them: what one read
	// brought.
	Chunks []stream.Chunk
}

// begin is where the recording lies on the lab clock: a machine up for a day.
const begin = instant.Instant(24 * time.Hour)

// clock is the device's true clock within one epoch.
type clock struct {
	d     Device
	at0   instant.Instant
	tick0 float64
}

// read returns the exact reading at an instant: the integral of the rate.
func (c clock) read(at instant.Instant) float64 {
	return c.tick0 + (c.d.ran(at)-c.d.ran(c.at0))*c.d.hz()
}

// ran is how many of its own seconds the clock has run since the recording began.
func (d Device) ran(at instant.Instant) float64 {
	t := at.Sub(begin).Seconds()
	v := t * (1 + d.DriftPPM*1e-6)
	if d.WanderPPM != 0 {
		w := 2 * math.Pi / d.WanderPeriod.Seconds()
		v += d.WanderPPM * 1e-6 / w * (1 - math.Cos(w*t))
	}
	if d.WarmingPPM != 0 {
		v += d.WarmingPPM / 60 * 1e-6 * triangleArea(t, d.WarmingFor.Seconds())
	}
	return v
}

// triangleArea is the integral from 0 to t of a line that rises by 1 a second for
// half, falls for as long, and so on.
func triangleArea(t, half float64) float64 {
	turns, rest := math.Floor(t/(2*half)), math.Mod(t, 2*half)
	area := turns * half * half
	if rest <= half {
		return area + rest*rest/2
	}
	down := 2*half - rest
	return area + half*half - down*down/2
}

// when inverts read. The rate is so near to nominal that correcting by it
// converges to a nanosecond in a few rounds.
func (c clock) when(tick float64) instant.Instant {
	hz := c.d.hz() * (1 + c.d.DriftPPM*1e-6)
	at := c.at0 + instant.Instant(math.Round((tick-c.tick0)/hz*1e9))
	for range 6 {
		step := instant.Instant(math.Round((tick - c.read(at)) / hz * 1e9))
		if at += step; step == 0 {
			break
		}
	}
	return at
}

func (c clock) stamp(at instant.Instant) int64 {
	r := max(c.d.Resolution, 1)
	return int64(math.Floor(c.read(at)/float64(r))) * r
}

func (d Device) hz() float64 {
	if d.Info.Clock == stream.CountedClock {
		return d.Info.Rate
	}
	return d.Info.TickHz
}

// message is what goes over the cable to the host: a sample or a pong.
type message struct {
	sent    instant.Instant
	arrival instant.Instant
	epoch   int
	probe   *stream.Probe
	sample  stream.Sample
	truth   instant.Instant
	lost    bool
}

// Record runs the device for as long as told.
func (d Device) Record(length time.Duration) Recording {
	r := rand.New(rand.NewPCG(d.Seed, 0x616c69676e)) // "align"
	var ms []message
	var seq int64
	from := time.Duration(0)
	for epoch := range len(d.Resets) + 1 {
		until := length
		if epoch < len(d.Resets) {
			until = d.Resets[epoch]
		}
		c := clock{d, begin.Add(from), math.Floor(r.Float64() * 1e9)}
		ms = append(ms, d.samples(r, c, epoch, until-from, &seq)...)
		ms = append(ms, d.pongs(r, c, epoch, until-from)...)
		from = until + d.Unplug
	}
	slices.SortStableFunc(ms, func(a, b message) int { return int(a.sent - b.sent) })
	d.carry(r, ms)
	ms = slices.DeleteFunc(ms, func(m message) bool { return m.lost })
	d.reorder(r, ms)
	d.count(ms)
	return d.collect(ms)
}

func (d Device) samples(r *rand.Rand, c clock, epoch int, length time.Duration, seq *int64) []message {
	var ms []message
	period := d.hz() / d.Info.Rate // ticks from one sample to the next
	for k := 1.0; ; k++ {
		at := c.when(math.Ceil(c.tick0 + k*period))
		if at.Sub(c.at0) > length {
			return ms
		}
		if over(d.Pauses, at) != at {
			continue
		}
		m := message{sent: at.Add(d.Line - d.Ahead), epoch: epoch, truth: at, lost: r.Float64() < d.Loss}
		m.sample = stream.Sample{Seq: *seq, Tick: c.stamp(at)}
		if d.Glass != 0 {
			m.truth = at.Add(d.Glass + time.Duration(r.NormFloat64()*float64(d.GlassSD)))
		}
		*seq++
		ms = append(ms, m)
		if d.Duplicates > 0 && r.Float64() < d.Duplicates {
			ms = append(ms, m)
		}
	}
}

func (d Device) pongs(r *rand.Rand, c clock, epoch int, length time.Duration) []message {
	const held = 60 * time.Microsecond // from receiving a ping to sending the pong
	var ms []message
	ask := func(after time.Duration) {
		t0 := c.at0.Add(after)
		if over(d.Stalls, t0) != t0 {
			return
		}
		rx := t0.Add(d.ToDevice.draw(r))
		tx := rx.Add(held)
		p := &stream.Probe{T0: t0, Rx: c.stamp(rx), Tx: c.stamp(tx)}
		ms = append(ms, message{sent: tx, epoch: epoch, probe: p})
	}
	for i := range d.Burst {
		ask(time.Duration(i+1) * d.BurstEvery)
	}
	if d.PingEvery > 0 {
		for after := d.PingEvery; after < length; after += d.PingEvery {
			ask(after + time.Duration(r.Float64()*float64(20*time.Millisecond)))
		}
	}
	return ms
}

// carry brings messages to the host: through the adapter's flush and the host's
// delays, first in, first out.
func (d Device) carry(r *rand.Rand, ms []message) {
	phase := time.Duration(r.Float64() * float64(max(d.Batch, 1)))
	var read instant.Instant // when the host read last
	var flush, batch instant.Instant
	for i := range ms {
		m := &ms[i]
		flush = m.sent
		if d.Batch > 0 {
			n := m.sent.Sub(begin.Add(phase)) / d.Batch
			flush = begin.Add(phase + (n+1)*d.Batch)
		}
		if d.Batch == 0 || flush != batch { // what is flushed together is read together
			read = over(d.Stalls, max(read, flush.Add(d.ToHost.draw(r))))
			batch = flush
		}
		m.arrival = read
	}
}

// reorder lets samples change places with the one before, where both came with
// the same read.
func (d Device) reorder(r *rand.Rand, ms []message) {
	if d.Reordered == 0 {
		return
	}
	for i := 1; i < len(ms); i++ {
		a, b := &ms[i-1], &ms[i]
		if a.probe == nil && b.probe == nil && a.arrival == b.arrival && a.epoch == b.epoch && r.Float64() < d.Reordered {
			*a, *b = *b, *a
		}
	}
}

// count numbers what a driver without numbers of the device saw arrive, and
// repeats numbers as ticks where there is no clock.
func (d Device) count(ms []message) {
	var seq int64
	for i := range ms {
		m := &ms[i]
		if m.probe != nil {
			continue
		}
		if d.Uncounted {
			m.sample.Seq = seq
			seq++
		}
		if d.Info.Clock == stream.CountedClock {
			m.sample.Tick = m.sample.Seq
		}
	}
}

func (d Device) collect(ms []message) Recording {
	rec := Recording{Info: d.Info}
	for _, m := range ms {
		n := len(rec.Chunks)
		if n == 0 || rec.Chunks[n-1].Epoch != m.epoch || arrivalOf(rec.Chunks[n-1]) != m.arrival {
			rec.Chunks = append(rec.Chunks, stream.Chunk{Stream: d.Info.ID, Epoch: m.epoch})
			n++
		}
		c := &rec.Chunks[n-1]
		if m.probe != nil {
			m.probe.T3 = m.arrival
			c.Probes = append(c.Probes, *m.probe)
			rec.Pings = append(rec.Pings, align.Ping{Epoch: m.epoch, Probe: *m.probe})
			continue
		}
		m.sample.Arrival = m.arrival
		c.Samples = append(c.Samples, m.sample)
		rec.Stamps = append(rec.Stamps, align.Stamp{Epoch: m.epoch, Seq: m.sample.Seq, Tick: m.sample.Tick, Arrival: m.arrival})
		rec.Truth = append(rec.Truth, m.truth)
	}
	return rec
}

func arrivalOf(c stream.Chunk) instant.Instant {
	if n := len(c.Samples); n > 0 {
		return c.Samples[n-1].Arrival
	}
	return c.Probes[len(c.Probes)-1].T3
}
