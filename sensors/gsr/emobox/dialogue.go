package emobox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
)

const (
	// identifyEvery and identifyFor: opening the port resets some boards, whose
	// boot loader then eats what comes for up to 2 s.
	identifyEvery = 500 * time.Millisecond
	identifyFor   = 10 * time.Second

	// A burst of pings at the start gives alignment something to begin with.
	burstPings = 8
	burstEvery = latencyTimer + goldenPart
	// pingEvery is about a second, pingOften a quarter of one.
	pingEvery = 62*latencyTimer + goldenPart
	pingOften = 15*latencyTimer + goldenPart

	// maxLead is how far the box's clock can seem to run ahead of the lab's
	// without having been reset: late arrival of the first message, and clockRate.
	maxLead = 2 * time.Second
	// clockRate is the most by which the box's clock can be fast: four times what
	// a ceramic resonator is off.
	clockRate = 1.02
	// maxRate is the most samples per second that a box of any version can take,
	// maxLights the most blocks of light. Triggers can come at any rate.
	maxRate     = 1000
	maxLights   = 84 // one each 12 ms, and a share for a fast clock
	maxTriggers = 1e6
	// maxLag is how far a tick can lie behind the latest: a pong is stamped when
	// its ping came in, and goes out after the samples that were queued by then.
	maxLag = time.Second
)

// dialogue is one conversation with the box.
type dialogue struct {
	o          Options
	circuit    conductance.Circuit
	correction conductance.Calibration
	log        *connection.Log
	pings      *pinger

	hello     chan struct{}              // closed at the first Hello
	latest    atomic.Pointer[wire.Hello] // the last one, never nil after the first
	streaming atomic.Bool                // a sample has come

	// The rest belongs to Hear.
	decoder   wire.Decoder
	faults    wire.Faults // reported already
	status    wire.Status // of the last report
	hasStatus bool
	connected bool
	since     instant.Instant // arrival of the Hello

	ticks      wire.Ticks
	first      int64           // tick of the first message, and
	firstAt    instant.Instant // its arrival
	latestTick int64
	hasTick    bool

	samples, lights, triggers numbers
	light, trigger            *connection.Track // nil where not wanted
}

func newDialogue(o Options, correction conductance.Calibration, log *connection.Log, pings *pinger) *dialogue {
	pings.forget()
	d := &dialogue{
		o: o, circuit: o.circuit(), correction: correction,
		log: log, pings: pings, hello: make(chan struct{}),
		samples: numbers{most: maxRate}, lights: numbers{most: maxLights}, triggers: numbers{most: maxTriggers},
	}
	next := 1 // the order of Options.streams
	if o.Light {
		d.light, next = log.Track(next), next+1
	}
	if o.Trigger {
		d.trigger = log.Track(next)
	}
	return d
}

// Speak identifies the box, starts it and pings it until ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	if err := d.identify(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write(wire.AppendStop(nil)) }()

	for burst := startBeat(d.o.Clock, burstEvery); burst.n < burstPings; {
		if err := d.ping(w); err != nil {
			return err
		}
		if !burst.wait(ctx) {
			return nil
		}
	}
	if err := d.start(w); err != nil {
		return err
	}
	for second := startBeat(d.o.Clock, d.o.pingEvery()); second.wait(ctx); {
		if !d.streaming.Load() || !d.inForce() { // damaged on the way
			if err := d.start(w); err != nil {
				return err
			}
		}
		if err := d.ping(w); err != nil {
			return err
		}
	}
	return nil
}

// pingEvery returns how often the box is asked for its clock. Light and triggers come
// too rarely to tell of it themselves, as skin conductance does.
func (o *Options) pingEvery() time.Duration {
	if o.Light || o.Trigger {
		return pingOften
	}
	return pingEvery
}

