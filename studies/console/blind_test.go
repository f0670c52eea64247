package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/studies/access"
	"emolab/studies/replay"
	"emolab/studies/session"
	"emolab/studies/study"
)

// brand is in all that the lab of these tests knows.
const brand = "Dior"

// branded is a status that names it wherever there are words.
func branded() session.Status {
	says := "dior-2 is shown: Dior"
	why := session.Summary{ID: "s0", Participant: "P-0", UsableWhy: "dior_2 counts", Reason: says}
	return session.Status{
		State: session.Recording, SessionID: "s1", Participant: "P-1", Step: 0, Busy: "measuring dior-2",
		Plan: study.Plan{Steps: []study.Step{
			{Index: 0, Action: study.Play, Stimulus: "dior-2", Block: "dior", Presentation: 1},
			{Index: 1, Action: study.Fill, Sheet: "liked-dior", Stimulus: "dior-2", Block: "dior", If: "knows_dior == 'yes'", Presentation: 1},
		}},
		Usable:      []session.UsableNow{{Presentation: 1, Stimulus: "dior-2"}},
		Marks:       []session.Mark{{Kind: session.NoteMark, Text: says}, {Kind: session.External, Text: "clip=DI0R"}},
		Alarms:      []session.Alarm{{ID: "stage/slow", Text: says, Advice: says}},
		Readiness:   []session.Readiness{{ID: "sound", Text: says, Advice: says}},
		Recovered:   []session.Summary{why},
		LastOutcome: &session.Outcome{SessionID: "s0", State: session.Failed, Reason: says, Error: says},
	}
}

// branding replays sessions in which it was shown.
type branding struct{ *player }

func (branding) Session(context.Context, string) (replay.Session, error) {
	return replay.Session{Presentations: []replay.Presentation{{Stimulus: "dior-2", Brand: brand}}}, nil
}

