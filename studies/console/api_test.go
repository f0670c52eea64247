package console

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

func (l *lab) post(t *testing.T, path, body string) (int, string) {
	t.Helper()
	r, _ := http.NewRequest(http.MethodPost, l.server.URL+path, strings.NewReader(body))
	resp := l.request(t, r)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestCommandsReachTheOperator(t *testing.T) {
	cases := []struct {
		path, body string
		refuse     error
		status     int
		called     []string
		answer     string // part of it
	}{
		{"/api/session/start", `{"participant":" P-7K2 "}`, nil, 200, []string{"start P-7K2"}, `"session_id":"20261122-091503-P-7K2"`},
		{"/api/session/start", `{"participant":" "}`, nil, 400, nil, "type the participant's code"},
		{"/api/session/start", `{"name":"Ada"}`, nil, 400, nil, "name"},
		{"/api/session/start", `{"participant":"A"}`, session.ErrBusy, 409, []string{"start A"}, "stop it first"},
		{"/api/session/start", `{"participant":"A"}`, errRefused, 422, []string{"start A"}, "disk"},
		{"/api/session/start", strings.Repeat(" ", maxBody+1) + "{}", nil, 413, nil, "error"},
		{"/api/session/stop", `{"reason":"coughing"}`, nil, 200, []string{"stop coughing"}, "{}"},
		{"/api/session/stop", ``, nil, 200, []string{"stop "}, "{}"},
		{"/api/session/stop", `{}`, session.ErrIdle, 409, []string{"stop "}, "no session"},
		{"/api/session/continue", `{"session_id":"s1"}`, nil, 200, []string{"continue s1"}, "s1"},
		{"/api/session/continue", `{}`, nil, 400, nil, "session_id"},
		{"/api/session/seal", `{"session_id":"s1"}`, nil, 200, []string{"seal s1"}, "s1"},
		{"/api/session/start", `{"participant":"A","again":"new"}`, nil, 200, []string{"start A new"}, "session_id"},
		{"/api/session/start", `{"participant":"A"}`, &session.KnownError{Participant: "A", Cut: "s9"}, 409, []string{"start A"}, `"known":{"participant":"A"`},
		{"/api/session/begin", `{}`, nil, 200, []string{"begin"}, "{}"},
		{"/api/session/begin", ``, session.ErrNotReady, 409, []string{"begin"}, "error"},
		{"/api/session/move", `{"session_id":"s1","participant":" P2 ","reason":" typed wrong "}`, nil, 200, []string{"move s1 P2 typed wrong"}, "s1"},
		{"/api/session/judge", `{"session_id":"s1","usable":true,"reason":"fine"}`, nil, 200, []string{"judge s1 true fine"}, "s1"},
		{"/api/session/judge", `{"session_id":"s1","usable":"yes"}`, nil, 400, nil, "JSON"},
		{"/api/session/withdraw", `{"session_id":"s1","participant":"P1"}`, nil, 404, nil, `no session \"s1\"`},
		{"/api/session/withdraw", `{"code":" k7qm 2rxa ","participant":"P-1"}`, nil, 200, []string{"whose is k7qm 2rxa", "withdraw by k7qm 2rxa"}, `"rows":9`},
		{"/api/session/withdraw", `{"code":"K7QM-2RXA"}`, nil, 422, []string{"whose is K7QM-2RXA"}, "the code of participant P-1"},
		{"/api/session/withdraw", `{"code":"K7QM-2RXA","participant":"P-2"}`, nil, 422, []string{"whose is K7QM-2RXA"}, "the code of participant P-1"},
		{"/api/session/holder", `{"code":" K7QM-2RXA "}`, nil, 200, []string{"whose is K7QM-2RXA"}, `"sessions":2`},
		{"/api/session/receipt", `{"session_id":"s1"}`, nil, 200, []string{"receipt s1"}, `"code":"7Q2M-X4KD-9WP"`},
		{"/api/session/receipt", `{}`, nil, 400, nil, "session_id"},
		{"/api/overdue/erase", `{"items":2}`, nil, 200, []string{"purge 2"}, `"files":12`},
		{"/api/overdue/erase", `{}`, nil, 400, nil, "items"},
		{"/api/overdue/erase", `{"items":2}`, session.ErrOtherOverdue, 409, []string{"purge 2"}, "list again"},
		{"/api/session/withdraw", `{"code":"K7QM-2RXA"}`, errRefused, 422, []string{"whose is K7QM-2RXA"}, "disk"},
		{"/api/session/withdraw", `{"code":"K7QM-2RXA","session_id":"s1"}`, nil, 400, nil, "not both"},
		{"/api/session/seal", `[`, nil, 400, nil, "JSON"},
	}
	for _, c := range cases {
		l := startLab(t, Options{})
		l.operator.refuse = c.refuse
		status, answer := l.post(t, c.path, c.body)
		if status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s %.40s: %d %s; want %d with %q", c.path, c.body, status, answer, c.status, c.answer)
		}
		if got := l.operator.said(); !slices.Equal(got, c.called) {
			t.Errorf("%s %.40s: operator was told %q, want %q", c.path, c.body, got, c.called)
		}
		l.stop()
	}
}

func TestCommandsAreNotReads(t *testing.T) {
	l := startLab(t, Options{})
	r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/session/stop", nil)
	if resp := l.request(t, r); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET of a command: %s", resp.Status)
	}
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("a GET stopped a session: %q", said)
	}
}

