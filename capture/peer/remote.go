package peer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/pion/webrtc/v3"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// waitingProbes is how many clock pings may wait for the stream, and waitingEvents
	// how many remarks.
	waitingProbes, waitingEvents = 64, 8
	// maxDevice bounds what a browser may call its camera, in letters.
	maxDevice = 120
)

// Remote is the place for the camera of another browser: at most one at a time. What it
// delivers is stamped by the browser's clock, and Probes relate that to the lab's.
type Remote struct {
	clock  instant.Clock
	probes chan stream.Probe
	events chan stream.Event
	shut   chan struct{} // closed by Close
	work   sync.WaitGroup

	mu     sync.Mutex
	reach  Reach
	api    *webrtc.API // nil before the first offer
	link   *link       // nil while nobody is there
	closed bool
}

// NewRemote makes the place for a camera. It needs a Close.
func NewRemote(clock instant.Clock) (*Remote, error) {
	if err := Err(); err != nil {
		return nil, err
	}
	return &Remote{
		clock: clock, reach: ThisMachine, shut: make(chan struct{}),
		probes: make(chan stream.Probe, waitingProbes), events: make(chan stream.Event, waitingEvents),
	}, nil
}

// Admit says whose browser may bring its camera. Before it is called, that of this
// machine only.
func (r *Remote) Admit(reach Reach) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reach, r.api = reach, nil
}

// Probes and Events are what is known of the camera that runs: clock pings, and remarks.
func (r *Remote) Probes() <-chan stream.Probe { return r.probes }

// Events are remarks of the camera that runs.
func (r *Remote) Events() <-chan stream.Event { return r.events }

// ErrTaken is the answer to a second camera.
var ErrTaken = errors.New("another page is the camera at present, or this one was a moment ago and is still waited for: close the other one")

// ErrNobody says that there is no camera.
var ErrNobody = errors.New("no browser shows its camera here: open the camera's page on it, with the address that was printed at the start, and allow the camera there")

// Answer answers a browser that offers its camera, which it calls device.
func (r *Remote) Answer(ctx context.Context, offer, device string) (answer string, err error) {
	l, pc, err := r.admit(device)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			r.forget(l)
			err = errors.Join(err, pc.GracefulClose())
			r.work.Done()
		}
	}()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	over := ended(pc, func() {})
	l.listen()
	if answer, err = complete(ctx, pc, offer); err != nil {
		return "", err
	}
	go func() {
		defer r.work.Done()
		select {
		case <-over:
		case <-r.shut:
		}
		r.forget(l)
		l.end()
	}()
	return answer, nil
}

// admit takes the place for a new camera, for which work is done until it has gone.
func (r *Remote) admit(device string) (*link, *webrtc.PeerConnection, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, errors.New("the program ends")
	}
	if r.link != nil {
		return nil, nil, ErrTaken
	}
	if r.api == nil {
		api, err := newAPI(r.reach)
		if err != nil {
			return nil, nil, err
		}
		r.api = api
	}
	pc, err := r.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, nil, fmt.Errorf("peer: %w", err)
	}
	r.link = newLink(r.clock, pc, named(device))
	r.work.Add(1)
	return r.link, pc, nil
}

// forget makes the place free.
func (r *Remote) forget(l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link == l {
		r.link = nil
	}
}

// Open returns the camera that is there. It delivers frames once Run is called.
func (r *Remote) Open() (*Camera, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link == nil || !r.link.here() {
		return nil, ErrNobody
	}
	return &Camera{r.link, r}, nil
}

// Close sends the camera away, and returns when all has ended.
func (r *Remote) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.shut)
	}
	r.mu.Unlock()
	r.work.Wait()
	return nil
}

// named is what a browser calls its camera, as it can be shown and kept.
func named(device string) string {
	clean := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(device, ""))
	clean = strings.Join(strings.Fields(clean), " ")
	if letters := []rune(clean); len(letters) > maxDevice {
		clean = string(letters[:maxDevice])
	}
	if clean == "" {
		return "unnamed camera"
	}
	return clean
}
