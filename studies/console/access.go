package console

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"emolab/studies/access"
)

// minToken is how long the lab's token is at least, in characters; anything shorter was not
// made by access.NewToken.
const minToken = 16

// CheckToken tells why a token cannot be the lab's own: it would open nothing.
func CheckToken(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("the token of the lab has %d characters: it needs %d at least, or it could be guessed", len(token), minToken)
	}
	return nil
}

// StageToken makes of the lab's token the one that opens the participant's
// screen and nothing else. The lab's cannot be told from it, so that whoever sits
// at that screen cannot open the console.
func StageToken(token string) string { return derived(token, "stage") }

// derived makes of the lab's token the one that opens one of its screens.
func derived(token, screen string) string {
	d := access.DigestOf(screen + " " + token)
	return base64.RawURLEncoding.EncodeToString(d[:access.TokenBytes])
}

// gate lets in who has a token.
type gate struct {
	digest access.Digest // of the token: comparing digests hides its length too
	holder access.Holder // who has it
	book   *access.Book  // of the others who have one; nil: there is none
	// cookie is the name of the cookie that keeps the token. Browsers share
	// cookies among the ports of a host, so the name differs from lab to lab.
	cookie string
	shut   bool // the token is none: it lets nobody in
}

// newGate is the gate of the console: the lab's own token is the administrator's.
func newGate(token string, book *access.Book) gate {
	g := screenGate(token, access.Holder{Name: "lab", Role: access.Admin})
	g.book, g.shut = book, CheckToken(token) != nil
	return g
}

// newStageGate is the gate of the participant's screen, who is nobody at a console.
func newStageGate(token string) gate {
	g := screenGate(StageToken(token), access.Holder{Name: "participant's screen"})
	g.shut = CheckToken(token) != nil // as shut as the console's
	return g
}

func screenGate(token string, holder access.Holder) gate {
	d := access.DigestOf(token)
	id := access.DigestOf(string(d[:]))
	return gate{digest: d, holder: holder, cookie: "emolab_" + hex.EncodeToString(id[:4])}
}

// cookieName is the gate's cookie. Under TLS it is another, which a page without TLS can
// neither set nor read.
func (g gate) cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-" + g.cookie
	}
	return g.cookie
}

// whose tells who has a token.
func (g gate) whose(d access.Digest) (access.Holder, error) {
	if !g.shut && d.Is(g.digest) {
		return g.holder, nil
	}
	if g.book == nil || g.shut {
		return access.Holder{}, access.ErrUnknown
	}
	return g.book.Holder(d, time.Now())
}

// credential is a token that a request carries for one of some gates.
type credential struct {
	gate   gate
	token  string
	digest access.Digest
}

// tokensOf are the tokens that a request shows. What is in the address or in
// Authorization was sent on purpose, and is taken alone; a cookie is that of its gate.
func tokensOf(r *http.Request, gates []gate) []credential {
	var all []credential
	add := func(g gate, token string) {
		all = append(all, credential{g, token, access.DigestOf(token)})
	}
	bearer, hasBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	for _, g := range gates {
		if token, ok := inAddress(r); ok {
			add(g, token)
		} else if hasBearer {
			add(g, bearer)
		} else if c, err := r.Cookie(g.cookieName(r)); err == nil {
			add(g, c.Value)
		}
	}
	return all
}

// inAddress is the token of an address that was opened.
func inAddress(r *http.Request) (string, bool) {
	q := r.URL.Query()
	return q.Get("token"), r.Method == http.MethodGet && q.Has("token")
}

// pass is a token that opened a gate, and who has it.
type pass struct {
	credential
	holder access.Holder
}

// admit tells who asks, or why nobody may come in. wait is how long they have to wait
// before they are listened to again.
func (d *doors) admit(r *http.Request, gates []gate) (p pass, wait time.Duration, err error) {
	from, now := access.AddrOf(r.RemoteAddr), time.Now()
	err = errNoToken
	for _, s := range tokensOf(r, gates) {
		if left := d.guesses.Wait(from, s.digest, now); left > 0 {
			wait, err = left, errTooMany
			continue
		}
		holder, why := s.gate.whose(s.digest)
		if why == nil {
			d.guesses.Right(from, s.digest, now)
			return pass{s, holder}, 0, nil
		}
		if wait == 0 {
			err = why
		}
	}
	if errors.Is(err, access.ErrUnknown) {
		d.guesses.Wrong(from, now)
	}
	return pass{}, wait, err
}

var (
	errNoToken = errors.New("no token was shown")
	errTooMany = errors.New("too many wrong tokens came from this address")
)

// stillKey finds in a context what still looks up.
type stillKey struct{}

// still tells whether who asked may be in at this moment, too: a token can be taken back
// while its holder watches.
func still(ctx context.Context) bool {
	ask, ok := ctx.Value(stillKey{}).(func() bool)
	return ok && ask()
}

// StageOnly guards the participant's page where there is no console beside it. It
// opens with StageToken(token).
func StageOnly(stage http.Handler, token string) http.Handler {
	return newDoors(nil, nil).guard(stage, newStageGate(token))
}

