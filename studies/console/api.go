package console

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"emolab/studies/access"
	"emolab/studies/session"
)

//go:embed web/*.html web/*.css web/*.js web/*.svg web/replay web/vendor web/panels
var web embed.FS

const (
	// maxBody bounds the JSON of a request; the largest holds a reason in words.
	maxBody = 16 << 10
	// policy allows the page what it is made of and nothing else; 'self' in
	// connect-src covers the WebSocket of the same host.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Handler serves the page, the API, the WebSocket and the stage. The lab's token
// does not open the stage: what is answered there is the participant's answer.
// The clips are for both, because the console shows what is on the screen.
func (c *Console) Handler() http.Handler {
	doors := http.NewServeMux()
	doors.Handle("/", c.doors.guard(c.muxOf(c.routes()), c.gate))
	if c.camera != nil {
		camera := c.doors.guard(c.cameraDoor(), c.lens)
		for _, path := range []string{"/camera", "/camera/", "/api/camera"} {
			doors.Handle(path, camera)
		}
	}
	if c.stage != nil {
		stage := c.doors.guard(c.stage, c.screen)
		for _, path := range []string{"/stage", "/stage/", "/ws/stage"} {
			doors.Handle(path, stage)
		}
		// The participant's screen first: it may be in the same browser as a blind console.
		doors.Handle("GET /stage/stimuli/", c.doors.guard(http.HandlerFunc(c.clips), c.screen, c.gate))
	}
	return doors
}

func (c *Console) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, web, "web/index.html")
}

func (c *Console) assets() http.HandlerFunc {
	sub, err := fs.Sub(web, "web")
	if err != nil {
		panic(fmt.Sprintf("console: the embedded folder has another name: %v", err))
	}
	files := http.StripPrefix("/console/", http.FileServerFS(sub))
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	}
}

func (c *Console) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, masked(finite(c.operator.Status()), c.hidden))
}

func (c *Console) sessions(w http.ResponseWriter, r *http.Request) {
	list, err := c.operator.Sessions(r.Context())
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	if list == nil {
		list = []session.Summary{}
	}
	if c.operator.Blinded() {
		list = maskedSummaries(list, c.words())
	}
	writeJSON(w, http.StatusOK, list)
}

// bundle offers one file of the bundle folder. os.Root keeps names like "../x"
// and symbolic links from leading out of it.
func (c *Console) bundle(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if why := c.mayNotSee(access.Who(r.Context())); why != "" {
		writeError(w, http.StatusForbidden, why)
		return
	}
	root, err := os.OpenRoot(c.bundles)
	if err != nil {
		writeError(w, http.StatusNotFound, "there is no bundle yet")
		return
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("no bundle %q here; see the list of sessions", name))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		writeError(w, http.StatusNotFound, fmt.Sprintf("%q is not a bundle", name))
		return
	}
	if c.givenOut != nil && r.Method == http.MethodGet {
		if err := c.givenOut(outlive(r), name); err != nil {
			writeError(w, http.StatusInternalServerError, "not handed out, because it could not be noted that there is a copy: "+err.Error())
			return
		}
	}
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, name, info.ModTime(), f)
}

func (c *Console) start(w http.ResponseWriter, r *http.Request) {
	var req session.Request
	if !readJSON(w, r, &req) {
		return
	}
	req.Participant = strings.TrimSpace(req.Participant)
	if req.Participant == "" {
		writeError(w, http.StatusBadRequest, "type the participant's code first")
		return
	}
	id, err := c.operator.Start(outlive(r), req)
	c.answer(w, id, err)
}

func (c *Console) stop(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Reason string `json:"reason"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	c.answer(w, "", c.operator.Stop(outlive(r), strings.TrimSpace(req.Reason)))
}

func (c *Console) decide(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Choice session.Choice `json:"choice"`
		Reason string         `json:"reason"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	c.answer(w, "", c.operator.Decide(req.Choice, req.Reason))
}

func (c *Console) resume(w http.ResponseWriter, r *http.Request) {
	if id, ok := sessionID(w, r); ok {
		c.answer(w, id, c.operator.Continue(outlive(r), id))
	}
}

func (c *Console) seal(w http.ResponseWriter, r *http.Request) {
	if id, ok := sessionID(w, r); ok {
		c.answer(w, id, c.operator.Seal(outlive(r), id))
	}
}

func sessionID(w http.ResponseWriter, r *http.Request) (string, bool) {
	var req struct {
		SessionID string `json:"session_id"`
	}
	if !readJSON(w, r, &req) {
		return "", false
	}
	if req.SessionID == "" {
		writeError(w, http.StatusBadRequest, "session_id is missing")
		return "", false
	}
	return req.SessionID, true
}

// outlive is the request's context without its end: a command that was given
// is carried out also when the page that gave it is closed in the same moment.
func outlive(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

// answer tells the outcome of a command, and every viewer at once.
func (c *Console) answer(w http.ResponseWriter, id string, err error) {
	c.hub.nudge()
	var said string
	if err != nil {
		said = c.unnamed(err.Error())
	}
	var known *session.KnownError
	var missing *session.NotReadyError
	if errors.As(err, &known) && c.operator.Blinded() {
		known = &session.KnownError{Participant: known.Participant, Sessions: maskedSummaries(known.Sessions, c.words()), Cut: known.Cut}
	}
	if errors.As(err, &missing) && c.operator.Blinded() {
		missing = &session.NotReadyError{Gate: missing.Gate, Checks: maskedChecks(missing.Checks, c.words())}
	}
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, struct {
			SessionID string `json:"session_id,omitempty"`
		}{id})
	case known != nil:
		writeJSON(w, http.StatusConflict, struct {
			Error string              `json:"error"`
			Known *session.KnownError `json:"known"`
		}{said, known})
	case missing != nil:
		writeJSON(w, http.StatusConflict, struct {
			Error    string                 `json:"error"`
			NotReady *session.NotReadyError `json:"not_ready"`
		}{said, missing})
	case errors.Is(err, session.ErrBusy), errors.Is(err, session.ErrIdle), errors.Is(err, session.ErrNotAsked), errors.Is(err, session.ErrNotReady), errors.Is(err, session.ErrOtherOverdue),
		errors.Is(err, session.ErrNotShownYet), errors.Is(err, session.ErrNothingRecorded), errors.Is(err, session.ErrNoAlarm):
		writeError(w, http.StatusConflict, said)
	default:
		writeError(w, http.StatusUnprocessableEntity, said)
	}
}

// readJSON reads one JSON object, and answers the request when it cannot.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return true // no body: every field at its default
	}
	if err == nil { // the log of what was done is told of the whole: nothing may stand behind it
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return true
		}
		err = cmp.Or(err, errors.New("something stands behind its object"))
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is too large: at most %d kB are read here", maxBody>>10))
		return false
	}
	writeError(w, http.StatusBadRequest, "the request is not the JSON that is expected here: "+err.Error())
	return false
}

func writeError(w http.ResponseWriter, code int, text string) {
	writeJSON(w, code, struct {
		Error string `json:"error"`
	}{text})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // the reader is gone: nobody is left to tell
}
