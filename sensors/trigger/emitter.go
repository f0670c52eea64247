// Package trigger writes codes to devices that put them on the trigger inputs of
// other recorders, such as an EEG amplifier, when a stimulus comes up. Each code
// is recorded with the instant at which it was written, and with how late that
// was.
//
// What is the same for all such devices is here: the queue, the pulse, the
// record of it. What differs, a few bytes, is a Language in the package of each.
package trigger

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

// NoOnset is given to Fire for a code that marks nothing on the screen.
const NoOnset instant.Instant = math.MinInt64

const (
	// queueDepth is how many codes may wait for their turn on the lines: half a
	// second of the default pulse, far more than stimuli can ever ask for.
	queueDepth = 16
	// reportEvery is the least time between two reports of codes that found the
	// queue full.
	reportEvery = time.Second
	// tickHz: ticks are nanoseconds of the lab clock.
	tickHz = 1e9
)

// Config is what a driver makes its Emitter of.
type Config struct {
	Place    device.Place
	Settings Settings
	Device   string // model, for stream.Info
	Baud     int    // the device's own speed
	// Begin makes the language of a new connection. For a device that never
	// answers it enters Connected; otherwise Hear does.
	Begin func(log *connection.Log) Language
}

// Emitter is one device that takes codes. As a stream.Source it delivers one
// sample a code that was written; its tick lies half way between before and
// after the write, on the lab clock.
type Emitter struct {
	c      Config
	orders chan order

	mu   sync.Mutex
	full int64 // codes that found the queue full and were not reported yet
	last uint8 // the last of them
}

// order is a code on its way to the lines, or a remark that takes its place.
type order struct {
	code   uint8
	onset  instant.Instant // NoOnset: none
	asked  instant.Instant
	remark *stream.Event // not nil: there is nothing to write
}

// outcome is what became of an order.
type outcome struct {
	order
	at    instant.Instant // half way between before and after the write
	after instant.Instant // when the write returned
	why   string          // not empty: it was not written, and this is the reason
}

// New makes the emitter of one device. Nothing is opened before Run.
func New(c Config) *Emitter { return &Emitter{c: c, orders: make(chan order, queueDepth)} }

// Info describes the stream.
func (e *Emitter) Info() []stream.Info {
	p := &e.c.Place
	return []stream.Info{{
		ID: p.ID, Kind: stream.Trigger, Device: e.c.Device, Serial: p.Serial, Port: p.Where(),
		Clock: stream.HostClock, TickHz: tickHz, Channels: device.TriggerChannels(), Simulated: p.Simulated,
	}}
}

// Fire asks for a code, 1..255, to be put on the lines for the length of a pulse.
// onset is the displayed onset that it marks, or NoOnset; one that is forecast for
// the next moments is waited for. Fire never blocks and may be called from any
// goroutine. A code that cannot be written soon is not written at all: an event
// says so.
func (e *Emitter) Fire(code uint8, onset instant.Instant) {
	e.enqueue(order{code: code, onset: onset, asked: e.c.Place.Clock.Now()})
}

// Mark fires the code of a presentation: that of the stimulus in
// Settings.Codes, otherwise the presentation's number. It never blocks.
func (e *Emitter) Mark(stimulus string, presentation int, onset instant.Instant) {
	now := e.c.Place.Clock.Now()
	code, named := e.c.Settings.Codes[stimulus]
	switch {
	case named:
		e.Fire(uint8(code), onset)
	case len(e.c.Settings.Codes) > 0:
		e.enqueue(order{remark: &stream.Event{Kind: stream.Marker, At: now,
			Detail: fmt.Sprintf("stimulus %q has no code in lab.yaml: none was written", stimulus)}})
	case presentation < 1 || presentation > maxCode:
		e.enqueue(order{remark: &stream.Event{Kind: stream.Fault, At: now, Count: 1,
			Detail: fmt.Sprintf("presentation %d has no code, eight lines carry 1 to %d: give the stimuli codes in lab.yaml", presentation, maxCode)}})
	default:
		e.Fire(uint8(presentation), onset)
	}
}

