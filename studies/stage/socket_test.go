package stage_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"emolab/fusion/stream"
	"emolab/studies/stage"
	"emolab/studies/stage/protocol"
)

// page is a page driven by hand.
type page struct {
	t    *testing.T
	conn *websocket.Conn
}

func (l *lab) open(hello protocol.Message) *page {
	l.t.Helper()
	p := l.dial()
	p.say(hello)
	return p
}

// dial connects a page that has not said anything yet.
func (l *lab) dial() *page {
	l.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.http.URL, "http")+"/ws/stage", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	return &page{l.t, conn}
}

func (p *page) say(m protocol.Message) {
	p.t.Helper()
	b, err := protocol.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	p.raw(string(b))
}

func (p *page) raw(text string) {
	p.t.Helper()
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// hear returns the next message of the type of M. Others are passed over.
func hear[M protocol.Message](p *page) M {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		p.t.Fatal(err)
	}
	for {
		_, b, err := p.conn.ReadMessage()
		if err != nil {
			var none M
			p.t.Fatalf("waiting for %s: %v", none.Type(), err)
		}
		m, err := protocol.DecodeServer(b)
		if err != nil {
			p.t.Fatal(err)
		}
		if m, ok := m.(M); ok {
			return m
		}
	}
}

// closed waits until the server has ended the connection.
func (p *page) closed() {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		p.t.Fatal(err)
	}
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			var timeout interface{ Timeout() bool }
			if errors.As(err, &timeout) && timeout.Timeout() {
				p.t.Fatal("the server keeps the connection")
			}
			return
		}
	}
}

func browser(epoch string) *protocol.Hello {
	return &protocol.Hello{Version: protocol.Version, Epoch: epoch, Agent: "Browser " + epoch, ScreenW: 1920, ScreenH: 1080, PixelRate: 1, RefreshHz: 60}
}

func TestOnePageHoldsTheStage(t *testing.T) {
	l := newLab(t, stage.Options{Study: shortStudy(t, 10)})
	first := l.open(browser("1"))
	if clips := hear[*protocol.Library](first).Clips; len(clips) != 1 || clips[0].ID != "a" || !strings.HasPrefix(clips[0].URL, "/stage/stimuli/a?sha256=") {
		t.Errorf("clips %+v", clips)
	}
	second := l.open(browser("2"))
	if r := hear[*protocol.Refused](second); !r.Busy {
		t.Errorf("refused as %+v", r)
	}
	second.closed()
	if !l.server.Connected() || len(l.events(stream.Connected)) != 1 {
		t.Error("the second page disturbed the first")
	}

	takeOver := browser("2")
	takeOver.TakeOver = true
	third := l.open(takeOver)
	if r := hear[*protocol.Refused](first); !r.Busy {
		t.Errorf("the first page was told %+v", r)
	}
	first.closed()
	hear[*protocol.Library](third)
	l.until("the new page is marked", func() bool { return l.said(stream.Marker, "Browser 2") })
	last := 0
	for _, c := range l.all() {
		last = max(last, c.Epoch)
	}
	if last != 1 || len(l.events(stream.Disconnected)) != 1 {
		t.Errorf("epoch %d, %d disconnections", last, len(l.events(stream.Disconnected)))
	}
}

// A page may take its time before it says who it is: one that was hidden, or has come to
// another screen, measures that first. Until then it is asked nothing, so that its hello
// is its first word.
func TestAPageThatTakesItsTime(t *testing.T) {
	t.Parallel()
	l := newLab(t, stage.Options{Study: shortStudy(t, 10)})
	p := l.dial()
	<-time.After(300 * time.Millisecond) // several pings long
	p.say(browser("1"))
	if err := p.conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	_, b, err := p.conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.DecodeServer(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.(*protocol.Library); !ok {
		t.Errorf("the first that it hears is %s", b)
	}
	hear[*protocol.Ping](p)
}

func TestRefusals(t *testing.T) {
	old := browser("1")
	old.Version++
	simulated := browser("1")
	simulated.Simulated = true
	for _, c := range []struct {
		name      string
		simulated bool
		hello     protocol.Message
		want      string
	}{
		{"other version", false, old, "another version"},
		{"no hello", false, &protocol.Ready{}, "must be hello"},
		{"client on a real stage", false, simulated, "expects a browser"},
		{"browser on a simulated stage", true, browser("1"), "built-in client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, stage.Options{Simulated: c.simulated})
			p := l.open(c.hello)
			if r := hear[*protocol.Refused](p); r.Busy || !strings.Contains(r.Reason, c.want) {
				t.Errorf("refused as %+v", r)
			}
			p.closed()
			if l.server.Connected() || len(l.all()) != 0 {
				t.Error("a refused page left traces")
			}
		})
	}
}

