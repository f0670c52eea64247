package eyetribe_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"emolab/sensors/serialtest"
)

// far is a server of which the test is the tracker. It serves one host after the
// other.
type far struct {
	t        *testing.T
	listener net.Listener
	done     sync.WaitGroup

	mu       sync.Mutex
	host     net.Conn
	hosts    int
	received []byte
}

func serve(t *testing.T) *far {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &far{t: t, listener: l}
	f.done.Go(f.accept)
	t.Cleanup(func() {
		_ = l.Close() // ends accept
		f.hangUp()
		f.done.Wait()
	})
	return f
}

func (f *far) address() string { return "tcp://" + f.listener.Addr().String() }

func (f *far) accept() {
	for {
		host, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.host, f.received = host, nil
		f.hosts++
		f.mu.Unlock()
		f.done.Go(func() { f.read(host) })
	}
}

func (f *far) read(host net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := host.Read(b)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.received = append(f.received, b[:n]...)
		f.mu.Unlock()
	}
}

// hangUp ends the present connection.
func (f *far) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host != nil {
		_ = f.host.Close()
		f.host = nil
	}
}

// send writes to the host. One that is gone is for the test to find.
func (f *far) send(text string) {
	f.mu.Lock()
	host := f.host
	f.mu.Unlock()
	if host != nil {
		_, _ = host.Write([]byte(text))
	}
}

// take waits until the host has sent want, and takes all up to its end.
func (f *far) take(want string) {
	f.t.Helper()
	serialtest.Eventually(f.t, "the host sends "+want, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		at := bytes.Index(f.received, []byte(want))
		if at < 0 {
			return false
		}
		f.received = f.received[at+len(want):]
		return true
	})
}
