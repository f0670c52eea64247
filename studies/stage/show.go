package stage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// stopPatience is how long Present waits, when it is stopped, for the page to
// say that the screen is blank and all has been reported.
const stopPatience = time.Second

// show is one presentation: a plan and how far it has come. Only the goroutine
// of Present uses its fields; pages tell it news.
type show struct {
	server   *Server
	p        session.Presentation
	way      *course
	admitted bool // what is asked before the first step has been answered
	begun    bool // the step that has not ended is on the screen
	pause    bool // the participant pauses
	leaving  bool // the page has not yet begun the step to which stopping leads
	page     *link
	run      int            // number of the plan that page was sent
	rounds   map[int]int    // how often each step has begun
	cross    session.Target // on the screen while a fixation is
	surface  *surface       // of the led step under way; nil when none is
	inbox    chan news
	done     chan struct{} // closed when Present returns
}

// news is what a page did, or said (a protocol.Message).
type news struct {
	link *link
	at   instant.Instant
	what any
}

type (
	attached struct{} // the link's page now holds the stage
	detached struct{} // it does no more
)

// errOver ends a show that has been shown.
var errOver = errors.New("stage: the plan has ended")

// newShow makes a presentation that has not begun.
func newShow(s *Server, p session.Presentation) *show {
	var sheets []study.Sheet
	if p.Study != nil {
		sheets = p.Study.Sheets
	}
	return &show{
		server: s, p: p, way: newCourse(p.Plan, sheets, p.From, p.Skip),
		admitted: p.Admit == nil,
		rounds:   map[int]int{}, inbox: make(chan news, queueDepth), done: make(chan struct{}),
	}
}

// tell hands news to the show; it is dropped when the show or ctx has ended.
func (sh *show) tell(ctx context.Context, n news) {
	select {
	case sh.inbox <- n:
	case <-sh.done:
	case <-ctx.Done():
	}
}

// Present shows a plan and returns nil when its last step has ended. It waits
// for a page if none is there, and for it to come back when it goes; the step
// that was interrupted is then shown again from its beginning, and Began called
// for it again. So is one in which the participant paused. When ctx ends, it blanks
// the screen and returns ctx's error. A page that cannot show the plan is an error.
func (s *Server) Present(ctx context.Context, p session.Presentation) error {
	if err := missing(p); err != nil {
		return err
	}
	sh := newShow(s, p)
	if _, ok := sh.way.now(); !ok {
		return nil
	}
	s.mu.Lock()
	if s.show != nil {
		s.mu.Unlock()
		return errors.New("stage: another plan is being shown: stop it first")
	}
	s.show, s.study = sh, p.Study
	holder := s.holder
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.show, s.wait = nil, ""
		if l := s.holder; l != nil {
			if elsewhere := s.otherScreen(l.hello); elsewhere != "" { // it was let in for this plan only
				l.send(&protocol.Refused{Reason: elsewhere})
			}
		}
		s.mu.Unlock()
		close(sh.done)
	}()

	defer sh.halt()
	if holder != nil {
		sh.start(holder)
	}
	ended := p.Ended
	for {
		select {
		case <-ctx.Done():
			sh.halt()
			sh.stop()
			return ctx.Err()
		case <-ended:
			ended = nil
			if errors.Is(sh.out(ctx), errOver) {
				return nil
			}
		case <-sh.ended():
			if err := sh.finish(); err != nil {
				sh.stop()
				return err
			}
		case n := <-sh.inbox:
			err := sh.hear(ctx, n)
			if errors.Is(err, errOver) {
				return nil
			}
			if err != nil {
				sh.halt()
				sh.stop()
				return err
			}
		}
	}
}

