package stage

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/stage/protocol"
)

const (
	// pingBurst pings, pingSpacing apart, open a connection: a second of them, so that
	// a page that was reloaded on a busy machine is known again to a millisecond or two
	// by the time its clip begins. (LSL asks 8 times at this spacing.)
	pingBurst   = 16
	pingSpacing = 64 * time.Millisecond
	// pingPeriod is the cadence after that. Crystals of two machines drift apart
	// by 0.1 ms in a second at the very worst, less than half a round trip.
	pingPeriod = time.Second
	// helloPatience is how long a new connection may take to say who it is: the
	// page measures its screen's refresh first.
	helloPatience = 10 * time.Second
	// silence ends a connection: pongs come every second, also from a page that
	// is in the background.
	silence = 10 * time.Second
	// writePatience ends the connection of a page that does not read.
	writePatience = 5 * time.Second
	// queueDepth is how many messages may wait for a page. Few are ever sent.
	queueDepth = 64
	// maxPending bounds the pings without an answer that are remembered.
	maxPending = 32
)

// link is the connection to one page.
type link struct {
	server *Server
	run    *run
	conn   *websocket.Conn
	hello  *protocol.Hello
	cancel context.CancelFunc // ends the connection
	queue  chan protocol.Message
	held   chan struct{} // closed when the page has got the stage
	gone   chan struct{} // closed when the handler has finished with the stage

	mu      sync.Mutex
	pending map[int64]instant.Instant // when the pings without an answer were sent
}

// serveSocket is the handler of /ws/stage.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	run := s.enter()
	if run == nil {
		http.Error(w, "the stage is not running: start the lab, then reload", http.StatusServiceUnavailable)
		return
	}
	defer run.links.Done()
	up := websocket.Upgrader{HandshakeTimeout: writePatience} // its default origin check is "same host"
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(run.ctx)
	defer cancel()
	l := &link{
		server: s, run: run, conn: conn, cancel: cancel,
		queue: make(chan protocol.Message, queueDepth),
		held:  make(chan struct{}), gone: make(chan struct{}), pending: map[int64]instant.Instant{},
	}
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		l.write(ctx)
	}()
	l.serve(ctx)
	cancel()
	writer.Wait()
}

// serve speaks with the page until it goes or ctx ends.
func (l *link) serve(ctx context.Context) {
	defer close(l.gone)
	s := l.server
	l.conn.SetReadLimit(protocol.MaxMessage)
	m, at, err := l.read(helloPatience)
	if err != nil {
		return
	}
	var refusal string
	hello, ok := m.(*protocol.Hello)
	switch {
	case !ok:
		refusal = "the first message must be hello"
	case hello.Version != protocol.Version:
		refusal = "the page is of another version than the server: reload it"
	case hello.Simulated && !s.o.Simulated:
		refusal = "this lab expects a browser on the stage; a simulated client would make its recordings look real"
	case !hello.Simulated && s.o.Simulated:
		refusal = "this lab runs with the built-in client on the stage; start it with a browser instead"
	}
	elsewhere := s.otherScreen(hello)
	if refusal == "" && !s.presenting() {
		refusal = elsewhere
	}
	if refusal != "" {
		l.refuse(ctx, &protocol.Refused{Reason: refusal})
		return
	}
	l.hello = hello

	show, st, ok := s.attach(ctx, l, hello.TakeOver)
	if !ok {
		l.refuse(ctx, &protocol.Refused{Busy: true, Reason: "the stage is open elsewhere"})
		return
	}
	s.rec.connected(l.run, at, hello)
	l.send(&protocol.Library{Clips: clips(st), Corner: s.o.Corner, Languages: languages(st)}) // also tells the page that it is accepted
	close(l.held)
	switch {
	case show != nil:
		show.tell(ctx, news{link: l, what: attached{}})
	case elsewhere != "": // the presentation ended meanwhile
		l.send(&protocol.Refused{Reason: elsewhere})
	}
	for {
		m, at, err := l.read(silence)
		if err != nil {
			break
		}
		l.receive(ctx, m, at)
	}
	// The end of the connection is recorded before anyone else gets the stage,
	// and not at all when the whole stage ends.
	s.rec.events(l.run, stream.Event{Kind: stream.Disconnected, At: s.o.Clock.Now(), Detail: "the page was closed, reloaded or lost"})
	if show := s.detach(); show != nil {
		show.tell(l.run.ctx, news{link: l, what: detached{}})
	}
}