// start tells the box what to measure. Where that is not yet in force it asks for
// a Hello besides, which tells what is then.
func (d *dialogue) start(w io.Writer) error {
	has := d.latest.Load().Has
	b := wire.AppendRate(nil, uint16(d.o.rate()))
	if has.Has(wire.HasLight) {
		b = wire.AppendLightSet(b, wire.LightSetting{On: d.o.Light, Threshold: uint16(d.o.LightThreshold)})
	}
	if has.Has(wire.HasTrigger) {
		b = wire.AppendTriggerSet(b, d.o.Trigger)
	}
	b = wire.AppendStart(b)
	if !d.inForce() {
		b = wire.AppendIdentify(b)
	}
	_, err := w.Write(b)
	return err
}

// inForce tells whether the box measures what it should, by its latest Hello.
func (d *dialogue) inForce() bool {
	h := d.latest.Load()
	return int(h.Rate) == d.o.rate() && h.On == d.o.wants()&h.Has
}

// identify asks for a Hello until it comes.
func (d *dialogue) identify(ctx context.Context, w io.Writer) error {
	// The delimiter in front ends what the box may have got before. Stop makes
	// sure that its sequence numbers begin with our Start.
	ask := wire.AppendIdentify(wire.AppendStop([]byte{0}))
	again := time.NewTicker(identifyEvery)
	defer again.Stop()
	giveUp := time.NewTimer(identifyFor)
	defer giveUp.Stop()
	for {
		if _, err := w.Write(ask); err != nil {
			return err
		}
		select {
		case <-d.hello:
			return nil
		case <-again.C:
		case <-giveUp.C:
			return errors.New("emobox: what is on this port does not answer as the box does: check that it is the right port")
		case <-ctx.Done():
			return nil
		}
	}
}

func (d *dialogue) ping(w io.Writer) error {
	_, err := w.Write(wire.AppendPing(nil, d.pings.send(d.o.Clock.Now())))
	return err
}

// Hear decodes b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	for len(b) > 0 {
		m, rest, ok := d.decoder.Next(b)
		if ok {
			if err := d.message(m, arrival); err != nil {
				return err
			}
		}
		b = rest
	}
	d.reportFaults()
	return nil
}

func (d *dialogue) message(m wire.Message, arrival instant.Instant) error {
	if m.Type == wire.TypeHello {
		return d.greet(m.Hello(), arrival)
	}
	if !d.connected { // rest of an earlier recording
		return nil
	}
	switch m.Type {
	case wire.TypeEDA:
		return d.sample(m.EDA(), arrival)
	case wire.TypeLight:
		return d.lit(m.Light(), arrival)
	case wire.TypeTrigger:
		return d.edge(m.Trigger(), arrival)
	case wire.TypePong:
		return d.pong(m.Pong(), arrival)
	case wire.TypeStatus:
		d.counters(m.Status())
	}
	return nil
}

func (d *dialogue) greet(h wire.Hello, arrival instant.Instant) error {
	if d.connected && h.Cause.Fresh() {
		if h.Cause == wire.Hung {
			return fmt.Errorf("emobox: %w: its program hung, and its watchdog reset it", connection.ErrRestarted)
		}
		return fmt.Errorf("emobox: %w", connection.ErrRestarted)
	}
	d.latest.Store(&h)
	if d.connected {
		return nil
	}
	if h.Protocol < wire.OldestVersion || h.TickHz != tickHz {
		return fmt.Errorf("emobox: the box speaks protocol %d with %d ticks per second, need %d or later with %d: update its firmware",
			h.Protocol, h.TickHz, wire.OldestVersion, int(tickHz))
	}
	d.connected, d.since = true, arrival
	d.log.Connected(arrival, describe(h))
	if !h.Has.Has(d.o.wants()) {
		d.log.Fault(1, "photodiode or trigger input that this box does not have: update its firmware (emolab firmware flash), or turn light and trigger off")
	}
	close(d.hello)
	return nil
}

func (d *dialogue) sample(e wire.EDA, arrival instant.Instant) error {
	tick, err := d.unwrap(e.Tick, arrival)
	if err != nil {
		return err
	}
	missing, err := d.samples.take(e.Seq, tick, arrival.Sub(d.since))
	if err != nil {
		return err
	}
	d.streaming.Store(true)
	if missing > 0 {
		d.log.Lost(arrival, missing)
	}
	us := d.correction.Apply(d.circuit.Microsiemens(e.Raw))
	d.log.Sample(tick, arrival, []float64{float64(e.Raw), us})
	return nil
}

