package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// flushEvery and flushSamples bound one transaction: what a killed process
	// loses at most, and how large a write may grow in a burst. Twice as often as
	// the 50 ms of the design: a camera frame has been on its way through the nets
	// for some 50 ms when it gets here, and no more than 100 may be lost. A commit
	// takes half a millisecond.
	flushEvery   = 25 * time.Millisecond
	flushSamples = 512
	// backlog is how many chunks may wait for the disk: some 20 s of a full lab.
	// Beyond it the lab is held up, which stallLimit turns into a failure.
	backlog = 4096
	// tail is how long chunks are taken after the end of the recording: what had arrived
	// by then may still be on its way through this program, as a frame is through the nets,
	// and the participant's screen has yet to tell what it showed until then.
	tail = 500 * time.Millisecond
	// stallLimit is how long a write may take before the session is declared
	// failed, rather than let the devices' own buffers overflow unseen.
	stallLimit = 10 * time.Second
)

var (
	// errStalled is the reason of a session whose disk did not answer.
	errStalled = errors.New("the disk did not take the data within " + stallLimit.String() +
		": what was written until then is safe; check the disk before you continue")
	// errDeaf is what is handed in where nothing is written any more: the session has
	// ended, and says why itself.
	errDeaf = errors.New("the session is being closed")
)

// desk is where everything is handed in that a session keeps. Its writer is the only
// user of the recorder, from the first answer of the participant to the last sample.
type desk struct {
	clock instant.Clock
	deeds chan deed
	quiet chan struct{} // closed by hush: chunks are taken for the tail only
	shut  chan struct{} // closed: nothing is handed in any more, and chunks likewise
	gone  chan struct{} // closed when the writer has ended
	err   error         // why it ended; read after gone

	mu    sync.Mutex
	until instant.Instant // when the recording of samples ended, once quiet is closed
	notes []stream.Event  // of the marks, to be written with the next batch

	queue atomic.Pointer[bus.Subscription] // what is being recorded waits here; nil: nothing is

	close func() error // ends everything, waits for the writer, and returns why it ended
}

// deed is one thing to be kept, beside samples.
type deed struct {
	doing string // in words, for an error: "note step 3"
	do    func(ctx context.Context, rec Recorder) error
	opens *opening        // samples are written from here on; nil = as before
	kept  chan<- struct{} // closed when it is
}

// opening is where the recording of samples begins.
type opening struct {
	sub    *bus.Subscription
	first  []stream.Chunk  // written before anything else
	since  instant.Instant // what was taken before is none of the session's
	screen map[string]bool // streams that tell what was shown, and nothing of the participant
}

// opening listens to the lab for a session whose recording begins at an instant.
func (m *Manager) opening(id string, overrides []Override, since instant.Instant) *opening {
	o := &opening{sub: m.o.Lab.Bus().Lossless("session "+id, backlog), first: append(m.o.Lab.absent(since), remarks(overrides, since)...), since: since, screen: map[string]bool{}}
	for _, info := range m.o.Lab.Streams() {
		switch info.Kind {
		case stream.Stimulus, stream.Light, stream.Trigger:
			o.screen[info.ID] = true
		}
	}
	return o
}

// of returns what of a chunk belongs to the recording, which ended at until (0: it goes
// on). What was on its way when it began was taken before the participant agreed. What had
// arrived when it ended was taken before that, however well the device's clock is known;
// of what arrives later nobody can be sure. When a clip left the screen is told later.
func (o *opening) of(c stream.Chunk, until instant.Instant) stream.Chunk {
	outside := func(s stream.Sample) bool {
		return s.Arrival < o.since || s.At != 0 && s.At < o.since || until != 0 && s.Arrival > until
	}
	if o.screen[c.Stream] {
		outside = func(s stream.Sample) bool { return s.Arrival < o.since }
	}
	if slices.ContainsFunc(c.Samples, outside) {
		c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), outside)
	}
	if slices.ContainsFunc(c.Events, func(e stream.Event) bool { return e.At < o.since }) {
		c.Events = slices.DeleteFunc(slices.Clone(c.Events), func(e stream.Event) bool { return e.At < o.since })
	}
	return c
}

func newDesk(clock instant.Clock) *desk {
	d := &desk{clock: clock, deeds: make(chan deed), quiet: make(chan struct{}), shut: make(chan struct{}), gone: make(chan struct{})}
	d.close = sync.OnceValue(func() error {
		close(d.shut)
		<-d.gone
		return d.err
	})
	return d
}

