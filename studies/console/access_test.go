package console

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"emolab/studies/access"
)

// opens tells whether a gate lets in who shows a token.
func opens(g gate, token string) bool {
	_, err := g.whose(access.DigestOf(token))
	return err == nil
}

func TestWithoutTheTokenNothingOpens(t *testing.T) {
	stage := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, header := range map[string]string{"none": "", "wrong": "Bearer " + testToken + "x", "basic": "Basic " + testToken, "empty": "Bearer "} {
		for _, path := range []string{"/", "/console/main.js", "/api/status", "/api/sessions", "/api/bundles/x.zip", "/ws/console", "/stage", "/stage/stimuli/a", "/ws/stage", "/nothing"} {
			l := startLab(t, Options{Stage: stage}) // for each, because who is wrong too often has to wait
			r, _ := http.NewRequest(http.MethodGet, l.server.URL+path, nil)
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			resp, err := l.server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with token %s: %s", path, name, resp.Status)
			}
			if !strings.Contains(string(body), "token") {
				t.Errorf("%s does not say in words what is missing: %q", path, body)
			}
			l.stop()
		}
	}
	l := startLab(t, Options{Stage: stage})
	r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/stage/stimuli/a", nil)
	if resp := l.request(t, r); resp.StatusCode != http.StatusTeapot {
		t.Errorf("a clip with the token: %s; the stage's own handler was to answer", resp.Status)
	}
}

// Who sits at the participant's screen must not be able to open the console.
func TestTheStageTokenOpensTheStageOnly(t *testing.T) {
	stage := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	l := startLab(t, Options{Stage: stage})
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	l.answers(t, client, []answer{
		{"/stage?token=" + StageToken(testToken), http.StatusTeapot}, // from here on by its cookie
		{"/stage/stimuli/a", http.StatusTeapot},
		{"/ws/stage", http.StatusTeapot},
		{"/", http.StatusUnauthorized},
		{"/?token=" + StageToken(testToken), http.StatusUnauthorized},
		{"/console/main.js", http.StatusUnauthorized},
		{"/api/status", http.StatusUnauthorized},
		{"/api/bundles/x.zip", http.StatusUnauthorized},
		{"/ws/console", http.StatusUnauthorized},
	})
	if g := newStageGate("short"); opens(g, StageToken("short")) {
		t.Error("a lab whose token is none opens its stage")
	}
}

// answer is the status that a path is answered with.
type answer struct {
	path   string
	status int
}

// answers asks for each path and compares.
func (l *lab) answers(t *testing.T, client *http.Client, want []answer) {
	t.Helper()
	for _, a := range want {
		resp, err := client.Get(l.server.URL + a.path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != a.status {
			t.Errorf("%s: %s, want %d", a.path, resp.Status, a.status)
		}
	}
}

// What is answered on the participant's screen is the participant's answer: who
// has the console can watch the clips, and not open that screen.
func TestTheLabsTokenDoesNotOpenTheStage(t *testing.T) {
	stage := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	l := startLab(t, Options{Stage: stage})
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	l.answers(t, client, []answer{
		{"/?token=" + testToken, http.StatusOK}, // from here on by its cookie
		{"/stage", http.StatusUnauthorized},
		{"/stage?token=" + testToken, http.StatusUnauthorized},
		{"/stage/player.js", http.StatusUnauthorized},
		{"/ws/stage", http.StatusUnauthorized},
		{"/stage/stimuli/a", http.StatusTeapot},
		{"/stage/stimuli/../../ws/stage", http.StatusUnauthorized},
	})
}

func TestATokenThatIsNoneOpensNothing(t *testing.T) {
	g := newGate("", nil)
	for _, token := range []string{"", " "} {
		if opens(g, token) {
			t.Errorf("an empty token opens with %q", token)
		}
	}
}

func TestTheTokenInTheAddressBecomesACookie(t *testing.T) {
	l := startLab(t, Options{})
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	resp, err := client.Get(l.server.URL + "/?token=" + testToken)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Request.URL.RawQuery != "" {
		t.Fatalf("%s at %s: want the page at a clean address", resp.Status, resp.Request.URL)
	}
	if resp, err = client.Get(l.server.URL + "/api/status"); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status with the cookie: %s", resp.Status)
	}

	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err = once.Get(l.server.URL + "/stage?x=1&token=" + testToken)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c := resp.Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/" {
		t.Errorf("cookies %v: want one, HttpOnly and SameSite=Strict", c)
	}
	if to := resp.Header.Get("Location"); to != "/stage?x=1" {
		t.Errorf("redirected to %q", to)
	}
	// A crafted path must not lead to another host.
	r, _ := http.NewRequest(http.MethodGet, l.server.URL, nil)
	r.URL.Opaque = "//evil.example/?token=" + testToken
	if resp, err = once.Do(r); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to := resp.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://") {
		t.Errorf("redirected to another host: %q", to)
	}
	if resp, err = once.Get(l.server.URL + "/?token=wrong"); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong token in the address: %s", resp.Status)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	l := startLab(t, Options{})
	host := strings.TrimPrefix(l.server.URL, "http://")
	cases := []struct {
		name, origin, site string
		want               int
	}{
		{"a program", "", "", http.StatusOK},
		{"our page", "http://" + host, "same-origin", http.StatusOK},
		{"another site", "https://evil.example", "cross-site", http.StatusForbidden},
		{"an old browser on another site", "https://evil.example", "", http.StatusForbidden},
		{"another port of this host", "http://127.0.0.1:1", "same-site", http.StatusForbidden},
		{"a sandboxed frame", "null", "", http.StatusForbidden},
		{"no origin but a site", "", "cross-site", http.StatusForbidden},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"Authorization": {"Bearer " + testToken}}
			if c.origin != "" {
				h.Set("Origin", c.origin)
			}
			if c.site != "" {
				h.Set("Sec-Fetch-Site", c.site)
			}
			r, _ := http.NewRequest(http.MethodPost, l.server.URL+"/api/session/stop", strings.NewReader(`{}`))
			r.Header = h.Clone()
			if resp := l.request(t, r); resp.StatusCode != c.want {
				t.Errorf("POST: %s, want %d", resp.Status, c.want)
			}
			conn, resp, err := websocket.DefaultDialer.Dial("ws://"+host+"/ws/console", h)
			if conn != nil {
				conn.Close()
			}
			if opened := err == nil; opened != (c.want == http.StatusOK) {
				t.Errorf("WebSocket: opened %v (%v), want %v", opened, resp.Status, c.want == http.StatusOK)
			}
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	l := startLab(t, Options{})
	for _, path := range []string{"/", "/console/main.js", "/console/style.css"} {
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+path, nil)
		resp := l.request(t, r)
		h := resp.Header
		if resp.StatusCode != http.StatusOK || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s %v", path, resp.Status, h)
		}
	}
}
