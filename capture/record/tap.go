package record

import (
	"context"
	"errors"
	"sync"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// Camera delivers frames until ctx ends (nil) or it can no more (an error).
type Camera interface {
	Run(ctx context.Context, out chan<- frame.Frame) error
}

// Tap keeps what passes from a camera to the analysis, while it is asked to. It
// is safe for concurrent use.
type Tap struct {
	rate float64

	mu    sync.Mutex
	reel  *reel           // nil while nothing is kept
	since instant.Instant // frames that were taken before are not kept
	pause instant.Instant // nor those taken from then on; 0 = they are
	epoch int             // of the camera that runs, -1 before the first
	base  int64           // added to its numbers
	next  int64           // number of the next frame of the stream
}

// NewTap makes a tap. rate is the camera's nominal frames per second, 0 if
// unknown; players go by it, Read does not.
func NewTap(rate float64) *Tap {
	if !(rate > 0) {
		rate = 30 // what most webcams deliver
	}
	return &Tap{rate: rate, epoch: -1}
}

// Over returns cam with the tap over it. A camera that is opened again gets the
// same tap; one runs at a time. Its frames are numbered on as face.Source
// numbers its samples: from 0, and after a camera has gone from its last frame on.
func (t *Tap) Over(cam Camera) Camera { return tapped{t, cam} }

type tapped struct {
	tap *Tap
	cam Camera
}

// Run passes on what the camera delivers. It waits for the reader of out only,
// never for the encoder.
func (c tapped) Run(ctx context.Context, out chan<- frame.Frame) error {
	c.tap.opened()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	frames := make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() {
		ended <- c.cam.Run(ctx, frames)
		close(frames)
	}()
	for f := range frames {
		c.tap.keep(f)
		select {
		case out <- f:
		case <-ctx.Done():
		}
	}
	return <-ended
}

// opened notes that a camera begins.
func (t *Tap) opened() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch++
	t.base = t.next
}

// keep hands a frame to the reel, if there is one.
func (t *Tap) keep(f frame.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.Seq += t.base
	t.next = f.Seq + 1
	if t.reel != nil && f.At >= t.since && (t.pause == 0 || f.At < t.pause) {
		t.reel.offer(shot{f, t.epoch})
	}
}

// Begin keeps every frame from now on that was taken at since or later, in dir,
// which it makes if need be, as a segment of that number. What is in dir already
// is never written over: a segment that is there is an error.
func (t *Tap) Begin(dir string, segment int, since instant.Instant) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reel != nil {
		return errors.New("record: video is being kept already: end that first")
	}
	r, err := newReel(dir, segment, t.rate)
	if err != nil {
		return err
	}
	t.reel, t.since, t.pause = r, since, 0
	return nil
}

// Pause keeps no frame that comes from now on and was taken at that instant or later,
// until Resume.
func (t *Tap) Pause(at instant.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pause = max(at, 1) // 0 is no pause
}

// Resume keeps the frames again that were taken at that instant or later.
func (t *Tap) Resume(at instant.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pause, t.since = 0, max(t.since, at)
}

// Closed returns, in their order, the files that are whole and have not been
// returned yet; none when no video is being kept.
func (t *Tap) Closed() []File {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reel == nil {
		return nil
	}
	return t.reel.closed()
}

// End keeps no more, waits until the files are closed, and returns those that
// Closed has not. Those that are whole are returned even with an error.
func (t *Tap) End() ([]File, error) {
	t.mu.Lock()
	r := t.reel
	t.reel = nil
	t.mu.Unlock()
	if r == nil {
		return nil, errors.New("record: no video is being kept")
	}
	return r.close()
}

// Err tells why frames are no longer kept although End was not called; nil while
// all is well.
func (t *Tap) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reel == nil {
		return nil
	}
	return t.reel.failure()
}
