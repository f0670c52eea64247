// Package virtual is a lab without devices: a skin-conductance box and an eye
// tracker that speak the real protocols over real pseudo-terminals and play a
// script whose truth is known. The drivers, the serial library and the kernel's
// line discipline are the real ones; only the far end of the cable is not.
//
// A device's clock drifts, its USB adapter delivers in batches, the line loses
// and damages messages, the cable can be pulled. What is not modelled: the
// time that bytes take on the wire, and drift that wanders with temperature.
package virtual

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"emolab/fusion/instant"
)

// Disturbance is what a USB serial adapter and its line do to a device's
// messages. The zero value is a perfect line.
type Disturbance struct {
	// Batch is the adapter's latency timer: it runs freely, and what has come
	// since its last tick is delivered at the next, or when packetSize bytes have
	// come. FTDI adapters have 16 ms unless told otherwise. 0 = at once.
	Batch time.Duration
	// Jitter delays what is delivered together by a random time up to this.
	Jitter time.Duration
	// LossPercent is the share of the device's messages that never arrive, 0..100.
	LossPercent float64
	// CorruptPercent is the share of messages that arrive with one byte wrong, 0..100.
	CorruptPercent float64
}

// FTDI is the usual adapter with its default latency timer and some loss.
func FTDI(lossPercent float64) Disturbance {
	return Disturbance{Batch: 16 * time.Millisecond, LossPercent: lossPercent}
}

// packetSize is how many bytes an FTDI adapter collects before it delivers
// without waiting for its latency timer.
const packetSize = 62

// Device is what can be plugged into a Link.
type Device interface {
	// run is one life of the device, from power-on to power-off (ctx ends). due is
	// an alarm for its own use, in brings what the host sent, send takes one
	// message to the host.
	run(ctx context.Context, due *alarm, in <-chan arrived, send func(message []byte))
}

// arrived is what the device received at once, and when.
type arrived struct {
	bytes []byte
	at    instant.Instant
}

// Link is a device on a cable: it gives the device power and carries its
// messages, disturbed, to a port whose path outlives unplugging.
type Link struct {
	path   string
	device Device
	what   Disturbance
	seed   uint64
	clock  instant.Clock

	mu    sync.Mutex
	lives uint64 // power-ons so far
	life  *life  // nil while unplugged
}

// life is one time between plugging in and pulling out.
type life struct {
	terminal *Terminal
	alarms   []*alarm
	end      context.CancelFunc
	done     sync.WaitGroup
}

// NewLink connects a device to the port path and plugs it in. Close ends it.
func NewLink(path string, device Device, what Disturbance, seed uint64, clock instant.Clock) (*Link, error) {
	l := &Link{path: path, device: device, what: what, seed: seed, clock: clock}
	if err := l.Plug(); err != nil {
		return nil, err
	}
	return l, nil
}

// Path returns where the host finds the port while the device is plugged in.
func (l *Link) Path() string { return l.path }

// Plug plugs the device in: it is powered up and its clock begins anew. Nothing
// happens when it is plugged in already.
func (l *Link) Plug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life != nil {
		return nil
	}
	alarms, err := newAlarms(3)
	if err != nil {
		return err
	}
	due, latency, jitter := alarms[0], alarms[1], alarms[2]
	terminal, err := Plug(l.path)
	if err != nil {
		return errors.Join(err, closeAlarms(alarms))
	}
	ctx, end := context.WithCancel(context.Background())
	f := &life{terminal: terminal, alarms: alarms, end: end}
	line := &line{
		what: l.what, out: terminal, latency: latency, jitter: jitter,
		random: rand.New(rand.NewPCG(l.seed, 2*l.lives)),
		delays: rand.New(rand.NewPCG(l.seed, 2*l.lives+1)),
		queue:  make(chan []byte, lineDepth),
	}
	in := make(chan arrived)
	f.done.Go(func() { line.carry(ctx) })
	f.done.Go(func() { receive(ctx, terminal, l.clock, in) })
	f.done.Go(func() { l.device.run(ctx, due, in, func(m []byte) { line.send(ctx, m) }) })
	l.lives++
	l.life = f
	return nil
}

// Unplug pulls the cable: the device loses its power, the host its port. Nothing
// happens when it is pulled already.
func (l *Link) Unplug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.life
	if f == nil {
		return nil
	}
	l.life = nil
	f.end()
	err := f.terminal.Close()
	f.done.Wait()
	if err := errors.Join(err, closeAlarms(f.alarms)); err != nil {
		return fmt.Errorf("virtual: unplug %s: %w", l.path, err)
	}
	return nil
}

// Close unplugs the device for good and waits for it.
func (l *Link) Close() error { return l.Unplug() }

// receive hands what the host sends to the device until the cable is pulled.
func receive(ctx context.Context, t *Terminal, clock instant.Clock, in chan<- arrived) {
	b := make([]byte, 4096)
	for {
		n, err := t.Read(b)
		at := clock.Now()
		if err != nil {
			return // pulled
		}
		select {
		case in <- arrived{append([]byte(nil), b[:n]...), at}:
		case <-ctx.Done():
			return
		}
	}
}

// lineDepth is how many messages may wait in the adapter; a device makes some
// hundreds a second and they wait for milliseconds.
const lineDepth = 256

// line carries messages from the device to the host, disturbed.
type line struct {
	what            Disturbance
	out             *Terminal
	latency, jitter *alarm     // of carry
	random          *rand.Rand // of send, that is of the device's goroutine
	delays          *rand.Rand // of carry
	queue           chan []byte
}

// send puts one message on the line, or loses or damages it.
func (l *line) send(ctx context.Context, message []byte) {
	if 100*l.random.Float64() < l.what.LossPercent {
		return
	}
	m := append([]byte(nil), message...)
	if 100*l.random.Float64() < l.what.CorruptPercent {
		m[l.random.IntN(len(m))] ^= byte(1 + l.random.IntN(255))
	}
	select {
	case l.queue <- m:
	case <-ctx.Done():
	}
}

// carry delivers what is sent until ctx ends.
func (l *line) carry(ctx context.Context) {
	batches := l.what.Batch > 0
	if batches {
		l.latency.every(l.what.Batch)
	}
	var buffer []byte
	// deliver hands over the first n bytes after the jitter. It tells
	// whether the cable is whole.
	deliver := func(n int) bool {
		if n == 0 {
			return true
		}
		if l.what.Jitter > 0 && !l.wait(ctx, time.Duration(l.delays.Int64N(int64(l.what.Jitter)))) {
			return false
		}
		_, err := l.out.Write(buffer[:n])
		buffer = append(buffer[:0], buffer[n:]...)
		return err == nil
	}
	for whole := true; whole; {
		select {
		case m := <-l.queue:
			buffer = append(buffer, m...)
			if batches {
				whole = deliver(len(buffer) / packetSize * packetSize)
			} else {
				whole = deliver(len(buffer))
			}
		case <-l.latency.C():
			whole = deliver(len(buffer))
		case <-ctx.Done():
			return
		}
	}
}

// wait lets t pass and tells whether ctx still lasts.
func (l *line) wait(ctx context.Context, t time.Duration) bool {
	l.jitter.after(t)
	select {
	case <-l.jitter.C():
		return true
	case <-ctx.Done():
		return false
	}
}
