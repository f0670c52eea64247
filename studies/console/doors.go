package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"emolab/studies/access"
)

const (
	// maxUpload bounds the body of any request; the largest holds areas of interest.
	maxUpload = 8 << 20
	// bodyWait is how long a body may take to arrive.
	bodyWait = 20 * time.Second
	// refusalsEvery is how often is logged what was refused, and refusalKinds how many
	// lines that are at most: a flood must not fill the log.
	refusalsEvery = time.Second
	refusalKinds  = 16
)

// doors is what all gates have in common.
type doors struct {
	names    []string // of this server, beside those of this computer for itself
	bodyWait time.Duration
	guesses  access.Guesses
	log      *slog.Logger

	mu     sync.Mutex
	counts map[refusal]int // since the last line of the log
	unread string          // why the list of tokens cannot be read, as it was logged
}

// refusal is a kind of request that was refused.
type refusal struct {
	status int
	from   netip.Addr
	what   string // method and first part of the path
	who    string // of whoever is in, and was refused this
}

func newDoors(names []string, log *slog.Logger) *doors {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &doors{names: names, bodyWait: bodyWait, log: log, counts: map[refusal]int{}}
}

// serves tells whether a request is meant for this server: by the name of this computer
// for itself, by the address at which it arrived, or by a name that the lab goes by. A page
// elsewhere can have its own name lead here, and would then count as ours.
func (d *doors) serves(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		return ip.IsLoopback() || at != nil && access.AddrOf(at.String()) == ip.Unmap() || slices.Contains(d.names, host)
	}
	return host == "localhost" || slices.ContainsFunc(d.names, func(name string) bool { return strings.EqualFold(name, host) })
}

// protect sets what every answer says to a browser. A page says what it needs beyond that.
func protect(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), midi=(), payment=()")
	h.Set("Cache-Control", "no-store")
}

// plainPath tells whether a path is one that a page or a program of ours asks for. None of
// them hides a slash, or has a byte in it that is no character: such a path is meant to be
// read in one way here and in another one by the system.
func plainPath(u *url.URL) bool {
	hidden := strings.Contains(strings.ToLower(u.EscapedPath()), "%2f")
	return !hidden && utf8.ValidString(u.Path) && !strings.ContainsFunc(u.Path, func(r rune) bool { return r == '\\' || unicode.IsControl(r) })
}

// hurry bounds how long a body may take, also that of a request that is refused: net/http
// reads the rest of it before it sends the answer.
func (d *doors) hurry(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		// A writer without deadlines is no connection, and nobody waits for it.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d.bodyWait))
	}
}

// takeBody reads the body of a request as a whole, so that no handler waits for a sender
// who lets it drip, and answers one that is too large before it is read.
func (d *doors) takeBody(w http.ResponseWriter, r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	if r.ContentLength > maxUpload {
		d.tooLarge(w, r)
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		d.tooLarge(w, r)
		return false
	case err != nil:
		d.refused(r, http.StatusRequestTimeout)
		w.Header().Set("Connection", "close")
		writeError(w, http.StatusRequestTimeout, "the request did not arrive as a whole: send it again")
		return false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // what is done with it may take its time
	r.Body = io.NopCloser(bytes.NewReader(body))
	return true
}

// tooLarge refuses a body, and closes the connection so that the rest is not read.
func (d *doors) tooLarge(w http.ResponseWriter, r *http.Request) {
	d.refused(r, http.StatusRequestEntityTooLarge)
	w.Header().Set("Connection", "close")
	writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is too large: at most %d kB are read", maxUpload>>10))
}

// refused counts a request that was refused, for the log.
func (d *doors) refused(r *http.Request, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := refusal{status, access.AddrOf(r.RemoteAddr), methodOf(r) + " " + firstPart(r.URL.Path), access.Who(r.Context()).Name}
	if _, ok := d.counts[k]; !ok && len(d.counts) >= refusalKinds {
		k = refusal{status: status, what: "others"}
	}
	d.counts[k]++
}

// methodOf is the method of a request, as far as it is one of ours.
func methodOf(r *http.Request) string {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost}, r.Method) {
		return r.Method
	}
	return "other"
}

// firstPart is the beginning of a path, as far as it is one of ours: what somebody made up
// does not get into the log.
func firstPart(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if slices.Contains([]string{"", "api", "ws", "stage", "console", "replay", "camera", "metrics"}, first) {
		return "/" + first
	}
	return "elsewhere"
}

// report logs once a second what was refused, until ctx ends.
func (d *doors) report(ctx context.Context) {
	tick := time.NewTicker(refusalsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.say()
		case <-ctx.Done():
			d.say()
			return
		}
	}
}

// say logs what was refused since the last time.
func (d *doors) say() {
	d.mu.Lock()
	counts := d.counts
	d.counts = map[refusal]int{}
	d.mu.Unlock()
	for k, n := range counts {
		said := []any{"status", k.status, "from", k.from, "what", k.what, "times", n}
		if k.who != "" {
			said = append(said, "who", k.who)
		}
		d.log.Warn("refused", said...)
	}
}

// unreadable logs once why the list of tokens cannot be read, and not for each who asks.
func (d *doors) unreadable(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unread != err.Error() {
		d.unread = err.Error()
		d.log.Error("a token cannot be looked up", "error", err)
	}
}

// refuse answers a person or a program.
func refuse(w http.ResponseWriter, r *http.Request, status int, title, why string) {
	if forProgram(r) {
		writeError(w, status, why)
		return
	}
	writePage(w, status, title, "<p>"+escaped(why)+".</p>\n")
}

// writePage answers a person.
func writePage(w http.ResponseWriter, status int, title, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, pageHead+"%s", title, title, text) // the reader is gone: nobody is left to tell
}

// escaped is text that may stand in a page.
func escaped(text string) string { return html.EscapeString(text) }
