package session

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"emolab/calibration/gaze"
	"emolab/calibration/neutral"
	"emolab/fusion/align"
	"emolab/fusion/bus"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// inbox is how many chunks may wait between the sources and the alignment.
// Each holds what one read brought, so this is about a second of all devices.
const inbox = 64

// Lab is the running devices: it puts what the sources deliver on the lab
// clock, joins it into live trace rows, and publishes both on one bus. It runs
// for as long as the program, whether a session records or not.
type Lab struct {
	clock   instant.Clock
	sources []stream.Source
	streams []stream.Info
	bus     *bus.Bus

	live  map[string]*align.Live // one a stream; used by pump only
	trace *trace.Live            // used by pump only
	rest  neutral.Live           // used by pump only: the participant's neutral face
	vigil *vigil                 // used by pump only; nil where the clock is no host's

	newPerson  atomic.Bool                      // another participant sits down: pump forgets the face
	correction atomic.Pointer[trace.Correction] // of the gaze, from the next chunk on; nil: as it was

	mu     sync.Mutex
	meters map[string]*meter
	eyes   *watcher // nil before Watch, and without an eye tracker
	sleeps []sleep  // of the computer, while the lab ran
}

// NewLab makes a lab of sources. Two streams with one id are an error. A clock that
// can be compared with the others of its host, as instant.Monotonic can (Read), is
// watched for sleeps of the computer and for steps of its wall clock.
func NewLab(clock instant.Clock, sources ...stream.Source) (*Lab, error) {
	l := &Lab{
		clock: clock, sources: sources, bus: bus.New(),
		live:   map[string]*align.Live{},
		meters: map[string]*meter{},
	}
	for _, s := range sources {
		for _, info := range s.Info() {
			if err := l.vacant(info); err != nil {
				return nil, err
			}
			l.streams = append(l.streams, info)
			l.live[info.ID] = align.NewLive(info)
			l.meters[info.ID] = newMeter(info)
		}
	}
	if host, ok := clock.(hostClock); ok {
		l.vigil = newVigil(host, l.streams)
	}
	l.trace = trace.NewLive(l.streams)
	l.streams = append(l.streams, trace.Info())
	return l, nil
}

// vacant refuses a stream whose id is taken.
func (l *Lab) vacant(info stream.Info) error {
	if info.ID == trace.ID {
		return fmt.Errorf("the stream id %q of %s is that of the joined trace: give the device another id in lab.yaml", info.ID, deviceOf(info))
	}
	if info.ID == MarksID {
		return fmt.Errorf("the stream id %q of %s is that of the marks: give the device another id in lab.yaml", info.ID, deviceOf(info))
	}
	for _, other := range l.streams {
		if other.ID == info.ID {
			return fmt.Errorf("two devices want the stream id %q: %s and %s; give one of them another id in lab.yaml", info.ID, deviceOf(other), deviceOf(info))
		}
	}
	return nil
}

// deviceOf says which device a stream comes from.
func deviceOf(info stream.Info) string {
	switch {
	case info.Serial != "":
		return fmt.Sprintf("%s (serial %s)", info.Device, info.Serial)
	case info.Port != "":
		return fmt.Sprintf("%s (%s)", info.Device, info.Port)
	}
	return info.Device
}

// Streams lists what the lab delivers, the live trace last.
func (l *Lab) Streams() []stream.Info { return l.streams }

// Bus is where aligned chunks are published.
func (l *Lab) Bus() *bus.Bus { return l.bus }

// Health tells how each stream is doing now.
func (l *Lab) Health() []Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sortedHealth(l.streams, l.meters, l.clock.Now())
}

// absent says of each stream whose device is not there that it is gone, since the
// instant at which a session begins: what the session records of the device would
// otherwise begin with its return, or be nothing at all.
func (l *Lab) absent(since instant.Instant) []stream.Chunk {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []stream.Chunk
	for _, info := range l.streams {
		m := l.meters[info.ID]
		if m == nil || m.health.Connected {
			continue
		}
		why := "not there when the segment began"
		if m.health.Remark != "" {
			why += ": " + m.health.Remark
		}
		out = append(out, stream.Chunk{Stream: info.ID, Events: []stream.Event{{Kind: stream.Disconnected, At: since, Detail: why}}})
	}
	return out
}

// Run runs all sources until ctx ends and they have returned; then it closes
// the bus. A source that gives up does not end the others: it shows as
// disconnected, with its reason. One that delivers what it has not announced
// ends them all, and is the error.
func (l *Lab) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	in := make(chan stream.Chunk, inbox)
	var sources sync.WaitGroup
	for _, s := range l.sources {
		sources.Go(func() {
			if err := s.Run(ctx, in); err != nil && ctx.Err() == nil {
				for _, info := range s.Info() {
					stream.Send(ctx, in, stream.Chunk{Stream: info.ID, Events: []stream.Event{
						{Kind: stream.Disconnected, At: l.clock.Now(), Detail: err.Error()}}})
				}
			}
		})
	}
	go func() {
		sources.Wait()
		close(in)
	}()
	defer l.bus.Close()
	var failure error
	for c := range in {
		if err := l.pump(ctx, c); err != nil && ctx.Err() == nil {
			failure = fmt.Errorf("publish %s: %w", c.Stream, err)
			stop()
		}
	}
	return failure
}

