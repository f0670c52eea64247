package face

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/expression"
	"emolab/fusion/instant"
	"emolab/fusion/landmark"
	"emolab/fusion/stream"
)

// deadline ends a test that waits for something which does not come.
const deadline = 30 * time.Second

// reel is a camera that sends the frames it was given, then ends with err; a
// nil err means that it stays on until it is switched off.
type reel struct {
	frames []frame.Frame
	err    error
	turn   <-chan struct{} // a token is taken before each frame, where set
	sent   chan<- struct{} // a token is left after each frame, where set; never full
	ended  chan<- struct{} // closed when Run has returned, where set
}

func (r reel) Run(ctx context.Context, out chan<- frame.Frame) error {
	if r.ended != nil {
		defer close(r.ended)
	}
	for _, f := range r.frames {
		if r.turn != nil {
			select {
			case <-r.turn:
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case out <- f:
		case <-ctx.Done():
			return nil
		}
		if r.sent != nil {
			r.sent <- struct{}{}
		}
	}
	if r.err == nil {
		<-ctx.Done()
	}
	return r.err
}

// frames returns one frame for each sequence number, 33 ms apart.
func frames(seqs ...int64) []frame.Frame {
	var f []frame.Frame
	for _, s := range seqs {
		at := instant.Instant(1e9).Add(time.Duration(s) * 33 * time.Millisecond)
		f = append(f, frame.Frame{Seq: s, At: at, Arrival: at.Add(5 * time.Millisecond)})
	}
	return f
}

// smile is an analysis that finds the same happy face everywhere.
func smile(frame.Frame) (Result, error) {
	r := Result{Found: true, Confidence: .9, Box: Rect{1, 2, 3, 4}, Expression: expression.Probabilities{expression.Happy: 1}}
	r.Valence, r.Arousal = expression.Affect(r.Expression)
	r.Landmarks[67] = landmark.Point{X: 5, Y: 6}
	return r, nil
}

func newTestSource(cam Camera, analyze func(frame.Frame) (Result, error), reopen func() (Camera, error)) *Source {
	s := NewSource(cam, new(Analyzer), "face", SourceInfo{Device: "reel", Rate: 30, Reopen: reopen}, new(instant.Hand))
	s.analyze = analyze
	s.reset = func() {}
	s.pause = time.Millisecond
	return s
}

// running is a source at work.
type running struct {
	t    *testing.T
	out  chan stream.Chunk
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, s *Source) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t, make(chan stream.Chunk), cancel, make(chan error, 1)}
	go func() { r.done <- s.Run(ctx, r.out) }()
	return r
}

// next waits for the next chunk.
func (r *running) next() stream.Chunk {
	r.t.Helper()
	select {
	case c := <-r.out:
		return c
	case err := <-r.done:
		r.t.Fatalf("Run returned early: %v", err)
	case <-time.After(deadline):
		r.t.Fatal("no chunk came")
	}
	panic("unreachable")
}

// end stops the source and waits until Run has returned.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("Run returned %v, want nil", err)
		}
	case <-time.After(deadline):
		r.t.Fatal("Run did not return after ctx ended")
	}
}

// gist writes a chunk's sample numbers and events in short.
func gist(c stream.Chunk) string {
	s := fmt.Sprintf("%d:", c.Epoch)
	for _, x := range c.Samples {
		s += fmt.Sprintf(" %d", x.Seq)
	}
	for _, e := range c.Events {
		s += fmt.Sprintf(" %s", e.Kind)
		if e.Count > 0 {
			s += fmt.Sprintf("(%d)", e.Count)
		}
	}
	return s
}

func TestSourceSendsOneSampleAFrame(t *testing.T) {
	// Frames 2 and 3 were lost by the camera. Each next frame waits for the
	// sample of the one before, so that none is skipped here.
	turn := make(chan struct{}, 1)
	r := start(t, newTestSource(reel{frames: frames(0, 1, 4), turn: turn}, smile, nil))
	for i, want := range []string{"0: 0 connected", "0: 1", "0: 4 lost(2)"} {
		turn <- struct{}{}
		c := r.next()
		if got := gist(c); got != want {
			t.Fatalf("chunk %d is %q, want %q", i, got, want)
		}
		f, x := frames(0, 1, 4)[i], c.Samples[0]
		if x.Tick != int64(f.At) || x.Arrival != f.Arrival || x.At != 0 || x.Err != 0 {
			t.Errorf("sample %d has tick %d, arrival %d, at %d, err %d", i, x.Tick, x.Arrival, x.At, x.Err)
		}
		for _, e := range c.Events {
			if e.Kind == stream.Lost && !strings.Contains(e.Detail, "before they reached") {
				t.Errorf("lost by the camera, but the event says %q", e.Detail)
			}
		}
	}
	r.end()
}