// lit enters the readings of one block of light.
func (d *dialogue) lit(l wire.Light, arrival instant.Instant) error {
	if d.light == nil { // left on by somebody else, until our LightSet comes
		return nil
	}
	tick, err := d.unwrap(l.Tick, arrival)
	if err != nil {
		return err
	}
	missing, err := d.lights.take(l.Seq, tick, arrival.Sub(d.since))
	if err != nil {
		return err
	}
	if missing > 0 {
		d.light.Lost(arrival, missing*wire.LightReadings)
	}
	for i, raw := range l.Raw {
		d.light.Sample(tick+int64(i)*wire.LightTicks, arrival, []float64{float64(raw)})
	}
	return nil
}

// edge enters one edge of the trigger. It has no lag: nobody here wrote it.
func (d *dialogue) edge(e wire.Trigger, arrival instant.Instant) error {
	if d.trigger == nil {
		return nil
	}
	tick, err := d.unwrap(e.Tick, arrival)
	if err != nil {
		return err
	}
	missing, err := d.triggers.take(e.Seq, tick, arrival.Sub(d.since))
	if err != nil {
		return err
	}
	if missing > 0 {
		d.trigger.Lost(arrival, missing)
	}
	d.trigger.Sample(tick, arrival, []float64{float64(e.Level), math.NaN()})
	return nil
}

func (d *dialogue) pong(p wire.Pong, arrival instant.Instant) error {
	sent, ok := d.pings.answered(p.ID)
	if !ok {
		d.log.Fault(1, "pong that nobody asked for")
		return nil
	}
	rx, err := d.unwrap(p.Rx, arrival)
	if err != nil {
		return err
	}
	tx, err := d.unwrap(p.Tx, arrival)
	if err != nil {
		return err
	}
	d.log.Probe(stream.Probe{T0: sent, Rx: rx, Tx: tx, T3: arrival})
	return nil
}

// unwrap returns the unwrapped tick. The clock of a box that restarted unseen
// goes back or, across the wrap, seems to jump ahead of the time that has passed.
func (d *dialogue) unwrap(tick uint32, arrival instant.Instant) (int64, error) {
	at := d.ticks.Unwrap(tick)
	if !d.hasTick {
		d.hasTick, d.first, d.firstAt, d.latestTick = true, at, arrival, at
	}
	if at < d.latestTick-maxLag.Microseconds() {
		return 0, fmt.Errorf("emobox: %w: its clock went back", connection.ErrRestarted)
	}
	passed := float64(arrival.Sub(d.firstAt).Microseconds()) * clockRate
	if float64(at-d.first) > passed+float64(maxLead.Microseconds()) {
		return 0, fmt.Errorf("emobox: %w: its clock jumped", connection.ErrRestarted)
	}
	d.latestTick = max(d.latestTick, at)
	return at, nil
}

// counters enters what the box says it has lost since its last report.
func (d *dialogue) counters(s wire.Status) {
	if d.hasStatus {
		d.log.Fault(int64(s.Unsent-d.status.Unsent), "sample that the box could not send")
		d.log.Fault(int64(s.BadFrames-d.status.BadFrames), "command damaged on the way to the box")
		d.log.Fault(int64(s.Overruns-d.status.Overruns), "command byte lost in the box")
		d.log.Fault(int64(s.LightUnsent-d.status.LightUnsent), "block of light that the box could not send")
		d.log.Fault(int64(s.TriggerUnsent-d.status.TriggerUnsent), "trigger edge that the box could not send")
	}
	d.status, d.hasStatus = s, true
}

func (d *dialogue) reportFaults() {
	now, before := d.decoder.Faults(), d.faults
	d.log.Fault(now.COBS-before.COBS, "frame with broken stuffing")
	d.log.Fault(now.CRC-before.CRC, "frame with a wrong checksum")
	d.log.Fault(now.Unknown-before.Unknown, "frame of unknown type")
	d.log.Fault(now.Short-before.Short, "frame too short")
	d.log.Fault(now.Oversize-before.Oversize, "run of bytes too long for a frame")
	d.faults = now
}