// pump takes in one chunk of a source.
func (l *Lab) pump(ctx context.Context, c stream.Chunk) error {
	if _, ok := l.live[c.Stream]; !ok {
		return fmt.Errorf("no stream %q was announced", c.Stream)
	}
	if l.vigil == nil {
		return l.carry(ctx, c)
	}
	if err := l.wake(ctx); err != nil {
		return err
	}
	for _, part := range l.vigil.runs[c.Stream].split(c) {
		if err := l.carry(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// wake looks whether the computer slept, or its wall clock was set, and tells the
// streams.
func (l *Lab) wake(ctx context.Context) error {
	slept, set := l.vigil.look()
	for i, info := range l.streams {
		run := l.vigil.runs[info.ID]
		if run == nil {
			continue // the trace
		}
		c := stream.Chunk{Stream: info.ID, Epoch: run.present()}
		if slept != nil {
			c.Events = slept.events(l.connected(info.ID))
		}
		if set != 0 && i == 0 { // once, wherever it stands
			c.Events = append(c.Events, stream.Event{Kind: stream.Marker, At: l.vigil.latest.At, Detail: wallSet(set)})
		}
		if len(c.Events) == 0 {
			continue
		}
		if err := l.carry(ctx, c); err != nil {
			return err
		}
	}
	if slept != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sleeps = append(l.sleeps[max(0, len(l.sleeps)+1-keptSleeps):], *slept)
	}
	return nil
}

// connected tells whether a stream's device is there.
func (l *Lab) connected(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meters[id].health.Connected
}

// slept returns how long the computer has slept since an instant.
func (l *Lab) slept(since instant.Instant) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum time.Duration
	for _, s := range l.sleeps {
		if s.until >= since {
			sum += s.length
		}
	}
	return sum
}

// carry takes one chunk along the line: align, publish, trace, publish.
func (l *Lab) carry(ctx context.Context, c stream.Chunk) error {
	live := l.live[c.Stream]
	c = live.Align(c)
	l.measure(c, live)
	if err := l.bus.Publish(ctx, c); err != nil {
		return err
	}
	person, correction := l.newPerson.Swap(false), l.correction.Swap(nil)
	if person {
		l.rest.Reset()
		l.trace.NewPerson()
	}
	if correction != nil {
		l.trace.SetGaze(*correction)
	}
	l.watch(c, person, correction)
	rows := l.trace.Add(c)
	if len(rows) == 0 {
		return nil
	}
	l.see(c.Stream)
	l.calibrate()
	return l.bus.Publish(ctx, stream.Chunk{Stream: trace.ID, Samples: rows})
}

// watch follows the eyes.
func (l *Lab) watch(c stream.Chunk, person bool, correction *trace.Correction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.eyes == nil {
		return
	}
	if person {
		l.eyes.newPerson()
	}
	if correction != nil {
		l.eyes.correct = *correction
	}
	if c.Stream == l.eyes.stream {
		l.eyes.add(c.Samples)
	}
}

// Watch says on which screen the first eye tracker's gaze is to be followed (Eyes).
// It may be called from any goroutine.
func (l *Lab) Watch(screen eyemovement.Screen) {
	info, ok := l.first(stream.Gaze)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.eyes = newWatcher(info, screen)
}

// Contact says which skin conductance, in µS, a good contact gives. It may be called from
// any goroutine.
func (l *Lab) Contact(lowest, highest float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.meters {
		if us := m.health.Info.Index("eda_us"); us >= 0 && highest > 0 {
			// No contact at all is said otherwise.
			m.outside = func(v []float64) bool { return v[us] > 0 && v[us] < lowest || v[us] > highest }
		}
	}
}

// Eyes tells what the eyes do; nil where nobody watches or no eye tracker is.
func (l *Lab) Eyes() *Eyes {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.eyes == nil {
		return nil
	}
	return l.eyes.read(l.clock.Now())
}

// see tells the camera's meter how well it saw the faces that the trace has just
// measured.
func (l *Lab) see(camera string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meters[camera].see(l.trace.Measured())
}

// calibrate looks for the participant's neutral face in what the trace has just
// measured. The rows that come next are told from it.
func (l *Lab) calibrate() {
	for _, m := range l.trace.Measured() {
		if f := l.rest.Add(m); f != nil {
			l.trace.SetNeutral(&f.Neutral)
		}
	}
}

// NewPerson says that another participant sits down: what was learnt of the
// face before (how it looks at rest, how far its eyes open), and the correction of
// the gaze, are forgotten from the next chunk on. It may be called from any goroutine.
func (l *Lab) NewPerson() {
	l.correction.Store(nil) // that of the one before, if no chunk has come since
	l.newPerson.Store(true)
}

// recount counts fixations anew: those of before the recording are none of its own.
func (l *Lab) recount() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.eyes != nil {
		l.eyes.recount()
	}
}

// SetGaze says what the live trace corrects the gaze with from the next chunk on; nil
// = nothing. It may be called from any goroutine.
func (l *Lab) SetGaze(c *gaze.Calibration) {
	var correct trace.Correction
	if c != nil {
		correct = c.Apply
	}
	l.correction.Store(&correct)
}

// first returns the lab's first stream of a kind.
func (l *Lab) first(kind stream.Kind) (stream.Info, bool) {
	for _, info := range l.streams {
		if info.Kind == kind {
			return info, true
		}
	}
	return stream.Info{}, false
}

func (l *Lab) measure(c stream.Chunk, live *align.Live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.meters[c.Stream]
	m.add(c)
	m.health.Clock = live.Statement()
}