func TestSourceSkipsToTheNewestFrame(t *testing.T) {
	const count = 20
	var seqs []int64
	for i := range int64(count) {
		seqs = append(seqs, i)
	}
	sent := make(chan struct{}, count)
	began := make(chan struct{}, count)
	release := make(chan struct{})
	slow := func(f frame.Frame) (Result, error) {
		began <- struct{}{}
		<-release
		return smile(f)
	}
	r := start(t, newTestSource(reel{frames: frames(seqs...), sent: sent}, slow, nil))
	// The analysis holds a first frame until the camera has sent them all.
	<-began
	for range count {
		<-sent
	}
	close(release)

	first := r.next()
	held := first.Samples[0].Seq
	last := held
	var lost int64
	for _, e := range first.Events {
		if e.Kind == stream.Lost {
			lost += e.Count
		}
	}
	samples := int64(1)
	for last < count-1 {
		c := r.next()
		last = c.Samples[0].Seq
		samples++
		for _, e := range c.Events {
			if e.Kind == stream.Lost {
				lost += e.Count
				if !strings.Contains(e.Detail, "slower than the camera") {
					t.Errorf("skipped, but the event says %q", e.Detail)
				}
			}
		}
	}
	if samples > 2+waiting {
		t.Errorf("%d samples of %d frames came out: the queue grew", samples, count)
	}
	if samples+lost != count {
		t.Errorf("%d samples and %d lost, want %d together", samples, lost, count)
	}
	r.end()
}

func TestSourceFilmEnds(t *testing.T) {
	r := start(t, newTestSource(reel{frames: frames(0), err: io.EOF}, smile, nil))
	r.next()
	c := r.next()
	if got := gist(c); got != "0: disconnected" || c.Events[0].Detail != "the film is over" {
		t.Errorf("got %q, %+v", got, c.Events)
	}
	r.end()
}

func TestSourceReopens(t *testing.T) {
	unplugged := errors.New("webcam: /dev/video0: unplugged")
	attempts := 0
	reopen := func() (Camera, error) {
		attempts++
		if attempts < 3 {
			return nil, errors.New("webcam: no camera")
		}
		return reel{frames: frames(2)}, nil
	}
	s := newTestSource(reel{frames: frames(0), err: unplugged}, smile, reopen)
	var resets atomic.Int32
	s.reset = func() { resets.Add(1) }
	r := start(t, s)
	if got := gist(r.next()); got != "0: 0 connected" {
		t.Fatalf("first chunk is %q", got)
	}
	gone := r.next()
	if gist(gone) != "0: disconnected" || !strings.Contains(gone.Events[0].Detail, unplugged.Error()) {
		t.Errorf("after the unplugging: %q %+v", gist(gone), gone.Events)
	}
	away := r.next()
	if gist(away) != "0: disconnected" || away.Events[0].Detail != "webcam: no camera" {
		t.Errorf("while away: %q %+v", gist(away), away.Events)
	}
	// The new camera counts from 0 and lost two frames before its first.
	if got := gist(r.next()); got != "1: 3 connected lost(2)" {
		t.Errorf("after the return: %q", got)
	}
	if n := resets.Load(); n != 2 {
		t.Errorf("who was followed was forgotten %d times, want once for each opening", n)
	}
	r.end()
}

func TestSourceStopsWhileTheReaderIsAway(t *testing.T) {
	ended := make(chan struct{})
	sent := make(chan struct{}, 4)
	r := start(t, newTestSource(reel{frames: frames(0, 1, 2, 3), sent: sent, ended: ended}, smile, nil))
	<-sent // the sample of a frame is on its way, and nobody takes it
	r.end()
	select {
	case <-ended:
	default:
		t.Error("Run returned before its camera had ended")
	}
}

func TestSourceReportsUnreadableFramesOnceASecond(t *testing.T) {
	turn := make(chan struct{}, 1)
	analysed := make(chan struct{}, 1)
	broken := func(frame.Frame) (Result, error) {
		analysed <- struct{}{}
		return Result{}, errors.New("no picture")
	}
	r := start(t, newTestSource(reel{frames: frames(0, 1, 2, 40), turn: turn}, broken, nil))
	turn <- struct{}{}
	<-analysed
	if got := gist(r.next()); got != "0: connected fault(1)" {
		t.Errorf("first: %q", got)
	}
	for range 3 {
		turn <- struct{}{}
		<-analysed
	}
	if got := gist(r.next()); got != "0: lost(37) fault(3)" {
		t.Errorf("second: %q", got)
	}
	r.end()
}