// start sends the rest of the plan to a page.
func (sh *show) start(l *link) {
	s := sh.server
	s.mu.Lock()
	s.plans++
	sh.page, sh.run, s.wait = l, s.plans, ""
	s.mu.Unlock()
	sh.begun, sh.leaving, sh.cross = false, false, session.Target{}
	plan := &protocol.Plan{
		Run: sh.run, From: sh.way.next, Clips: clips(sh.p.Study), Corner: s.o.Corner, Languages: languages(sh.p.Study),
		Sheets: sheets(sh.p.Study), Skip: sh.way.skip(), Conducted: sh.p.Conduct != nil,
	}
	if sh.p.Study != nil {
		plan.PhoneFrame = sh.p.Study.PhoneFrame
	}
	for _, st := range sh.p.Plan.Steps {
		plan.Steps = append(plan.Steps, protocol.Step{
			Index: st.Index, Action: st.Action, DurationMs: milliseconds(st.Duration),
			Stimulus: st.Stimulus, Presentation: st.Presentation, Sheet: st.Sheet, Skippable: st.Skippable,
		})
	}
	s.rec.marker(l.run.ctx, l.run, s.o.Clock.Now(), "plan of session %s, row %d, from step %d, to %s",
		sh.p.Session, sh.p.Plan.Row, sh.way.next, clientName(l.hello))
	if elsewhere := s.otherScreen(l.hello); elsewhere != "" {
		s.rec.fault(l.run, s.o.Clock.Now(), "times of display are corrected by what another screen needs: %s", elsewhere)
	}
	l.send(plan)
}

// hear acts on news. Messages about a plan that is not the present one come
// from a page that has not yet heard of the new one, and mean nothing.
func (sh *show) hear(ctx context.Context, n news) error {
	if _, ok := n.what.(attached); ok {
		sh.start(n.link) // a pause outlasts this, until the page is ready
		return nil
	}
	if n.link != sh.page {
		return nil
	}
	if _, ok := n.what.(detached); ok {
		return sh.detach(ctx, n.link)
	}
	if m, ok := n.what.(protocol.Message); ok && protocol.About(m) == sh.run {
		return sh.read(ctx, n, m)
	}
	return nil
}

// detach waits for the page that has gone.
func (sh *show) detach(ctx context.Context, l *link) error {
	over := sh.halt()
	sh.page = nil
	sh.server.waits("")
	if over {
		return sh.advance()
	}
	sh.server.rec.marker(ctx, l.run, sh.server.o.Clock.Now(), "step %d was interrupted", sh.way.next)
	return nil
}

// read acts on what the page says about the present plan.
func (sh *show) read(ctx context.Context, n news, m protocol.Message) error {
	switch m := m.(type) {
	case *protocol.Waiting:
		if !sh.begun {
			sh.server.waits("a key")
		}
	case *protocol.Ready:
		sh.server.waits("")
		sh.unpause(ctx, n.link, n.at)
		sh.admit(ctx)
	case *protocol.StepBegan:
		return sh.begin(ctx, n, m)
	case *protocol.Shown:
		if sh.surface != nil && m.Step == sh.surface.step {
			sh.surface.hear(n)
		}
	case *protocol.Reply:
		if sh.surface != nil && m.Step == sh.surface.step {
			sh.surface.answered(m)
		}
	case *protocol.StepEnded:
		return sh.end(ctx, n, m)
	case *protocol.Answer:
		return sh.answered(ctx, n, m)
	case *protocol.Paused:
		return sh.paused(ctx, n, m)
	case *protocol.Resumed:
		sh.resumed(ctx, n, m)
	case *protocol.Leave:
		return sh.leave(ctx, n, m)
	case *protocol.Fault:
		if m.Fatal {
			return fmt.Errorf("stage: the page cannot show the plan: %s", m.Text)
		}
	}
	return nil
}

// begin notes that a step is on the screen.
func (sh *show) begin(ctx context.Context, n news, m *protocol.StepBegan) error {
	if sh.leaving && m.Step != sh.way.next {
		return nil // said before the page knew that it leaves
	}
	if m.Step != sh.way.next || sh.begun || sh.pause || !sh.admitted {
		sh.outOfStep(n, m.Type(), m.Step)
		return nil
	}
	sh.begun, sh.leaving = true, false
	sh.server.waits("")
	at, bound := sh.server.rec.lit(n.at, m.Tick)
	if sh.p.Began != nil {
		sh.p.Began(m.Step, at)
	}
	round := sh.rounds[m.Step]
	sh.rounds[m.Step]++
	step := sh.way.steps[m.Step]
	sh.conduct(n, step, round)
	switch {
	case led(step.Action):
		sh.lead(ctx, step)
	case step.Action == study.Fill:
		return sh.sheetCame(ctx, n, step)
	case step.Action == study.Fixation && m.Place != nil:
		sh.cross = session.Target{Purpose: session.ToFixate, Step: m.Step, Round: round, X: m.Place.X, Y: m.Place.Y}
		sh.cross.From, sh.cross.Err = at, bound
		sh.tellCross()
	}
	return nil
}