// read returns the next message that can be understood, and when it had come.
func (l *link) read(patience time.Duration) (protocol.Message, instant.Instant, error) {
	for {
		if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return nil, 0, err
		}
		_, b, err := l.conn.ReadMessage()
		at := l.server.o.Clock.Now()
		if err != nil {
			return nil, at, err
		}
		m, err := protocol.DecodePage(b)
		if err == nil {
			return m, at, nil
		}
		l.server.rec.fault(l.run, at, "a message of the page could not be read: %v", err)
	}
}

// receive records what a page reports and passes on what a presentation waits for.
func (l *link) receive(ctx context.Context, m protocol.Message, at instant.Instant) {
	s := l.server
	switch m := m.(type) {
	case *protocol.Pong:
		if t0, ok := l.answered(m.ID); ok {
			s.rec.probe(l.run, stream.Probe{T0: t0, Rx: int64(m.Rx), Tx: int64(m.Tx), T3: at})
		}
		return
	case *protocol.Frames:
		if _, clip, ok := s.stimulus(m.Stimulus); ok {
			s.rec.frames(l.run, at, m, clip)
		} else {
			s.rec.fault(l.run, at, "frames of a clip that is not in the study: %.40q", m.Stimulus)
		}
		return
	case *protocol.Blank:
		s.rec.blank(l.run, at, m.Tick)
	case *protocol.Unknown:
		s.rec.unknown(l.run, at, m.Tick)
		return
	case *protocol.Remark:
		s.rec.remark(l.run, at, m)
		if m.What == protocol.Moved && s.o.MeasuredOn != nil {
			s.rec.fault(l.run, at, "times of display may be corrected by what another screen needs: the page said it is on %s, and has moved or was zoomed", screenOf(l.hello))
		}
		return
	case *protocol.Fault:
		s.rec.fault(l.run, at, "page: %s", m.Text)
	}
	s.mu.Lock()
	show := s.show
	s.mu.Unlock()
	if show != nil {
		show.tell(ctx, news{link: l, at: at, what: m})
	}
}

// answered returns when the ping was sent, once.
func (l *link) answered(id int64) (instant.Instant, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t0, ok := l.pending[id]
	delete(l.pending, id)
	return t0, ok
}

// send queues a message. A page that does not read is let go: it will connect
// again and be told where things stand.
func (l *link) send(m protocol.Message) {
	select {
	case l.queue <- m:
	default:
		l.cancel()
	}
}

// refuse sends the reason and waits until the page has gone.
func (l *link) refuse(ctx context.Context, m *protocol.Refused) {
	l.send(m)
	<-ctx.Done() // the writer ends the connection after a refusal
}

// write sends queued messages and, to a page that has got the stage, pings until ctx
// ends; then it closes the socket, which ends the reading too. A page that is still to say
// who it is would answer a ping first, and be refused for it.
func (l *link) write(ctx context.Context) {
	defer l.conn.Close()
	defer l.cancel()
	ping := time.NewTimer(pingPeriod)
	ping.Stop()
	defer ping.Stop()
	held := l.held
	for id := int64(1); ; {
		select {
		case <-held:
			held = nil
			ping.Reset(pingSpacing)
		case <-ctx.Done():
			// Courtesy only: the page notices a closed socket as well.
			_ = l.conn.WriteControl(websocket.CloseMessage,
				websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
			return
		case m := <-l.queue:
			if l.put(m) != nil {
				return
			}
			if _, last := m.(*protocol.Refused); last {
				return
			}
		case <-ping.C:
			if l.ping(id) != nil {
				return
			}
			id++
			ping.Reset(pingPause(id))
		}
	}
}

// pingPause is how long to wait before ping id.
func pingPause(id int64) time.Duration {
	if id <= pingBurst {
		return pingSpacing
	}
	return pingPeriod
}

func (l *link) put(m protocol.Message) error {
	b, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	return l.conn.WriteMessage(websocket.TextMessage, b)
}

// ping sends a clock ping. All that can be done before is, so that T0 stands
// right before the write.
func (l *link) ping(id int64) error {
	b, err := protocol.Encode(&protocol.Ping{ID: id})
	if err != nil {
		return err
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	l.mu.Lock()
	delete(l.pending, id-maxPending)
	l.pending[id] = l.server.o.Clock.Now()
	l.mu.Unlock()
	return l.conn.WriteMessage(websocket.TextMessage, b)
}