func TestForeignOriginIsTurnedAway(t *testing.T) {
	l := newLab(t, stage.Options{})
	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.http.URL, "http")+"/ws/stage",
		http.Header{"Origin": {"http://elsewhere.example"}})
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestNonsenseIsCountedAndSurvived(t *testing.T) {
	st := shortStudy(t, 10)
	l := newLab(t, stage.Options{Study: st})
	p := l.open(browser("1"))
	hear[*protocol.Library](p)
	p.raw("what?")
	p.raw(`{"type":"pong","id":99,"rx":1,"tx":2}`) // no such ping
	p.say(&protocol.Frames{Presentation: 1, Stimulus: "zzz", Frames: []protocol.Frame{{Presented: 1}}})
	p.say(&protocol.Frames{Presentation: 1, Stimulus: "a", Frames: []protocol.Frame{
		{Presented: 5, Expected: 100}, {Presented: 5, Expected: 200}, {Presented: 1 << 40, Expected: 300}, {Presented: 1<<40 + 1, Expected: 400},
	}})
	l.until("the frames are in the stream", func() bool { s, _ := l.samples(); return len(s) == 4 })
	for _, want := range []string{"could not be read", "not in the study", "from 5 to 5", "from 5 to 1099511627776"} {
		if !l.said(stream.Fault, want) {
			t.Errorf("no fault says %q: %v", want, l.events(stream.Fault))
		}
	}
	samples, _ := l.samples()
	for i, want := range []int64{4, 5, 6, 7} { // four frames before the first were not reported
		if samples[i].Seq != want {
			t.Errorf("sample %d has sequence number %d, want %d", i, samples[i].Seq, want)
		}
	}
	if len(l.probes()) != 0 {
		t.Error("an answer to nothing became a clock ping")
	}
	if !l.server.Connected() {
		t.Error("the page was let go")
	}
}

func TestPageOutOfStepStartsAnew(t *testing.T) {
	st := shortStudy(t, 10)
	l := newLab(t, stage.Options{})
	show := l.present(st, 0)
	p := l.open(browser("1"))
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	p.say(&protocol.StepBegan{Run: plan.Run - 1, Step: 0}) // of a plan before: means nothing
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 2})
	p.closed()
	l.until("the fault is in the stream", func() bool {
		return l.said(stream.Fault, "step-began of step 2, the plan is at step 0")
	})

	l.until("the stage is free", func() bool { return !l.server.Connected() })
	p = l.open(browser("1"))
	plan = hear[*protocol.Plan](p)
	if plan.From != 0 || len(plan.Steps) != 3 || len(plan.Clips) != 1 {
		t.Errorf("plan %+v", plan)
	}
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	for i := range plan.Steps {
		p.say(&protocol.StepBegan{Run: plan.Run, Step: i})
		p.say(&protocol.StepEnded{Run: plan.Run, Step: i, Dropped: i})
	}
	hear[*protocol.Over](p)
	if err := show.end(); err != nil {
		t.Error(err)
	}
	if !l.said(stream.Marker, "dropped 1 frames in step 1") {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
}

func TestFatalFaultEndsThePresentation(t *testing.T) {
	l := newLab(t, stage.Options{})
	show := l.present(shortStudy(t, 10), 0)
	p := l.open(browser("1"))
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.Fault{Run: plan.Run, Text: "a: no sound card"})
	p.say(&protocol.Fault{Run: plan.Run, Text: "a: cannot be decoded", Fatal: true})
	hear[*protocol.Stop](p)
	p.say(&protocol.Blank{Run: plan.Run, Tick: 5})
	p.say(&protocol.Stopped{Run: plan.Run})
	if err := show.end(); err == nil || !strings.Contains(err.Error(), "a: cannot be decoded") {
		t.Errorf("Present returns %v", err)
	}
	l.until("both faults are in the stream", func() bool { return len(l.events(stream.Fault)) == 2 })
}
