package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"emolab/studies/access"
	"emolab/studies/console"
)

const (
	// requestHeaderLimit bounds how long a silent client can hold a connection, and
	// idleLimit how long one that has been answered.
	requestHeaderLimit = 10 * time.Second
	idleLimit          = 2 * time.Minute
	// headerBytes bounds the header of a request: a cookie, and what a browser adds.
	headerBytes = 16 << 10
	// connectionsEach is how many connections an address can hold at once: some consoles,
	// of which each has a handful.
	connectionsEach = 128
)

// listenFlags say where the pages are served, and how.
type listenFlags struct {
	Listen string   `help:"Address of the pages. One that other computers reach is served over TLS. Default: 127.0.0.1:8800, this computer alone." default:"127.0.0.1:8800" placeholder:"HOST:PORT"`
	TLS    bool     `name:"tls" help:"Serve over TLS on a loopback address, too."`
	Cert   string   `help:"Your own certificate for TLS, PEM. Default: one that is made, and kept in the data folder." type:"existingfile" placeholder:"FILE"`
	Key    string   `help:"The private key of --cert, PEM." type:"existingfile" placeholder:"FILE"`
	Name   []string `help:"A name or address that other computers have for this one, beside its host name. Can be given several times." placeholder:"NAME" sep:"none"`
}

// secured is how other computers reach the pages.
type secured struct {
	listen      string
	config      *tls.Config
	fingerprint string
	names       []string // of this computer: host names and addresses
	shown       []string // those that are printed
}

// secure makes ready what TLS needs; nil: the pages are for this computer alone, without.
func (f listenFlags) secure(dir string, now time.Time) (*secured, error) {
	loopback, err := isLoopback(f.Listen)
	if err != nil {
		return nil, err
	}
	for _, name := range f.Name {
		if !isName(name) {
			return nil, usagef("--name %q: want a host name or an address without a port, for example lab-pc.example.org", name)
		}
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, usagef("--cert and --key go together: name the certificate and its private key")
	}
	if loopback && !f.TLS && f.Cert == "" {
		return nil, nil
	}
	s := &secured{listen: f.Listen}
	host, _, _ := net.SplitHostPort(f.Listen) // isLoopback has split it
	s.names, s.shown = f.names(host)
	var own tls.Certificate
	if f.Cert != "" {
		if own, err = tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
			return nil, fmt.Errorf("--cert, --key: %w", err)
		}
	} else if own, err = access.Certificate(filepath.Join(dir, "tls"), s.names, f.Name, now); err != nil {
		return nil, err
	}
	s.fingerprint = access.Fingerprint(own)
	// WebSockets need HTTP/1.1, and nothing here gains by a later one.
	s.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, NextProtos: []string{"http/1.1"}}
	return s, nil
}

// names are what this computer is called, and of these what is printed: the names that
// were given, else the address that is listened on, else those in the local network.
func (f listenFlags) names(host string) (all, shown []string) {
	all = append(slices.Clone(f.Name), "localhost", "127.0.0.1", "::1")
	if name, err := os.Hostname(); err == nil && isName(name) {
		all = append(all, name, name+".local")
	}
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		shown = localAddresses()
	default:
		shown = []string{host}
	}
	for _, name := range shown {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(f.Name) > 0 {
		shown = f.Name
	}
	return all, shown
}

// hostName is what a certificate can be made for.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

// isName tells whether something is the name or the address of a computer.
func isName(name string) bool { return net.ParseIP(name) != nil || hostName.MatchString(name) }

// localAddresses are the IPv4 addresses of this computer in its networks.
func localAddresses() []string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil // they are only told; the server listens all the same
	}
	var out []string
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// isLoopback tells whether only this computer reaches an address.
func isLoopback(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, usagef("--listen %s: want host:port, for example 127.0.0.1:8800", listen)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

// isFree refuses addresses that somebody else listens on.
func (f listenFlags) isFree() error {
	loopback, err := isLoopback(f.Listen)
	if err != nil {
		return err
	}
	listens := []string{f.Listen}
	if s := (secured{listen: f.Listen}); !loopback || f.TLS || f.Cert != "" {
		listens = append(listens, s.here())
	}
	for _, listen := range listens {
		l, err := openListener(listen)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// open listens for this computer on one address, and for others on another: with TLS the
// participant's screen and the console on this computer still go without, one port higher,
// because a browser would warn there of a certificate that protects from nobody.
func (s *secured) open(listen string) (here, outside net.Listener, err error) {
	if s == nil {
		here, err = openListener(listen)
		return here, nil, err
	}
	if outside, err = openListener(s.listen); err != nil {
		return nil, nil, err
	}
	outside = tls.NewListener(outside, s.config)
	if here, err = openListener(s.here()); err != nil {
		outside.Close()
		return nil, nil, err
	}
	return here, outside, nil
}

// hosts are the names by which the pages are asked for, beside those of loopback.
func (s *secured) hosts() []string {
	if s == nil {
		return nil
	}
	return s.names
}

// here is where this computer itself finds the pages.
func (s *secured) here() string {
	_, text, _ := net.SplitHostPort(s.listen)
	port, err := strconv.Atoi(text)
	if err != nil || port == 0 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1))
}

func openListener(listen string) (net.Listener, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w; %s", err, insteadOf(err))
	}
	return access.Limited(l, connectionsEach), nil
}

// insteadOf says what to do where an address cannot be listened on.
func insteadOf(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "is another emolab running? choose another port with --listen"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 are for root: choose another with --listen"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this computer has no such address: 0.0.0.0 stands for all that it has"
	}
	return "choose another address with --listen"
}

// newServer is a server of pages that waits for nobody who does not speak. What is behind
// it may take its time, and WebSockets stay open.
func newServer(pages http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: pages, ReadHeaderTimeout: requestHeaderLimit, IdleTimeout: idleLimit, MaxHeaderBytes: headerBytes, Protocols: &protocols,
		// Every browser that asks about the certificate is a line here.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// print says where other computers find the pages, and by what they are known.
func (s *secured) print(out io.Writer, running *appliance) {
	_, port, _ := net.SplitHostPort(running.outside.Addr().String())
	fmt.Fprint(out, "From other computers:\n\n")
	for _, name := range s.shown {
		at := "https://" + net.JoinHostPort(name, port)
		fmt.Fprintf(out, "  console      %s/?token=%s\n", at, running.token)
		fmt.Fprintf(out, "  participant  %s/stage?token=%s\n", at, console.StageToken(running.token))
		running.printCamera(out, at)
	}
	fmt.Fprintf(out, "  certificate  SHA-256 %s\n\n", s.fingerprint)
	fmt.Fprint(out, "A browser there warns once: compare this fingerprint with the one it shows before you go on.\n\n")
}
