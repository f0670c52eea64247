package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/session"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// screen is a viewer as a program: what it read, message by message.
type screen struct {
	t    *testing.T
	conn *websocket.Conn
}

func authorized() http.Header { return http.Header{"Authorization": {"Bearer " + testToken}} }

func (l *lab) view(t *testing.T) screen {
	t.Helper()
	return l.viewAs(t, "")
}

// viewAs is view of a page that goes by a name already.
func (l *lab) viewAs(t *testing.T, console string) screen {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.server.URL, "http")+"/ws/console?console="+console, authorized())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return screen{t, conn}
}

// called is the name that a page is told, in the first message.
func (s screen) called() string {
	s.t.Helper()
	kind, text, _, _ := s.next()
	var h hello
	if err := json.Unmarshal(text, &h); err != nil || kind != "hello" {
		s.t.Fatalf("first message %s %s", kind, text)
	}
	return h.Console
}

// drain reads until the connection ends, as a browser does also while its page is hidden.
func (s screen) drain() {
	for {
		if _, _, err := s.conn.ReadMessage(); err != nil {
			return
		}
	}
}

// next reads one message: its type, and the batch of a binary one.
func (s screen) next() (kind string, text []byte, now float64, blocks []block) {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	kindOf, b, err := s.conn.ReadMessage()
	if err != nil {
		s.t.Fatalf("read: %v", err)
	}
	if kindOf == websocket.BinaryMessage {
		now, blocks, err = decodeBatch(b)
		if err != nil {
			s.t.Fatalf("batch: %v", err)
		}
		return "batch", nil, now, blocks
	}
	var m struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		s.t.Fatalf("message %s: %v", b, err)
	}
	return m.Type, b, 0, nil
}

// await reads until ok says so.
func (s screen) await(what string, ok func(kind string, text []byte, now float64, blocks []block) bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok(s.next()) {
			return
		}
	}
	s.t.Fatalf("%s did not come within %v", what, patience)
}

// rows waits until n rows of the stream with this index have come.
func (s screen) rows(index, n int) (times []float64) {
	s.t.Helper()
	s.await("data", func(_ string, _ []byte, _ float64, blocks []block) bool {
		for _, b := range blocks {
			if b.stream == index {
				times = append(times, b.times...)
			}
		}
		return len(times) >= n
	})
	return times
}

// gazeChunk is one sample of the gaze stream, taken now.
func gazeChunk(seq int64) stream.Chunk {
	now := instant.Monotonic{}.Now()
	return stream.Chunk{Stream: "gaze", Samples: []stream.Sample{{Seq: seq, At: now, Arrival: now, Values: []float64{.5, .5, 1, 3, 3}}}}
}

// publish sends n gaze samples at once.
func (l *lab) publish(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if err := l.bus.Publish(context.Background(), gazeChunk(int64(i))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAViewerIsToldWhatItSees(t *testing.T) {
	l := startRecording(t, Options{})
	s := l.view(t)
	kind, text, _, _ := s.next()
	var h hello
	if err := json.Unmarshal(text, &h); err != nil || kind != "hello" {
		t.Fatalf("first message %s %s", kind, text)
	}
	if h.Version != wireVersion || len(h.Streams) != 2 || h.Streams[0].ID != "eda" || h.Streams[1].ID != "gaze" ||
		h.Streams[0].Channels[0] != (helloChannel{"eda_us", "µS"}) || !h.Streams[0].Simulated {
		t.Errorf("hello %+v", h)
	}
	l.publish(t, 5)
	s.rows(1, 5)
}

func TestAReloadedPageGetsThePastAgain(t *testing.T) {
	l := startRecording(t, Options{})
	first := l.view(t)
	l.publish(t, 7)
	want := first.rows(1, 7)

	replayed := func(s screen) {
		s.await("replay", func(kind string, _ []byte, _ float64, _ []block) bool { return kind == "replay" })
		got := s.rows(1, 7)
		if len(got) != 7 || got[0] != want[0] || got[6] != want[6] {
			t.Errorf("replayed rows at %v, shown before at %v", got, want)
		}
	}
	replayed(l.view(t))

	// A page that was hidden asks for it, and gets nothing until then.
	if err := first.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"pause"}`)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the pause", func() bool {
		paused := 0
		for _, v := range l.hub.list() {
			v.out.mu.Lock()
			if v.out.paused {
				paused++
			}
			v.out.mu.Unlock()
		}
		return paused == 1
	})
	if err := first.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"resume"}`)); err != nil {
		t.Fatal(err)
	}
	replayed(first)
}

