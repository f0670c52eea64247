package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"emolab/studies/access"
	"emolab/studies/session"
)

// Entry is one line of the log of what was done in the lab, and by whom. It holds no
// secret and no participant's code, and nothing that somebody typed but why the console was
// made blind or not: all other words are kept by the command itself. Which alarm, which kind
// of mark and which presentation a command was about are words of the program's own.
type Entry struct {
	At        time.Time   `json:"at"`         // wall time; set by whoever keeps it
	SessionID string      `json:"session_id"` // that it was about; "" = none, or it is erased
	Action    string      `json:"action"`     // the route: "POST /api/session/stop"
	Detail    string      `json:"detail"`     // in words
	Who       string      `json:"who"`
	Role      access.Role `json:"role"`
	Outcome   string      `json:"outcome"` // the status of the answer: "200"; or begun
}

// lookRoute is the action of whoever reads a session that is over, whichever part of it
// they read first.
const lookRoute = "GET /api/replay/{session}"

// visitLasts is for how long the same is not noted again after it was asked for the last time:
// a page asks for a hundred parts of a session, and every two seconds for a picture that
// does not come.
const visitLasts = 10 * time.Minute

// repeated are the commands that a page gives by itself, again and again while they fail.
var repeated = []string{"POST /api/picture", "POST /api/camera"}

// The commands of which the log says more than that they were given.
const (
	blindRoute       = "POST /api/session/blind" // nobody else keeps the reason while nothing is recorded
	againRoute       = "POST /api/session/again"
	markRoute        = "POST /api/session/mark"
	acknowledgeRoute = "POST /api/alarm/acknowledge"
	shelveRoute      = "POST /api/alarm/shelve"
)

// outcomeBegun is the outcome of what is noted before it is done.
const outcomeBegun = "begun"

// entries is how many lines of the log are listed where nobody says how many, and
// maxEntries how many at most.
const (
	entries    = 200
	maxEntries = 10000
)

// noted has what changes something, shows what was recorded, or leaves the lab, noted.
func (c *Console) noted(route route, w http.ResponseWriter, r *http.Request) {
	reads := strings.HasPrefix(route.pattern, "GET ") && route.may != access.Export
	switch {
	case c.audit == nil || r.Method == http.MethodHead:
		route.handle(w, r)
	case reads && strings.HasPrefix(route.pattern, lookRoute):
		c.notedLook(route, w, r)
	case reads:
		route.handle(w, r)
	default:
		c.notedDeed(route, w, r)
	}
}

// notedLook has it noted who reads which session, once a visit, before anything of it goes
// out: if it cannot be noted, nothing does. What is refused shows nothing, and is not noted.
func (c *Console) notedLook(route route, w http.ResponseWriter, r *http.Request) {
	who := access.Who(r.Context())
	entry := Entry{SessionID: r.PathValue("session"), Action: lookRoute, Who: who.Name, Role: who.Role, Outcome: strconv.Itoa(http.StatusOK)}
	route.handle(&withheld{ResponseWriter: w, release: func() error {
		err := c.visits.once(entry, time.Now(), func() error { return c.audit(outlive(r), entry) })
		if err != nil {
			c.doors.log.Error("who looks cannot be noted, and nothing is shown", "what", route.pattern, "who", who.Name, "error", err)
		}
		return err
	}}, r)
}

// visits remembers what was noted of late.
type visits struct {
	mu   sync.Mutex
	last map[Entry]time.Time // when each was asked for the last time
}

// once notes an entry, unless that was done in this visit.
func (v *visits) once(e Entry, now time.Time, note func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock() // also while it is noted: nobody else goes on before it is
	maps.DeleteFunc(v.last, func(_ Entry, at time.Time) bool { return now.Sub(at) >= visitLasts })
	if _, noted := v.last[e]; !noted {
		if err := note(); err != nil {
			return err
		}
	}
	if v.last == nil {
		v.last = map[Entry]time.Time{}
	}
	v.last[e] = now
	return nil
}

// withheld is a writer that lets an answer out only when release agrees; a refusal always.
type withheld struct {
	http.ResponseWriter
	release  func() error
	answered bool
	kept     bool
}

// WriteHeader asks before it shows anything.
func (h *withheld) WriteHeader(status int) {
	if h.answered {
		return
	}
	h.answered = true
	if status < http.StatusBadRequest {
		if err := h.release(); err != nil {
			h.kept = true
			clear(h.Header())
			protect(h.ResponseWriter)
			writeError(h.ResponseWriter, http.StatusInternalServerError, "not shown, because it could not be noted who looks: "+err.Error())
			return
		}
	}
	h.ResponseWriter.WriteHeader(status)
}

// Write writes, unless the answer is kept back.
func (h *withheld) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	if h.kept {
		return len(b), nil
	}
	return h.ResponseWriter.Write(b)
}

