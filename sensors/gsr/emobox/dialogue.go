package emobox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

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

	// A burst of pings at the start gives alignment something to begin with. 21 ms
	// apart they meet the 16 ms latency timer of USB adapters at different phases.
	burstPings = 8
	burstEvery = 21 * time.Millisecond
	// pingEvery is about a second, and for the same reason not a multiple of 16 ms.
	pingEvery = 1003 * time.Millisecond

	// maxLead is how far the box's clock can seem to run ahead of the lab's
	// without having been reset: late arrival of the first message, and clockRate.
	maxLead = 2 * time.Second
	// clockRate is the most by which the box's clock can be fast: four times what
	// a ceramic resonator is off.
	clockRate = 1.02
	// maxRate is the most samples per second that the box can take. Sample numbers
	// that jump further than that, given the time between, do not tell of a loss.
	maxRate = 1000
	// maxLag is how far a tick can lie behind the latest: a pong is stamped when
	// its ping came in, and goes out after the samples that were queued by then.
	maxLag = time.Second
)

// dialogue is one conversation with the box.
type dialogue struct {
	o     Options
	log   *connection.Log
	pings *pinger

	hello     chan struct{} // closed at the first Hello
	streaming atomic.Bool   // a sample has come
	rate      atomic.Int64  // samples per second in force, by the latest Hello

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
	latest     int64
	hasTick    bool
	lastSample int64
	seq        uint16 // of the next sample
}

func newDialogue(o Options, log *connection.Log, pings *pinger) *dialogue {
	pings.forget()
	return &dialogue{o: o, log: log, pings: pings, hello: make(chan struct{})}
}

// Speak identifies the box, starts it and pings it until ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	if err := d.identify(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write(wire.AppendStop(nil)) }()

	for range burstPings {
		if err := d.ping(w); err != nil {
			return err
		}
		if !wait(ctx, burstEvery) {
			return nil
		}
	}
	start := wire.AppendStart(wire.AppendRate(nil, uint16(d.o.Rate)))
	if _, err := w.Write(start); err != nil {
		return err
	}
	for wait(ctx, pingEvery) {
		if !d.streaming.Load() || d.rate.Load() != int64(d.o.Rate) { // damaged on the way
			// The Hello that Identify asks for tells which rate is in force now.
			if _, err := w.Write(wire.AppendIdentify(start)); err != nil {
				return err
			}
		}
		if err := d.ping(w); err != nil {
			return err
		}
	}
	return nil
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

// wait lets t pass and tells whether ctx still lasts.
func wait(ctx context.Context, t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
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
	case wire.TypePong:
		return d.pong(m.Pong(), arrival)
	case wire.TypeStatus:
		d.counters(m.Status())
	}
	return nil
}

func (d *dialogue) greet(h wire.Hello, arrival instant.Instant) error {
	if d.connected && h.Cause == wire.Started {
		return fmt.Errorf("emobox: %w", connection.ErrRestarted)
	}
	d.rate.Store(int64(h.Rate))
	if d.connected {
		return nil
	}
	if h.Protocol < wire.OldestVersion || h.TickHz != tickHz {
		return fmt.Errorf("emobox: the box speaks protocol %d with %d ticks per second, need %d or later with %d: update its firmware",
			h.Protocol, h.TickHz, wire.OldestVersion, int(tickHz))
	}
	d.connected, d.since = true, arrival
	d.log.Connected(arrival, fmt.Sprintf("%s, firmware %d.%d.%d, serial number %d",
		h.Model, h.Firmware[0], h.Firmware[1], h.Firmware[2], h.Serial))
	close(d.hello)
	return nil
}

func (d *dialogue) sample(e wire.EDA, arrival instant.Instant) error {
	tick, err := d.unwrap(e.Tick, arrival)
	if err != nil {
		return err
	}
	if d.streaming.Load() && tick <= d.lastSample {
		return fmt.Errorf("emobox: %w: its clock went back", connection.ErrRestarted)
	}
	missing := int64(e.Seq - d.seq)
	if d.streaming.Load() {
		if missing > possible(tick-d.lastSample) {
			return fmt.Errorf("emobox: %w: its sample numbers jumped", connection.ErrRestarted)
		}
	} else if missing > possible(arrival.Sub(d.since).Microseconds()) {
		missing = 0 // it samples since before: our Stop was damaged on the way
	}
	d.streaming.Store(true)
	d.lastSample = tick
	if missing > 0 {
		d.log.Lost(arrival, missing)
	}
	d.seq = e.Seq + 1
	us := d.o.Circuit.Microsiemens(e.Raw)
	if d.o.Calibration != nil {
		us = d.o.Calibration.Apply(us)
	}
	d.log.Sample(tick, arrival, []float64{float64(e.Raw), us})
	return nil
}

// possible is the most samples that the box can have taken in us microseconds.
func possible(us int64) int64 { return us*maxRate/1e6 + 1 }

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
		d.hasTick, d.first, d.firstAt, d.latest = true, at, arrival, at
	}
	if at < d.latest-maxLag.Microseconds() {
		return 0, fmt.Errorf("emobox: %w: its clock went back", connection.ErrRestarted)
	}
	passed := float64(arrival.Sub(d.firstAt).Microseconds()) * clockRate
	if float64(at-d.first) > passed+float64(maxLead.Microseconds()) {
		return 0, fmt.Errorf("emobox: %w: its clock jumped", connection.ErrRestarted)
	}
	d.latest = max(d.latest, at)
	return at, nil
}

// counters enters what the box says it has lost since its last report.
func (d *dialogue) counters(s wire.Status) {
	if d.hasStatus {
		d.log.Fault(int64(s.Unsent-d.status.Unsent), "sample that the box could not send")
		d.log.Fault(int64(s.BadFrames-d.status.BadFrames), "command damaged on the way to the box")
		d.log.Fault(int64(s.Overruns-d.status.Overruns), "command byte lost in the box")
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