// list is the viewers of this moment.
func (h *hub) list() []*viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*viewer
	for v := range h.viewers {
		list = append(list, v)
	}
	return list
}

// waitFor looks every 10 ms whether something is so.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestTheStateIsToldWhenItChanges(t *testing.T) {
	l := startLab(t, Options{})
	a, b := l.view(t), l.view(t)
	l.operator.change(func(s *session.Status) { s.Participant = "P-7K2" })
	if _, body := l.post(t, "/api/session/start", `{"participant":"P-7K2"}`); !strings.Contains(body, "P-7K2") {
		t.Fatalf("start: %s", body)
	}
	for _, s := range []screen{a, b} {
		s.await("the new state", func(kind string, text []byte, _ float64, _ []block) bool {
			var r report
			return kind == "status" && json.Unmarshal(text, &r) == nil &&
				r.Status.State == session.Recording && r.Status.Participant == "P-7K2" && r.Viewers == 2
		})
	}
}

// The steady report comes twice a second also when nothing happens, and the
// state goes on when the bus is closed.
func TestTheStateIsToldWithoutABus(t *testing.T) {
	l := startLab(t, Options{})
	s := l.view(t)
	l.bus.Close()
	for range 3 {
		s.await("a report", func(kind string, _ []byte, _ float64, _ []block) bool { return kind == "status" })
	}
}

// pipes is a listener whose connections have no buffer at all: a peer that does
// not read blocks the writer at once, as a dead network does in the end.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
	case <-time.After(patience):
		t.Fatal("the server does not accept")
	}
	return ours
}

func TestASlowViewerSlowsNobody(t *testing.T) {
	l := startRecording(t, Options{})
	l.hub.waits.write = time.Hour // it may be late, but is not sent away
	listener := newPipes()
	server := &http.Server{Handler: l.Handler(), ReadHeaderTimeout: patience}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		listener.Close()
		<-served
	}()

	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return listener.dial(t), nil }}
	conn, _, err := dialer.Dial("ws://localhost/ws/console", authorized())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	waitFor(t, "the viewer that never reads", func() bool { return len(l.hub.list()) == 1 })
	slow := l.hub.list()[0]
	skipped := func() int64 {
		slow.out.mu.Lock()
		defer slow.out.mu.Unlock()
		return slow.out.skipped
	}

	// Others, and data, while it does not read.
	const others = 20
	ctx, stop := context.WithCancel(context.Background())
	var feeding sync.WaitGroup
	feeding.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := int64(0); ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if l.bus.Publish(ctx, gazeChunk(i)) != nil {
					return
				}
			}
		}
	})
	defer feeding.Wait()
	defer stop()

	var looking sync.WaitGroup
	got := make([]error, others)
	for i := range others {
		s := l.view(t)
		s.rows(1, 1) // the past is through
		looking.Go(func() { got[i] = s.watch(outboxDepth) })
	}
	looking.Wait()
	for i, err := range got {
		if err != nil {
			t.Errorf("viewer %d beside a viewer that never reads: %v", i, err)
		}
	}
	waitFor(t, "the count of what the slow viewer missed", func() bool { return skipped() > 0 })

	// It wakes up: it is told what it missed, and is at the present soon.
	s := screen{t, conn}
	told := false
	s.await("the present", func(kind string, _ []byte, now float64, _ []block) bool {
		told = told || kind == "skipped"
		return told && kind == "batch" && ms(l.hub.clock.Now().Sub(l.hub.origin))-now < 500
	})
}

