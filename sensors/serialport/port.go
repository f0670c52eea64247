// Package serialport opens and lists serial ports. Its Read blocks, stamps the
// arrival of what it read, and tells a port that we closed from a cable that was
// pulled.
package serialport

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.bug.st/serial"

	"emolab/fusion/instant"
)

// DefaultBaud is what microcontroller boards and most lab devices speak.
const DefaultBaud = 115200

// wakeEvery is how often a blocked Read looks whether the port was closed. The
// library can be woken from outside only by closing the file descriptor first,
// and between that and the wake another goroutine's file may get the same
// number: the Read would steal its bytes. So Close lets the Read return first.
const wakeEvery = 50 * time.Millisecond

// interruptEvery is the pause between two attempts of Close to end a Write.
const interruptEvery = 5 * time.Millisecond

// Config says what to open.
type Config struct {
	// Serial is the USB serial number of the adapter or board. Where it is given
	// the port is found by it at each Open, wherever it was plugged in; otherwise
	// Path is opened.
	Serial string
	Path   string // "/dev/ttyUSB0"
	Baud   int    // 0 = DefaultBaud; 8N1, no flow control
	// Silence is how long Read waits for a byte before it fails with ErrSilent;
	// 0 = for ever. For devices that are never quiet: it finds those that hang.
	Silence time.Duration
	Clock   instant.Clock // stamps the arrivals
}

// Port is an open serial port. One goroutine may read and another write at the
// same time; Close may be called from anywhere, any number of times.
type Port struct {
	path    string
	silence time.Duration
	clock   instant.Clock
	inner   serial.Port
	mode    serial.Mode

	closed  atomic.Bool
	reading sync.Mutex // held during a Read
	writing sync.Mutex // held during a Write
	once    sync.Once
	err     error // of the inner Close
}

// maxDescriptor is the highest file descriptor with which the serial library may
// be used: it waits by select(2), whose sets end at 1024, and beyond them it
// panics.
const maxDescriptor = 1000

// Open opens a port and drops what the driver had buffered of before. Its errors
// wrap ErrMissing, ErrPermission, ErrBusy or ErrNotSerial and say what to do.
func Open(c Config) (*Port, error) {
	path, err := c.find()
	if err != nil {
		return nil, err
	}
	if err := roomForDescriptor(); err != nil {
		return nil, err
	}
	// A port is opened for exclusive use, but the kernel lets root have it all the
	// same: two readers would each get half of the bytes.
	if os.Geteuid() == 0 {
		if held := Holders(path); len(held) > 0 {
			return nil, busy(path, held)
		}
	}
	baud := c.Baud
	if baud == 0 {
		baud = DefaultBaud
	}
	// InitialStatusBits stays nil: pseudo-terminals have no modem lines, and Open
	// would fail on them.
	mode := serial.Mode{BaudRate: baud, DataBits: 8}
	inner, err := openUnshared(path, &mode)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	if err := errors.Join(inner.SetReadTimeout(wakeEvery), inner.ResetInputBuffer()); err != nil {
		return nil, errors.Join(fmt.Errorf("serialport: set up %s: %w", path, err), inner.Close())
	}
	return &Port{path: path, silence: c.Silence, clock: c.Clock, inner: inner, mode: mode}, nil
}

// roomForDescriptor fails when the next file that is opened gets a number that
// the serial library cannot wait on.
func roomForDescriptor() error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("serialport: %w", err)
	}
	defer f.Close()
	if f.Fd() > maxDescriptor {
		return fmt.Errorf("serialport: this program has more than %d files open, too many to open a serial port: close console pages that are not needed", maxDescriptor)
	}
	return nil
}

// SetBaud changes the speed of the open port. Bytes that are on the line at that
// moment are damaged.
func (p *Port) SetBaud(baud int) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mode.BaudRate = baud
	if err := p.inner.SetMode(&p.mode); err != nil {
		return fmt.Errorf("serialport: set %s to %d baud: %w", p.path, baud, err)
	}
	return nil
}

// Path returns where the port was found.
func (p *Port) Path() string { return p.path }

// Read blocks until at least one byte came, and returns how many and the instant
// at which the read returned. It fails with ErrClosed after Close, with
// ErrUnplugged when the device is gone, with ErrSilent when Config.Silence passed.
func (p *Port) Read(b []byte) (n int, arrival instant.Instant, err error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	begun := p.clock.Now()
	for !p.closed.Load() {
		n, err := p.inner.Read(b)
		now := p.clock.Now() // first thing: every later line would make it too late
		switch {
		case n > 0:
			return n, now, nil
		case p.closed.Load():
			return 0, now, fmt.Errorf("%w: %s", ErrClosed, p.path)
		case err != nil:
			// Linux reports a pulled cable as end of file, which the library calls
			// "closed", or as an input/output error, by driver.
			return 0, now, fmt.Errorf("%w: %s (%v)", ErrUnplugged, p.path, err)
		case p.silence > 0 && now.Sub(begun) >= p.silence:
			return 0, now, fmt.Errorf("%w: %s, nothing for %v: check the device's power, the cable and the baud rate", ErrSilent, p.path, p.silence)
		}
	}
	return 0, p.clock.Now(), fmt.Errorf("%w: %s", ErrClosed, p.path)
}

// Write writes all of b. It can block for as long as the device does not take
// the bytes; Close ends it. It fails with ErrClosed or ErrUnplugged.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	done := 0
	for done < len(b) {
		if p.closed.Load() {
			return done, fmt.Errorf("%w: %s", ErrClosed, p.path)
		}
		n, err := p.inner.Write(b[done:])
		if err != nil {
			return done, fmt.Errorf("%w: %s (%v)", ErrUnplugged, p.path, err)
		}
		done += n
	}
	return done, nil
}

// Close ends a blocked Read (within 50 ms) and a blocked Write, and closes the
// port.
func (p *Port) Close() error {
	p.once.Do(func() {
		p.closed.Store(true)
		for !p.writing.TryLock() {
			p.interruptWrite()
		}
		defer p.writing.Unlock()
		p.reading.Lock()
		defer p.reading.Unlock()
		if err := p.inner.Close(); err != nil {
			p.err = fmt.Errorf("serialport: close %s: %w", p.path, err)
		}
	})
	return p.err
}

// interruptWrite makes a blocked write return: it drops what the device has not
// taken, and sets the mode again, upon which Linux looks anew whether there is
// room. Failures mean that the device is gone, and that ends the write as well.
func (p *Port) interruptWrite() {
	_ = p.inner.ResetOutputBuffer()
	_ = p.inner.SetMode(&p.mode)
	time.Sleep(interruptEvery) // the write may be about to block only now
}
