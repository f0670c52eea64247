package console

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"sync"
	"time"

	"emolab/studies/access"
)

// consoleHeader names the page that gives a command, as its hello named it.
const consoleHeader = "X-Emolab-Console"

// penPatience is how long the holder of the pen has to answer somebody who asks for it.
const penPatience = 10 * time.Second

var (
	errNoPen  = errors.New("another console holds the pen: this one watches. Take the pen over first (P)")
	errNoName = errors.New("this page is not connected yet: wait a moment, or reload it")
)

// consoleOf is the page that gives a command. A program has none, and sends no such header;
// a page that has not been told its name yet sends an empty one.
func consoleOf(r *http.Request) (id string, page bool) {
	return r.Header.Get(consoleHeader), r.Header.Values(consoleHeader) != nil
}

// consoleName is what newConsoleID makes.
var consoleName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// newConsoleID names a page for as long as it is open, and over its reloads.
func newConsoleID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// pen is held by one of the pages that are open: it operates the lab, the others watch.
// The first page takes it. A program gives commands without it, because whoever wrote it
// knows what it does; its commands are in the log like all others.
type pen struct {
	mu      sync.Mutex
	patient time.Duration  // how long its holder has to answer
	holder  string         // console id; "" = nobody's
	name    string         // of who holds it
	pages   map[string]int // console id -> how many connections it has
	names   map[string]string
	left    time.Time // when the holder's last connection went; zero: it is there
	asked   string    // who asks for it; "" = nobody
	askedAt time.Time
}

// grace is how long the pen waits for a page that is gone: as long as a reload takes.
const grace = 5 * time.Second

// penState is who operates the lab, as every page is told.
type penState struct {
	Holder  string  `json:"holder"` // console id; "" = nobody's
	Name    string  `json:"name"`
	Asked   string  `json:"asked"`    // the console that asks for it; "" = none
	AskedBy string  `json:"asked_by"` // its name
	LeftMs  float64 `json:"left_ms"`  // until it is given to who asks
}

func newPen() *pen {
	return &pen{patient: penPatience, pages: map[string]int{}, names: map[string]string{}}
}

// others tells whether a name is that of somebody else's page. Every page is told the
// holder's, which is no secret.
func (p *pen) others(id string, who access.Holder) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, known := p.names[id]
	return known && name != who.Name
}

// opened notes that a page is connected. Who may operate takes a pen that is nobody's.
func (p *pen) opened(id string, who access.Holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[id]++
	p.names[id] = who.Name
	switch {
	case id == p.holder:
		p.left = time.Time{}
	case who.Role.May(access.Operate) && p.free(time.Now()):
		p.hold(id)
	}
}

// closed notes that a connection of a page has gone.
func (p *pen) closed(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pages[id]--; p.pages[id] <= 0 {
		delete(p.pages, id)
		if id == p.holder {
			p.left = time.Now()
		} else {
			delete(p.names, id)
		}
		if id == p.asked {
			p.asked = ""
		}
	}
}

// free tells whether nobody holds the pen; p.mu is held.
func (p *pen) free(now time.Time) bool {
	return p.holder == "" || p.pages[p.holder] == 0 && !p.left.IsZero() && now.Sub(p.left) > grace
}

// hold gives the pen to a page; p.mu is held.
func (p *pen) hold(id string) {
	if p.pages[p.holder] == 0 {
		delete(p.names, p.holder)
	}
	p.holder, p.name, p.left, p.asked = id, p.names[id], time.Time{}, ""
}

// check tells why a page may not give a command.
func (p *pen) check(id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case id == "" || id == p.holder:
		return nil
	case p.free(time.Now()) && p.pages[id] > 0:
		p.hold(id)
		return nil
	}
	return errNoPen
}

// ask asks for the pen; its holder has penPatience to refuse. A pen that nobody holds is had
// at once.
func (p *pen) ask(id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case p.pages[id] == 0:
		return errors.New("this page is not connected: reload it")
	case id == p.holder:
	case p.free(now):
		p.hold(id)
	case p.asked == "" || p.asked == id:
		if p.asked == "" {
			p.asked, p.askedAt = id, now
		}
	default:
		return errors.New(p.names[p.asked] + " asks for the pen already: wait a moment")
	}
	return nil
}

// give hands the pen to who asks for it; keep refuses that.
func (p *pen) give(id string, keep bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case id != p.holder:
		return errNoPen
	case p.asked == "":
		return errors.New("nobody asks for the pen")
	case keep:
		p.asked = ""
	default:
		p.hold(p.asked)
	}
	return nil
}

// state is who holds the pen now. It gives it to who has waited long enough.
func (p *pen) state() penState {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.asked != "" && (p.free(now) || now.Sub(p.askedAt) >= p.patient) {
		p.hold(p.asked)
	}
	s := penState{Holder: p.holder, Name: p.name, Asked: p.asked, AskedBy: p.names[p.asked]}
	if p.asked != "" {
		s.LeftMs = ms(p.patient - now.Sub(p.askedAt))
	}
	if p.free(now) {
		s.Holder, s.Name = "", ""
	}
	return s
}

// takePen asks for the pen, hands it over or keeps it.
func (c *Console) takePen(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Action string `json:"action"` // ask, give, keep
	}
	if !readJSON(w, r, &req) {
		return
	}
	id, _ := consoleOf(r)
	var err error
	switch {
	case id == "":
		err = errors.New("only a page has the pen: its header " + consoleHeader + " is missing")
	case req.Action == "ask":
		err = c.hub.pen.ask(id)
	case req.Action == "give", req.Action == "keep":
		err = c.hub.pen.give(id, req.Action == "keep")
	default:
		writeError(w, http.StatusBadRequest, "action is ask, give or keep")
		return
	}
	c.hub.nudge()
	if err != nil {
		writeError(w, http.StatusConflict, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, c.hub.pen.state())
}