// end notes that a step was over, and goes on.
func (sh *show) end(ctx context.Context, n news, m *protocol.StepEnded) error {
	if sh.leaving {
		return nil
	}
	// Only an answer ends a sheet, and only its procedure a step that has one.
	if m.Step != sh.way.next || !sh.begun || sh.way.steps[m.Step].Action == study.Fill || sh.surface != nil {
		sh.outOfStep(n, m.Type(), m.Step)
		return nil
	}
	rec := &sh.server.rec
	step := sh.way.steps[m.Step]
	if m.Swiped {
		if !step.Skippable {
			rec.fault(n.link.run, n.at, "the page reported that step %d was swiped away, which may not be", m.Step)
			n.link.cancel()
			return nil
		}
		rec.marker(ctx, n.link.run, rec.when(n.at, m.Tick), "the clip of presentation %d was swiped away by the participant (at %.3f s of its time)",
			step.Presentation, (time.Duration(m.Media) * time.Microsecond).Seconds())
	}
	sh.crossGone(n, m.Tick)
	if m.Dropped > 0 {
		rec.marker(ctx, n.link.run, n.at, "the decoder dropped %d frames in step %d", m.Dropped, m.Step)
	}
	return sh.advance()
}

// crossGone notes that the cross, if one was there, stood until a tick.
func (sh *show) crossGone(n news, tick protocol.Tick) {
	if sh.cross.Purpose == "" {
		return
	}
	until, err := sh.server.rec.lit(n.at, tick)
	sh.cross.Until, sh.cross.Err = max(until, sh.cross.From), max(err, sh.cross.Err)
	sh.tellCross()
	sh.cross = session.Target{}
}

func (sh *show) tellCross() {
	if sh.p.Cross != nil {
		sh.p.Cross(sh.cross)
	}
}

// advance goes on to the next step that is not passed over. After the last it is
// errOver.
func (sh *show) advance() error {
	sh.begun = false
	sh.way.to(sh.way.next + 1)
	if _, ok := sh.way.now(); ok {
		return nil
	}
	return sh.over()
}

// over tells the page that the plan has been shown.
func (sh *show) over() error {
	if sh.page != nil { // it has gone in the moment in which the last step ended
		sh.page.send(&protocol.Over{Run: sh.run, Outcome: sh.way.outcome()})
	}
	return errOver
}

// outOfStep lets go of a page that is not where the plan is; it will connect
// again and be sent the plan.
func (sh *show) outOfStep(n news, what string, step int) {
	sh.server.rec.fault(n.link.run, n.at, "the page reported %s of step %d, the plan is at step %d", what, step, sh.way.next)
	n.link.cancel()
}

// stop blanks the screen and waits for the page to say so.
func (sh *show) stop() {
	if sh.page == nil {
		return
	}
	sh.page.send(&protocol.Stop{Run: sh.run})
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	for {
		select {
		case n := <-sh.inbox:
			if n.link != sh.page {
				continue
			}
			switch m := n.what.(type) {
			case detached:
				return
			case *protocol.Stopped:
				if m.Run == sh.run {
					return
				}
			}
		case <-patience.C:
			return
		}
	}
}

// clips lists a study's stimuli for a page; none without a study. The hash in the URL keeps a browser
// from showing an older file of the same name.
func clips(st *study.Study) []protocol.Clip {
	if st == nil {
		return []protocol.Clip{}
	}
	list := make([]protocol.Clip, len(st.Stimuli))
	for i, m := range st.Stimuli {
		list[i] = protocol.Clip{
			ID: m.ID, URL: stimuliPath + url.PathEscape(m.ID) + "?sha256=" + m.SHA256, SHA256: m.SHA256,
			Width: m.Width, Height: m.Height, DurationMs: milliseconds(m.Duration),
		}
	}
	return list
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
