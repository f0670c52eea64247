package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// A page that keeps to PROTOCOL.md, and a server, with messages under way between
// them in both directions. Whatever the participant does, and whenever messages
// arrive, the two agree on the step as soon as nothing is under way, no honest page is
// called out of step, and the plan comes to its end.
func TestServerAndPageAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		m.attach()
		for range rapid.IntRange(0, 80).Draw(t, "actions") {
			if m.over {
				return
			}
			m.act()
			m.check()
		}
		m.goOn()
	})
}

// Where the page of the model is.
type mode string

const (
	away    mode = "waits for a plan"
	loaded  mode = "waits for begin"
	between mode = "draws the step"
	within  mode = "shows the step"
	asking  mode = "waits for what the server says to its answer"
	pausing mode = "pauses"
	still   mode = "pauses still, with another connection"
	done    mode = "has shown all that it knows of"
)

type model struct {
	t      *rapid.T
	show   *show
	chunks chan stream.Chunk
	over   bool // the server has said so

	// the page
	link     *link
	let      bool // the server let go of it
	sent     []protocol.Message
	mode     mode
	plan     *protocol.Plan
	skip     []int
	step     int
	finished bool // the server has ended the led step
	outlasts bool // a pause, the connection in which it began

	release chan struct{} // one in it ends the procedure under way
	ended   bool          // by the operator
	pauses  int           // that have begun less those that have ended
	left    int
}

func sheetStep(i int, sheet string, aside bool) study.Step {
	return study.Step{Index: i, Action: study.Fill, Sheet: sheet, Aside: aside}
}

func newModel(t *rapid.T) *model {
	words := study.Text{"en": "words"}
	st := &study.Study{}
	for id, kind := range map[string]study.SheetKind{
		"form": study.FormSheet, "exit": study.ExitSheet, "leave": study.LeaveSheet, "left": study.ReceiptSheet,
	} {
		st.Sheets = append(st.Sheets, study.Sheet{ID: id, Kind: kind, Heading: words, Go: words})
	}
	plan := study.Plan{}
	for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
		switch rapid.SampledFrom([]study.Action{study.Fill, study.Rest, study.Play, study.Breath, study.Reshow}).Draw(t, "action") {
		case study.Fill:
			plan.Steps = append(plan.Steps, sheetStep(i, "form", false))
		case study.Rest:
			plan.Steps = append(plan.Steps, study.Step{Index: i, Action: study.Rest})
		case study.Play:
			plan.Steps = append(plan.Steps, study.Step{Index: i, Action: study.Play, Presentation: 1, Skippable: true})
		case study.Breath:
			plan.Steps = append(plan.Steps, study.Step{Index: i, Action: study.Breath})
		case study.Reshow:
			plan.Steps = append(plan.Steps, study.Step{Index: i, Action: study.Reshow})
		}
	}
	for _, id := range []string{"leave", "exit", "left"} {
		plan.Steps = append(plan.Steps, sheetStep(len(plan.Steps), id, true))
	}
	m := &model{t: t, chunks: make(chan stream.Chunk, 1000), mode: away, release: make(chan struct{})}
	p := session.Presentation{
		Session: "model", Study: st, Plan: plan,
		Answered: m.ruling,
		Left: func(instant.Instant) session.Ruling {
			m.left++
			return session.Ruling{Skip: plan.Except("leave", "left")}
		},
		Out: func() session.Ruling {
			m.left++
			return session.Ruling{Skip: plan.Except("leave", "left")}
		},
		Paused: func(on bool, _ instant.Instant) {
			if on {
				m.pauses++
			} else {
				m.pauses--
			}
		},
		Ruled:   func() session.Ruling { return session.Ruling{Skip: m.some()} },
		Receipt: func() session.Receipt { return session.Receipt{Code: "code"} },
		Procedure: func(ctx context.Context, _ study.Step, _ session.Surface) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-m.release:
				return nil
			}
		},
	}
	m.show = newShow(New(Options{Clock: instant.Monotonic{}}), p)
	return m
}

// ruling is what follows from an answer: steps ahead are passed over, or the
// participant is sent away.
func (m *model) ruling(_ context.Context, a session.Answer) (session.Ruling, error) {
	plan := m.show.p.Plan
	switch a.Sheet {
	case "leave":
		return session.Ruling{Skip: plan.Except("left")}, nil
	case "form":
		if rapid.IntRange(0, 9).Draw(m.t, "sent away") == 0 {
			return session.Ruling{Skip: plan.Except("exit")}, nil
		}
	default:
		return session.Ruling{Skip: plan.Except()}, nil
	}
	return session.Ruling{Skip: m.some()}, nil
}

