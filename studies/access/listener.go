package access

import (
	"net"
	"net/netip"
	"sync"
)

// Limited is a listener that lets each address hold only so many connections at once:
// whoever opens thousands and says nothing takes them from nobody else. This computer
// itself is not limited, because a program on it could do worse, and the participant's
// screen must not be kept out.
func Limited(l net.Listener, most int) net.Listener {
	return &limited{Listener: l, most: most, held: map[netip.Prefix]int{}}
}

type limited struct {
	net.Listener
	most int
	mu   sync.Mutex
	held map[netip.Prefix]int
}

// Accept returns the next connection of an address that has not too many.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := AddrOf(c.RemoteAddr().String())
		if from.IsLoopback() {
			return c, nil
		}
		key := network(from)
		if l.take(key) {
			return &held{Conn: c, free: func() { l.leave(key) }}, nil
		}
		_ = c.Close() // it has enough of them
	}
}

func (l *limited) take(key netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key] >= l.most {
		return false
	}
	l.held[key]++
	return true
}

func (l *limited) leave(key netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key]--; l.held[key] <= 0 {
		delete(l.held, key)
	}
}

// held is a connection that counts.
type held struct {
	net.Conn
	once sync.Once
	free func()
}

// Close closes the connection.
func (h *held) Close() error {
	defer h.once.Do(h.free)
	return h.Conn.Close()
}

// AddrOf is the address of "address:port"; the zero address, if it is none.
func AddrOf(hostPort string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
