// Package virtual is what the far end of a cable needs to be played: the plug of
// a real pseudo-terminal or socket, a line that batches, delays, loses and damages
// what it carries, and the clock of a device that drifts. The devices themselves
// stand beside their drivers, speak the real protocols and play a script whose
// truth is known; the serial library and the kernel's line discipline between are
// the real ones.
//
// A device's clock drifts and warms up, its USB adapter delivers in batches, the
// line loses and damages messages, the cable can be pulled. What is not modelled:
// the time that bytes take on the wire.
package virtual

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// Disturbance is what a USB serial adapter and its line do to a device's
// messages. The zero value is a perfect line.
type Disturbance struct {
	// Batch is the adapter's latency timer: it runs freely, and what has come
	// since its last tick is delivered at the next, or when packetSize bytes have
	// come. FTDI adapters have 16 ms unless told otherwise. 0 = at once. Sockets
	// have no such thing.
	Batch time.Duration
	// Jitter delays what is delivered together by a random time up to this.
	Jitter time.Duration
	// LossPercent is the share of the device's messages that never arrive, 0..100.
	LossPercent float64
	// CorruptPercent is the share of messages that arrive with one byte wrong, 0..100.
	CorruptPercent float64
	// Baud is the speed that the device speaks: a host at another one hears
	// garbage, and is garbage to the device. 0 = whatever the host has set.
	Baud int
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
	// Run is one life of the device, from power-on to power-off (ctx ends). due is
	// an alarm for its own use, in brings what the host sent, send takes one
	// message to the host.
	Run(ctx context.Context, due *Alarm, in <-chan Arrived, send func(message []byte))
}

// Arrived is what the device received at once, and when.
type Arrived struct {
	Bytes []byte
	At    instant.Instant
}

// TwinOptions say whom a virtual device plays, and on which clock.
type TwinOptions struct {
	Truth    *script.Truth
	Clock    instant.Clock
	DriftPPM float64        // how much faster than designed its own clock runs
	Warming  script.Warming // how that changes with its temperature
	Seed     uint64         // of its noise
}

// plug is where a device meets its host: a Terminal, a TCP or a UDP socket.
type plug interface {
	// Read returns what the host sent, blocking also while there is no host; it
	// fails after Close.
	Read(b []byte) (int, error)
	// Write sends to the host, or loses the bytes where there is none. It fails
	// only after Close.
	Write(b []byte) (int, error)
	// Path is where the host finds it.
	Path() string
	Close() error
}

// Link is a device on a cable: it gives the device power and carries its
// messages, disturbed, to a port whose path outlives unplugging.
type Link struct {
	path   string
	device Device
	what   Disturbance
	seed   uint64
	clock  instant.Clock

	into     func(path string) (plug, error)
	newAlarm alarmMaker

	mu    sync.Mutex
	lives uint64 // power-ons so far
	life  *life  // nil while unplugged
}

// life is one time between plugging in and pulling out.
type life struct {
	plug   plug
	alarms []*Alarm
	end    context.CancelFunc
	done   sync.WaitGroup
}

// NewLink connects a device to a place and plugs it in: the path of a serial port
// to be, or "tcp://127.0.0.1:0" or "udp://127.0.0.1:0" for a socket on a free port.
// Close ends it.
func NewLink(path string, device Device, what Disturbance, seed uint64, clock instant.Clock) (*Link, error) {
	l := &Link{path: path, device: device, what: what, seed: seed, clock: clock, into: plugInto, newAlarm: kernelAlarm}
	if err := l.Plug(); err != nil {
		return nil, err
	}
	return l, nil
}

// Path returns where the host finds the device while it is plugged in: a path, or
// the address of a socket.
func (l *Link) Path() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.path
}

