package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/fusion/instant"
)

const (
	// maxWidth and maxHeight are the largest picture that is sent; larger frames are
	// scaled down.
	maxWidth, maxHeight = 640, 480
	// cardPeriod is how often a card is sent while there is nothing else, and cardPause
	// how long there has to be nothing: a camera in the dark takes 5 frames a second.
	cardPeriod = 250 * time.Millisecond
	cardPause  = 500 * time.Millisecond
	// stillPeriod is how often it is asked whether a viewer may still look.
	stillPeriod = 2 * time.Second
	// maxViewers bounds what open pages can take of the machine.
	maxViewers = 64
)

// What a card says.
const (
	hiddenWords = "Hidden until the recording begins"
	absentWords = "No picture from the camera"
)

// Gate says what may leave the program.
type Gate struct {
	// Since is the instant from which on frames may be shown that were taken and came
	// since; 0 = none may. It is asked at every frame, and must not wait.
	Since func() instant.Instant
	// Blind tells whether all looks are to be blurred. Likewise.
	Blind func() bool
}

// Picture shows the participant live to any number of browsers. A look is drawn and
// encoded once, and only while somebody watches it.
type Picture struct {
	gate   Gate
	clock  instant.Clock
	api    *webrtc.API
	newest atomic.Pointer[shot] // the frame to be shown next
	woken  chan struct{}        // holds one token while there is one
	shut   chan struct{}        // closed by Close
	work   sync.WaitGroup

	watched atomic.Int32 // viewers
	outputs map[Look]*output

	mu     sync.Mutex
	closed bool
}

// shot is a frame with what was found in it.
type shot struct {
	frame  frame.Frame
	result face.Result
}

// Err tells why this build has no live picture; nil where it has.
func Err() error { return codecErr() }

// NewPicture makes a live picture that nobody watches yet. It needs a Close.
func NewPicture(gate Gate, clock instant.Clock, reach Reach) (*Picture, error) {
	if err := Err(); err != nil {
		return nil, err
	}
	api, err := newAPI(reach)
	if err != nil {
		return nil, err
	}
	p := &Picture{
		gate: gate, clock: clock, api: api,
		woken: make(chan struct{}, 1), shut: make(chan struct{}),
		outputs: make(map[Look]*output),
	}
	for _, look := range looks {
		if p.outputs[look], err = newOutput(look); err != nil {
			return nil, err
		}
	}
	p.work.Go(p.run)
	return p, nil
}

// Show takes a frame with what was found in it. It does not wait: a frame that comes
// before the one before was shown takes its place.
func (p *Picture) Show(f frame.Frame, r face.Result) {
	if p.watched.Load() == 0 {
		return
	}
	p.newest.Store(&shot{f, r})
	select {
	case p.woken <- struct{}{}:
	default: // it is awake
	}
}

// Close disconnects everybody, and returns when all has ended.
func (p *Picture) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.shut)
	}
	p.mu.Unlock()
	p.work.Wait()
	return nil
}

// ErrFull is the answer when too many watch.
var ErrFull = errors.New("too many pages show the live picture: close some of them")

// Answer answers a browser that wants to see a look; it then gets the picture until it
// goes away, or still says no more that it may look.
func (p *Picture) Answer(ctx context.Context, offer, look string, still func() bool) (answer string, err error) {
	out := p.outputs[Look(look)]
	if out == nil {
		return "", fmt.Errorf("there is no look %q: want one of %v", look, looks)
	}
	if err := p.admit(); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			p.watched.Add(-1)
			p.work.Done()
		}
	}()
	pc, err := p.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, pc.GracefulClose())
		}
	}()
	sender, err := pc.AddTrack(out.track)
	if err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	over := ended(pc, func() { out.wanted.Store(true) }) // nothing can be decoded before a key frame
	if answer, err = complete(ctx, pc, offer); err != nil {
		return "", err
	}
	out.viewers.Add(1)
	go p.attend(pc, sender, out, over, still)
	return answer, nil
}

