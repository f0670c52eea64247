package client

import (
	"context"
	"strconv"
	"time"

	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// reading is how long a simulated participant reads what is asked, and glide how
// long a target takes to its next place.
const (
	reading = 200 * time.Millisecond
	glide   = 300 * time.Millisecond
)

// obey shows what the server asks for in a step that it leads, until it ends the
// step.
func (p *player) obey(ctx context.Context, step protocol.Step) bool {
	shown := p.free
	if !p.until(ctx, p.tick(shown)) {
		return false
	}
	p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(shown)})
	p.step(&protocol.StepBegan{Run: p.plan.Run, Step: step.Index, Tick: p.tick(shown)})
	target := false // one is on the screen
	for {
		answer := &protocol.Shown{Run: p.plan.Run, Step: step.Index}
		pause := time.Duration(0)
		var ask *protocol.Ask
		select {
		case <-ctx.Done():
			return false
		case m := <-p.asked:
			switch m := m.(type) {
			case *protocol.Target:
				if target {
					pause = glide
				}
				target = true
				answer.ID, answer.Place = m.ID, &protocol.Place{X: m.X, Y: m.Y}
			case *protocol.Cue:
				target = false
				answer.ID = m.ID
			case *protocol.Ask:
				target = false
				answer.ID, ask = m.ID, m
			case *protocol.Finish:
				p.skip = m.Skip
				p.free = p.refreshAt(p.c.now()) + 1
				return true
			}
			answer.Tick = p.tick(p.refreshAt(p.c.now()+protocol.Tick(pause.Microseconds())) + 1)
			if c, ok := m.(*protocol.Cue); ok && c.Key == session.CueLook {
				pause = reading
			}
		}
		if !p.until(ctx, max(answer.Tick, p.c.now()+protocol.Tick(pause.Microseconds()))) {
			return false
		}
		p.step(answer)
		if ask != nil {
			if !p.until(ctx, p.c.now()+protocol.Tick(reading.Microseconds())) {
				return false
			}
			p.step(p.c.reply(ask))
		}
	}
}

// reply answers a question as somebody does whose code it is, and who hears well.
func (c *Client) reply(m *protocol.Ask) *protocol.Reply {
	r := &protocol.Reply{Run: m.Run, Step: m.Step, ID: m.ID, Value: study.Yes, Simulated: true, Tick: c.now()}
	if m.Kind == session.AskSound {
		r.Value = strconv.Itoa(m.Tones)
	}
	return r
}
