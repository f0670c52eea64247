package virtual

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

// What can be wrong with a wire.
var (
	errPulled = errors.New("virtual: the cable was pulled")
	errHungUp = errors.New("virtual: closed by this program")
)

// wireDepth is how many messages may be under way on a wire in one direction.
const wireDepth = 256

// Wire is a line within this process, between a virtual device and its driver. The
// kernel has no part in it: all that waits there waits for channels and timers, so
// that package testing/synctest can play hours of a lab in seconds. In real time it
// rings up to a millisecond late (see Alarm).
type Wire struct {
	clock instant.Clock

	mu   sync.Mutex
	plug *wirePlug // nil while unplugged
}

// NewWire connects a device to a wire and plugs it in. Close of the Link ends it. The
// clock stamps the arrivals on both ends.
func NewWire(device Device, what Disturbance, seed uint64, clock instant.Clock) (*Link, *Wire, error) {
	w := &Wire{clock: clock}
	l := &Link{path: "this process", device: device, what: what, seed: seed, clock: clock,
		into: func(string) (plug, error) { return w.insert(), nil }, newAlarm: programAlarm}
	if err := l.Plug(); err != nil {
		return nil, nil, err
	}
	return l, w, nil
}

// Open opens the host's end. silence is how long its Read waits for a byte before it
// fails; 0 = for ever. It fails while the cable is pulled, and while another end is
// open.
func (w *Wire) Open(silence time.Duration) (connection.Line, error) {
	w.mu.Lock()
	p := w.plug
	w.mu.Unlock()
	if p == nil {
		return nil, errPulled
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.host != nil {
		return nil, errors.New("virtual: the wire is open already: close the other end first")
	}
	p.host = &wireEnd{plug: p, clock: w.clock, silence: silence,
		in: make(chan []byte, wireDepth), closed: make(chan struct{})}
	return p.host, nil
}

// insert plugs the device's end in.
func (w *Wire) insert() *wirePlug {
	p := &wirePlug{wire: w, in: make(chan []byte, wireDepth), pulled: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plug = p
	return p
}

// wirePlug is the device's end, from plugging in to pulling out.
type wirePlug struct {
	wire   *Wire
	in     chan []byte // from the host
	rest   []byte      // of what was read from in; of Read
	pulled chan struct{}
	once   sync.Once

	mu   sync.Mutex
	host *wireEnd // nil while no host has it open
}

// Path says where the host finds it.
func (p *wirePlug) Path() string { return "this process" }

// Read returns what the host sent.
func (p *wirePlug) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		select {
		case p.rest = <-p.in:
		case <-p.pulled:
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// Write sends to the host, or loses b where none has the wire open, or one that has
// does not read.
func (p *wirePlug) Write(b []byte) (int, error) {
	select {
	case <-p.pulled:
		return 0, os.ErrClosed
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.host != nil {
		select {
		case p.host.in <- append([]byte(nil), b...):
		default:
		}
	}
	return len(b), nil
}

// Close pulls the cable.
func (p *wirePlug) Close() error {
	p.wire.mu.Lock()
	if p.wire.plug == p {
		p.wire.plug = nil
	}
	p.wire.mu.Unlock()
	p.once.Do(func() { close(p.pulled) })
	return nil
}

// wireEnd is the host's end while it is open.
type wireEnd struct {
	plug    *wirePlug
	clock   instant.Clock
	silence time.Duration
	in      chan []byte // from the device
	closed  chan struct{}
	once    sync.Once

	rest []byte      // of what was read from in, and
	late *time.Timer // of the silence; both of Read
}

// Read returns what the device sent.
func (e *wireEnd) Read(b []byte) (n int, arrival instant.Instant, err error) {
	if len(e.rest) == 0 {
		err = e.await()
	}
	arrival = e.clock.Now()
	if err != nil {
		return 0, arrival, err
	}
	n = copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, arrival, nil
}

// await waits for the next bytes.
func (e *wireEnd) await() error {
	var late <-chan time.Time // never
	if e.silence > 0 {
		if e.late == nil {
			e.late = time.NewTimer(e.silence)
		} else {
			e.late.Reset(e.silence)
		}
		defer e.late.Stop()
		late = e.late.C
	}
	select {
	case e.rest = <-e.in:
		return nil
	case <-e.plug.pulled:
		return errPulled
	case <-e.closed:
		return errHungUp
	case <-late:
		return fmt.Errorf("virtual: the device is silent, nothing for %v", e.silence)
	}
}

// Write sends b to the device, waiting while it takes none.
func (e *wireEnd) Write(b []byte) (int, error) {
	for _, over := range []<-chan struct{}{e.closed, e.plug.pulled} {
		select {
		case <-over:
			return 0, e.why()
		default:
		}
	}
	select {
	case e.plug.in <- append([]byte(nil), b...):
		return len(b), nil
	case <-e.plug.pulled:
	case <-e.closed:
	}
	return 0, e.why()
}

// why says what ended the line.
func (e *wireEnd) why() error {
	select {
	case <-e.closed:
		return errHungUp
	default:
		return errPulled
	}
}

// Close hangs up; the device stays plugged in.
func (e *wireEnd) Close() error {
	e.once.Do(func() { close(e.closed) })
	e.plug.mu.Lock()
	defer e.plug.mu.Unlock()
	if e.plug.host == e {
		e.plug.host = nil
	}
	return nil
}
