package face

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Camera delivers frames: a webcam, a film, the virtual participant's portrait.
// Run blocks until ctx ends (nil), the film is over (io.EOF) or the camera has
// gone (another error), and has then released the device.
type Camera interface {
	Run(ctx context.Context, out chan<- frame.Frame) error
}

// SourceInfo is what a Source says of its camera.
type SourceInfo struct {
	Device    string  // the camera's model
	Port      string  // its device file, film or address
	Rate      float64 // nominal frames per second; 0 = unknown
	Simulated bool    // true for the virtual participant
	// Clock says what the frames' instants are: HostClock ("" is the same) of
	// when they were taken, ArrivalClock of when they had come. With PingedClock
	// their Ticks are delivered, TickHz a second, and Probes relate them to the lab's.
	Clock  stream.ClockKind
	TickHz float64
	Probes <-chan stream.Probe // never closed; what waits in it when a camera is opened is of another clock
	// Shift is the camera's measured latency; nil = not measured.
	Shift *stream.Shift
	// Events, where set, is what the camera says of itself while it runs. It is
	// passed on as events of the stream, and never closed.
	Events <-chan stream.Event
	// Seen, where set, is shown every frame that was analysed, with what was found in
	// it. It must not wait: the next frame does not come before it has returned.
	Seen func(frame.Frame, Result)

	// Reopen opens the camera again after it went away. A camera about which the
	// fields above would not be true is an error. nil means that it does not come
	// back, as a film does not.
	Reopen func() (Camera, error)
}

const (
	// reopenPause is how long a camera that went away is left alone before it
	// is looked for again: soon enough for the person who plugs it in, and no
	// burden on a camera that is starting up.
	reopenPause = 2 * time.Second
	// waiting is how many frames may wait for the analysis: enough to bridge a
	// slow moment of 60 ms at 30 frames a second without a loss. Under a lasting
	// overload it bounds the delay to three frames' analysis.
	waiting = 2
)

// Source is a camera with the analysis behind it, as a stream of one sample a
// frame. Its ticks are the instants that the camera gives its frames, or those of the
// camera's own clock.
type Source struct {
	info    stream.Info
	reopen  func() (Camera, error)
	camera  Camera
	events  <-chan stream.Event
	probes  <-chan stream.Probe
	seen    func(frame.Frame, Result)
	analyze func(frame.Frame) (Result, error)
	reset   func() // forgets the frames before
	clock   instant.Clock
	pause   time.Duration
}

// NewSource returns the stream id of the faces that an finds in cam's frames.
// The caller closes an after Run has returned.
func NewSource(cam Camera, an *Analyzer, id string, info SourceInfo, clock instant.Clock) *Source {
	clockKind := info.Clock
	if clockKind == "" {
		clockKind = stream.HostClock
	}
	tickHz := 1e9 // instants
	if clockKind == stream.PingedClock {
		tickHz = info.TickHz
	}
	return &Source{
		info: stream.Info{
			ID: id, Kind: stream.Face,
			Device: info.Device, Port: info.Port, Model: an.Models(),
			Clock: clockKind, TickHz: tickHz, Rate: info.Rate,
			Channels:  Channels(),
			Simulated: info.Simulated,
			Shift:     info.Shift,
		},
		events:  info.Events,
		probes:  info.Probes,
		seen:    info.Seen,
		reopen:  info.Reopen,
		camera:  cam,
		analyze: an.Analyze,
		reset:   an.Reset,
		clock:   clock,
		pause:   reopenPause,
	}
}

// Info describes the one stream of the source.
func (s *Source) Info() []stream.Info { return []stream.Info{s.info} }

// Run analyses frames and delivers one sample each until ctx ends. When the
// analysis is slower than the camera the newest frames win; those skipped, and
// those that the camera lost, are Lost events. A camera that ends or fails is a
// Disconnected event, after which it is opened again where that is possible.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var (
		camera = s.camera
		epoch  int
		seq    int64 // of the next sample
	)
	for {
		var err error
		if seq, err = s.play(ctx, camera, epoch, seq, out); ctx.Err() != nil {
			return nil
		}
		if !s.say(ctx, out, epoch, s.words(err)) {
			return nil
		}
		if s.reopen == nil {
			<-ctx.Done()
			return nil
		}
		if camera = s.await(ctx, epoch, out); camera == nil {
			return nil
		}
		epoch++
	}
}

// say delivers that the camera is away, and why; false when ctx ended first.
func (s *Source) say(ctx context.Context, out chan<- stream.Chunk, epoch int, why string) bool {
	return stream.Send(ctx, out, stream.Chunk{Stream: s.info.ID, Epoch: epoch, Events: []stream.Event{{
		Kind: stream.Disconnected, At: s.clock.Now(), Detail: why,
	}}})
}

// words says why the camera stopped, and what follows.
func (s *Source) words(err error) string {
	what := "the camera stopped without a reason"
	switch {
	case errors.Is(err, io.EOF):
		what = "the film is over"
	case err != nil:
		what = err.Error()
	}
	if s.reopen != nil {
		what += fmt.Sprintf("; looking for it every %v", s.pause)
	}
	return what
}

// await opens the camera again; nil when ctx ended first. Why it cannot be
// opened is delivered once, and again when the reason changes.
func (s *Source) await(ctx context.Context, epoch int, out chan<- stream.Chunk) Camera {
	pause := time.NewTicker(s.pause)
	defer pause.Stop()
	var said string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		camera, err := s.reopen()
		if err == nil {
			return camera
		}
		if why := err.Error(); why != said {
			if !s.say(ctx, out, epoch, why) {
				return nil
			}
			said = why
		}
	}
}