// admit counts a viewer, for whom work is done until it leaves.
func (p *Picture) admit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.New("the program ends")
	}
	if p.watched.Load() >= maxViewers {
		return ErrFull
	}
	p.watched.Add(1)
	p.work.Add(1)
	return nil
}

// attend listens to a viewer until it has gone or may look no more, and forgets it.
func (p *Picture) attend(pc *webrtc.PeerConnection, sender *webrtc.RTPSender, out *output, over <-chan struct{}, still func() bool) {
	defer p.work.Done()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		out.listen(sender)
	}()
	p.await(over, still)
	_ = pc.GracefulClose() // it is over, whatever its end was like
	<-heard
	out.viewers.Add(-1)
	p.watched.Add(-1)
}

// await returns when a viewer has gone, may look no more, or is sent away.
func (p *Picture) await(over <-chan struct{}, still func() bool) {
	tick := time.NewTicker(stillPeriod)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-p.shut:
			return
		case <-tick.C:
			if !still() {
				return
			}
		}
	}
}

// listen hears what a viewer asks for until it has gone.
func (o *output) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		if slices.ContainsFunc(packets, asksForKey) {
			o.wanted.Store(true)
		}
	}
}

func asksForKey(p rtcp.Packet) bool {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		return true
	}
	return false
}

// run shows frames, and cards while there are none, until Close.
func (p *Picture) run() {
	tick := time.NewTicker(cardPeriod)
	defer tick.Stop()
	s := show{picture: p}
	defer s.end()
	for {
		select {
		case <-p.shut:
			return
		case <-p.woken:
			if next := p.newest.Swap(nil); next != nil {
				s.frame(*next)
			}
		case <-tick.C:
			s.card()
		}
	}
}

// permit is what the gate says.
type permit struct {
	since instant.Instant
	blind bool
}

func (p *Picture) permit() permit { return permit{p.gate.Since(), p.gate.Blind()} }

// show is what Picture.run knows.
type show struct {
	picture       *Picture
	permit        permit // at what was shown last
	near          near
	width, height int             // of what was shown last
	at            instant.Instant // when a frame was shown last
}

// turn asks the gate, and begins anew where it says something else: nothing that is sent
// from then on builds on what was shown before.
func (s *show) turn() permit {
	now := s.picture.permit()
	if now != s.permit {
		s.permit, s.near = now, near{}
		for _, o := range s.picture.outputs {
			o.restart()
		}
	}
	return now
}

// frame shows a frame, if the gate lets it pass.
func (s *show) frame(next shot) {
	allowed, f := s.turn(), next.frame
	if allowed.since == 0 || f.At < allowed.since || f.Arrival < allowed.since {
		return
	}
	w, h := fitted(f.Width, f.Height)
	c := scaled(f.Pix, f.Width, f.Height, w, h)
	scale := float64(w) / float64(f.Width)
	s.width, s.height, s.at = w, h, s.picture.clock.Now()
	for _, look := range looks {
		o := s.picture.outputs[look]
		if o.viewers.Load() == 0 {
			o.restart()
			continue
		}
		if allowed.blind {
			look = Blurred
		}
		b := o.encode(draw(c, look, next.result, &s.near, f.At, scale), s.at)
		if s.turn() != allowed {
			return // of what was recorded before, or seen while it might be
		}
		o.send(b)
	}
}

// card says in words why there is no picture, where there is none.
func (s *show) card() {
	allowed, now := s.turn(), s.picture.clock.Now()
	if allowed.since != 0 && s.at >= allowed.since && now.Sub(s.at) < cardPause {
		return
	}
	line := hiddenWords
	if allowed.since != 0 {
		line = absentWords
	}
	if s.width == 0 {
		s.width, s.height = maxWidth, maxHeight
	}
	for _, o := range s.picture.outputs {
		if o.viewers.Load() == 0 {
			o.restart()
			continue
		}
		o.send(o.encode(card(s.width, s.height, line), now))
	}
}

// end frees the encoders.
func (s *show) end() {
	for _, o := range s.picture.outputs {
		o.restart()
	}
}