// some are steps that are passed over, the asides and others.
func (m *model) some() []int {
	skip := []int{}
	for _, s := range m.show.p.Plan.Steps {
		if s.Aside || rapid.IntRange(0, 4).Draw(m.t, "passed over") == 0 {
			skip = append(skip, s.Index)
		}
	}
	return skip
}

// attach lets a page connect.
func (m *model) attach() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // the stream is of no interest here, but for faults
	m.link = &link{
		server: m.show.server, run: &run{ctx: ctx, out: m.chunks}, hello: &protocol.Hello{},
		cancel: func() { m.let = true }, queue: make(chan protocol.Message, queueDepth),
	}
	m.mode, m.sent = away, nil
	m.tell(attached{})
}

// tell lets the server hear news.
func (m *model) tell(what any) {
	m.came(m.show.hear(context.Background(), news{link: m.link, what: what}))
}

// came looks at what came of news.
func (m *model) came(err error) {
	switch {
	case errors.Is(err, errOver):
		m.over = true
	case err != nil:
		m.t.Fatal(err)
	}
	if m.let {
		m.t.Fatalf("the server let go of a page that keeps to the protocol: %s", m)
	}
}

// say is what the page says; it is under way until it is delivered.
func (m *model) say(msg protocol.Message) { m.sent = append(m.sent, msg) }

func (m *model) action() study.Action { return m.plan.Steps[m.step].Action }

// choices are what can happen now.
func (m *model) choices(whim bool) map[string]func() {
	can := map[string]func(){}
	if len(m.sent) > 0 {
		can["the server reads"] = func() {
			next := m.sent[0]
			m.sent = m.sent[1:]
			m.tell(next)
		}
	}
	if len(m.link.queue) > 0 {
		can["the page reads"] = func() { m.hear(<-m.link.queue) }
	}
	if sf := m.show.surface; sf != nil {
		select {
		case <-sf.done:
			can["the end of the procedure is seen"] = func() {
				if err := m.show.finish(); err != nil {
					m.t.Fatal(err)
				}
			}
		default:
			can["the procedure ends"] = func() {
				select {
				case m.release <- struct{}{}:
					<-sf.done
				case <-sf.done:
				}
			}
		}
	}
	switch m.mode {
	case between:
		can["the step is drawn"] = func() {
			m.say(&protocol.StepBegan{Run: m.plan.Run, Step: m.step})
			m.mode, m.finished = within, false
		}
	case within:
		switch {
		case m.action() == study.Fill:
			can["answer"] = func() {
				sheet, _ := m.show.p.Study.Sheet(m.plan.Steps[m.step].Sheet)
				m.say(&protocol.Answer{Run: m.plan.Run, Step: m.step, Sheet: sheet.ID, Language: "en", TextSHA256: sheet.SHA256("en")})
				m.mode = asking
			}
		case !led(m.action()) || m.finished:
			can["end"] = func() { m.end(false) }
		}
		if m.action() == study.Play && whim {
			can["swipe"] = func() { m.end(true) }
		}
	case pausing:
		can["go on"] = func() {
			m.say(&protocol.Resumed{Run: m.plan.Run, Step: m.step})
			m.mode = away
		}
		if whim {
			can["stop in the pause"] = func() { m.say(&protocol.Leave{Run: m.plan.Run, Step: m.step}) }
		}
	}
	if m.mode == still {
		can["go on"] = func() {
			m.say(&protocol.Ready{Run: m.plan.Run})
			m.mode, m.outlasts = loaded, false
		}
	}
	if !whim {
		return can
	}
	if m.mode == pausing || m.mode == still {
		can["the connection is lost in the pause"] = func() {
			m.tell(detached{})
			if !m.over {
				m.outlasts = true
				m.attach()
			}
		}
	}
	if m.mode == between || m.mode == within || m.mode == asking || m.mode == done {
		can["stop"] = func() { m.say(&protocol.Leave{Run: m.plan.Run, Step: m.step}) }
		can["pause"] = func() {
			m.say(&protocol.Paused{Run: m.plan.Run, Step: m.step})
			m.mode = pausing
		}
	}
	if !m.ended {
		can["the operator ends the session"] = func() {
			m.ended = true
			m.came(m.show.out(context.Background()))
		}
	}
	can["reload"] = func() {
		m.tell(detached{})
		if !m.over {
			m.outlasts = false
			m.attach()
		}
	}
	return can
}