// queued is a frame that waits, with the number of frames thrown away in favour
// of newer ones since the camera began.
type queued struct {
	frame   frame.Frame
	skipped int64
}

// play runs one camera to its end and returns the number of the next sample and
// why the camera stopped. first is the number of its first frame. Whoever was
// followed before the camera was opened may have moved since, and so has perhaps
// the camera: the face is searched for anew.
func (s *Source) play(ctx context.Context, camera Camera, epoch int, first int64, out chan<- stream.Chunk) (next int64, err error) {
	s.reset()
	s.forgetProbes()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	frames := make(chan frame.Frame)
	queue := make(chan queued, waiting)
	var cameraErr error
	go func() {
		cameraErr = camera.Run(ctx, frames)
		close(frames)
	}()
	go func() {
		keepNewest(frames, queue)
		close(queue)
	}()
	// The queue closes after the camera has ended, so having drained it means
	// having waited for both goroutines, and cameraErr may be read.
	defer func() {
		stop()
		for range queue {
		}
		if err == nil {
			err = cameraErr
		}
	}()

	c := course{source: s, first: first, next: first}
	for running := true; running; {
		chunk := stream.Chunk{Stream: s.info.ID, Epoch: epoch}
		select {
		case e := <-s.events:
			chunk.Events = []stream.Event{e}
		case p := <-s.probes:
			chunk.Probes = []stream.Probe{p}
		case q, ok := <-queue:
			if ok {
				chunk.Samples, chunk.Events = c.take(q)
				break
			}
			running = false
			chunk.Events = c.unread.flush(s.said(), s.clock.Now())
		}
		if len(chunk.Samples)+len(chunk.Events)+len(chunk.Probes) > 0 && !stream.Send(ctx, out, chunk) {
			break
		}
	}
	return c.next, nil
}

// course is how far the frames of one camera have come.
type course struct {
	source  *Source
	first   int64 // number of the camera's first frame
	next    int64 // number of the next sample
	skipped int64 // frames thrown away in favour of newer ones so far
	unread  faults
}

// take analyses a frame: its sample, if it could be, and what is to be said.
func (c *course) take(q queued) (samples []stream.Sample, events []stream.Event) {
	seq := c.first + q.frame.Seq
	if c.next == c.first {
		events = append(events, stream.Event{Kind: stream.Connected, At: q.frame.Arrival, Detail: c.source.info.Device})
	}
	if lost := seq - c.next; lost > 0 {
		events = append(events, stream.Event{
			Kind: stream.Lost, At: q.frame.Arrival, Count: lost,
			Detail: lostWords(lost, q.skipped-c.skipped),
		})
	}
	c.skipped, c.next = q.skipped, seq+1
	if r, err := c.source.analyze(q.frame); err != nil {
		c.unread.add(err)
	} else {
		samples = []stream.Sample{{Seq: seq, Tick: c.source.tick(q.frame), Arrival: q.frame.Arrival, Values: r.Values()}}
		if c.source.seen != nil {
			c.source.seen(q.frame, r)
		}
	}
	return samples, c.unread.report(events, q.frame.Arrival)
}

// tick is a frame's capture instant on the clock that the stream names.
func (s *Source) tick(f frame.Frame) int64 {
	if s.info.Clock == stream.PingedClock {
		return f.Tick
	}
	return int64(f.At)
}

// forgetProbes throws away what was asked of the clock of the camera before.
func (s *Source) forgetProbes() {
	for {
		select {
		case <-s.probes:
		default:
			return
		}
	}
}

// said is what the camera has said of itself and nobody has passed on yet.
func (s *Source) said() []stream.Event {
	var events []stream.Event
	for {
		select {
		case e := <-s.events:
			events = append(events, e)
		default:
			return events
		}
	}
}

// faults counts frames that could not be analysed, to report them once a second.
type faults struct {
	count    int64
	last     error
	reported instant.Instant
}

func (f *faults) add(err error) {
	f.count++
	f.last = err
}

// report appends what there is to report at the instant now to events.
func (f *faults) report(events []stream.Event, now instant.Instant) []stream.Event {
	if f.reported != 0 && now.Sub(f.reported) < time.Second {
		return events
	}
	return f.flush(events, now)
}

// flush appends what there is to report, however soon after the last time.
func (f *faults) flush(events []stream.Event, now instant.Instant) []stream.Event {
	if f.count == 0 {
		return events
	}
	events = append(events, stream.Event{Kind: stream.Fault, At: now, Count: f.count, Detail: f.last.Error()})
	f.count, f.reported = 0, now
	return events
}

// lostWords says where lost frames went.
func lostWords(lost, skipped int64) string {
	switch {
	case skipped >= lost:
		return "camera frames skipped, because the analysis is slower than the camera"
	case skipped == 0:
		return "camera frames lost before they reached the program"
	}
	return fmt.Sprintf("camera frames lost: %d skipped, because the analysis is slower than the camera, the others before they reached the program", skipped)
}

// keepNewest passes frames on until they end. It never waits for the reader of
// queue: a full queue gives up its oldest frame.
func keepNewest(frames <-chan frame.Frame, queue chan queued) {
	var skipped int64
	for f := range frames {
		for sent := false; !sent; {
			select {
			case queue <- queued{f, skipped}:
				sent = true
			default:
				select {
				case <-queue:
					skipped++
				default: // the reader was faster
				}
			}
		}
	}
}
