package access

import (
	"errors"
	"net"
	"testing"
)

// calls is a listener that is called from given addresses.
type calls struct {
	net.Listener
	from []string
	conn []*caller
}

type caller struct {
	net.Conn
	from   string
	closed int
}

func (c *caller) RemoteAddr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", c.from)
	return a
}
func (c *caller) Close() error { c.closed++; return nil }

var errNoMore = errors.New("nobody calls any more")

func (l *calls) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, errNoMore
	}
	c := &caller{from: l.from[0]}
	l.from, l.conn = l.from[1:], append(l.conn, c)
	return c, nil
}

func TestAnAddressHoldsOnlySoManyConnections(t *testing.T) {
	under := &calls{}
	l := Limited(under, 2)
	accept := func(from ...string) []net.Conn {
		t.Helper()
		under.from = from
		var in []net.Conn
		for {
			c, err := l.Accept()
			if errors.Is(err, errNoMore) {
				return in
			}
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, c)
		}
	}
	greedy := accept("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.1:4")
	if len(greedy) != 2 || under.conn[2].closed != 1 || under.conn[3].closed != 1 {
		t.Fatalf("%d of four are let in; the others are closed %d and %d times", len(greedy), under.conn[2].closed, under.conn[3].closed)
	}
	if in := accept("192.0.2.2:1", "192.0.2.1:5"); len(in) != 1 {
		t.Errorf("%d are let in: want the other address alone", len(in))
	}
	if in := accept("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "[::1]:4"); len(in) != 4 {
		t.Errorf("of this computer's own %d are let in, want all four", len(in))
	}
	for range 2 { // the second time changes nothing
		if err := greedy[0].Close(); err != nil {
			t.Fatal(err)
		}
	}
	if in := accept("192.0.2.1:6", "192.0.2.1:7"); len(in) != 1 {
		t.Errorf("when one has gone %d are let in, want 1", len(in))
	}
}
