package session

import (
	"errors"
	"fmt"

	"emolab/fusion/instant"
)

// reel is a film of no pictures. It notes what it was asked for.
type reel struct {
	archive *memory // whose lock guards it
	refuse  error   // what Begin answers
	broken  error   // what Err answers while it runs
	begun   []string
	since   instant.Instant // what Begin was told last
	paused  instant.Instant // what Pause was told; 0 = goes on
	closed  []Video         // what Closed answers once
	running bool
	hold    chan struct{} // End waits until it is closed; nil = it does not wait
	kept    int           // consents in the archive when it began
}

func (r *reel) Begin(id string, segment int, since instant.Instant) error {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	if r.refuse != nil {
		return r.refuse
	}
	r.begun = append(r.begun, fmt.Sprintf("%s/%d", id, segment))
	r.running, r.since = true, since
	r.kept = len(r.archive.find(id).consents)
	return nil
}

func (r *reel) Pause(at instant.Instant) {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	r.paused = at
}

func (r *reel) Resume(at instant.Instant) {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	r.paused, r.since = 0, at
}

func (r *reel) Closed() []Video {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	closed := r.closed
	r.closed = nil
	return closed
}

func (r *reel) End() ([]Video, error) {
	r.archive.mu.Lock()
	hold := r.hold
	r.archive.mu.Unlock()
	if hold != nil {
		<-hold
	}
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	if !r.running {
		return nil, errors.New("nothing runs")
	}
	r.running = false
	return []Video{{File: "a.mkv", Frames: 60}, {File: "b.mkv", Frames: 3}}, r.broken
}

func (r *reel) Err() error {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	return r.broken
}
