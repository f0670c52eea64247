package virtual

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"
)

// plugInto makes the device's side of a place: a path, or a socket's address.
func plugInto(place string) (plug, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	switch u.Scheme {
	case "tcp":
		return listenTCP(u.Host)
	case "udp":
		return listenUDP(u.Host)
	}
	return Plug(place)
}

// server is the device's side of a TCP line: it serves one host at a time.
type server struct {
	listener net.Listener

	mu     sync.Mutex
	host   net.Conn // nil while there is none
	closed bool
}

func listenTCP(host string) (*server, error) {
	l, err := net.Listen("tcp", host)
	if err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	return &server{listener: l}, nil
}

// Path returns the address.
func (s *server) Path() string { return "tcp://" + s.listener.Addr().String() }

// Read returns what the present host sends, waiting for the next one when it
// goes.
func (s *server) Read(b []byte) (int, error) {
	for {
		host, err := s.accept()
		if err != nil {
			return 0, io.EOF
		}
		if n, _ := host.Read(b); n > 0 {
			return n, nil
		}
		s.drop(host)
	}
}

// accept returns the present host, or waits for one.
func (s *server) accept() (net.Conn, error) {
	s.mu.Lock()
	host := s.host
	s.mu.Unlock()
	if host != nil {
		return host, nil
	}
	host, err := s.listener.Accept()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(net.ErrClosed, host.Close())
	}
	s.host = host
	return host, nil
}

func (s *server) drop(host net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.host == host {
		s.host = nil
	}
	_ = host.Close() // it is the host that went
}

// Write sends to the present host, if there is one that reads.
func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	host, closed := s.host, s.closed
	s.mu.Unlock()
	if closed {
		return 0, os.ErrClosed
	}
	if host != nil {
		s.send(host, b, writeTimeout)
	}
	return len(b), nil
}

// send sends what a host takes within some time.
func (s *server) send(host net.Conn, b []byte, patience time.Duration) {
	if err := host.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return
	}
	n, err := host.Write(b) // a host that is gone is found by Read
	if conn, ok := host.(syscall.Conn); ok && errors.Is(err, os.ErrDeadlineExceeded) {
		offer(conn, b[n:])
	}
}

// Close ends the connection and the server.
func (s *server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	err := s.listener.Close()
	if s.host != nil {
		err = errors.Join(err, s.host.Close())
		s.host = nil
	}
	return err
}

// datagrams is the device's side of a UDP line: it sends to whoever asked last.
type datagrams struct {
	conn *net.UDPConn

	mu   sync.Mutex
	host net.Addr // nil before anybody asked
}

func listenUDP(host string) (*datagrams, error) {
	at, err := net.ResolveUDPAddr("udp", host)
	if err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	return &datagrams{conn: conn}, nil
}

// Path returns the address.
func (d *datagrams) Path() string { return "udp://" + d.conn.LocalAddr().String() }

// Read returns the next datagram.
func (d *datagrams) Read(b []byte) (int, error) {
	for {
		n, host, err := d.conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return 0, io.EOF
		}
		if err != nil || n == 0 {
			continue // the host's port was closed: the kernel reports it here
		}
		d.mu.Lock()
		d.host = host
		d.mu.Unlock()
		return n, nil
	}
}

// Write sends one datagram to the host that asked last.
func (d *datagrams) Write(b []byte) (int, error) {
	d.mu.Lock()
	host := d.host
	d.mu.Unlock()
	if host == nil {
		return len(b), nil
	}
	if _, err := d.conn.WriteTo(b, host); errors.Is(err, net.ErrClosed) {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

// Close ends the socket.
func (d *datagrams) Close() error { return d.conn.Close() }