// guard wraps what the console serves, for those whom one of the gates lets in.
func (d *doors) guard(next http.Handler, gates ...gate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w)
		d.hurry(w, r)
		if !d.serves(r) {
			d.refused(r, http.StatusMisdirectedRequest)
			refuse(w, r, http.StatusMisdirectedRequest, "Not the name of this server", "this server is not called by the name in that address: open the one that Emolab printed at its start, or give it the name with --name")
			return
		}
		p, wait, err := d.admit(r, gates)
		if err != nil {
			d.deny(w, r, wait, err)
			return
		}
		// The printed address carries the token once; the cookie carries it from
		// there on, and it disappears from the address bar and the history.
		if _, ok := inAddress(r); ok {
			enter(w, r, p)
			return
		}
		if changes(r) && !sameOrigin(r) {
			d.refused(r, http.StatusForbidden)
			refuse(w, r, http.StatusForbidden, "Refused", "this request comes from another site and is refused")
			return
		}
		if !plainPath(r.URL) {
			d.refused(r, http.StatusNotFound)
			refuse(w, r, http.StatusNotFound, "Not here", "there is nothing at this address")
			return
		}
		if !d.takeBody(w, r) {
			return
		}
		ctx := access.With(r.Context(), p.holder)
		ctx = context.WithValue(ctx, stillKey{}, func() bool {
			_, err := p.gate.whose(p.digest)
			return err == nil
		})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// enter keeps the token of the address in a cookie and leads to the address without it.
// The token that was opened last is the one that counts in a browser.
func enter(w http.ResponseWriter, r *http.Request, p pass) {
	http.SetCookie(w, &http.Cookie{
		Name: p.gate.cookieName(r), Value: p.token, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	q := r.URL.Query()
	q.Del("token")
	// Only the path is kept, so that "//elsewhere" cannot leave this host.
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, `/\`), RawQuery: q.Encode()}
	http.Redirect(w, r, to.RequestURI(), http.StatusSeeOther)
}

// changes tells whether a request can do more than read: any method but GET and
// HEAD, and a WebSocket, which browsers open across sites without asking.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Upgrade") != ""
}

// sameOrigin tells whether a request comes from a page of this server, or from
// a program that is no browser (which sends neither header).
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https")
}

// forProgram tells whether a program asks, and not a person in a browser's address bar.
func forProgram(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/ws/") || r.Method != http.MethodGet && r.Method != http.MethodHead
}

const (
	pageHead = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Emolab: %s</title>
<h1>%s</h1>
`
	noTokenPage = `<p>When Emolab starts, it prints an address that ends in <code>?token=</code> and a long word.
Open that address in this browser once; after that the short address works too.</p>
<p>If it worked before: Emolab has a new token, or yours has run out or was taken back. Ask for another.</p>
`
	tooManyPage = `<p>Too many wrong tokens came from this address. Wait %d s, then open the whole address that you were given.</p>
`
	notYoursPage = `<p>Your address is that of: %s (%s). This page needs another role. Ask whoever runs the lab for an address
of that role, and open it in this browser.</p>
`
)

// deny answers a request without a token that opens: a page in words for a person, JSON
// for a program.
func (d *doors) deny(w http.ResponseWriter, r *http.Request, wait time.Duration, err error) {
	if wait > 0 {
		d.refused(r, http.StatusTooManyRequests)
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		if forProgram(r) {
			writeError(w, http.StatusTooManyRequests, fmt.Sprintf("%v: wait %d s", err, seconds))
			return
		}
		writePage(w, http.StatusTooManyRequests, "Please wait", fmt.Sprintf(tooManyPage, seconds))
		return
	}
	d.refused(r, http.StatusUnauthorized)
	if !knownRefusal(err) { // a list of tokens that cannot be read: whoever is here cannot mend it
		d.unreadable(err)
		err = errors.New("the lab's list of tokens cannot be read: whoever runs the lab finds the reason in its log")
	}
	if forProgram(r) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="emolab"`)
		writeError(w, http.StatusUnauthorized, "token missing or wrong ("+err.Error()+"): send it as Authorization: Bearer TOKEN, or open the printed address once")
		return
	}
	writePage(w, http.StatusUnauthorized, "This lab opens with its full address", noTokenPage)
}

func knownRefusal(err error) bool {
	return errors.Is(err, errNoToken) || errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrExpired) || errors.Is(err, access.ErrRevoked)
}

// forbid answers who is in, but in a role that may not do this. Whoever works only with
// sessions that are over is led to those.
func (c *Console) forbid(w http.ResponseWriter, r *http.Request, need access.Permission) {
	who := access.Who(r.Context())
	if r.Method == http.MethodGet && r.URL.Path == "/" && who.Role.May(access.Replay) {
		http.Redirect(w, r, "/replay", http.StatusSeeOther)
		return
	}
	c.doors.refused(r, http.StatusForbidden)
	if forProgram(r) {
		writeError(w, http.StatusForbidden, "the role "+string(who.Role)+" may not "+need.String()+": ask for a token of another role")
		return
	}
	writePage(w, http.StatusForbidden, "Not with this address", fmt.Sprintf(notYoursPage, escaped(who.Name), who.Role))
}
