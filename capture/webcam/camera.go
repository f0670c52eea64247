package webcam

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

const (
	// queueDepth is how many frames may wait for a slow consumer of a source
	// that cannot wait itself. More would only show older pictures.
	queueDepth = 2
	// patience is how long a device may fail to give a picture before it counts
	// as gone. Single unreadable pictures (a damaged JPEG) are usual on USB.
	patience = 2 * time.Second
	// retryPause spaces the attempts meanwhile.
	retryPause = 20 * time.Millisecond
)

// picture is what a grabber gives.
type picture struct {
	width, height int
	pix           []byte  // BGR, never written to again
	posMs         float64 // CAP_PROP_POS_MSEC: a device's stamp or a file's time
}

// grabber is an open video source.
type grabber interface {
	// grab waits for the next picture; false when there is none: the file's
	// end, or a device that failed.
	grab() (picture, bool, error)
	// rewind begins a file again.
	rewind() error
	close() error
}

// Camera is an open camera, file or address. It runs once.
type Camera struct {
	options Options
	clock   instant.Clock
	source  grabber

	mu          sync.Mutex // guards the next two
	description Description
	state       state

	frames, dropped, repeated atomic.Int64

	// Owned by the goroutine that reads.
	seq     int64 // of the next frame
	cadence cadence
	seed    maphash.Seed
	started bool            // there was a picture before
	hash    uint64          // of the last picture
	at      instant.Instant // of the last picture
	film    film
	opened  instant.Instant // when it was
	began   instant.Instant // when Run began
	faults  faults
}

// state is where a Camera is in its life.
type state int

const (
	open state = iota
	running
	closed
)

func newCamera(o Options, d Description, source grabber, clock instant.Clock) *Camera {
	return &Camera{
		options: o, clock: clock, source: source, description: d, seed: maphash.MakeSeed(),
		opened: clock.Now(), faults: faults{to: o.Events},
	}
}

// Describe tells what was opened.
func (c *Camera) Describe() Description {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.description
}

// Counts returns what happened to the frames so far. It is safe to call while
// Run runs.
func (c *Camera) Counts() Counts {
	return Counts{c.frames.Load(), c.dropped.Load(), c.repeated.Load()}
}

// Close releases a camera that was never run. Run does so itself.
func (c *Camera) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return nil
	}
	c.state = closed
	return c.source.close()
}

// Run delivers frames to out until ctx ends (nil), a file is over (io.EOF) or
// the device has gone (ErrGone, or what OpenCV said). It releases the device
// before it returns, which can take as long as OpenCV waits for a picture that
// does not come (10 s for a device, 30 s for an address).
//
// A consumer that is slower than the camera does not hold up the driver: the
// oldest waiting frames are dropped and counted, and Seq goes on over them. An
// Unpaced file waits for its consumer instead.
func (c *Camera) Run(ctx context.Context, out chan<- frame.Frame) error {
	c.mu.Lock()
	if c.state != open {
		c.mu.Unlock()
		return errors.New("webcam: a camera runs once: open it again")
	}
	c.state = running
	c.began = c.clock.Now()
	c.mu.Unlock()

	// The reader hands frames over through a queue that never makes it wait.
	ctx, stop := context.WithCancel(ctx)
	queue := make(chan frame.Frame, queueDepth)
	var readErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(queue)
		readErr = c.read(ctx, queue)
	}()
	for f := range queue {
		select {
		case out <- f:
			c.frames.Add(1)
			continue
		case <-ctx.Done():
		}
		break
	}
	ended := ctx.Err() != nil
	stop()
	<-done

	c.mu.Lock()
	c.state = closed
	c.mu.Unlock()
	err := c.source.close()
	if ended {
		return err
	}
	if readErr != nil {
		return readErr
	}
	return err
}

