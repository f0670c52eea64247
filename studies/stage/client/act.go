package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// Why a step is cut.
var errSwiped = errors.New("the clip was swiped away")

// pausing is a step that is cut by a pause.
type pausing time.Duration

func (pausing) Error() string { return "the participant pauses" }

// leaving is a step that is cut because the participant stops the session.
type leaving struct{ skip []int }

func (leaving) Error() string { return "the participant stops" }

// do shows a step, with all that the simulated participant does in it, and returns the
// next. false: this plan is not to be gone on with.
func (p *player) do(ctx context.Context, step protocol.Step) (next int, ok bool) {
	inner, cut := context.WithCancelCause(ctx)
	fills := make(chan *protocol.Conduct, 1)
	var acting sync.WaitGroup
	acting.Go(func() { p.act(inner, cut, step, fills) })
	over := p.show(inner, step, fills)
	cut(nil)
	acting.Wait()
	cause := context.Cause(inner)
	var pause pausing
	var left leaving
	switch {
	case errors.As(cause, &left):
		p.skip = left.skip
		p.free = p.refreshAt(p.c.now()) + 1
		return p.from(0), true
	case over:
		return p.end(step, false), true
	case errors.Is(cause, errSwiped):
		return p.end(step, true), true
	case errors.As(cause, &pause):
		p.pause(ctx, step, time.Duration(pause))
	}
	return 0, false
}

// act waits for what the participant is to do in a step, and does it. It cuts the
// step if need be, and hands to fills how a sheet is filled in.
func (p *player) act(ctx context.Context, cut context.CancelCauseFunc, step protocol.Step, fills chan<- *protocol.Conduct) {
	c := &protocol.Conduct{}
	var now <-chan time.Time // when c is to be done
	if !p.plan.Conducted {
		now = time.After(reading)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-p.left:
			cut(leaving{m.Skip})
		case m := <-p.conducts:
			if m.Step != step.Index {
				continue // of a step that has ended
			}
			c, now = m, time.After(max(reading, time.Duration(m.AfterMs*float64(time.Millisecond))))
			if m.Language != "" {
				p.c.language = m.Language
			}
		case <-now:
			now = nil
			switch {
			case c.PauseMs > 0:
				cut(pausing(c.PauseMs * float64(time.Millisecond)))
			case c.Leave:
				p.step(&protocol.Leave{Run: p.plan.Run, Step: step.Index, Tick: p.c.now()})
				c = &protocol.Conduct{} // where nobody can leave, the step goes on
			case c.Swipe && step.Action == study.Play && step.Skippable:
				cut(errSwiped)
			}
			give(fills, c) // only a sheet takes it
		}
	}
}

// pause cuts a step and, after so long, has it begin anew.
func (p *player) pause(ctx context.Context, step protocol.Step, long time.Duration) {
	p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.c.now()})
	p.step(&protocol.Paused{Run: p.plan.Run, Step: step.Index, Tick: p.c.now()})
	if wait(ctx, long) {
		p.step(&protocol.Resumed{Run: p.plan.Run, Step: step.Index, Tick: p.c.now()})
	}
}

// hear hands the player a message about its plan. One that nobody waits for is of
// a step that has ended.
func (p *player) hear(m protocol.Message) {
	switch m := m.(type) {
	case *protocol.Target, *protocol.Cue, *protocol.Ask, *protocol.Finish:
		give(p.asked, m)
	case *protocol.Go, *protocol.Again:
		give(p.verdicts, m)
	case *protocol.Conduct:
		give(p.conducts, m)
	case *protocol.Left:
		give(p.left, m)
	}
}

func give[M any](to chan<- M, m M) {
	select {
	case to <- m:
	default:
	}
}