// act lets one thing happen.
func (m *model) act() {
	can := m.choices(true)
	names := []string{}
	for name := range can {
		names = append(names, name)
	}
	slices.Sort(names)
	can[rapid.SampledFrom(names).Draw(m.t, "then")]()
}

// end ends the step on the page.
func (m *model) end(swiped bool) {
	m.say(&protocol.StepEnded{Run: m.plan.Run, Step: m.step, Swiped: swiped})
	m.after(m.step + 1)
}

// after goes to the first step, from one on, that is not passed over.
func (m *model) after(from int) {
	for m.step = from; slices.Contains(m.skip, m.step); m.step++ {
	}
	m.mode = between
	if m.step == len(m.plan.Steps) {
		m.mode, m.step = done, from-1
	}
}

// hear is what the page does about a message.
func (m *model) hear(msg protocol.Message) {
	if p, ok := msg.(*protocol.Plan); ok {
		m.plan, m.skip, m.step, m.mode = p, p.Skip, p.From, loaded
		if m.outlasts {
			m.mode = still
			m.say(&protocol.Paused{Run: p.Run, Step: p.From})
			return
		}
		m.say(&protocol.Ready{Run: p.Run})
		return
	}
	if m.mode == pausing || m.mode == away || m.plan == nil || protocol.About(msg) != m.plan.Run {
		return
	}
	switch msg := msg.(type) {
	case *protocol.Begin:
		m.after(m.plan.From)
	case *protocol.Finish:
		if m.mode == within && m.step == msg.Step {
			m.finished, m.skip = true, msg.Skip
		}
	case *protocol.Go:
		if m.mode == asking && m.step == msg.Step {
			m.skip = msg.Skip
			m.after(m.step + 1)
		}
	case *protocol.Left:
		m.skip = msg.Skip
		m.after(0)
	}
}

// check compares page and server when nothing is under way.
func (m *model) check() {
	if m.over || len(m.sent) > 0 || len(m.link.queue) > 0 {
		return
	}
	s := m.show
	agree := true
	switch m.mode {
	case between:
		agree = m.step == s.way.next && !s.begun && !s.pause
	case within:
		agree = m.step == s.way.next && s.begun && !s.pause
	case pausing, still:
		agree = s.pause
	default: // with nothing under way, the page waits for nothing
		agree = false
	}
	if m.mode != pausing && !slices.Equal(m.skip, s.way.skip()) {
		agree = false
	}
	if !agree {
		m.t.Fatalf("page and server differ: %s", m)
	}
	if want := map[bool]int{true: 1}[s.pause]; m.pauses != want {
		m.t.Fatalf("%d pauses are under way, the server says %t", m.pauses, s.pause)
	}
}

func (m *model) String() string {
	sent := []string{}
	for _, s := range m.sent {
		sent = append(sent, fmt.Sprintf("%s %+v", s.Type(), s))
	}
	return fmt.Sprintf("the page %s %d, skips %v, has sent %v; the server is at %d (begun %t, pause %t, leaving %t), skips %v",
		m.mode, m.step, m.skip, strings.Join(sent, ", "), m.show.way.next, m.show.begun, m.show.pause, m.show.leaving, m.show.way.skip())
}

// goOn lets the participant go straight on, to the end.
func (m *model) goOn() {
	for range 1000 {
		if m.over {
			break
		}
		can := m.choices(false)
		names := []string{}
		for name := range can {
			names = append(names, name)
		}
		if len(names) == 0 {
			m.t.Fatalf("nothing goes on: %s", m)
		}
		slices.Sort(names)
		can[names[0]]()
		m.check()
	}
	if !m.over {
		m.t.Fatalf("the plan has no end: %s", m)
	}
	want := protocol.OverComplete
	switch {
	case m.left > 0:
		want = protocol.OverLeft
	case m.show.way.declined:
		want = protocol.OverDeclined
	}
	for len(m.link.queue) > 0 {
		if over, ok := (<-m.link.queue).(*protocol.Over); ok && over.Outcome != want {
			m.t.Fatalf("the plan ended as %s, want %s", over.Outcome, want)
		}
	}
	m.show.halt()
}
