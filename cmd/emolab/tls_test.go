package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"emolab/studies/access"
	"emolab/studies/console"
)

// pinned is a client that trusts nothing but the certificate with a fingerprint, as a person
// does who compares it.
func pinned(fingerprint string) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the fingerprint is what is trusted
		VerifyConnection: func(s tls.ConnectionState) error {
			d := sha256.Sum256(s.PeerCertificates[0].Raw)
			if hex.EncodeToString(d[:]) != strings.ToLower(strings.ReplaceAll(fingerprint, ":", "")) {
				return errors.New("another certificate")
			}
			return nil
		},
	}}}
}

// The program itself, over TLS: what it prints is what a client finds, and the
// participant's screen on this computer goes without.
func TestTheLabIsServedOverTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	data := t.TempDir()
	if code, out, errOut := program(t, "token", "new", "--role", "viewer", "--name", "Partner screen", "--data", data, "--address", "https://lab:1"); code != exitFine || !strings.HasPrefix(out, "https://lab:1/?token=") {
		t.Fatalf("token new: %d %s%s", code, out, errOut)
	}
	lab := writeLab(t, "{driver: emobox, port: /dev/nothing}")
	p := start(t, "Ctrl-C", "serve", "--lab", lab, "--tls", "--listen", "127.0.0.1:0", "--data", data)
	said := p.out.String()
	find := func(pattern string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(said)
		if m == nil {
			t.Fatalf("%s is not in:\n%s", pattern, said)
		}
		return m[1]
	}
	client := pinned(find(`certificate\s+SHA-256 ([0-9A-F:]{95})`))
	get := func(client *http.Client, url string) (*http.Response, error) {
		resp, err := client.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		return resp, err
	}
	outside := find(`console\s+(https://127\.0\.0\.1:\d+)/\?token=`)
	resp, err := get(client, outside+"/api/status")
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %v, %v", resp, err)
	}
	if _, err := get(pinned(strings.Repeat("AB:", 31)+"AB"), outside+"/"); err == nil {
		t.Error("any certificate fits")
	}
	old := pinned("")
	old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
	if _, err := get(old, outside+"/"); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	ask := func(url, token string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	token := find(`console\s+https://127\.0\.0\.1:\d+/\?token=(\S+)`)
	if resp := ask(outside+"/api/status", token); resp.StatusCode != http.StatusOK || resp.TLS == nil || resp.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("with the token: %s, headers %v", resp.Status, resp.Header) // the latter would lock browsers out when the certificate is made anew
	}
	if here := find(`console\s+(http://127\.0\.0\.1:\d+)/\?token=`); ask(here+"/stage", console.StageToken(token)).StatusCode != http.StatusOK {
		t.Errorf("the participant's screen does not open on this computer at %s", here)
	}
	// The program sees what another one does to the tokens.
	if resp := ask(outside+"/api/audit", token); resp.StatusCode != http.StatusOK {
		t.Errorf("the audit: %s", resp.Status)
	}
	secret, err := access.OpenBook(data).Give(access.Token{Name: "Ann", Role: access.Analyst, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if resp := ask(outside+"/api/sessions", secret); resp.StatusCode != http.StatusOK {
		t.Errorf("a token that was given out since: %s", resp.Status)
	}
	if code, out, errOut := program(t, "token", "revoke", "Ann", "--data", data); code != exitFine {
		t.Fatalf("token revoke: %d %s%s", code, out, errOut)
	}
	if resp := ask(outside+"/api/sessions", secret); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token that was taken back: %s", resp.Status)
	}
	if code, out, _ := program(t, "token", "list", "--data", data); code != exitFine || !strings.Contains(out, "Partner screen  viewer") || !strings.Contains(out, "taken back") {
		t.Errorf("token list: %d %s", code, out)
	}
	p.stop()
	p.end()
}

func TestOnlyTLSLeavesThisComputer(t *testing.T) {
	for _, c := range []struct {
		name   string
		flags  listenFlags
		want   string   // of the error; "" = none
		secure bool     // over TLS
		names  []string // that the certificate holds for
		here   string
	}{
		{name: "loopback", flags: listenFlags{Listen: "127.0.0.1:8800"}},
		{name: "localhost", flags: listenFlags{Listen: "localhost:0"}},
		{name: "TLS on loopback", flags: listenFlags{Listen: "[::1]:8800", TLS: true}, secure: true, names: []string{"localhost", "::1"}, here: "127.0.0.1:8801"},
		{name: "everywhere", flags: listenFlags{Listen: "0.0.0.0:8800", Name: []string{"lab.example"}}, secure: true, names: []string{"lab.example", "127.0.0.1"}, here: "127.0.0.1:8801"},
		{name: "everywhere, unsaid", flags: listenFlags{Listen: ":0"}, secure: true, here: "127.0.0.1:0"},
		{name: "an address", flags: listenFlags{Listen: "192.0.2.7:8800"}, secure: true, names: []string{"192.0.2.7"}, here: "127.0.0.1:8801"},
		{name: "a name with a port", flags: listenFlags{Listen: "0.0.0.0:1", Name: []string{"lab-pc:8800"}}, want: "without a port"},
		{name: "a name in words", flags: listenFlags{Listen: "0.0.0.0:1", Name: []string{"Lab PC"}}, want: "--name"},
		{name: "no port", flags: listenFlags{Listen: "127.0.0.1"}, want: "host:port"},
		{name: "no key", flags: listenFlags{Listen: "127.0.0.1:1", Cert: "cert.pem"}, want: "--key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s, err := c.flags.secure(dir, time.Now())
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("the error is %v, want %q", err, c.want)
				}
				return
			}
			if err != nil || (s != nil) != c.secure {
				t.Fatalf("%v, over TLS: %t", err, s != nil)
			}
			if s == nil {
				return
			}
			if got := s.here(); got != c.here {
				t.Errorf("this computer finds it at %s, want %s", got, c.here)
			}
			for _, name := range c.names {
				if err := s.config.Certificates[0].Leaf.VerifyHostname(name); err != nil {
					t.Error(err)
				}
			}
			// One's own, which is the one that was made.
			own := listenFlags{Listen: "127.0.0.1:0", Cert: filepath.Join(dir, "tls", "cert.pem"), Key: filepath.Join(dir, "tls", "key.pem")}
			if again, err := own.secure(t.TempDir(), time.Now()); err != nil || again.fingerprint != s.fingerprint {
				t.Errorf("the same certificate by --cert: %v, %v", again, err)
			}
		})
	}
}

// Who says nothing, or says it slowly, loses the connection; others are answered meanwhile.
func TestSlowHeadersAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	server := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout <= 0 || server.IdleTimeout <= 0 || server.MaxHeaderBytes > 64<<10 {
		t.Fatalf("limits %v, %v, %d bytes", server.ReadHeaderTimeout, server.IdleTimeout, server.MaxHeaderBytes)
	}
	// The test does not wait for the real one; but all have to be there, and one to have asked,
	// before it is over.
	server.ReadHeaderTimeout = 3 * time.Second
	l, err := openListener("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-served })
	var slow []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("among them another is answered with %v, %v", resp, err)
	}
	resp.Body.Close()
	for _, c := range slow {
		if err := c.SetReadDeadline(time.Now().Add(readyLimit)); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			resp.Body.Close()
			if resp.StatusCode < 400 {
				t.Fatalf("half a request is answered with %s", resp.Status)
			}
		} else if errors.Is(err, net.ErrClosed) || isTimeout(err) {
			t.Fatalf("a slow one still holds its connection: %v", err)
		}
	}
}

func isTimeout(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}
