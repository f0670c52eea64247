package stage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// showPatience is how long a page may take to show a target or words: it lets the
// participant read for some seconds, and a target glides for less than one.
const showPatience = 20 * time.Second

// led tells whether the session, not the page, leads a step.
func led(a study.Action) bool {
	switch a {
	case study.Calibrate, study.Validate, study.Breath, study.Camera, study.Begin, study.Reshow:
		return true
	}
	return false
}

// surface is the page during one showing of a led step. It implements
// session.Surface for the procedure, which runs beside Present.
type surface struct {
	link      *link
	run, step int
	code      string // the participant's
	rec       *recorder

	cancel  context.CancelFunc
	done    chan struct{}        // closed when the procedure has returned
	err     error                // what it returned; read after done
	shown   chan news            // answers of the page, from Present
	replies chan *protocol.Reply // of the participant, likewise
	id      atomic.Int64         // of the latest request
}

// lead runs the procedure of a step on the page that shows it.
func (sh *show) lead(ctx context.Context, step study.Step) {
	sh.follow(ctx, step.Index, func(ctx context.Context, on session.Surface) error {
		if sh.p.Procedure == nil {
			return nil
		}
		return sh.p.Procedure(ctx, step, on)
	})
}

// admit has a page that is ready begin, after what is asked before the first step.
func (sh *show) admit(ctx context.Context) {
	switch {
	case sh.admitted:
		sh.page.send(&protocol.Begin{Run: sh.run})
	case sh.surface == nil:
		sh.follow(ctx, protocol.BeforeFirst, sh.p.Admit)
	}
}

// follow has the page do what a procedure asks for.
func (sh *show) follow(ctx context.Context, step int, procedure func(context.Context, session.Surface) error) {
	ctx, cancel := context.WithCancel(ctx)
	sf := &surface{
		link: sh.page, run: sh.run, step: step, code: sh.p.Participant, rec: &sh.server.rec,
		cancel: cancel, done: make(chan struct{}), shown: make(chan news, 1), replies: make(chan *protocol.Reply, 1),
	}
	sh.surface = sf
	go func() {
		defer close(sf.done)
		sf.err = procedure(ctx, sf)
	}()
}

// ended is closed when the procedure under way has returned; nil when none is.
func (sh *show) ended() <-chan struct{} {
	if sh.surface == nil {
		return nil
	}
	return sh.surface.done
}

// finish ends the step that a procedure has led to its end, and goes on as the ruling says
// that is in force then.
func (sh *show) finish() error {
	sf := sh.surface
	sh.surface = nil
	sf.cancel()
	if errors.Is(sf.err, session.ErrNotShown) {
		sh.server.rec.fault(sf.link.run, sh.server.o.Clock.Now(), "step %d: %v", sf.step, sf.err)
		sf.link.cancel() // it will connect again, and be sent the step again
		return nil
	}
	if sf.err != nil {
		return fmt.Errorf("stage: step %d: %w", sf.step, sf.err)
	}
	if sf.step == protocol.BeforeFirst {
		sh.admitted = true
		sf.link.send(&protocol.Begin{Run: sf.run})
		return nil
	}
	sh.rule()
	sf.link.send(&protocol.Finish{Run: sf.run, Step: sf.step, Skip: sh.way.skip()})
	return nil
}

// rule puts the ruling in force that there is at the end of a step that is led: what it
// depends on may have changed without an answer.
func (sh *show) rule() {
	if sh.p.Ruled != nil {
		sh.way.rule(sh.p.Ruled().Skip)
	}
}

// halt ends the procedure under way, if one is, and waits for it. over tells whether
// it had come to its end all the same: then the step is not shown again, and what its end
// rules holds.
func (sh *show) halt() (over bool) {
	if sh.surface == nil {
		return false
	}
	sh.surface.cancel()
	<-sh.surface.done
	over = sh.surface.err == nil
	if sh.surface.step == protocol.BeforeFirst { // no step has ended with it
		sh.admitted, over = over, false
	}
	sh.surface = nil
	if over {
		sh.rule()
	}
	return over
}

// hear passes on an answer of the page. One that nobody waits for any more is
// dropped.
func (sf *surface) hear(n news) {
	select {
	case <-sf.shown:
	default:
	}
	sf.shown <- n
}

// answered passes on what the participant says.
func (sf *surface) answered(r *protocol.Reply) {
	select {
	case <-sf.replies:
	default:
	}
	sf.replies <- r
}

// Show implements session.Surface.
func (sf *surface) Show(ctx context.Context, x, y float64) (session.Shown, error) {
	id := sf.id.Add(1)
	s, err := sf.ask(ctx, id, &protocol.Target{Run: sf.run, Step: sf.step, ID: id, Place: protocol.Place{X: x, Y: y}})
	if err == nil && math.IsNaN(s.X) {
		err = fmt.Errorf("%w: it does not say where the target is", session.ErrNotShown)
	}
	return s, err
}

// Cue implements session.Surface.
func (sf *surface) Cue(ctx context.Context, key string) (session.Shown, error) {
	id := sf.id.Add(1)
	m := &protocol.Cue{Run: sf.run, Step: sf.step, ID: id, Key: key}
	if key == session.CueBegin { // the operator asks for it, and may have another's before them
		m.Code = sf.code
	}
	return sf.ask(ctx, id, m)
}

// Ask implements session.Surface. That the question is on the screen is waited for as
// for anything else; its answer takes as long as it takes.
func (sf *surface) Ask(ctx context.Context, q session.Question) (session.Reply, error) {
	id := sf.id.Add(1)
	m := &protocol.Ask{Run: sf.run, Step: sf.step, ID: id, Kind: q.Kind, Code: q.Code, Tones: q.Tones, Tries: q.Tries}
	if _, err := sf.ask(ctx, id, m); err != nil {
		return session.Reply{}, err
	}
	for {
		select {
		case r := <-sf.replies:
			if r.ID == id {
				return session.Reply{Value: r.Value, Audio: r.Audio, Simulated: r.Simulated}, nil
			}
		case <-ctx.Done():
			return session.Reply{}, ctx.Err()
		}
	}
}

// ask sends a request and waits until what it asks for is on the screen.
func (sf *surface) ask(ctx context.Context, id int64, m protocol.Message) (session.Shown, error) {
	sf.link.send(m)
	late := time.NewTimer(showPatience)
	defer late.Stop()
	for {
		select {
		case n := <-sf.shown:
			answer := n.what.(*protocol.Shown)
			if answer.ID != id {
				continue // to an earlier request, which was given up
			}
			s := session.Shown{X: math.NaN(), Y: math.NaN()}
			s.At, s.Err = sf.rec.lit(n.at, answer.Tick)
			if answer.Place != nil {
				s.X, s.Y = answer.Place.X, answer.Place.Y
			}
			return s, nil
		case <-ctx.Done():
			return session.Shown{}, ctx.Err()
		case <-late.C:
			return session.Shown{}, fmt.Errorf("%w within %v: %s", session.ErrNotShown, showPatience, m.Type())
		}
	}
}
