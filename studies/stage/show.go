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
	server  *Server
	p       session.Presentation
	next    int  // first step that has not ended
	begun   bool // next is on the screen
	page    *link
	run     int            // number of the plan that page was sent
	rounds  map[int]int    // how often each step has begun
	cross   session.Target // on the screen while a fixation is
	surface *surface       // of the led step under way; nil when none is
	inbox   chan news
	done    chan struct{} // closed when Present returns
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
// for it again. When ctx ends, it blanks the screen and returns ctx's error. A
// page that cannot show the plan is an error.
func (s *Server) Present(ctx context.Context, p session.Presentation) error {
	if p.From >= len(p.Plan.Steps) {
		return nil
	}
	for _, step := range p.Plan.Steps {
		if step.Action == study.Consent {
			if _, err := question(step.Scope); err != nil {
				return err
			}
		}
	}
	sh := &show{server: s, p: p, next: p.From, rounds: map[int]int{}, inbox: make(chan news, queueDepth), done: make(chan struct{})}
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
	for {
		select {
		case <-ctx.Done():
			sh.halt()
			sh.stop()
			return ctx.Err()
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
	sh.begun, sh.cross = false, session.Target{}
	plan := &protocol.Plan{Run: sh.run, From: sh.next, Clips: clips(sh.p.Study), Corner: s.o.Corner}
	for _, st := range sh.p.Plan.Steps {
		step := protocol.Step{
			Index: st.Index, Action: st.Action, DurationMs: milliseconds(st.Duration),
			Stimulus: st.Stimulus, Presentation: st.Presentation, Scope: st.Scope, Texts: []protocol.Text{},
		}
		if st.Action == study.Consent {
			step.Texts, _ = question(st.Scope) // Present has asked for it before
		}
		plan.Steps = append(plan.Steps, step)
	}
	s.rec.marker(l.run.ctx, l.run, s.o.Clock.Now(), "plan of session %s, row %d, from step %d, to %s",
		sh.p.Session, sh.p.Plan.Row, sh.next, clientName(l.hello))
	if elsewhere := s.otherScreen(l.hello); elsewhere != "" {
		s.rec.fault(l.run, s.o.Clock.Now(), "times of display are corrected by what another screen needs: %s", elsewhere)
	}
	l.send(plan)
}

// hear acts on news. Messages about a plan that is not the present one come
// from a page that has not yet heard of the new one, and mean nothing.
func (sh *show) hear(ctx context.Context, n news) error {
	if _, ok := n.what.(attached); ok {
		sh.start(n.link)
		return nil
	}
	if n.link != sh.page {
		return nil
	}
	rec := &sh.server.rec
	switch m := n.what.(type) {
	case detached:
		over := sh.halt()
		sh.page = nil
		sh.server.waits("")
		if over {
			return sh.advance()
		}
		rec.marker(ctx, n.link.run, sh.server.o.Clock.Now(), "step %d was interrupted", sh.next)
	case *protocol.Waiting:
		if m.Run == sh.run && !sh.begun {
			sh.server.waits("a key")
		}
	case *protocol.Ready:
		if m.Run == sh.run {
			sh.server.waits("")
			sh.page.send(&protocol.Begin{Run: sh.run})
		}
	case *protocol.StepBegan:
		if m.Run != sh.run {
			return nil
		}
		if m.Step != sh.next || sh.begun {
			sh.outOfStep(n, m.Type(), m.Step)
			return nil
		}
		sh.begin(ctx, n, m)
	case *protocol.Shown:
		if m.Run == sh.run && sh.surface != nil && m.Step == sh.surface.step {
			sh.surface.hear(n)
		}
	case *protocol.StepEnded:
		if m.Run != sh.run {
			return nil
		}
		// Only an answer ends a question, and only its procedure a step that has one.
		if m.Step != sh.next || !sh.begun || sh.p.Plan.Steps[m.Step].Action == study.Consent || sh.surface != nil {
			sh.outOfStep(n, m.Type(), m.Step)
			return nil
		}
		sh.crossGone(n, m.Tick)
		if m.Dropped > 0 {
			rec.marker(ctx, n.link.run, n.at, "the decoder dropped %d frames in step %d", m.Dropped, m.Step)
		}
		return sh.advance()
	case *protocol.Answer:
		if m.Run != sh.run {
			return nil
		}
		if m.Step != sh.next || !sh.begun {
			sh.outOfStep(n, m.Type(), m.Step)
			return nil
		}
		c, text, err := consent(sh.p.Plan.Steps[m.Step], m, n.link.hello.Simulated, n.at)
		if err != nil {
			rec.fault(n.link.run, n.at, "step %d: %v", m.Step, err)
			n.link.cancel() // it will connect again, and ask again
			return nil
		}
		rec.marker(ctx, n.link.run, n.at, "consent to %s: %t, %s, at tick %d, after reading %q (%s, SHA-256 %s)",
			c.Scope, c.Granted, c.How, m.Tick, text.String(), c.Language, c.TextSHA256)
		if sh.p.Answered != nil {
			_, err := sh.p.Answered(ctx, session.Answer{Step: m.Step, Sheet: c.Scope, Kind: study.ConsentSheet, Values: study.Answers{c.Scope: fmt.Sprint(c.Granted)}, At: c.At, Language: c.Language, TextSHA256: c.TextSHA256, How: c.How})
			if err != nil {
				return err
			}
		}
		return sh.advance()
	case *protocol.Fault:
		if m.Run == sh.run && m.Fatal {
			return fmt.Errorf("stage: the page cannot show the plan: %s", m.Text)
		}
	}
	return nil
}

// begin notes that a step is on the screen.
func (sh *show) begin(ctx context.Context, n news, m *protocol.StepBegan) {
	sh.begun = true
	sh.server.waits("")
	if sh.p.Began != nil {
		at, _ := sh.server.rec.lit(n.at, m.Tick)
		sh.p.Began(m.Step, at)
	}
	round := sh.rounds[m.Step]
	sh.rounds[m.Step]++
	step := sh.p.Plan.Steps[m.Step]
	switch {
	case led(step.Action):
		sh.lead(ctx, step)
	case step.Action == study.Fixation && m.Place != nil:
		sh.cross = session.Target{Purpose: session.ToFixate, Step: m.Step, Round: round, X: m.Place.X, Y: m.Place.Y}
		sh.cross.From, sh.cross.Err = sh.server.rec.lit(n.at, m.Tick)
		sh.tellCross()
	}
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

// advance goes on to the next step. After the last it is errOver.
func (sh *show) advance() error {
	sh.next, sh.begun = sh.next+1, false
	if sh.next < len(sh.p.Plan.Steps) {
		return nil
	}
	if sh.page != nil { // it has gone in the moment in which the last step ended
		sh.page.send(&protocol.Over{Run: sh.run})
	}
	return errOver
}

// outOfStep lets go of a page that is not where the plan is; it will connect
// again and be sent the plan.
func (sh *show) outOfStep(n news, what string, step int) {
	sh.server.rec.fault(n.link.run, n.at, "the page reported %s of step %d, the plan is at step %d", what, step, sh.next)
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