// Measurements that do not exist yet are NaN or infinite, which JSON has no
// word for.
func TestStatusIsAlwaysJSON(t *testing.T) {
	l := startLab(t, Options{})
	nan, inf := math.NaN(), math.Inf(1)
	l.operator.change(func(s *session.Status) {
		s.DiskHours, s.ElapsedMs = inf, nan
		s.Streams = []session.Health{{Info: edaInfo(), Rate: nan, AgeMs: nan,
			Clock: align.Statement{DriftPPM: nan, JitterMs: inf, BoundMs: inf}}}
	})
	r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/status", nil)
	var got session.Status
	if err := json.NewDecoder(l.request(t, r).Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.DiskHours != -1 || got.Streams[0].Clock.BoundMs != -1 || got.Streams[0].Rate != -1 {
		t.Errorf("unknown numbers came as %+v", got)
	}
	if got.Streams[0].Info.ID != "eda" || got.Streams[0].Info.Channels != nil {
		t.Errorf("stream %+v: want its identity without the list of channels", got.Streams[0].Info)
	}
	if s := l.operator.Status(); len(s.Streams[0].Info.Channels) != 2 {
		t.Error("the operator's own status was changed")
	}
}

func TestSessionsListIsNeverNull(t *testing.T) {
	l := startLab(t, Options{})
	get := func() string {
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/sessions", nil)
		b, err := io.ReadAll(l.request(t, r).Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	if got := get(); got != "[]" {
		t.Errorf("no sessions: %s", got)
	}
	l.operator.mu.Lock()
	l.operator.sessions = []session.Summary{{ID: "s1", Participant: "P1", State: session.Sealed, Started: time.Unix(0, 0).UTC()}}
	l.operator.mu.Unlock()
	if got := get(); !strings.Contains(got, `"participant":"P1"`) {
		t.Errorf("one session: %s", got)
	}
}

// A slip of the hand erases nobody: the code has to be the session's.
func TestWithdrawalNeedsTheCode(t *testing.T) {
	l := startLab(t, Options{})
	l.operator.sessions = []session.Summary{{ID: "s1", Participant: "P1", State: session.Sealed}}
	for _, body := range []string{`{"session_id":"s1"}`, `{"session_id":"s1","participant":"P2"}`} {
		if status, answer := l.post(t, "/api/session/withdraw", body); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "P1") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if said := l.operator.said(); len(said) != 0 {
		t.Fatalf("the operator was told %q", said)
	}
	status, answer := l.post(t, "/api/session/withdraw", `{"session_id":"s1","participant":" P1 "}`)
	if status != http.StatusOK || !strings.Contains(answer, `"rows":7`) || !slices.Equal(l.operator.said(), []string{"withdraw s1"}) {
		t.Errorf("%d %s, the operator was told %q", status, answer, l.operator.said())
	}
}

func TestCohort(t *testing.T) {
	l := startLab(t, Options{})
	l.operator.cohort = session.Cohort{Usable: 3, Wanted: 60}
	l.operator.overdue = make([]session.Overdue, 2)
	for _, unread := range []error{nil, errRefused} { // which hides nothing else
		l.operator.unread = unread
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/cohort", nil)
		var got struct {
			session.Cohort
			Due      int
			DueError string `json:"due_error"`
		}
		if err := json.NewDecoder(l.request(t, r).Body).Decode(&got); err != nil || got.Usable != 3 || got.Wanted != 60 || got.Due != 2 || (got.DueError != "") != (unread != nil) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// A copy that goes out is noted before it does, or it does not.
func TestADownloadIsNoted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s1.zip"), []byte("PK bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	var noted []string
	var refuse error
	l := startLab(t, Options{Bundles: dir, GivenOut: func(_ context.Context, name string) error {
		noted = append(noted, name)
		return refuse
	}})
	get := func(method, name string) (int, string) {
		r, _ := http.NewRequest(method, l.server.URL+"/api/bundles/"+name, nil)
		resp := l.request(t, r)
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	get(http.MethodHead, "s1.zip")
	get(http.MethodGet, "none.zip")
	if status, body := get(http.MethodGet, "s1.zip"); status != 200 || body != "PK bundle" || !slices.Equal(noted, []string{"s1.zip"}) {
		t.Errorf("%d %q, noted %q", status, body, noted)
	}
	refuse = errRefused
	if status, body := get(http.MethodGet, "s1.zip"); status != 500 || strings.Contains(body, "PK") || !strings.Contains(body, "not handed out") {
		t.Errorf("%d %q, although it could not be noted", status, body)
	}
}

func TestBundlesStayInTheirFolder(t *testing.T) {
	dir := t.TempDir()
	bundles := filepath.Join(dir, "bundles")
	for name, text := range map[string]string{"bundles/s1.zip": "PK bundle", "secret.txt": "secret"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "secret.txt"), filepath.Join(bundles, "link.zip")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(bundles, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := startLab(t, Options{Bundles: bundles, Streams: []stream.Info{edaInfo()}})
	cases := []struct {
		name string
		want int
	}{
		{"s1.zip", 200}, {"none.zip", 404}, {"..%2Fsecret.txt", 404}, {"%2e%2e%2fsecret.txt", 404},
		{"link.zip", 404}, {"folder", 404}, {".", 404},
	}
	for _, c := range cases {
		r, _ := http.NewRequest(http.MethodGet, l.server.URL+"/api/bundles/"+c.name, nil)
		resp := l.request(t, r)
		body, _ := io.ReadAll(resp.Body)
		if strings.Contains(string(body), "secret") && !strings.Contains(string(body), "secret.txt") {
			t.Errorf("%s: gave away %q", c.name, body)
		}
		if c.name == "." {
			continue // the mux cleans the path away before it gets here
		}
		if resp.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", c.name, resp.Status, c.want)
		}
		if c.want == 200 && (string(body) != "PK bundle" || resp.Header.Get("Content-Disposition") != "attachment") {
			t.Errorf("%s: %q %v", c.name, body, resp.Header)
		}
	}
}
