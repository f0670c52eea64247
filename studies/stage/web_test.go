package stage_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/studies/stage"
	"emolab/studies/stage/protocol"
)

func newTestServer(t *testing.T, s *stage.Server) *httptest.Server {
	t.Helper()
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return h
}

func TestPageAndClips(t *testing.T) {
	st := shortStudy(t, 10)
	h := newTestServer(t, stage.New(stage.Options{Clock: instant.Monotonic{}, Study: st}))
	for _, c := range []struct {
		path, bytes string // bytes: the Range asked for
		status      int
		kind, body  string
	}{
		{"/stage", "", 200, "text/html; charset=utf-8", "<title>Emolab</title>"},
		{"/stage/main.js", "", 200, "text/javascript; charset=utf-8", "import"},
		{"/stage/stage.css", "", 200, "text/css; charset=utf-8", "#757575"},
		{"/stage/", "", 200, "text/html; charset=utf-8", "<title>Emolab</title>"}, // by redirect, no listing
		{"/stage/stimuli/a", "", 200, "video/mp4", "clip a"},
		{"/stage/stimuli/a?sha256=x", "bytes=5-5", 206, "video/mp4", "a"},
		{"/stage/stimuli/b", "", 404, "text/plain; charset=utf-8", "no such clip"},
		{"/stage/stimuli/a.mp4", "", 404, "text/plain; charset=utf-8", "no such clip"},
		{"/stage/stimuli/..%2fa", "", 404, "text/plain; charset=utf-8", "no such clip"},
		{"/stage/words/fr.json", "", 200, "application/json; charset=utf-8", `"page.connecting":"`},
		{"/stage/words/de.json", "", 404, "text/plain; charset=utf-8", "en, fr"},
		{"/stage/words/fr", "", 404, "text/plain; charset=utf-8", "no words"},
		{"/stage/words/..%2ffr.json", "", 404, "text/plain; charset=utf-8", "no words"},
		{"/stage/absent.js", "", 404, "text/plain; charset=utf-8", ""},
		{"/ws/stage", "", 503, "text/plain; charset=utf-8", "not running"},
	} {
		req, err := http.NewRequest(http.MethodGet, h.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.bytes != "" {
			req.Header.Set("Range", c.bytes)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.status || resp.Header.Get("Content-Type") != c.kind || !strings.Contains(string(body), c.body) {
			t.Errorf("%s: %d %s %.60q", c.path, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"X-Content-Type-Options":       "nosniff",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.path, name, got, want)
			}
		}
		if p := resp.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", c.path, p)
		}
	}
}

// The page's constants are those of the protocol.
func TestPageAgreesWithTheProtocol(t *testing.T) {
	h := newTestServer(t, stage.New(stage.Options{Clock: instant.Monotonic{}}))
	says := map[string][]string{
		"protocol.js": {fmt.Sprintf("export const VERSION = %d;\n", protocol.Version)},
		"frames.js":   {fmt.Sprintf("const BATCH = %d;\n", protocol.FrameBatch.Milliseconds())},
		"lead.js":     {fmt.Sprintf("const READING = %d;\n", reading.Milliseconds())}, // for unhurried
	}
	for _, outcome := range []string{protocol.OverComplete, protocol.OverDeclined, protocol.OverLeft} {
		says["protocol.js"] = append(says["protocol.js"], "'"+outcome+"'")
	}
	for _, corner := range []string{stage.TopLeft, stage.TopRight, stage.BottomLeft, stage.BottomRight} {
		says["protocol.js"] = append(says["protocol.js"], "'"+corner+"'")
	}
	for file, lines := range says {
		resp, err := http.Get(h.URL + "/stage/" + file)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(body), line) {
				t.Errorf("%s does not say %q", file, line)
			}
		}
	}
}
