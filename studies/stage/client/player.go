package client

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

const (
	// The virtual screen, px, and the share of its height that a clip has.
	screenW, screenH = 1920, 1080
	pictureShare     = .9
	// startup is how long a clip takes from being asked for to its first frame,
	// about what Chromium needs for a clip in memory.
	startup = 50 * time.Millisecond
	// slack is the rounding of a frame's time that still counts as in time for a
	// refresh.
	slack = 100 * time.Microsecond
	// maxAsked bounds what waits to be shown; the server asks for one thing at a time.
	maxAsked = 16
)

// player plays one plan on the virtual display. The display refreshes at whole
// multiples of its period on the client's clock.
type player struct {
	c      *Client
	plan   *protocol.Plan
	out    *socket
	chance *rand.Rand
	period float64               // µs
	free   int64                 // first refresh that the next step may use
	asked  chan protocol.Message // what the server asks for in a step that it leads
}

func newPlayer(c *Client, plan *protocol.Plan, out *socket) *player {
	return &player{
		c: c, plan: plan, out: out, period: protocol.TickHz / c.o.RefreshHz,
		chance: rand.New(rand.NewPCG(c.o.Seed, uint64(plan.Run))),
		asked:  make(chan protocol.Message, maxAsked),
	}
}

// tick is the time of refresh n.
func (p *player) tick(n int64) protocol.Tick {
	return protocol.Tick(math.Round(float64(n) * p.period))
}

// refreshAt is the first refresh not before t.
func (p *player) refreshAt(t protocol.Tick) int64 {
	return int64(math.Ceil(float64(t) / p.period))
}

// report sends an observation, or keeps it for the next connection: what was
// displayed was displayed.
func (p *player) report(m protocol.Message) {
	if p.out.send(m) != nil {
		p.c.keep(m)
	}
}

// until waits for a tick.
func (p *player) until(ctx context.Context, t protocol.Tick) bool {
	return wait(ctx, p.c.clock.until(t, p.c.o.Clock.Now()))
}

// run plays the plan to its end, or until ctx ends.
func (p *player) run(ctx context.Context) {
	p.free = p.refreshAt(p.c.now()) + 1
	for _, step := range p.plan.Steps[p.plan.From:] {
		var ok bool
		switch step.Action {
		case study.Consent:
			if !p.answer(ctx, step) {
				return
			}
			continue // the answer has ended the step
		case study.Play:
			ok = p.play(ctx, step)
		case study.Calibrate, study.Validate, study.Breath:
			ok = p.obey(ctx, step)
		default:
			ok = p.hold(ctx, step)
		}
		if !ok {
			return
		}
		if step.Index == len(p.plan.Steps)-1 {
			p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(p.free)})
		}
		p.step(&protocol.StepEnded{Run: p.plan.Run, Step: step.Index, Tick: p.tick(p.free)})
	}
}

// step sends a message of the plan's course; without a connection the server
// will begin the step anew.
func (p *player) step(m protocol.Message) { _ = p.out.send(m) }

// hold shows the cross or nothing for the step's time.
func (p *player) hold(ctx context.Context, step protocol.Step) bool {
	shown := p.free
	p.free = shown + int64(math.Round(step.DurationMs*1000/p.period))
	if !p.until(ctx, p.tick(shown)) {
		return false
	}
	p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(shown)})
	began := &protocol.StepBegan{Run: p.plan.Run, Step: step.Index, Tick: p.tick(shown)}
	if step.Action == study.Fixation {
		began.Place = &protocol.Place{X: .5, Y: .5}
	}
	p.step(began)
	// The step's last refresh has been seen before the step is reported over.
	return p.until(ctx, p.tick(p.free-1))
}

// answer says yes to a question, and that it speaks for a simulated participant:
// one who has no face to protect. Before a real camera such a yes is void.
func (p *player) answer(ctx context.Context, step protocol.Step) bool {
	if len(step.Texts) == 0 {
		p.report(&protocol.Fault{Run: p.plan.Run, Text: "the question about " + step.Scope + " has no text", Fatal: true})
		return false
	}
	shown := p.free
	p.free = shown + 1
	if !p.until(ctx, p.tick(shown)) {
		return false
	}
	p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(shown)})
	p.step(&protocol.StepBegan{Run: p.plan.Run, Step: step.Index, Tick: p.tick(shown)})
	text := step.Texts[0]
	p.step(&protocol.Answer{
		Run: p.plan.Run, Step: step.Index, Scope: step.Scope, Granted: true,
		TextSHA256: text.SHA256, Language: text.Language, Simulated: true, Tick: p.c.now(),
	})
	return true
}

// play shows a clip, a frame at the first refresh not before its time.
func (p *player) play(ctx context.Context, step protocol.Step) bool {
	clip, ok := p.c.o.Study.Stimulus(step.Stimulus)
	if !ok {
		p.report(&protocol.Fault{Run: p.plan.Run, Text: step.Stimulus + " is not in the client's study", Fatal: true})
		return false
	}
	first := p.refreshAt(p.tick(p.free) + protocol.Tick(startup.Microseconds()))
	p.free = first + p.refreshAt(protocol.Tick(clip.Duration.Microseconds()))
	batch := &protocol.Frames{
		Run: p.plan.Run, Presentation: step.Presentation, Stimulus: step.Stimulus, Rect: picture(clip),
	}
	shown, presented := -1, int64(0)
	for n := first; n < p.free; {
		// As many refreshes as one report has, then the wait until they have been seen.
		// The first frame is reported by itself, at once.
		end := min(p.free, n+max(1, int64(float64(protocol.FrameBatch.Microseconds())/p.period)))
		if n == first {
			end = n + 1
			if !p.until(ctx, p.tick(first)) {
				return false
			}
			p.step(&protocol.StepBegan{Run: p.plan.Run, Step: step.Index, Tick: p.tick(first)})
		}
		if !p.until(ctx, p.tick(end-1)) {
			// Those that were on the screen before the end are still reported.
			end = min(end, p.refreshAt(p.c.now()))
		}
		for ; n < end; n++ {
			at := p.tick(n)
			media := time.Duration(at-p.tick(first)) * time.Microsecond
			frame := sort.Search(len(clip.FrameTimes), func(k int) bool { return clip.FrameTimes[k] > media+slack }) - 1
			if frame <= shown {
				continue
			}
			shown = frame
			presented++
			if p.chance.Float64() < p.c.o.Unreported {
				continue
			}
			batch.Frames = append(batch.Frames, protocol.Frame{
				Presented: presented, Media: clip.FrameTimes[frame].Round(time.Microsecond).Microseconds(),
				Expected: at, Submitted: p.tick(n - 1), Callback: p.tick(n - 1),
			})
		}
		if len(batch.Frames) > 0 {
			sent := *batch
			p.report(&sent)
			batch.Frames = nil
		}
		if ctx.Err() != nil {
			return false
		}
	}
	return true
}

// picture is where a clip lies on the virtual screen.
func picture(m study.Stimulus) [4]float64 {
	w := pictureShare * screenH * float64(m.Width) / float64(m.Height) / screenW
	return [4]float64{(1 - w) / 2, (1 - pictureShare) / 2, w, pictureShare}
}
