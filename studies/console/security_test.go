package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"emolab/studies/access"
	"emolab/studies/alarm"
	"emolab/studies/replay"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// logged is a log that a test reads.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// wildcard is a part of a route that a request fills in.
var wildcard = regexp.MustCompile(`\{[a-z_]+(\.\.\.)?\}`)

// concrete makes a request of a route: its method and a path.
func (r route) concrete() (method, path string) {
	method, path, _ = strings.Cut(r.pattern, " ")
	return method, wildcard.ReplaceAllString(strings.TrimSuffix(path, "{$}"), "x")
}

// ask sends a request of a route, with what is to be changed about it.
func (l *lab) ask(t *testing.T, r route, edit func(*http.Request)) *http.Response {
	t.Helper()
	method, path := r.concrete()
	var body io.Reader
	if method != http.MethodGet {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequest(method, l.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(path, "/ws/") { // as a browser opens it
		req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
	}
	edit(req)
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := once.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", r.pattern, err)
	}
	resp.Body.Close()
	return resp
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func (l *lab) quiet(t *testing.T) {
	t.Helper()
	if said := l.operator.said(); len(said) > 0 {
		t.Errorf("the operator was told %q", said)
	}
}

// every route that the lab answers behind the console's door and the camera's.
func (l *lab) every() []route { return slices.Concat(l.routes(), l.cameraRoutes()) }

// tokenOf is the token that opens the door of a route.
func tokenOf(r route) string {
	if _, path := r.concrete(); strings.HasPrefix(path, "/camera") || path == "/api/camera" {
		return CameraToken(testToken)
	}
	return testToken
}

func TestEveryRouteNeedsAToken(t *testing.T) {
	var log logged
	l := startRecording(t, Options{Log: log.logger(), Camera: new(fakeCamera)})
	n := 0
	for _, r := range l.every() {
		if resp := l.ask(t, r, func(*http.Request) {}); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a token: %s", r.pattern, resp.Status)
		}
		n++
	}
	l.quiet(t)
	l.stop()
	times := 0
	for _, m := range regexp.MustCompile(`status=401 from=127\.0\.0\.1 .* times=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
		var k int
		if _, err := fmt.Sscan(m[1], &k); err != nil {
			t.Fatal(err)
		}
		times += k
	}
	if times != n {
		t.Errorf("%d refusals are in the log, there were %d:\n%s", times, n, log.String())
	}
}

// Every route asks for its role: the answer is 403 where the table of roles says so, and
// nowhere else.
func TestEveryRouteNeedsARole(t *testing.T) {
	book := access.OpenBook(t.TempDir())
	l := startLab(t, Options{Book: book})
	l.operator.unheeded()
	for _, role := range []access.Role{access.Viewer, access.Operator, access.Analyst, access.Admin} {
		token, err := book.Give(access.Token{Name: string(role), Role: role, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.routes() {
			before := len(l.operator.said())
			resp := l.ask(t, r, bearer(token))
			may := r.may == anybody || role.May(r.may)
			switch {
			case !may && r.pattern == "GET /{$}" && role == access.Analyst:
				if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/replay" {
					t.Errorf("an analyst is led to %s %q, not to the replay", resp.Status, resp.Header.Get("Location"))
				}
			case (resp.StatusCode == http.StatusForbidden) == may, resp.StatusCode == http.StatusUnauthorized:
				t.Errorf("%s as %s: %s", r.pattern, role, resp.Status)
			}
			if !may && len(l.operator.said()) > before {
				t.Errorf("%s as %s: the operator was told %q", r.pattern, role, l.operator.said()[before:])
			}
		}
	}
}

// The camera's door is the camera's alone: no role that is given out may do what is behind
// it, and the camera may do nothing else.
func TestNoOtherRoleIsTheCamera(t *testing.T) {
	l := startLab(t, Options{Camera: new(fakeCamera)})
	for _, role := range []access.Role{access.Viewer, access.Operator, access.Analyst, access.Admin} {
		for _, r := range l.cameraRoutes() {
			if r.may != anybody && role.May(r.may) {
				t.Errorf("%s may do %s", role, r.pattern)
			}
		}
	}
	for _, r := range l.routes() {
		if r.may != anybody && access.Camera.May(r.may) {
			t.Errorf("the camera may do %s", r.pattern)
		}
	}
	if _, err := access.OpenBook(t.TempDir()).Give(access.Token{Name: "Ann", Role: access.Camera, Made: time.Now()}); err == nil {
		t.Error("somebody is given a token of the camera's")
	}
	for _, r := range l.cameraRoutes() {
		if got := l.ask(t, r, bearer(CameraToken(testToken))).StatusCode; got >= 400 {
			t.Errorf("%s by the camera: %d", r.pattern, got)
		}
		if got := l.ask(t, r, bearer(testToken)).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("%s by the admin: %d", r.pattern, got)
		}
	}
}

func TestAPersonIsToldInWordsThatTheirRoleMayNot(t *testing.T) {
	c := startLab(t, Options{})
	r := httptest.NewRequest(http.MethodGet, "/replay", nil)
	w := httptest.NewRecorder()
	c.forbid(w, r.WithContext(access.With(r.Context(), access.Holder{Name: "<b>Ann", Role: access.Viewer})), access.Replay)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "&lt;b&gt;Ann") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestEveryRouteRefusesOtherSites(t *testing.T) {
	l := startRecording(t, Options{Camera: new(fakeCamera)})
	for _, r := range l.every() {
		method, path := r.concrete()
		if method == http.MethodGet && !strings.HasPrefix(path, "/ws/") {
			continue // a browser does not let another site read what it answers
		}
		for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1"} {
			resp := l.ask(t, r, func(req *http.Request) {
				bearer(tokenOf(r))(req)
				req.Header.Set("Origin", origin)
			})
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s from %s: %s", r.pattern, origin, resp.Status)
			}
		}
	}
	l.quiet(t)
}

func TestEveryRouteRefusesOtherNames(t *testing.T) {
	l := startRecording(t, Options{Names: []string{"lab-pc", "192.0.2.7"}, Camera: new(fakeCamera)})
	as := func(host string) func(*http.Request) {
		return func(r *http.Request) {
			bearer(testToken)(r)
			r.Host = host
		}
	}
	for _, r := range l.every() {
		if resp := l.ask(t, r, as("evil.example:8800")); resp.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s as evil.example: %s", r.pattern, resp.Status)
		}
	}
	l.quiet(t)
	status := route{pattern: "GET /api/status"}
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST.:80": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:8800": 200, "lab-pc:8800": 200, "Lab-PC": 200, "192.0.2.7:8800": 200,
		"localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.0.2.8": 421, "lab-pc.evil": 421, "[::2]": 421, "0x7f.1": 421, "2130706433": 421, "127.1": 421,
	} {
		if resp := l.ask(t, status, as(host)); resp.StatusCode != want {
			t.Errorf("as %q: %s, want %d", host, resp.Status, want)
		}
	}
}

// raw sends bytes as they are, and returns the answer. Go's own client would mend the path.
func (l *lab) raw(t *testing.T, text string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// oneClip is a lab that shows one clip, and knows no other name.
type oneClip struct{ *player }

func (o oneClip) Areas(ctx context.Context, stimulus string) (replay.AreaSet, error) {
	if stimulus != "clip" {
		return replay.AreaSet{}, &replay.Refusal{Why: replay.Absent, Words: "no such clip"}
	}
	return o.player.Areas(ctx, stimulus)
}

// The files of the lab lie in its data folder and on its disk: no path leads to one that
// is not offered.
func TestNoPathLeadsOutOfAFolder(t *testing.T) {
	const secret = "SECRET OF THE LAB"
	dir := t.TempDir()
	for _, name := range []string{"secret.txt", "bundles/b.zip", "receipts/r.txt", "study/clip.mp4", "bundles/inner/secret.txt"} {
		text := "offered"
		if strings.HasSuffix(name, "secret.txt") {
			text = secret
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"bundles", "receipts"} {
		for link, to := range map[string]string{"link": "../secret.txt", "far": filepath.Join(dir, "secret.txt"), "up": ".."} {
			if err := os.Symlink(to, filepath.Join(dir, folder, link)); err != nil {
				t.Fatal(err)
			}
		}
	}
	screen := stage.New(stage.Options{Study: &study.Study{ID: "s", Dir: filepath.Join(dir, "study"), Stimuli: []study.Stimulus{{ID: "clip", File: "clip.mp4"}}}})
	l := startLab(t, Options{Bundles: filepath.Join(dir, "bundles"), Receipts: filepath.Join(dir, "receipts"), Stage: screen.Handler(), Replay: oneClip{&player{}}})
	ask := func(token, path string) (int, string) {
		return l.raw(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n")
	}
	for _, offered := range []string{"/api/bundles/b.zip", "/api/receipts/r.txt", "/stage/stimuli/clip"} {
		if code, body := ask(testToken, offered); code != http.StatusOK || body != "offered" {
			t.Errorf("%s: %d %q; nothing that follows means anything", offered, code, body)
		}
	}
	folders := map[string]string{ // and the token that opens them
		"/console/": testToken, "/api/bundles/": testToken, "/api/receipts/": testToken, "/stage/stimuli/": testToken,
		"/stage/": StageToken(testToken), "/stage/words/": StageToken(testToken),
		"/api/replay/": testToken, "/replay/": testToken, "/api/aois/": testToken, "/api/replay/x/face/": testToken,
	}
	var ways []string
	for _, target := range []string{"secret.txt", "etc/passwd"} {
		for _, up := range []string{"..", "../..", "../../..", "../../../../../../../.."} {
			plain := up + "/" + target
			encoded := strings.ReplaceAll(plain, "/", "%2f")
			dots := strings.ReplaceAll(encoded, ".", "%2e")
			ways = append(ways, plain, encoded, dots, strings.ReplaceAll(dots, "%", "%25"), strings.ReplaceAll(plain, "/", `\`),
				strings.ReplaceAll(plain, "/", "%5c"), strings.ReplaceAll(plain, "..", "%c0%ae%c0%ae"), "b.zip%2f"+encoded, plain+"%00.zip", "%00"+plain,
				strings.ReplaceAll(plain, "../", "....//"))
		}
	}
	ways = append(ways, "link", "far", "up%2fsecret.txt", "up/secret.txt", "inner", "inner%2fsecret.txt", "inner/secret.txt", "%2fetc%2fpasswd", "/etc/passwd", "b.zip%00", ".", "%2e", "")
	for folder, token := range folders {
		for _, way := range ways {
			code, body := ask(token, folder+way)
			if strings.Contains(body, secret) || strings.Contains(body, "root:") || code == http.StatusInternalServerError {
				t.Errorf("%s%s: %d %.80q", folder, way, code, body)
			}
			if code == http.StatusOK && folder != "/console/" && folder != "/stage/" && folder != "/replay/" {
				t.Errorf("%s%s is answered: %.80q", folder, way, body)
			}
		}
	}
}

// A session goes on while somebody attacks the server with what they can send.
func TestAttacksLeaveTheSessionAlone(t *testing.T) {
	var log logged
	book := access.OpenBook(t.TempDir())
	l := startRecording(t, Options{Log: log.logger(), Book: book})
	watching := l.view(t)
	goesOn := func(t *testing.T) { // live data reach who is in, and the session still runs
		t.Helper()
		l.publish(t, 3)
		watching.rows(1, 3)
		if resp := l.ask(t, route{pattern: "GET /api/status"}, bearer(testToken)); resp.StatusCode != http.StatusOK {
			t.Errorf("the status is %s for who is in", resp.Status)
		}
		l.quiet(t)
		if s := l.operator.Status(); s.State != session.Recording {
			t.Errorf("the session is %q", s.State)
		}
	}
	goesOn(t)

	const upload = "POST /api/session/stop HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	t.Run("100 MB are refused before they come", func(t *testing.T) {
		code, body := l.raw(t, upload+"Content-Length: 104857600\r\n\r\n") // and not a byte of it
		if code != http.StatusUnauthorized {
			t.Errorf("without a token: %d %s", code, body)
		}
		code, body = l.raw(t, upload+"Authorization: Bearer "+testToken+"\r\nContent-Length: 104857600\r\n\r\n")
		if code != http.StatusRequestEntityTooLarge || !strings.Contains(body, "too large") {
			t.Errorf("with one: %d %s", code, body)
		}
		goesOn(t)
	})
	t.Run("an upload without a length ends at the limit", func(t *testing.T) {
		code, body := l.raw(t, upload+"Authorization: Bearer "+testToken+"\r\nTransfer-Encoding: chunked\r\n\r\n"+
			fmt.Sprintf("%x\r\n%s\r\n", maxUpload+1, strings.Repeat(" ", maxUpload+1)))
		if code != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %s", code, body)
		}
		goesOn(t)
	})
	t.Run("guesses", func(t *testing.T) {
		fresh, err := book.Give(access.Token{Name: "Ann", Role: access.Viewer, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		status := route{pattern: "GET /api/status"}
		var codes []int
		for i := range 40 {
			resp := l.ask(t, status, bearer(fmt.Sprintf("%s%d", testToken, i)))
			codes = append(codes, resp.StatusCode)
			if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
				t.Error("it is not said how long to wait")
			}
		}
		if codes[0] != http.StatusUnauthorized || !slices.Contains(codes, http.StatusTooManyRequests) {
			t.Errorf("guesses are answered with %v", codes)
		}
		goesOn(t)
		// Whoever guesses cannot tell when they are right; from elsewhere it opens. They have
		// guessed for so long that they have to wait for longer than any request takes.
		for range 10 {
			l.doors.guesses.Wrong(netip.AddrFrom4([4]byte{127, 0, 0, 1}), time.Now())
		}
		if resp := l.ask(t, status, bearer(fresh)); resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the right one among the guesses: %s", resp.Status)
		}
		elsewhere := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext, DisableKeepAlives: true}}
		req, err := http.NewRequest(http.MethodGet, l.server.URL+"/api/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		bearer(fresh)(req)
		resp, err := elsewhere.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("the right one from another address: %s", resp.Status)
		}
	})
	watching.conn.Close()
	l.stop()
	said := log.String()
	for _, want := range []string{"status=401", "status=413", "status=429", "from=127.0.0.1", `what="GET /api"`} {
		if !strings.Contains(said, want) {
			t.Errorf("the log lacks %s:\n%s", want, said)
		}
	}
	if strings.Contains(said, testToken) {
		t.Error("a token is in the log")
	}
}

func TestABodyThatDripsIsCutOff(t *testing.T) {
	d := newDoors(nil, nil)
	d.bodyWait = 20 * time.Millisecond
	reached := make(chan struct{}, 1)
	l := &lab{server: httptest.NewServer(d.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }), newGate(testToken, nil)))}
	defer l.server.Close()
	code, body := l.raw(t, "POST /api/session/stop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+testToken+"\r\nContent-Length: 10\r\n\r\n{")
	if code != http.StatusRequestTimeout || len(reached) > 0 {
		t.Errorf("%d %s, and a handler was reached: %t", code, body, len(reached) > 0)
	}
}

// Nor does one of somebody who has no token hold its connection: net/http reads it before it
// answers.
func TestABodyOfNobodyIsCutOff(t *testing.T) {
	d := newDoors(nil, nil)
	d.bodyWait = 20 * time.Millisecond
	l := &lab{server: httptest.NewServer(d.guard(http.NotFoundHandler(), newGate(testToken, nil)))}
	defer l.server.Close()
	if code, body := l.raw(t, "POST /api/session/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"); code != http.StatusUnauthorized {
		t.Errorf("%d %s", code, body)
	}
}

// Who has no token cannot fill the log by what is wrong with the list of them.
func TestAListThatCannotBeReadIsLoggedOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tokens.json"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log logged
	l := startLab(t, Options{Book: access.OpenBook(dir), Log: log.logger()})
	for i := range 20 {
		if resp := l.ask(t, route{pattern: "GET /api/status"}, bearer(fmt.Sprint("guess", i))); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a guess: %s", resp.Status)
		}
	}
	if n := strings.Count(log.String(), "tokens.json"); n != 1 {
		t.Errorf("it is logged %d times:\n%s", n, log.String())
	}
}

// A token is taken back while a page is open with it.
func TestATokenThatIsTakenBackClosesNothingElse(t *testing.T) {
	book := access.OpenBook(t.TempDir())
	give := func(name string) string {
		token, err := book.Give(access.Token{Name: name, Role: access.Viewer, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	l := startRecording(t, Options{Book: book})
	dial := func(token string) *viewer {
		before := len(l.hub.list())
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.server.URL, "http")+"/ws/console", http.Header{"Authorization": {"Bearer " + token}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		waitFor(t, "a viewer", func() bool { return len(l.hub.list()) > before })
		for _, v := range l.hub.list() {
			if who, _ := book.Holder(access.DigestOf(token), time.Now()); v.who == who {
				return v
			}
		}
		t.Fatal("the viewer is not there")
		return nil
	}
	ann, ben := dial(give("Ann")), dial(give("Ben"))
	if !ann.still() || !ben.still() {
		t.Error("who has just come is not in any more")
	}
	if err := book.Revoke("Ann", time.Now(), "root"); err != nil {
		t.Fatal(err)
	}
	if ann.still() || !ben.still() {
		t.Errorf("Ann's was taken back: Ann is in %t, Ben %t", ann.still(), ben.still())
	}
}

func TestWhatIsDoneIsNotedWithWhoDidIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s1.zip"), []byte("bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	book := access.OpenBook(t.TempDir())
	token, err := book.Give(access.Token{Name: "Front desk", Role: access.Operator, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var rows []string
	var broken error
	l := startRecording(t, Options{Book: book, Bundles: dir, Audit: func(_ context.Context, e Entry) error {
		mu.Lock()
		defer mu.Unlock()
		rows = append(rows, fmt.Sprintf("%s %s %s: %s %s", e.Who, e.Role, e.Action, e.Outcome, strings.TrimSpace(e.SessionID+" "+e.Detail)))
		return broken
	}})
	l.operator.change(func(s *session.Status) {
		s.SessionID = "s0"
		s.Alarms = []session.Alarm{{ID: "eda/silent", State: alarm.Active}, {ID: "disk/low", State: alarm.Cleared}, {ID: "gaze/useless", State: alarm.Shelved}}
	})
	send := func(method, path, body, token string) int {
		t.Helper()
		req, err := http.NewRequest(method, l.server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		bearer(token)(req)
		resp, err := l.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		method, path, body, token string
		want                      int
		rows                      []string
	}{
		{"GET", "/api/status", "", token, 200, nil},
		{"HEAD", "/api/bundles/s1.zip", "", token, 200, nil},
		{"POST", "/api/session/stop", `{}`, token + "x", 401, nil},
		{"POST", "/api/session/mark", `{"kind":"note","text":"coughs"}`, token, 200, []string{"Front desk operator POST /api/session/mark: 200 s0 note"}},
		{"POST", "/api/session/mark", `{"kind":"P-1","text":"coughs"}`, token, 200, []string{"Front desk operator POST /api/session/mark: 200 s0"}},
		{"POST", "/api/session/again", `{"presentation":3}`, token, 200, []string{"Front desk operator POST /api/session/again: 200 s0 presentation 3"}},
		{"POST", "/api/alarm/acknowledge", `{"id":"eda/silent"}`, token, 200, []string{"Front desk operator POST /api/alarm/acknowledge: 200 s0 eda/silent"}},
		{"POST", "/api/alarm/acknowledge", `{"id":""}`, token, 200, []string{"Front desk operator POST /api/alarm/acknowledge: 200 s0 eda/silent, disk/low"}},
		{"POST", "/api/alarm/acknowledge", `{"id":"P-1"}`, token, 200, []string{"Front desk operator POST /api/alarm/acknowledge: 200 s0"}},
		{"POST", "/api/alarm/shelve", `{"id":"disk/low","minutes":10}`, token, 200, []string{"Front desk operator POST /api/alarm/shelve: 200 s0 disk/low for 10 min"}},
		{"POST", "/api/session/blind", `{"on":false,"reason":"a fire"}`, token, 200, []string{"Front desk operator POST /api/session/blind: 200 s0 a fire"}},
		{"POST", "/api/session/seal", `{"session_id":"s1"}`, testToken, 200, []string{"lab admin POST /api/session/seal: 200 s1"}},
		{"POST", "/api/session/seal", `nonsense`, token, 400, []string{"Front desk operator POST /api/session/seal: 400 s0"}},
		{"GET", "/api/bundles/s1.zip", "", token, 200, []string{"Front desk operator GET /api/bundles/{name}: begun s1", "Front desk operator GET /api/bundles/{name}: 200 s1"}},
		{"POST", "/api/session/withdraw", `{"session_id":"s1","participant":"P-1"}`, token, 404, []string{"Front desk operator POST /api/session/withdraw: begun ", "Front desk operator POST /api/session/withdraw: 404 "}},
	} {
		if got := send(c.method, c.path, c.body, c.token); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
		mu.Lock()
		if !slices.Equal(rows, c.rows) {
			t.Errorf("%s %s is noted as %q, want %q", c.method, c.path, rows, c.rows)
		}
		rows = nil
		mu.Unlock()
	}
	before := len(l.operator.said())
	mu.Lock()
	broken = errors.New("the disk is full")
	mu.Unlock()
	for path, want := range map[string]int{"GET /api/bundles/s1.zip": 500, "POST /api/overdue/erase": 500, "POST /api/session/mark": 200} {
		method, at, _ := strings.Cut(path, " ")
		body := map[string]string{"POST /api/overdue/erase": `{"items":1}`, "POST /api/session/mark": `{"kind":"note","text":"a"}`}[path]
		if got := send(method, at, body, token); got != want {
			t.Errorf("%s, which cannot be noted: %d, want %d", path, got, want)
		}
	}
	if said := l.operator.said()[before:]; !slices.Equal(said, []string{"mark note a"}) {
		t.Errorf("what could not be noted: the operator was told %q", said)
	}
}

// minutes is a log that a test reads.
type minutes struct {
	mu     sync.Mutex
	rows   []Entry
	broken error
}

func (m *minutes) note(_ context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == nil {
		m.rows = append(m.rows, e)
	}
	return m.broken
}

// taken are the rows since the last call.
func (m *minutes) taken() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := m.rows
	m.rows = nil
	return rows
}

func (m *minutes) breaks(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

// Every route that changes something leaves a row, whether it was done or refused by the
// lab, and what erases or leaves the lab one before it. Whom their role keeps out leaves
// none: they are in the program's log, by their name.
func TestEveryCommandIsNoted(t *testing.T) {
	doc := loadOpenAPI(t)
	book := access.OpenBook(t.TempDir())
	viewer, err := book.Give(access.Token{Name: "Partner screen", Role: access.Viewer, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []error{nil, errRefused} {
		var kept minutes
		var log logged
		l := startRecording(t, Options{Audit: kept.note, Book: book, Replay: &player{}, Camera: new(fakeCamera), Picture: new(fakePicture), Log: log.logger()})
		l.operator.unheeded()
		l.operator.mu.Lock()
		l.operator.sessions = []session.Summary{{ID: "s1", Participant: "P-1", State: session.Sealed}}
		l.operator.mu.Unlock()
		l.operator.refuses(refused)
		kept.taken()
		done, notDone := 0, 0
		for _, r := range l.every() {
			method, path, _ := strings.Cut(r.pattern, " ")
			if method == http.MethodGet {
				continue
			}
			op := doc.Paths.Find(path).GetOperation(method)
			body := "{}"
			if op.RequestBody != nil {
				b, err := json.Marshal(op.RequestBody.Value.Content.Get("application/json").Example)
				if err != nil {
					t.Fatal(err)
				}
				body = string(b)
			}
			ask := func(token string) int {
				_, at := r.concrete()
				for _, p := range op.Parameters {
					at = strings.Replace(at, "/x", fmt.Sprintf("/%v", p.Value.Example), 1)
				}
				req, err := http.NewRequest(method, l.server.URL+at, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				return l.requestAs(t, token, req).StatusCode
			}
			code := ask(tokenOf(r))
			var outcomes []string
			for _, e := range kept.taken() {
				if e.Action != r.pattern || e.Who == "" || e.Role == "" {
					t.Errorf("%s is noted as %+v", r.pattern, e)
				}
				outcomes = append(outcomes, e.Outcome)
			}
			want := []string{fmt.Sprint(code)}
			if r.may == access.Erase {
				want = []string{outcomeBegun, want[0]}
			}
			if !slices.Equal(outcomes, want) {
				t.Errorf("%s, answered with %d, is noted with the outcomes %q, want %q", r.pattern, code, outcomes, want)
			}
			if code == http.StatusOK {
				done++
			} else {
				notDone++
			}
			if access.Viewer.May(r.may) || r.may == access.Film {
				continue
			}
			if code := ask(viewer); code != http.StatusForbidden {
				t.Errorf("%s by a viewer: %d", r.pattern, code)
			}
			if rows := kept.taken(); len(rows) > 0 {
				t.Errorf("%s, which a viewer may not, is noted as %+v", r.pattern, rows)
			}
		}
		l.stop()
		if !regexp.MustCompile(`status=403 .* who="Partner screen"`).MatchString(log.String()) {
			t.Errorf("it is not said who was refused:\n%s", log.String())
		}
		if refused == nil && done < 20 || refused != nil && notDone < 15 {
			t.Errorf("refused with %v: %d were done and %d not; what was asked means little", refused, done, notDone)
		}
	}
}

// Who reads what was recorded is noted once a visit, before anything is shown.
func TestALookAtASessionIsNotedOnce(t *testing.T) {
	book := access.OpenBook(t.TempDir())
	ann, err := book.Give(access.Token{Name: "Ann", Role: access.Analyst, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var kept minutes
	l := startLab(t, Options{Audit: kept.note, Book: book, Replay: &player{}})
	look := func(method, path, token string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, l.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp := l.requestAs(t, token, r)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	kept.breaks(errors.New("the disk is full"))
	if code, body := look("GET", "/api/replay/"+filmedSession+"/face/0", ann); code != http.StatusInternalServerError || !strings.Contains(body, "disk is full") || strings.Contains(body, "JFIF") {
		t.Errorf("what cannot be noted is answered with %d %.80q", code, body)
	}
	kept.breaks(nil)
	noted := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, e := range kept.taken() {
			got = append(got, fmt.Sprintf("%s %s %s %s: %s%s", e.Who, e.Role, e.Action, e.SessionID, e.Outcome, e.Detail))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is noted as %q, want %q", what, got, want)
		}
	}
	for range 3 {
		for _, path := range []string{"/face/0", "", "/events", "/columns/eda?columns=eda_us", "/face"} {
			if code, body := look("GET", "/api/replay/"+filmedSession+path, ann); code != http.StatusOK {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
	}
	noted("a visit", "Ann analyst "+lookRoute+" "+filmedSession+": 200")
	look("GET", "/api/replay/"+filmedSession, testToken)
	noted("that of somebody else", "lab admin "+lookRoute+" "+filmedSession+": 200")
	look("HEAD", "/api/replay/s2", ann)
	look("GET", "/api/replay/s2/columns/eda?from_ms=x", ann)
	noted("what shows nothing")
	look("GET", "/api/replay/s2", ann) // there is none
	noted("what there is not")
	look("GET", "/api/replay/s2/face", ann)
	noted("another session", "Ann analyst "+lookRoute+" s2: 200")
	look("GET", "/api/replay/s2/annotations.csv", ann)
	noted("an export", "Ann analyst GET /api/replay/{session}/annotations.csv s2: begun", "Ann analyst GET /api/replay/{session}/annotations.csv s2: 200")
}

// A visit ends when nothing was asked for a while; what cannot be noted was not.
func TestAVisitEnds(t *testing.T) {
	var v visits
	n := 0
	note := func() error { n++; return nil }
	at, ann, ben := time.Now(), Entry{Who: "Ann"}, Entry{Who: "Ben"}
	ask := func(e Entry, after time.Duration, want int) {
		t.Helper()
		at = at.Add(after)
		if err := v.once(e, at, note); err != nil || n != want {
			t.Errorf("after %v: noted %d times, %v; want %d", after, n, err, want)
		}
	}
	if err := v.once(ann, at, func() error { return errRefused }); !errors.Is(err, errRefused) {
		t.Errorf("that it cannot be noted is told as %v", err)
	}
	ask(ann, 0, 1)
	for range 10 { // an hour and more, without a pause
		ask(ann, visitLasts-1, 1)
	}
	ask(ben, 0, 2)
	ask(ann, visitLasts, 3)
	if len(v.last) != 1 {
		t.Errorf("%d are remembered", len(v.last))
	}
}

// A page that asks for the picture, or offers its camera, every two seconds in vain fills no
// log.
func TestAPictureThatDoesNotComeIsNotedOnce(t *testing.T) {
	var kept minutes
	l := startLab(t, Options{Audit: kept.note, Picture: new(fakePicture), Camera: new(fakeCamera)})
	for path, token := range map[string]string{"/api/picture": testToken, "/api/camera": CameraToken(testToken)} {
		for _, sdp := range []string{"bad", "bad", "bad", "good", "good"} {
			asked(t, l.server, path, token, `{"sdp":"`+sdp+`"}`)
		}
		var outcomes []string
		for _, e := range kept.taken() {
			outcomes = append(outcomes, e.Outcome)
		}
		if len(outcomes) != 2 || outcomes[1] != "200" {
			t.Errorf("%s is noted with the outcomes %q", path, outcomes)
		}
	}
}

// What stands behind a command is not read by the log either: its words would be missing
// there.
func TestACommandIsOneObject(t *testing.T) {
	var kept minutes
	l := startRecording(t, Options{Audit: kept.note})
	for _, body := range []string{`{"on":false,"reason":"to peek"} {}`, `{"on":false,"reason":"to peek"}x`, `{"on":false,"reason":"to peek"}` + strings.Repeat(" ", maxBody)} {
		if code, answer := l.post(t, "/api/session/blind", body); code != http.StatusBadRequest && code != http.StatusRequestEntityTooLarge {
			t.Errorf("%.40s: %d %s", body, code, answer)
		}
	}
	l.quiet(t)
	if code, _ := l.post(t, "/api/session/blind", "{\"on\":false,\"reason\":\"to peek\"}\n"); code != http.StatusOK {
		t.Errorf("a line end behind it: %d", code)
	}
	if rows := kept.taken(); len(rows) != 4 || rows[3].Detail != "to peek" {
		t.Errorf("noted %+v", rows)
	}
}

func TestACommandThatFailsInTheProgramIsNotNotedAsDone(t *testing.T) {
	var outcome string
	l := startLab(t, Options{Audit: func(_ context.Context, e Entry) error {
		outcome = e.Outcome
		return nil
	}})
	for want, handle := range map[string]http.HandlerFunc{
		"500": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"200": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") },
		"409": func(w http.ResponseWriter, _ *http.Request) { writeError(w, http.StatusConflict, "busy") },
	} {
		func() {
			defer func() { _ = recover() }() // as net/http does
			l.noted(route{pattern: "POST /api/session/stop", handle: handle}, httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
		}()
		if outcome != want {
			t.Errorf("noted is %q, want %q", outcome, want)
		}
	}
}

func TestTheLogIsListedForTheAdministrator(t *testing.T) {
	asked := 0
	l := startLab(t, Options{Audited: func(_ context.Context, n int) ([]Entry, error) {
		asked = n
		return []Entry{{Action: "token", Detail: "made", Who: "root"}}, nil
	}})
	for path, want := range map[string]int{"/api/audit": entries, "/api/audit?limit=7": 7} {
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+path, nil)
		resp := l.request(t, r)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"who":"root"`) || asked != want {
			t.Errorf("%s: %s %s %v, %d were asked for", path, resp.Status, body, err, asked)
		}
	}
	for _, limit := range []string{"0", "-1", "many", "10001"} {
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/audit?limit="+limit, nil)
		if resp := l.request(t, r); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("limit=%s: %s", limit, resp.Status)
		}
	}
}
