// Package serialtest helps to test drivers of serial devices: a port whose far
// end the test holds, and a recording of what a source delivers. The port is a
// real pseudo-terminal, so that the driver runs through the real serial library.
//
// It is for tests only; devices that play a part are in sensors/virtual.
package serialtest

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"emolab/sensors/virtual"
)

// Deadline is how long anything in a test may take: long enough for a loaded
// machine, short enough to fail while one watches.
const Deadline = 20 * time.Second

// poll is how often a condition is looked at.
const poll = 2 * time.Millisecond

// Eventually waits until ok holds and fails the test when it does not.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(Deadline)
	again := time.NewTicker(poll)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("serialtest: after %v still not: %s", Deadline, what)
		}
	}
}

// Port is a serial port of which the test is the device.
type Port struct {
	t    testing.TB
	path string

	terminal *virtual.Terminal
	done     chan struct{} // the reader has ended

	mu       sync.Mutex
	received []byte // from the host since it was last taken
}

// Open plugs a port in. It is unplugged when the test ends.
func Open(t testing.TB) *Port {
	t.Helper()
	p := &Port{t: t, path: filepath.Join(t.TempDir(), "ttyTEST")}
	p.Plug()
	t.Cleanup(p.Unplug)
	return p
}

// Path returns where the host finds the port.
func (p *Port) Path() string { return p.path }

// Plug plugs the port in again after Unplug.
func (p *Port) Plug() {
	p.t.Helper()
	terminal, err := virtual.Plug(p.path)
	if err != nil {
		p.t.Fatal(err)
	}
	p.terminal, p.done = terminal, make(chan struct{})
	go func() {
		defer close(p.done)
		b := make([]byte, 4096)
		for {
			n, err := terminal.Read(b)
			if err != nil {
				return // unplugged
			}
			p.mu.Lock()
			p.received = append(p.received, b[:n]...)
			p.mu.Unlock()
		}
	}()
}

// Unplug pulls the cable. Nothing happens when it is pulled already.
func (p *Port) Unplug() {
	p.t.Helper()
	if p.terminal == nil {
		return
	}
	if err := p.terminal.Close(); err != nil {
		p.t.Errorf("serialtest: %v", err)
	}
	<-p.done
	p.terminal = nil
}

// AwaitOpen waits until the host has opened the port.
func (p *Port) AwaitOpen() {
	p.t.Helper()
	Eventually(p.t, "the host opens the port", func() bool {
		open, err := p.terminal.Opened()
		if err != nil {
			p.t.Fatal(err)
		}
		return open
	})
}

// Send writes to the host, which must have the port open: what nobody can hear is lost.
// A host that has it open and is held up is waited for.
func (p *Port) Send(b []byte) {
	p.t.Helper()
	for begun := time.Now(); ; {
		before := p.terminal.Lost()
		if _, err := p.terminal.Write(b); err != nil {
			p.t.Fatal(err)
		}
		left := int(p.terminal.Lost() - before)
		if left == 0 {
			return
		}
		if open, err := p.terminal.Opened(); err != nil || !open {
			return
		}
		if time.Since(begun) > Deadline {
			p.t.Fatalf("serialtest: after %v the host has not read %d bytes", Deadline, left)
		}
		b = b[len(b)-left:]
	}
}

// SendSplit writes b in pieces of random size.
func (p *Port) SendSplit(r *rand.Rand, b []byte) {
	p.t.Helper()
	for _, piece := range Split(r, b) {
		p.Send(piece)
	}
}

// Take waits until the host has sent something that contains want, and takes all
// that was received up to its end.
func (p *Port) Take(want []byte) {
	p.t.Helper()
	Eventually(p.t, "the host sends "+string(want), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		at := bytes.Index(p.received, want)
		if at < 0 {
			return false
		}
		p.received = p.received[at+len(want):]
		return true
	})
}

// Split cuts b into pieces of 1 to 40 bytes.
func Split(r *rand.Rand, b []byte) [][]byte {
	var pieces [][]byte
	for len(b) > 0 {
		n := min(len(b), 1+r.IntN(40))
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return pieces
}

// Garbage returns n random bytes, as a wrong baud rate makes them.
func Garbage(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}
