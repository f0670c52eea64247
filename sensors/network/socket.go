// Package network opens lines to devices that are reached over TCP or UDP, such
// as an eye tracker whose server runs on this or another machine. A line behaves
// like a serial port's: Read blocks and stamps the arrival, and its errors tell
// what we closed from what went away.
package network

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"emolab/fusion/instant"
)

// What can be wrong with a line. Test with errors.Is; the errors that wrap these
// name the address and say what to do.
var (
	ErrClosed  = errors.New("network: closed by this program")
	ErrGone    = errors.New("network: the device is gone")
	ErrSilent  = errors.New("network: the device is silent")
	ErrRefused = errors.New("network: nobody answers")
	ErrTaken   = errors.New("network: the local port is taken")
)

const (
	// dialFor is how long a server may take to accept: many times what a lab's
	// network needs, and short enough to be told while one waits.
	dialFor = 3 * time.Second
	// writeFor is how long a full socket may hold up a write before the device
	// counts as hung.
	writeFor = 5 * time.Second
)

// Config says what to open.
type Config struct {
	// Address is "tcp://HOST:PORT", or "udp://HOST:PORT?from=LOCALPORT" where
	// LOCALPORT is where the device sends to.
	Address string
	Silence time.Duration // how long Read waits for a byte before ErrSilent; 0 = for ever
	Clock   instant.Clock // stamps the arrivals
}

// Socket is an open line. One goroutine may read and another write at the same
// time; Close may be called from anywhere, any number of times.
type Socket struct {
	address string
	silence time.Duration
	clock   instant.Clock
	conn    net.Conn
	closed  atomic.Bool
}

// Open connects. A UDP line is open at once, whether a device is there or not,
// and takes datagrams from that device only.
func Open(c Config) (*Socket, error) {
	a, err := parse(c.Address)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialFor}
	if a.from != "" {
		local, err := net.ResolveUDPAddr("udp", net.JoinHostPort("", a.from))
		if err != nil {
			return nil, malformed(c.Address)
		}
		dialer.LocalAddr = local
	}
	conn, err := dialer.Dial(a.kind, a.host)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %s: another program takes port %s of this machine: end it, or have the device send elsewhere", ErrTaken, c.Address, a.from)
	}
	if err != nil {
		return nil, fmt.Errorf("%w at %s: start the device's server, and check host and port (%v)", ErrRefused, c.Address, err)
	}
	return &Socket{address: c.Address, silence: c.Silence, clock: c.Clock, conn: conn}, nil
}

// Read blocks until bytes came (of a UDP line: one datagram; what does not fit
// into b is lost), and returns how many and the instant at which the read returned.
// It fails with ErrClosed, ErrGone or ErrSilent.
func (s *Socket) Read(b []byte) (n int, arrival instant.Instant, err error) {
	for {
		if s.silence > 0 {
			if err := s.conn.SetReadDeadline(time.Now().Add(s.silence)); err != nil {
				return 0, s.clock.Now(), s.explain(err)
			}
		}
		n, err := s.conn.Read(b)
		now := s.clock.Now() // first thing: every later line would make it too late
		if n > 0 {
			return n, now, nil
		}
		if err != nil {
			return 0, now, s.explain(err)
		}
		// An empty datagram.
	}
}

// Write writes all of b. It fails with ErrClosed or ErrGone.
func (s *Socket) Write(b []byte) (int, error) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeFor)); err != nil {
		return 0, s.explain(err)
	}
	n, err := s.conn.Write(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && !s.closed.Load():
		return n, fmt.Errorf("%w: %s takes no bytes for %v", ErrGone, s.address, writeFor)
	case err != nil:
		return n, s.explain(err)
	}
	return n, nil
}

// explain turns an error of the socket into one of ours.
func (s *Socket) explain(err error) error {
	switch {
	case s.closed.Load():
		return fmt.Errorf("%w: %s", ErrClosed, s.address)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %s, nothing for %v: check that its server runs and measures", ErrSilent, s.address, s.silence)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %s closed the connection", ErrGone, s.address)
	}
	return fmt.Errorf("%w: %s (%v)", ErrGone, s.address, err)
}

// Close ends a blocked Read and Write.
func (s *Socket) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if err := s.conn.Close(); err != nil {
		return fmt.Errorf("network: close %s: %w", s.address, err)
	}
	return nil
}
