package network

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// address is a parsed Config.Address.
type address struct {
	kind string // "tcp" or "udp"
	host string // with port
	from string // udp: the local port that the device sends to, "" = any
}

// Check tells whether an address can be used.
func Check(a string) error {
	_, err := parse(a)
	return err
}

func parse(a string) (address, error) {
	u, err := url.Parse(a)
	if err != nil || u.User != nil || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return address{}, malformed(a)
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil || host == "" || !isPort(port) {
		return address{}, malformed(a)
	}
	q := u.Query()
	from := q.Get("from")
	q.Del("from")
	if len(q) > 0 {
		return address{}, malformed(a)
	}
	switch {
	case u.Scheme == "tcp" && from == "":
		return address{"tcp", u.Host, ""}, nil
	case u.Scheme == "udp" && (from == "" || isPort(from)):
		return address{"udp", u.Host, from}, nil
	}
	return address{}, malformed(a)
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func malformed(a string) error {
	return fmt.Errorf("network: address %q: want tcp://HOST:PORT or udp://HOST:PORT?from=LOCALPORT, for example tcp://127.0.0.1:4242", a)
}
