package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	tokenBytes = 24 // 192 bits: beyond guessing, and still short enough to copy from a terminal
	minToken   = 16 // characters; anything shorter was not made by NewToken
)

// NewToken makes the secret of one lab, safe to stand in a URL.
func NewToken() (string, error) {
	b := make([]byte, tokenBytes)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("console: make a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// StageToken makes of the lab's token the one that opens the participant's
// screen and nothing else. The lab's cannot be told from it, so that whoever sits
// at that screen cannot open the console.
func StageToken(token string) string {
	d := sha256.Sum256([]byte("stage " + token))
	return base64.RawURLEncoding.EncodeToString(d[:tokenBytes])
}

// gate lets in who knows the token.
type gate struct {
	digest [sha256.Size]byte // of the token: comparing digests hides its length too
	// cookie is the name of the cookie that keeps the token. Browsers share
	// cookies among the ports of a host, so the name differs from lab to lab.
	cookie string
	shut   bool // the token is none: nobody gets in
}

func newGate(token string) gate {
	d := sha256.Sum256([]byte(token))
	id := sha256.Sum256(d[:])
	return gate{digest: d, cookie: "emolab_" + hex.EncodeToString(id[:4]), shut: len(token) < minToken}
}

// newStageGate is the gate of the stage's own token.
func newStageGate(token string) gate {
	g := newGate(StageToken(token))
	g.shut = len(token) < minToken // as shut as the console's
	return g
}

// StageOnly guards the participant's page where there is no console beside it. It
// opens with StageToken(token).
func StageOnly(stage http.Handler, token string) http.Handler {
	return guard(stage, newStageGate(token))
}

func (g gate) fits(token string) bool {
	d := sha256.Sum256([]byte(token))
	return !g.shut && subtle.ConstantTimeCompare(d[:], g.digest[:]) == 1
}

// open tells whether the request carries the token, as a cookie or as
// Authorization: Bearer.
func (g gate) open(r *http.Request) bool {
	if c, err := r.Cookie(g.cookie); err == nil && g.fits(c.Value) {
		return true
	}
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && g.fits(bearer)
}

// guard wraps what the console serves, for those whom one of the gates lets in.
func guard(next http.Handler, gates ...gate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")

		// The printed address carries the token once; the cookie carries it from
		// there on, and it disappears from the address bar and the history.
		if q := r.URL.Query(); r.Method == http.MethodGet && q.Has("token") {
			i := slices.IndexFunc(gates, func(g gate) bool { return g.fits(q.Get("token")) })
			if i < 0 {
				deny(w, r)
				return
			}
			http.SetCookie(w, &http.Cookie{
				Name: gates[i].cookie, Value: q.Get("token"), Path: "/",
				HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
			})
			q.Del("token")
			// Only the path is kept, so that "//elsewhere" cannot leave this host.
			to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: q.Encode()}
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, to.RequestURI(), http.StatusSeeOther)
			return
		}
		if !slices.ContainsFunc(gates, func(g gate) bool { return g.open(r) }) {
			deny(w, r)
			return
		}
		if changes(r) && !sameOrigin(r) {
			http.Error(w, "This request comes from another site and is refused.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
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
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

const deniedPage = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Emolab: address incomplete</title>
<h1>This lab opens with its full address</h1>
<p>When Emolab starts, it prints an address that ends in <code>?token=</code> and a long word.
Open that address in this browser once; after that the short address works too.</p>
<p>If it worked before: Emolab was started again and has a new token.</p>
`

// deny answers a request without the token: a page in words for a person, JSON
// for a program.
func deny(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/ws/") {
		w.Header().Set("WWW-Authenticate", `Bearer realm="emolab"`)
		writeError(w, http.StatusUnauthorized, "token missing or wrong: send it as Authorization: Bearer TOKEN, or open the printed address once")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write([]byte(deniedPage)) // the reader is gone: nobody is left to tell
}
