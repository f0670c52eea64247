package stage

import (
	"context"

	"emolab/fusion/instant"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// paused cuts the step under way: it begins anew when the participant goes on.
func (sh *show) paused(ctx context.Context, n news, m *protocol.Paused) error {
	if sh.pause {
		return nil
	}
	over := sh.cut(n, m.Tick)
	at := sh.server.rec.when(n.at, m.Tick)
	sh.pause = true
	sh.server.rec.marker(ctx, n.link.run, at, "the participant paused in step %d", sh.way.next)
	if sh.p.Paused != nil {
		sh.p.Paused(true, at)
	}
	if !over {
		return nil
	}
	err := sh.advance()
	if err != nil { // it was the last
		sh.unpause(ctx, n.link, at)
	}
	return err
}

// resumed sends the plan again, from the step that was cut. A page that believes in a
// pause of which nobody knows is sent it as well.
func (sh *show) resumed(ctx context.Context, n news, m *protocol.Resumed) {
	sh.cut(n, m.Tick)
	sh.unpause(ctx, n.link, sh.server.rec.when(n.at, m.Tick))
	sh.start(n.link)
}

// unpause notes that a pause, if there was one, was over at an instant.
func (sh *show) unpause(ctx context.Context, l *link, at instant.Instant) {
	if !sh.pause {
		return
	}
	sh.pause = false
	sh.server.rec.marker(ctx, l.run, at, "the participant goes on with step %d", sh.way.next)
	if sh.p.Paused != nil {
		sh.p.Paused(false, at)
	}
}

// leave stops the session by the participant's wish. Where it has led to its last
// pages already there is nothing to stop.
func (sh *show) leave(ctx context.Context, n news, m *protocol.Leave) error {
	step, _ := sh.way.now()
	if sh.p.Left == nil || step.Aside || sh.leaving || !sh.admitted {
		return nil
	}
	sh.cut(n, m.Tick)
	paused := sh.pause
	sh.unpause(ctx, n.link, sh.server.rec.when(n.at, m.Tick))
	at := sh.server.rec.when(n.at, m.Tick)
	sh.server.rec.marker(ctx, n.link.run, at, "the participant stopped the session in step %d", step.Index)
	sh.way.leave(sh.p.Left(at).Skip)
	if _, ok := sh.way.now(); !ok {
		return sh.over()
	}
	if paused {
		sh.start(n.link)
		return nil
	}
	sh.leaving = true
	n.link.send(&protocol.Left{Run: sh.run, Skip: sh.way.skip()})
	return nil
}

// out leads to the last pages, because the operator has ended the session. The page is
// sent the plan anew: it may be at anything, or not be there now.
func (sh *show) out(ctx context.Context) error {
	step, _ := sh.way.now()
	if sh.p.Out == nil || step.Aside || sh.leaving {
		return nil
	}
	sh.halt()
	sh.begun, sh.admitted = false, true // nobody is asked on the way out
	sh.way.leave(sh.p.Out().Skip)
	if l := sh.page; l != nil {
		now := sh.server.o.Clock.Now()
		sh.unpause(ctx, l, now)
		sh.server.rec.marker(ctx, l.run, now, "the operator ended the session in step %d", step.Index)
	}
	if _, ok := sh.way.now(); !ok {
		return sh.over()
	}
	if sh.page != nil {
		sh.start(sh.page)
	}
	return nil
}

// cut takes what is on the screen for gone. over tells whether the step had come to
// its end all the same.
func (sh *show) cut(n news, tick protocol.Tick) (over bool) {
	over = sh.halt()
	sh.crossGone(n, tick)
	sh.begun = false
	return over
}

// conduct tells a page that stands for nobody what to do in a step that has begun. A
// pause comes once: the step that begins anew after it would pause for ever.
func (sh *show) conduct(n news, step study.Step, round int) {
	if sh.p.Conduct == nil {
		return
	}
	c := sh.p.Conduct(step)
	if round > 0 {
		c.Pause = 0
	}
	fill := c.Fill
	if fill == nil {
		fill = study.Answers{}
	}
	n.link.send(&protocol.Conduct{
		Run: sh.run, Step: step.Index, AfterMs: milliseconds(c.After), Answer: c.Answer, Fill: fill, No: c.No,
		Leave: c.Leave, Swipe: c.Swipe, PauseMs: milliseconds(c.Pause), Language: c.Language,
	})
}