// read takes pictures from the source and queues them until ctx ends.
func (c *Camera) read(ctx context.Context, queue chan frame.Frame) error {
	kind := c.Describe().Kind
	lastGood := c.clock.Now()
	defer func() { c.faults.flush(c.clock.Now()) }()
	if err := c.drain(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		p, ok, err := c.source.grab()
		arrival := c.clock.Now()
		if err != nil {
			return fmt.Errorf("webcam: %s: %w", c.Describe().Port, err)
		}
		if !ok {
			again, err := c.miss(ctx, arrival.Sub(lastGood))
			if err != nil {
				return err
			}
			if !again {
				return nil
			}
			continue
		}
		f, deliver, err := c.stamp(p, arrival)
		if err != nil {
			c.faults.add(arrival, err)
			if arrival.Sub(lastGood) > patience {
				return fmt.Errorf("webcam: %s: %w", c.Describe().Port, err)
			}
			continue
		}
		lastGood = arrival
		if !deliver {
			continue
		}
		if kind == File && c.options.Pace == Unpaced {
			select {
			case queue <- f:
			case <-ctx.Done():
			}
			continue
		}
		if kind == File {
			if !c.waitUntil(ctx, f.At) {
				return nil
			}
			f.Arrival = c.clock.Now()
		}
		c.offer(queue, f)
	}
	return nil
}

// miss deals with a source that gave no picture for that long: it begins a
// looped film again, or gives a device time to recover. again is false when
// ctx ended meanwhile.
func (c *Camera) miss(ctx context.Context, since time.Duration) (again bool, err error) {
	d := c.Describe()
	if d.Kind == File {
		if !c.options.Loop {
			return false, io.EOF
		}
		if c.film.empty() {
			return false, fmt.Errorf("webcam: %s holds no picture that can be read", d.Port)
		}
		c.film.wrap(d.FPS)
		if err := c.source.rewind(); err != nil {
			return false, fmt.Errorf("webcam: begin %s again: %w", d.Port, err)
		}
		return true, nil
	}
	if d.Stamps != DriverStamps { // otherwise the gap in the stamps tells how many are lost
		c.dropped.Add(1)
	}
	if since > patience {
		return false, fmt.Errorf("webcam: %s: %w", d.Port, ErrGone)
	}
	if d.Kind == Device {
		if _, err := os.Stat(d.Port); errors.Is(err, os.ErrNotExist) {
			return false, fmt.Errorf("webcam: %s: %w", d.Port, ErrGone)
		}
	}
	pause := time.NewTimer(retryPause)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true, nil
	case <-ctx.Done():
		return false, nil
	}
}

// stamp makes a frame of a picture: its instant, its number, and whether it is
// to be delivered at all. The error is that of a driver's stamp that cannot be
// true; how many frames were lost so shows in the gap of the stamps after it.
func (c *Camera) stamp(p picture, arrival instant.Instant) (f frame.Frame, deliver bool, err error) {
	d := c.Describe()
	var at instant.Instant
	switch d.Stamps {
	case DriverStamps:
		at = p.stamp()
		if at >= c.opened && at < c.began && arrival.Sub(c.began) < stampAge {
			return frame.Frame{}, false, nil // a buffer that was filled before anybody asked
		}
		if err := plausible(at, arrival); err != nil {
			return frame.Frame{}, false, err
		}
	case FileStamps:
		at = c.film.at(p.posMs, d.FPS, arrival)
	default:
		at = arrival
	}

	hash := maphash.Bytes(c.seed, p.pix)
	if c.started && hash == c.hash {
		c.repeated.Add(1)
		if at == c.at {
			return frame.Frame{}, false, nil // the same buffer, handed out twice
		}
	}
	if d.Stamps == DriverStamps && c.started && at <= c.at {
		return frame.Frame{}, false, fmt.Errorf("%w: one of them lies %v before the last", ErrStamps, c.at.Sub(at))
	}
	c.started, c.hash, c.at = true, hash, at

	if d.Stamps == DriverStamps {
		lost := c.cadence.next(at)
		c.dropped.Add(lost)
		c.seq += lost
	}
	f = frame.Frame{Seq: c.seq, At: at, Arrival: arrival, Width: p.width, Height: p.height, Pix: p.pix}
	c.seq++
	return f, true, nil
}

// offer queues f, giving up the oldest waiting frame when there is no room.
// Only this goroutine sends to the queue.
func (c *Camera) offer(queue chan frame.Frame, f frame.Frame) {
	for {
		select {
		case queue <- f:
			return
		default:
		}
		select {
		case <-queue:
			c.dropped.Add(1)
		default: // the consumer was faster
		}
	}
}

// waitUntil waits for an instant; false when ctx ended first.
func (c *Camera) waitUntil(ctx context.Context, due instant.Instant) bool {
	for {
		left := due.Sub(c.clock.Now())
		if left <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}
