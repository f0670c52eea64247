package network_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/network"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

func TestAddresses(t *testing.T) {
	for a, good := range map[string]bool{
		"tcp://127.0.0.1:4242":             true,
		"udp://10.0.0.7:4444":              true,
		"udp://10.0.0.7:4444?from=5555":    true,
		"tcp://[::1]:4242":                 true,
		"127.0.0.1:4242":                   false,
		"tcp://127.0.0.1":                  false,
		"tcp://:4242":                      false,
		"tcp://127.0.0.1:4242?from=1":      false,
		"udp://127.0.0.1:4444?form=5555":   false,
		"udp://127.0.0.1:4444?from=smi":    false,
		"udp://127.0.0.1:4444?from=70000":  false,
		"tcp://127.0.0.1:70000":            false,
		"http://127.0.0.1:80":              false,
		"tcp://user:secret@127.0.0.1:4242": false,
		"tcp://127.0.0.1:4242/path":        false,
		"\x00":                             false,
		"":                                 false,
	} {
		if err := network.Check(a); (err == nil) != good {
			t.Errorf("%q: %v", a, err)
		}
	}
}

// parrot is a device that says back what it hears.
type parrot struct{}

func (parrot) Run(ctx context.Context, _ *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	for {
		select {
		case got := <-in:
			send(got.Bytes)
		case <-ctx.Done():
			return
		}
	}
}

func plug(t *testing.T, place string) *virtual.Link {
	t.Helper()
	link, err := virtual.NewLink(place, parrot{}, virtual.Disturbance{Batch: 16 * time.Millisecond}, 1, instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link
}

func open(t *testing.T, c network.Config) *network.Socket {
	t.Helper()
	c.Clock = instant.Monotonic{}
	s, err := network.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestTalks(t *testing.T) {
	for _, place := range []string{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"} {
		s := open(t, network.Config{Address: plug(t, place).Path(), Silence: serialtest.Deadline})
		for _, word := range []string{"one", "two"} {
			before := instant.Monotonic{}.Now()
			if _, err := s.Write([]byte(word)); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 100)
			n, arrival, err := s.Read(b)
			if err != nil || string(b[:n]) != word || arrival < before {
				t.Errorf("%s: %q at %d, %v; want %q after %d", place, b[:n], arrival, err, word, before)
			}
		}
	}
}

// A device that goes and comes back is met at the same address.
func TestGoneAndBack(t *testing.T) {
	link := plug(t, "tcp://127.0.0.1:0")
	s := open(t, network.Config{Address: link.Path()})
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if _, _, err := s.Read(b); err != nil {
		t.Fatal(err)
	}
	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Read(b); !errors.Is(err, network.ErrGone) {
		t.Errorf("read from a server that went: %v", err)
	}
	if _, err := network.Open(network.Config{Address: link.Path()}); !errors.Is(err, network.ErrRefused) {
		t.Errorf("open without a server: %v", err)
	}
	if err := link.Plug(); err != nil {
		t.Fatal(err)
	}
	open(t, network.Config{Address: link.Path()})
}

func TestSilenceAndClose(t *testing.T) {
	for _, place := range []string{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"} {
		link := plug(t, place)
		quiet := open(t, network.Config{Address: link.Path(), Silence: 20 * time.Millisecond})
		if _, _, err := quiet.Read(make([]byte, 10)); !errors.Is(err, network.ErrSilent) || !strings.Contains(err.Error(), link.Path()) {
			t.Errorf("%s: %v, want silence", place, err)
		}
		s := open(t, network.Config{Address: link.Path()})
		ended := make(chan error, 1)
		go func() {
			_, _, err := s.Read(make([]byte, 10))
			ended <- err
		}()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-ended:
			if !errors.Is(err, network.ErrClosed) {
				t.Errorf("%s: a read that we ended: %v", place, err)
			}
		case <-time.After(serialtest.Deadline):
			t.Fatal("Close does not end a Read")
		}
		if _, err := s.Write([]byte("x")); !errors.Is(err, network.ErrClosed) {
			t.Errorf("%s: write after Close: %v", place, err)
		}
	}
}

// A second program that wants the port which the device sends to is told so.
func TestLocalPortTaken(t *testing.T) {
	first, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, port, err := net.SplitHostPort(first.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = network.Open(network.Config{Address: "udp://127.0.0.1:4444?from=" + port, Clock: instant.Monotonic{}})
	if !errors.Is(err, network.ErrTaken) || !strings.Contains(err.Error(), port) {
		t.Errorf("%v, want ErrTaken and the port", err)
	}
}