// hush ends the recording of samples at this instant, and returns it. What is handed in
// is kept as before. Later calls change nothing.
func (d *desk) hush() instant.Instant {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.quiet:
	default:
		d.until = d.clock.Now()
		close(d.quiet)
	}
	return d.until
}

// recorded returns what of a chunk is recorded. With the lock that hush takes, what it
// passes on had arrived before the end.
func (d *desk) recorded(o *opening, c stream.Chunk) stream.Chunk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return o.of(c, d.until)
}

// note hands in an event of the marks while samples are recorded. It does not wait until
// it is written.
func (d *desk) note(e stream.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, e)
}

// noted takes the events that were handed in.
func (d *desk) noted() []stream.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.notes
	d.notes = nil
	return out
}

// waiting is how many chunks wait to be written.
func (d *desk) waiting() int {
	if q := d.queue.Load(); q != nil {
		return len(q.C())
	}
	return 0
}

// keep hands in what do writes, and returns when it is kept.
func (d *desk) keep(doing string, do func(ctx context.Context, rec Recorder) error) error {
	return d.open(doing, nil, do)
}

// open is keep; after it, samples are written too. The subscription of an opening that
// was handed in is closed by the writer, else by open.
func (d *desk) open(doing string, o *opening, do func(ctx context.Context, rec Recorder) error) error {
	kept := make(chan struct{})
	select {
	case d.deeds <- deed{doing, do, o, kept}:
	case <-d.gone:
		if o != nil {
			o.sub.Close()
		}
		return errDeaf
	}
	select {
	case <-kept:
		return nil
	case <-d.gone:
		select {
		case <-kept: // the writer has ended since
			return nil
		default:
			return errDeaf
		}
	}
}

// write carries what is handed in to the recorder, and chunks from the bus once the
// recording is open, one transaction per flushEvery or flushSamples. It ends when the desk
// is shut, or with the first error. Files of video are noted as they close, so that a
// killed process leaves none that nobody knows of. The subscription is closed when it
// returns: a failed writer must not hold up the lab.
func (d *desk) write(ctx context.Context, rec Recorder, closed func() []Video) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var o *opening                 // nil: not opened yet
	var chunks <-chan stream.Chunk // nil: none are written
	var batch []stream.Chunk
	samples := 0
	defer func() {
		d.queue.Store(nil)
		if o != nil {
			o.sub.Close()
		}
	}()
	flush := func() error {
		if notes := d.noted(); len(notes) > 0 && o != nil {
			batch = append(batch, stream.Chunk{Stream: MarksID, Events: notes})
		}
		if len(batch) == 0 {
			return nil
		}
		if err := timely(ctx, func(ctx context.Context) error { return rec.Append(ctx, batch) }); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		batch, samples = nil, 0
		return nil
	}
	quiet, shut := d.quiet, d.shut
	var over <-chan time.Time // when the tail has come in
	for {
		select {
		case c, more := <-chunks:
			if !more {
				chunks = nil
				break
			}
			c = d.recorded(o, c)
			batch = append(batch, c)
			samples += len(c.Samples)
			if samples < flushSamples {
				continue
			}
		case g := <-d.deeds:
			if g.opens != nil {
				o = g.opens // closed at the end, whatever becomes of it
			}
			if err := timely(ctx, func(ctx context.Context) error { return g.do(ctx, rec) }); err != nil {
				return fmt.Errorf("%s: %w", g.doing, err)
			}
			if g.opens != nil {
				d.queue.Store(o.sub)
				chunks, batch, quiet = o.sub.C(), o.first, d.quiet // hushed before: for the tail only
			}
			close(g.kept)
			continue
		case <-tick.C:
			for _, v := range closed() {
				if err := timely(ctx, func(ctx context.Context) error { return rec.Video(ctx, v) }); err != nil {
					return fmt.Errorf("note the video %s: %w", v.File, err)
				}
			}
		case <-quiet:
			quiet, over = nil, time.After(tail)
		case <-over:
			if o != nil {
				o.sub.Close() // what it still holds comes before the end
			}
			over = nil
		case <-shut:
			d.hush()
			shut = nil
		}
		if shut == nil && chunks == nil {
			return flush()
		}
		if err := flush(); err != nil {
			return err
		}
	}
}

// timely writes within stallLimit; later, the error is errStalled.
func timely(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stallLimit, errStalled)
	defer cancel()
	err := write(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