// watch reads n batches. One that does not come within patience is an error.
func (s screen) watch(n int) error {
	for got := 0; got < n; {
		if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		kind, _, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		if kind == websocket.BinaryMessage {
			got++
		}
	}
	return nil
}

func TestRunSendsTheViewersAwayAndWaits(t *testing.T) {
	l := startLab(t, Options{})
	var screens []screen
	for range 5 {
		screens = append(screens, l.view(t))
	}
	waitFor(t, "five viewers", func() bool { return len(l.hub.list()) == 5 })
	url := "ws" + strings.TrimPrefix(l.server.URL, "http") + "/ws/console"
	l.stop() // fails the test when Run does not return
	if n := len(l.hub.list()); n != 0 {
		t.Errorf("%d viewers are left", n)
	}
	for _, s := range screens {
		_ = s.conn.SetReadDeadline(time.Now().Add(patience))
		for {
			_, _, err := s.conn.ReadMessage()
			if err == nil {
				continue
			}
			if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
				t.Errorf("the page was told %v, want that the server goes away", err)
			}
			break
		}
	}
	if conn, _, err := websocket.DefaultDialer.Dial(url, authorized()); err == nil {
		conn.Close()
		t.Error("a viewer was let in after the end")
	}
	if l.hub.admit(&viewer{gone: make(chan struct{})}) {
		t.Error("the hub took a viewer after its end")
	}
}

// A browser gives a tab that is duplicated the name of the first: the second gets another,
// and does not hold the pen. A page that comes back keeps its own, also where the server has
// not noticed yet that it was gone.
func TestTwoPagesNeverHaveOneName(t *testing.T) {
	l := startLab(t, Options{})
	l.hub.waits.answer = patience // who is there answers, however busy this computer is
	stop := func(console string) int {
		return l.ask(t, route{pattern: "POST /api/session/stop"}, func(r *http.Request) {
			bearer(testToken)(r)
			r.Header.Set(consoleHeader, console)
		}).StatusCode
	}
	first := l.view(t)
	name := first.called()
	var reading sync.WaitGroup
	reading.Go(first.drain)

	copies := []screen{l.viewAs(t, name), l.viewAs(t, name)}
	for _, c := range copies {
		if got := c.called(); got == name || !consoleName.MatchString(got) {
			t.Errorf("a duplicated tab is called %q as the first, %q", got, name)
		} else if code := stop(got); code != http.StatusLocked {
			t.Errorf("a duplicated tab may stop the session: %d", code)
		}
	}
	if code := stop(name); code != http.StatusOK {
		t.Errorf("the first may not any more: %d", code)
	}
	if code := stop(""); code != http.StatusLocked {
		t.Errorf("a page that knows no name yet may stop the session: %d", code)
	}

	first.conn.Close() // a reload
	reading.Wait()
	l.hub.waits.answer = 100 * time.Millisecond // nobody of those who follow is there
	again := l.viewAs(t, name)
	if got := again.called(); got != name {
		t.Errorf("a page that was reloaded is called %q, and was %q", got, name)
	}
	// Nobody reads: as over a line that is dead, no pong comes back.
	back := l.viewAs(t, name)
	if got := back.called(); got != name {
		t.Errorf("a page that has lost its line is called %q, and was %q", got, name)
	}
	if code := stop(name); code != http.StatusOK {
		t.Errorf("and has lost the pen: %d", code)
	}
	waitFor(t, "the end of the dead line", func() bool {
		same := 0
		for _, v := range l.hub.list() {
			if v.console == name {
				same++
			}
		}
		return same == 1
	})
}