func TestSourceReportsTheLastUnreadableFrames(t *testing.T) {
	broken := func(frame.Frame) (Result, error) { return Result{}, errors.New("no picture") }
	turn := make(chan struct{}, 3)
	r := start(t, newTestSource(reel{frames: frames(0, 1), turn: turn, err: io.EOF}, broken, nil))
	for _, want := range []string{"0: connected fault(1)", "0: fault(1)", "0: disconnected"} {
		turn <- struct{}{}
		if got := gist(r.next()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r.end()
}

// What the stream says of its clock is what the camera's stamps are.
func TestSourceStatesItsClock(t *testing.T) {
	shift := &stream.Shift{By: -40 * time.Millisecond, Within: 5 * time.Millisecond}
	for name, tc := range map[string]struct {
		given SourceInfo
		want  stream.ClockKind
	}{
		"unsaid":  {SourceInfo{}, stream.HostClock},
		"host":    {SourceInfo{Clock: stream.HostClock}, stream.HostClock},
		"arrival": {SourceInfo{Clock: stream.ArrivalClock, Shift: shift}, stream.ArrivalClock},
	} {
		info := NewSource(reel{}, new(Analyzer), "face", tc.given, new(instant.Hand)).Info()[0]
		if info.Clock != tc.want || info.TickHz != 1e9 || info.Shift != tc.given.Shift {
			t.Errorf("%s: clock %q of %v Hz, shift %v", name, info.Clock, info.TickHz, info.Shift)
		}
	}
}

// A camera that delivers nothing for a while still says why.
func TestSourcePassesOnWhatTheCameraSays(t *testing.T) {
	events := make(chan stream.Event, 2)
	turn := make(chan struct{}, 1)
	s := newTestSource(reel{frames: frames(0), turn: turn, err: io.EOF}, smile, nil)
	s.events = events
	r := start(t, s)
	events <- stream.Event{Kind: stream.Fault, At: 7, Count: 3, Detail: "no stamp"}
	if c := r.next(); gist(c) != "0: fault(3)" || c.Events[0].At != 7 {
		t.Errorf("got %q, %+v", gist(c), c.Events)
	}
	turn <- struct{}{}
	if got := gist(r.next()); got != "0: 0 connected" {
		t.Errorf("got %q", got)
	}
	r.next() // disconnected
	r.end()
}

func TestValuesFollowChannels(t *testing.T) {
	info := stream.Info{Channels: Channels()}
	if len(info.Channels) != valueCount {
		t.Fatalf("%d channels, %d values", len(info.Channels), valueCount)
	}
	seen := map[string]bool{}
	for _, c := range info.Channels {
		if seen[c.Name] || c.Unit == "" || c.Note == "" {
			t.Errorf("channel %+v is listed twice or not described", c)
		}
		seen[c.Name] = true
	}
	r, _ := smile(frame.Frame{})
	v := r.Values()
	for name, want := range map[string]float64{
		"face_found": 1, "face_confidence": .9, "box_x_px": 1, "box_y_px": 2, "box_w_px": 3, "box_h_px": 4,
		"p_neutral": 0, "p_happy": 1, "p_surprised": 0, "valence": .87, "arousal": .38,
		"lm00_x_px": 0, "lm67_x_px": 5, "lm67_y_px": 6,
	} {
		k := info.Index(name)
		if k < 0 {
			t.Errorf("no channel %s", name)
		} else if v[k] != want {
			t.Errorf("%s is %v, want %v", name, v[k], want)
		}
	}
	nobody := Result{Faces: 1, FrameW: 640, FrameH: 480, View: View{LumaAround: 99}}
	known := map[string]float64{"face_found": 0, "faces": 1, "frame_w_px": 640, "frame_h_px": 480, "luma_around": 99}
	for i, x := range nobody.Values() {
		name := info.Channels[i].Name
		if want, ok := known[name]; ok && x != want || !ok && !math.IsNaN(x) {
			t.Errorf("without a face %s is %v", name, x)
		}
	}
}

// A camera with a clock of its own: its ticks are delivered, and what was asked of it.
func TestACameraWithAClockOfItsOwn(t *testing.T) {
	probes := make(chan stream.Probe, 2)
	probes <- stream.Probe{T0: 1} // of the clock of a camera before
	shots := frames(0, 1)
	for i := range shots {
		shots[i].Tick = int64(7000 + i)
	}
	turn := make(chan struct{}, 1)
	var seen []int64
	s := NewSource(reel{frames: shots, turn: turn}, new(Analyzer), "face", SourceInfo{
		Device: "reel", Clock: stream.PingedClock, TickHz: 1000, Probes: probes,
		Seen: func(f frame.Frame, r Result) {
			if !r.Found {
				t.Error("a frame was shown without what was found in it")
			}
			seen = append(seen, f.Tick)
		},
	}, new(instant.Hand))
	s.analyze, s.reset = smile, func() {}
	if info := s.Info()[0]; info.Clock != stream.PingedClock || info.TickHz != 1000 {
		t.Errorf("the stream's clock is %s of %v Hz", info.Clock, info.TickHz)
	}
	run := start(t, s)
	turn <- struct{}{}
	if c := run.next(); len(c.Samples) != 1 || c.Samples[0].Tick != 7000 || len(c.Probes) != 0 {
		t.Errorf("first came %+v", c)
	}
	probes <- stream.Probe{T0: 2}
	if c := run.next(); len(c.Probes) != 1 || c.Probes[0].T0 != 2 || len(c.Samples) != 0 {
		t.Errorf("then came %+v, want the probe that was made since", c)
	}
	turn <- struct{}{}
	if c := run.next(); len(c.Samples) != 1 || c.Samples[0].Tick != 7001 {
		t.Errorf("last came %+v", c)
	}
	run.end()
	if len(seen) != 2 || seen[0] != 7000 || seen[1] != 7001 {
		t.Errorf("shown were the frames of ticks %v", seen)
	}
}