// Plug plugs the device in: it is powered up and its clock begins anew. Nothing
// happens when it is plugged in already.
func (l *Link) Plug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life != nil {
		return nil
	}
	alarms, err := newAlarms(3, l.newAlarm)
	if err != nil {
		return err
	}
	due, latency, jitter := alarms[0], alarms[1], alarms[2]
	at, err := l.into(l.path)
	if err != nil {
		return errors.Join(err, closeAlarms(alarms))
	}
	l.path = at.Path() // a free port is chosen once, and kept
	ctx, end := context.WithCancel(context.Background())
	f := &life{plug: at, alarms: alarms, end: end}
	what := l.what
	switch at.(type) {
	case *server, *datagrams:
		what.Batch = 0 // a network carries each message as it comes
	}
	line := &line{
		what: what, out: at, clock: l.clock, begun: l.clock.Now(), latency: latency, jitter: jitter,
		random: rand.New(rand.NewPCG(l.seed, 2*l.lives)),
		delays: rand.New(rand.NewPCG(l.seed, 2*l.lives+1)),
		queue:  make(chan []byte, lineDepth),
	}
	in := make(chan Arrived)
	f.done.Go(func() { line.carry(ctx) })
	f.done.Go(func() { line.receive(ctx, in) })
	f.done.Go(func() { l.device.Run(ctx, due, in, func(m []byte) { line.send(ctx, m) }) })
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
	err := f.plug.Close()
	f.done.Wait()
	if err := errors.Join(err, closeAlarms(f.alarms)); err != nil {
		return fmt.Errorf("virtual: unplug %s: %w", l.path, err)
	}
	return nil
}

// Close unplugs the device for good and waits for it.
func (l *Link) Close() error { return l.Unplug() }

// receive hands what the host sends to the device until the cable is pulled.
func (l *line) receive(ctx context.Context, in chan<- Arrived) {
	b := make([]byte, 4096)
	for {
		n, err := l.out.Read(b)
		at := l.clock.Now()
		if err != nil {
			return // pulled
		}
		got := append([]byte(nil), b[:n]...)
		if l.garbled() {
			garble(got)
		}
		select {
		case in <- Arrived{got, at}:
		case <-ctx.Done():
			return
		}
	}
}

// garbled tells whether the host has set another speed than the device's.
func (l *line) garbled() bool {
	t, ok := l.out.(*Terminal)
	if !ok || l.what.Baud == 0 {
		return false
	}
	baud, err := t.Baud()
	return err == nil && baud != l.what.Baud
}

// garble does to bytes what a wrong speed does, roughly: bits are read where
// there are others.
func garble(b []byte) {
	for i := range b {
		b[i] = b[i]<<3 | b[i]>>5 ^ 0x95
	}
}

// lineDepth is how many messages may wait in the adapter; a device makes some
// hundreds a second and they wait for milliseconds.
const lineDepth = 256

// line carries messages from the device to the host, disturbed.
type line struct {
	what            Disturbance
	out             plug
	clock           instant.Clock
	begun           instant.Instant // the latency timer's start
	latency, jitter *Alarm          // of carry
	random          *rand.Rand      // of send, that is of the device's goroutine
	delays          *rand.Rand      // of carry
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
	var buffer []byte
	waits := false // for the latency timer
	// deliver hands over the first n bytes after the jitter. It tells
	// whether the cable is whole.
	deliver := func(n int) bool {
		if n == 0 {
			return true
		}
		if l.what.Jitter > 0 && !l.wait(ctx, time.Duration(l.delays.Int64N(int64(l.what.Jitter)))) {
			return false
		}
		if l.garbled() {
			garble(buffer[:n])
		}
		_, err := l.out.Write(buffer[:n])
		buffer = append(buffer[:0], buffer[n:]...)
		return err == nil
	}
	for whole := true; whole; {
		select {
		case m := <-l.queue:
			buffer = append(buffer, m...)
			if l.what.Batch == 0 {
				whole = deliver(len(buffer))
				continue
			}
			whole = deliver(len(buffer) / packetSize * packetSize)
			if len(buffer) > 0 && !waits {
				waits = true
				l.latency.After(l.untilFlush())
			}
		case <-l.latency.C():
			waits = false
			whole = deliver(len(buffer))
		case <-ctx.Done():
			return
		}
	}
}

// untilFlush returns how long it is to the latency timer's next tick. It runs
// freely, whether anything waits for it or not.
func (l *line) untilFlush() time.Duration {
	return l.what.Batch - l.clock.Now().Sub(l.begun)%l.what.Batch
}

// wait lets t pass and tells whether ctx still lasts.
func (l *line) wait(ctx context.Context, t time.Duration) bool {
	l.jitter.After(t)
	select {
	case <-l.jitter.C():
		return true
	case <-ctx.Done():
		return false
	}
}
