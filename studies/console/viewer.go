package console

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"emolab/studies/access"
)

const (
	// writeWait is how long one message may take to leave. A viewer whose network
	// stands still longer than that is disconnected; its page comes back by itself.
	writeWait = 5 * time.Second
	// pongWait is how long a silent viewer is believed to be there; pings are
	// sent often enough for two of them to get lost.
	pongWait   = 30 * time.Second
	pingPeriod = 9 * time.Second
	// maxRequest bounds what a page may send: {"type":"pause"} and the like.
	maxRequest = 256
	// answerWait is how long a page has to answer whether it is there. Its browser does so
	// by itself, also while the page is hidden.
	answerWait = 2 * time.Second
	// writeBuffer takes a usual batch with all its streams in one write.
	writeBuffer = 16 << 10
)

// waits are how long a page is waited for.
type waits struct {
	write  time.Duration // until one message has left
	answer time.Duration // until it has answered whether it is there
}

// viewer is one open console page.
type viewer struct {
	console string // names the page
	waits   waits
	who     access.Holder
	still   func() bool // whether they may be in at this moment, too
	conn    *websocket.Conn
	out     *outbox
	end     sync.Once
	gone    chan struct{} // closed by dismiss

	listening sync.Mutex
	pong      chan struct{} // closed by the next pong; nil: nobody waits for it
}

// dismiss makes serve return. It may be called more than once.
func (v *viewer) dismiss() {
	v.end.Do(func() { close(v.gone) })
}

// dismissed tells whether serve is about to return.
func (v *viewer) dismissed() bool {
	select {
	case <-v.gone:
		return true
	default:
		return false
	}
}

// answers asks a page whether it is there.
func (v *viewer) answers() bool {
	v.listening.Lock()
	if v.pong == nil {
		v.pong = make(chan struct{})
	}
	pong := v.pong
	v.listening.Unlock()
	late := time.NewTimer(v.waits.answer)
	defer late.Stop()
	if v.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(v.waits.answer)) != nil {
		return false
	}
	select {
	case <-pong:
		return true
	case <-v.gone:
		return false
	case <-late.C:
		return false
	}
}

// heard notes a pong.
func (v *viewer) heard() {
	v.listening.Lock()
	defer v.listening.Unlock()
	if v.pong != nil {
		close(v.pong)
		v.pong = nil
	}
}

// watch answers /ws/console.
func (c *Console) watch(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{
		WriteBufferSize: writeBuffer,
		CheckOrigin:     sameOrigin, // the guard has checked it; the library asks again
	}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered the request
	}
	v := &viewer{console: r.URL.Query().Get("console"), waits: c.hub.waits, who: access.Who(r.Context()), still: func() bool { return still(r.Context()) }, conn: conn, gone: make(chan struct{})}
	if !consoleName.MatchString(v.console) || c.hub.pen.others(v.console, v.who) {
		v.console = newConsoleID()
	}
	if !c.hub.admit(v) {
		_ = conn.Close() // the program is ending; there is nobody to tell
		return
	}
	defer c.hub.leave(v)
	v.serve(func() { c.hub.rewind(v) })
}

// serve writes until the page goes, is too slow or is dismissed. It returns
// when both directions have ended.
func (v *viewer) serve(resume func()) {
	var reading sync.WaitGroup
	reading.Go(func() {
		v.read(resume)
		v.dismiss()
	})
	v.write()
	_ = v.conn.Close() // ends read; an error here says that it was closed already
	reading.Wait()
}

// read follows the page's wishes and its pongs until the connection ends.
func (v *viewer) read(resume func()) {
	v.conn.SetReadLimit(maxRequest)
	alive := func(string) error { return v.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	v.conn.SetPongHandler(func(string) error {
		v.heard()
		return alive("")
	})
	_ = alive("") // on a closed connection the read below fails as well
	for {
		_, b, err := v.conn.ReadMessage()
		if err != nil {
			return
		}
		var wish struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(b, &wish) != nil {
			return // not our page
		}
		switch wish.Type {
		case "pause":
			v.out.pause()
		case "resume":
			resume()
		}
	}
}

// write sends what the outbox holds, and pings.
func (v *viewer) write() {
	ping := time.NewTicker(pingPeriod)
	defer ping.Stop()
	for {
		select {
		case <-v.gone:
			bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
			_ = v.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // a courtesy
			return
		case <-ping.C:
			if !v.still() || v.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(v.waits.write)) != nil {
				return
			}
		case <-v.out.ready:
			if v.sendAll(v.out.take()) != nil {
				return
			}
		}
	}
}

// sendAll sends a parcel. Between two batches it looks whether it is still
// wanted, because the past of 20 s on a slow line takes a while.
func (v *viewer) sendAll(p parcel) error {
	for _, text := range [][]byte{p.hello, p.report, skipNote(p.skipped), replayNote(p.replays)} {
		if text == nil {
			continue
		}
		if err := v.send(websocket.TextMessage, text); err != nil {
			return err
		}
	}
	for _, b := range p.batches {
		select {
		case <-v.gone:
			return nil // write sees it next
		default:
		}
		if err := v.send(websocket.BinaryMessage, b); err != nil {
			return err
		}
	}
	return nil
}

func (v *viewer) send(kind int, b []byte) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(v.waits.write)); err != nil {
		return err
	}
	return v.conn.WriteMessage(kind, b)
}
