package client

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
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
	skip   []int                 // the steps that are passed over
	media  time.Duration         // where in its time the latest clip is, or ended
	asked  chan protocol.Message // what the server asks for in a step that it leads

	verdicts chan protocol.Message // Go and Again
	conducts chan *protocol.Conduct
	left     chan *protocol.Left
}

func newPlayer(c *Client, plan *protocol.Plan, out *socket) *player {
	if plan.From == 0 {
		c.language = "" // another participant
	}
	return &player{
		c: c, plan: plan, out: out, period: protocol.TickHz / c.o.RefreshHz,
		chance: rand.New(rand.NewPCG(c.o.Seed, uint64(plan.Run))),
		asked:  make(chan protocol.Message, maxAsked), skip: plan.Skip,
		verdicts: make(chan protocol.Message, maxAsked), conducts: make(chan *protocol.Conduct, maxAsked), left: make(chan *protocol.Left, maxAsked),
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
	n, ok := p.from(p.plan.From), true
	for ok {
		if n < len(p.plan.Steps) {
			n, ok = p.do(ctx, p.plan.Steps[n])
			continue
		}
		select {
		case <-ctx.Done():
			return
		case m := <-p.left: // asked for in the last step
			p.skip = m.Skip
			n = p.from(0)
		}
	}
}

// from is the first step, from n on, that is not passed over.
func (p *player) from(n int) int {
	for slices.Contains(p.skip, n) {
		n++
	}
	return n
}

// show shows a step until it is over.
func (p *player) show(ctx context.Context, step protocol.Step, fills <-chan *protocol.Conduct) bool {
	switch step.Action {
	case study.Fill:
		return p.fill(ctx, step, fills)
	case study.Play:
		return p.play(ctx, step)
	case study.Calibrate, study.Validate, study.Breath, study.Camera, study.Begin, study.Reshow:
		return p.obey(ctx, step)
	}
	return p.hold(ctx, step)
}

// end reports that a step was over, and returns the next.
func (p *player) end(step protocol.Step, swiped bool) int {
	next := p.from(step.Index + 1)
	if step.Action == study.Fill {
		return next // its answer has ended it
	}
	ended := &protocol.StepEnded{Run: p.plan.Run, Step: step.Index}
	if swiped {
		p.free = p.refreshAt(p.c.now()) + 1
		ended.Swiped, ended.Media = true, p.media.Microseconds()
	}
	if next == len(p.plan.Steps) {
		p.report(&protocol.Blank{Run: p.plan.Run, Tick: p.tick(p.free)})
	}
	ended.Tick = p.tick(p.free)
	p.step(ended)
	return next
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

// play shows a clip, a frame at the first refresh not before its time.
func (p *player) play(ctx context.Context, step protocol.Step) bool {
	clip, ok := p.c.o.Study.Stimulus(step.Stimulus)
	if !ok {
		p.report(&protocol.Fault{Run: p.plan.Run, Text: step.Stimulus + " is not in the client's study", Fatal: true})
		return false
	}
	p.media = 0
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
			p.media = clip.FrameTimes[frame]
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