// No route tells a blind console which brand is shown, whoever asks there; an analyst, who
// does not work at it, is not kept from what is over.
func TestNoRouteTellsABlindConsoleTheBrand(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte(brand), 0o600); err != nil {
		t.Fatal(err)
	}
	book := access.OpenBook(t.TempDir())
	l := startLab(t, Options{
		Book: book, Hidden: []string{"dior-2", brand}, Bundles: dir, Receipts: t.TempDir(), Replay: branding{&player{}},
		Stage:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, brand) }),
		Audited: func(context.Context, int) ([]Entry, error) { return []Entry{{Action: "again", Detail: "dior-2"}}, nil },
	})
	l.operator.unheeded()
	l.operator.mu.Lock()
	l.operator.status = branded()
	l.operator.sessions = branded().Recovered
	l.operator.cohort = session.Cohort{
		Videos: []session.Tally{{Name: "dior-2"}}, Brands: []session.Tally{{Name: brand}},
		People: []session.Person{{Code: "P-0", Sessions: []session.Standing{{Why: "dior-2 was not seen"}}}},
	}
	l.operator.mu.Unlock()
	l.operator.refuses(&session.KnownError{Participant: "P-0", Sessions: branded().Recovered})

	telling := map[string]bool{} // the routes that do
	look := func(token, role string) {
		for _, r := range append(l.routes(), route{pattern: "GET /stage/stimuli/{id}"}) {
			method, path := r.concrete()
			if strings.HasPrefix(path, "/ws/") {
				continue
			}
			if strings.HasPrefix(path, "/api/replay/") || strings.HasPrefix(path, "/api/heatmap/") {
				path = strings.ReplaceAll(path, "/x", "/1")
			}
			req, err := http.NewRequest(method, l.server.URL+path, strings.NewReader(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			if path == "/api/session/start" {
				req.Body = io.NopCloser(strings.NewReader(`{"participant":"P-0"}`))
				req.ContentLength = -1
			}
			bearer(token)(req)
			resp, err := l.server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			var head bytes.Buffer
			_ = resp.Header.Write(&head) // into memory
			all := strings.ToLower(head.String() + string(body))
			telling[role+" "+r.pattern] = strings.Contains(all, "dior") || strings.Contains(all, "di0r")
		}
	}
	tokens := map[string]string{"lab": testToken}
	for _, role := range []access.Role{access.Viewer, access.Operator, access.Analyst} {
		token, err := book.Give(access.Token{Name: string(role), Role: role, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		tokens[string(role)] = token
	}

	look(testToken, "lab")
	for _, r := range []string{"GET /api/status", "GET /api/sessions", "GET /api/cohort", "GET /api/audit", "GET /api/bundles/{name}", "GET /stage/stimuli/{id}",
		"GET /api/replay/{session}", "POST /api/session/start"} {
		if !telling["lab "+r] {
			t.Errorf("an open console is not told the brand by %s: what follows means nothing", r)
		}
	}
	l.operator.refuses(nil)
	l.operator.change(func(s *session.Status) { s.Blind = true })
	l.operator.refuses(&session.KnownError{Participant: "P-0", Sessions: branded().Recovered})
	clear(telling)
	for role, token := range tokens {
		look(token, role)
	}
	for r, tells := range telling {
		past := strings.HasPrefix(r, "analyst ") && (strings.Contains(r, "/replay") || strings.Contains(r, "/bundles/") || strings.Contains(r, "/heatmap/") || strings.Contains(r, "/aois/"))
		if tells && !past {
			t.Errorf("a blind console is told the brand: %s", r)
		}
	}
	if !telling["analyst GET /api/replay/{session}"] || !telling["analyst GET /api/bundles/{name}"] {
		t.Error("an analyst is kept from what is over")
	}

	l.operator.refuses(errors.New("dior-2 cannot be opened"))
	if code, body := l.post(t, "/api/session/again", `{"presentation":1}`); code != http.StatusUnprocessableEntity || !strings.Contains(body, "clip 1 cannot be opened") {
		t.Errorf("why it cannot be shown again: %d %s", code, body)
	}

	page := l.view(t) // and neither is a page
	for range 30 {
		kind, text, _, _ := page.next()
		if strings.Contains(strings.ToLower(string(text)), "dior") {
			t.Fatalf("%s: %s", kind, text)
		}
	}
}

// The participant's screen gets its clips also where it is in the same browser as a blind
// console: such a browser sends both cookies.
func TestABlindConsoleKeepsNoClipFromTheScreenBesideIt(t *testing.T) {
	l := startLab(t, Options{Stage: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	l.operator.change(func(s *session.Status) { s.Blind = true })
	clip := func(cookies ...*http.Cookie) int {
		return l.ask(t, route{pattern: "GET /stage/stimuli/a"}, func(r *http.Request) {
			for _, c := range cookies {
				r.AddCookie(c)
			}
		}).StatusCode
	}
	console := &http.Cookie{Name: l.gate.cookie, Value: testToken}
	screen := &http.Cookie{Name: l.screen.cookie, Value: StageToken(testToken)}
	if got := clip(console); got != http.StatusForbidden {
		t.Errorf("the console: %d", got)
	}
	if got := clip(console, screen); got != http.StatusOK {
		t.Errorf("the screen beside it: %d", got)
	}
}

func TestWhoOnlyWatchesIsToldHowManyAndNotWho(t *testing.T) {
	l := startLab(t, Options{})
	l.operator.cohort = session.Cohort{Usable: 3, People: []session.Person{{Code: "P-7"}}}
	for role, want := range map[access.Role]bool{access.Viewer: false, access.Operator: true} {
		w := httptest.NewRecorder()
		l.cohort(w, request(t, role))
		if got := w.Body.String(); strings.Contains(got, "P-7") != want || !strings.Contains(got, `"usable":3`) {
			t.Errorf("the %s is told %s", role, got)
		}
	}
}

func TestTextsHideNames(t *testing.T) {
	words := hide([]string{"dior", "dior-2", "b"}, []string{"Chloé", "a", "dior"})
	for text, want := range map[string]string{
		"":                         "",
		"dior-2, DIOR and dior":    "clip 2, clip 1 and clip 1",
		"dior_2.mp4 (Dior's)":      "clip 1_2.mp4 (clip 1's)",
		"chloé. Chloés":            "(hidden). (hidden)s",
		"a balm by b: gaze was B":  "(hidden) balm by clip 3: gaze was B",
		"the superdior is no name": "the superdior is no name",
	} {
		if got := words(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if hide(nil, []string{"", " "})("all of it") != "all of it" {
		t.Error("a study without names hides something")
	}
}