// All that a lab does for its pages goes on at once. It is for the race detector, and for what
// would wait for itself.
func TestAllAtOnce(t *testing.T) {
	l := startRecording(t, Options{Audit: func(context.Context, Entry) error { return nil }, Picture: new(stillPicture)})
	l.operator.unheeded()
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	var busy sync.WaitGroup
	again := func(what func(i int) error) {
		busy.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := what(i); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	ask := func(method, path, body string) error {
		r, err := http.NewRequest(method, l.server.URL+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		resp, err := l.server.Client().Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		full := path == "/metrics" && resp.StatusCode == http.StatusServiceUnavailable // those before have not quite ended
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode >= 500 && !full {
			return fmt.Errorf("%s: %s %w", path, resp.Status, err)
		}
		return nil
	}
	shared := newConsoleID()
	for range 4 { // pages that come, are hidden and go; all of them claim one name
		again(func(i int) error {
			conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.server.URL, "http")+"/ws/console?console="+shared, authorized())
			if err != nil {
				return err
			}
			defer conn.Close()
			if err := (screen{t, conn}).watch(3); err != nil {
				return err
			}
			for _, wish := range []string{"pause", "resume"} {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+wish+`"}`)); err != nil {
					return err
				}
			}
			return (screen{t, conn}).watch(2)
		})
	}
	again(func(i int) error {
		l.operator.change(func(s *session.Status) {
			s.Blind = i%7 == 0
			s.State = []session.State{session.Recording, ""}[i%11/10]
			s.Marks = append(s.Marks[:i%3:i%3], session.Mark{Text: fmt.Sprint(i)})
		})
		return l.bus.Publish(context.Background(), gazeChunk(int64(i)))
	})
	again(func(int) error { return ask("GET", "/api/status", "") })
	again(func(int) error { return ask("GET", "/metrics", "") })
	again(func(int) error { return ask("POST", "/api/session/mark", `{"kind":"marker"}`) })
	again(func(int) error { return ask("POST", "/api/picture", `{"sdp":"v=0"}`) })
	again(func(int) error {
		l.hub.nudge()
		l.Watched()
		return ask("POST", "/api/pen", `{"action":"ask"}`)
	})
	busy.Wait()
}

// stillPicture answers every offer.
type stillPicture struct{}

func (*stillPicture) Answer(_ context.Context, _, _ string, still func() bool) (string, error) {
	if !still() {
		return "", errors.New("nobody is there")
	}
	return "v=0", nil
}

// Every page is told the name of the one that holds the pen. Who takes that name does not
// become the holder.
func TestAPageIsNoOtherPersons(t *testing.T) {
	p := newPen()
	ann, ben := access.Holder{Name: "Ann", Role: access.Operator}, access.Holder{Name: "Ben", Role: access.Viewer}
	p.opened("1", ann)
	if p.state().Holder != "1" || p.others("1", ann) || !p.others("1", ben) || p.others("2", ben) {
		t.Errorf("%+v: whose page is which is not known", p.state())
	}
	p.closed("1") // a reload
	if p.others("1", ann) || !p.others("1", ben) {
		t.Error("the page of the holder may be somebody else's while it is reloaded")
	}
	for range 3 {
		p.opened("2", ben)
		p.closed("2")
	}
	if len(p.names) != 1 {
		t.Errorf("%d names are kept of pages that have gone", len(p.names)-1)
	}
}

// Who asks for the pen has it as soon as its holder has had the time to keep it, and not
// before.
func TestThePenGoesToWhoWaits(t *testing.T) {
	p := newPen()
	ann, ben := access.Holder{Name: "Ann", Role: access.Operator}, access.Holder{Name: "Ben", Role: access.Operator}
	p.patient = time.Hour
	p.opened("1", ann)
	p.opened("2", ben)
	if err := p.ask("2"); err != nil {
		t.Fatal(err)
	}
	if s := p.state(); s.Holder != "1" || s.Asked != "2" || s.LeftMs <= 0 || s.LeftMs > ms(p.patient) {
		t.Errorf("while it may still be kept: %+v", s)
	}
	p.patient = 0
	if s := p.state(); s.Holder != "2" || s.Asked != "" || s.LeftMs != 0 {
		t.Errorf("afterwards: %+v", s)
	}
}
