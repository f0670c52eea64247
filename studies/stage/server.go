// Package stage is the participant's screen: the page that plays a plan in a
// browser, the protocol between it and the server, and the stream of what was
// displayed when. The browser is a device with a clock of its own, so the
// Server is a stream.Source like any sensor. studies/stage/client stands in for
// the page where no browser is at hand.
package stage

import (
	"context"
	"errors"
	"sync"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// StreamID is the id of the stage's stream.
const StreamID = "stimulus"

// Options are the settings of a Server.
type Options struct {
	Clock instant.Clock
	// Study, if there is one yet, has its clips loaded by the page before the
	// first session. Present replaces it.
	Study *study.Study
	// Simulated says that no screen is expected but the built-in client. A
	// simulated client is refused without it, so that no simulated recording can
	// pass for a real one, and a browser with it.
	Simulated bool
	// Shift is how much later light appears than the page says, as it was measured
	// (nil: it was not), and MeasuredOn the screen on which. A page on another
	// screen is refused; in the middle of a presentation it is let in, because half
	// a session without correction is better than none, and the recording says so.
	Shift      *stream.Shift
	MeasuredOn *Screen
	// Corner is where clips are shown small and square, for a light sensor that is
	// held there: one of the Corners; "" shows them large, in the middle.
	Corner string
}

// The values of Options.Corner.
const (
	TopLeft     = "top-left"
	TopRight    = "top-right"
	BottomLeft  = "bottom-left"
	BottomRight = "bottom-right"
)

// Server is the participant's screen. It implements stream.Source and
// session.Stage. A page can connect while Run runs.
type Server struct {
	o Options

	mu     sync.Mutex
	run    *run         // nil while Run does not run
	holder *link        // the page that holds the stage
	show   *show        // what is being presented
	study  *study.Study // whose clips are served
	plans  int          // plans sent so far
	wait   string       // what the page waits for before it begins

	rec recorder
}

var (
	_ stream.Source = (*Server)(nil)
	_ session.Stage = (*Server)(nil)
)

// run is one call of Run.
type run struct {
	ctx   context.Context
	out   chan<- stream.Chunk
	links sync.WaitGroup // handlers of sockets
}

// New makes a stage.
func New(o Options) *Server {
	s := &Server{o: o, study: o.Study}
	light := s.Info()[0]
	page := light
	page.Shift = nil // what happens to the page happens when it says so, not when light appears
	s.rec = recorder{epoch: -1, clock: align.NewLive(page), light: align.NewLive(light)}
	return s
}

// Info describes the stimulus stream.
func (s *Server) Info() []stream.Info {
	device := "participant's screen (browser)"
	if s.o.Simulated {
		device = "participant's screen (built-in client)"
	}
	return []stream.Info{{
		ID: StreamID, Kind: stream.Stimulus, Device: device, Port: "/ws/stage",
		Clock: stream.PingedClock, TickHz: protocol.TickHz,
		Channels: channels(), Simulated: s.o.Simulated, Shift: s.o.Shift,
	}}
}

// Run lets pages connect and delivers what they report until ctx ends. It has
// closed every socket, and their handlers have returned, when it returns.
func (s *Server) Run(ctx context.Context, out chan<- stream.Chunk) error {
	r := &run{ctx: ctx, out: out}
	s.mu.Lock()
	if s.run != nil {
		s.mu.Unlock()
		return errors.New("stage: is running already")
	}
	s.run = r
	s.mu.Unlock()

	<-ctx.Done()

	s.mu.Lock()
	s.run = nil // no further socket joins
	s.mu.Unlock()
	r.links.Wait()
	return nil
}

// Connected tells whether a page holds the stage.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holder != nil
}

// Waiting tells in words what the page that holds the stage waits for before it
// begins its plan; "" when it waits for nothing.
func (s *Server) Waiting() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return ""
	}
	return s.wait
}

// waits notes what the page waits for. Only the goroutine of Present calls it.
func (s *Server) waits(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait = what
}

// enter joins the present run; nil if there is none. The caller calls
// run.links.Done.
func (s *Server) enter() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		s.run.links.Add(1)
	}
	return s.run
}

// attach makes l the holder, if the stage is free or l takes it over. It waits
// until the page before has gone. When a presentation is under way, attach
// returns it.
func (s *Server) attach(ctx context.Context, l *link, takeOver bool) (*show, *study.Study, bool) {
	for {
		s.mu.Lock()
		old := s.holder
		if old == nil {
			s.holder = l
			sh, st := s.show, s.study
			s.mu.Unlock()
			return sh, st, true
		}
		s.mu.Unlock()
		if !takeOver {
			return nil, nil, false
		}
		old.send(&protocol.Refused{Busy: true, Reason: "another page took the stage over"})
		select {
		case <-old.gone:
		case <-ctx.Done():
			return nil, nil, false
		}
	}
}

// detach frees the stage and returns the presentation under way.
func (s *Server) detach() *show {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holder = nil
	return s.show
}

// stimulus finds a clip of the study that is served now.
func (s *Server) stimulus(id string) (*study.Study, study.Stimulus, bool) {
	s.mu.Lock()
	st := s.study
	s.mu.Unlock()
	if st == nil {
		return nil, study.Stimulus{}, false
	}
	m, ok := st.Stimulus(id)
	return st, m, ok
}