func (e *Emitter) enqueue(o order) {
	select {
	case e.orders <- o:
	default:
		e.mu.Lock()
		e.full, e.last = e.full+1, o.code
		e.mu.Unlock()
	}
}

// Run keeps the device connected and writes what is asked for until ctx ends.
func (e *Emitter) Run(ctx context.Context, out chan<- stream.Chunk) error {
	said := make(chan stream.Chunk)
	outcomes := make(chan outcome, queueDepth)
	ended := make(chan error, 1)
	go func() {
		defer close(said)
		ended <- connection.Keeper{
			Streams: []string{e.c.Place.ID},
			Open:    e.c.Place.Dial(e.c.Baud, 0), // most never speak
			Clock:   e.c.Place.Clock,
			Begin: func(log *connection.Log) connection.Dialogue {
				return &dialogue{Language: e.c.Begin(log), clock: e.c.Place.Clock,
					pulse: e.c.Settings.Pulse(), orders: e.orders, outcomes: outcomes}
			},
		}.Run(ctx, said)
	}()
	l := ledger{emitter: e, out: out}
	l.keep(ctx, said, outcomes)
	return <-ended
}

// ledger numbers what was written and what was not, and passes on what the
// connection says. It belongs to one goroutine.
type ledger struct {
	emitter   *Emitter
	out       chan<- stream.Chunk
	seq       int64 // of the next code
	epoch     int
	connected bool
}

// keep works until the connection has ended and closed said.
func (l *ledger) keep(ctx context.Context, said <-chan stream.Chunk, outcomes <-chan outcome) {
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	for {
		// While there is no device nobody else takes the orders.
		var orders <-chan order
		if !l.connected {
			orders = l.emitter.orders
		}
		select {
		case c, ok := <-said:
			if !ok {
				return
			}
			l.follow(c)
			stream.Send(ctx, l.out, c)
		case o := <-outcomes:
			l.enter(ctx, o)
		case o := <-orders:
			l.enter(ctx, outcome{order: o, why: "the device is not connected"})
		case <-report.C:
			l.reportFull(ctx)
		}
	}
}

// follow notes in what state the connection is.
func (l *ledger) follow(c stream.Chunk) {
	l.epoch = c.Epoch
	for _, e := range c.Events {
		switch e.Kind {
		case stream.Connected:
			l.connected = true
		case stream.Disconnected:
			l.connected = false
		}
	}
}

// enter records the outcome of an order: a sample where it was written,
// otherwise an event that says why not.
func (l *ledger) enter(ctx context.Context, o outcome) {
	e := l.emitter
	c := stream.Chunk{Stream: e.c.Place.ID, Epoch: l.epoch}
	switch {
	case o.remark != nil:
		c.Events = []stream.Event{*o.remark}
	case o.why != "":
		l.seq++
		c.Events = []stream.Event{{Kind: stream.Lost, At: e.c.Place.Clock.Now(), Count: 1,
			Detail: fmt.Sprintf("trigger %d was not written: %s", o.code, o.why)}}
	default:
		lag := math.NaN()
		if o.onset != NoOnset {
			lag = float64(o.at.Sub(o.onset)) / float64(time.Millisecond)
		}
		c.Samples = []stream.Sample{{Seq: l.seq, Tick: int64(o.at), Arrival: o.after, Values: []float64{float64(o.code), lag}}}
		l.seq++
	}
	stream.Send(ctx, l.out, c)
}

func (l *ledger) reportFull(ctx context.Context) {
	e := l.emitter
	e.mu.Lock()
	n, last := e.full, e.last
	e.full = 0
	e.mu.Unlock()
	if n == 0 {
		return
	}
	stream.Send(ctx, l.out, stream.Chunk{Stream: e.c.Place.ID, Epoch: l.epoch, Events: []stream.Event{{
		Kind: stream.Fault, At: e.c.Place.Clock.Now(), Count: n,
		Detail: fmt.Sprintf("%d × trigger that found %d waiting already and was not written; the last was %d", n, queueDepth, last)}}})
}