// notedDeed has a command noted with its outcome. What erases or gives a copy away is noted
// before it is done as well: if that cannot be, it is not done.
func (c *Console) notedDeed(route route, w http.ResponseWriter, r *http.Request) {
	who := access.Who(r.Context())
	entry := Entry{Action: route.pattern, Who: who.Name, Role: who.Role}
	// What erases is noted without the session: its id may say whose it was.
	if route.may != access.Erase {
		said := named(r)
		status := c.operator.Status() // before it is done: an alarm that is seen may be gone
		if entry.SessionID = said.SessionID; entry.SessionID == "" {
			entry.SessionID = status.SessionID
		}
		entry.Detail = said.detail(route.pattern, status.Alarms)
	}
	if route.may == access.Erase || route.may == access.Export {
		entry.Outcome = outcomeBegun
		if err := c.audit(outlive(r), entry); err != nil {
			c.doors.log.Error("what was asked for cannot be noted, and is not done", "what", route.pattern, "error", err)
			writeError(w, http.StatusInternalServerError, "not done, because it could not be noted who asked for it: "+err.Error())
			return
		}
	}
	answer := &answering{ResponseWriter: w}
	defer func() { // also when the handler panics
		if answer.status == 0 {
			answer.status = http.StatusInternalServerError // it has
		}
		if entry.SessionID == "" && route.may != access.Erase {
			entry.SessionID = c.operator.Status().SessionID // it has just begun
		}
		entry.Outcome = strconv.Itoa(answer.status)
		note := func() error { return c.audit(outlive(r), entry) }
		once := note
		if slices.Contains(repeated, route.pattern) {
			once = func() error { return c.visits.once(entry, time.Now(), note) }
		}
		if err := once(); err != nil {
			c.doors.log.Error("what was done cannot be noted", "what", route.pattern, "who", who.Name, "outcome", entry.Outcome, "error", err)
		}
	}()
	route.handle(answer, r)
}

// naming is what of a request the log is about.
type naming struct {
	SessionID    string           `json:"session_id"`
	Reason       string           `json:"reason"`
	ID           string           `json:"id"` // of an alarm; "" = all
	Minutes      float64          `json:"minutes"`
	Kind         session.MarkKind `json:"kind"`
	Presentation int              `json:"presentation"`
}

// named is what a request names, in its path, as the name of a bundle or in its body.
// Whoever keeps the log leaves out what is no session's id.
func named(r *http.Request) (said naming) {
	if id := r.PathValue("session"); id != "" {
		return naming{SessionID: id}
	}
	if name := r.PathValue("name"); name != "" {
		return naming{SessionID: strings.TrimSuffix(name, ".zip")}
	}
	body, err := io.ReadAll(r.Body) // the guard has read it: it is in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil || len(body) > maxBody || json.Unmarshal(body, &said) != nil {
		return naming{} // the handler will say so, or it is no command
	}
	return said
}

// detail says what a command is about. What the program does not know by that name is left
// out: it may be anything.
func (n naming) detail(pattern string, alarms []session.Alarm) string {
	switch pattern {
	case blindRoute:
		return strings.TrimSpace(n.Reason)
	case againRoute:
		return fmt.Sprintf("presentation %d", n.Presentation)
	case markRoute:
		if n.Kind.Known() {
			return string(n.Kind)
		}
	case acknowledgeRoute, shelveRoute:
		var about []string
		for _, a := range alarms {
			if a.ID == n.ID || n.ID == "" && a.State != session.Shelved {
				about = append(about, a.ID)
			}
		}
		words := strings.Join(about, ", ")
		if words != "" && pattern == shelveRoute {
			words += fmt.Sprintf(" for %g min", n.Minutes)
		}
		return words
	}
	return ""
}

// answering is a writer that remembers the status of an answer.
type answering struct {
	http.ResponseWriter
	status int // 0: nothing was answered yet
}

// WriteHeader remembers the status.
func (a *answering) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write writes, with the status 200 where none was given.
func (a *answering) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets net/http find what else the writer can do.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// audits lists the latest of what was done in the lab, the newest first.
func (c *Console) audits(w http.ResponseWriter, r *http.Request) {
	n := entries
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxEntries {
			writeError(w, http.StatusBadRequest, "limit is a number from 1 to "+strconv.Itoa(maxEntries))
			return
		}
	}
	list := []Entry{}
	if c.audited != nil {
		got, err := c.audited(r.Context(), n)
		if err != nil {
			writeError(w, http.StatusInternalServerError, err.Error())
			return
		}
		list = append(list, got...)
		if c.operator.Blinded() {
			words := c.words()
			for i := range list {
				list[i].Detail = words(list[i].Detail)
			}
		}
	}
	writeJSON(w, http.StatusOK, list)
}
