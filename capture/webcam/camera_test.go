package webcam

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// deadline ends a test that waits for something which does not come.
const deadline = 30 * time.Second

// take is what a fakeSource gives at one grab: a picture of one pixel, or none.
type take struct {
	at     time.Duration // the clock's hand is put here first
	stamp  time.Duration // as CAP_PROP_POS_MSEC
	colour byte
	none   bool
}

// fakeSource plays takes. After the last it waits until it is closed to its
// reader's ctx (hold), or has no more pictures.
type fakeSource struct {
	takes   []take
	hand    *instant.Hand
	turn    <-chan struct{} // a token is taken before each grab, where set
	hold    <-chan struct{} // awaited after the last take, where set
	next    int
	rewinds int
	closes  int
}

func (s *fakeSource) grab() (picture, bool, error) {
	if s.turn != nil {
		<-s.turn
	}
	if s.next == len(s.takes) {
		if s.hold != nil {
			<-s.hold
		}
		s.hand.Advance(retryPause)
		return picture{}, false, nil
	}
	t := s.takes[s.next]
	s.next++
	if d := instant.Instant(t.at).Sub(s.hand.Now()); d > 0 {
		s.hand.Advance(d)
	}
	if t.none {
		return picture{}, false, nil
	}
	return picture{1, 1, []byte{t.colour, 0, 0}, t.stamp.Seconds() * 1000}, true, nil
}

func (s *fakeSource) rewind() error { s.next = 0; s.rewinds++; return nil }
func (s *fakeSource) close() error  { s.closes++; return nil }

// collect runs c, whose consumer is quick, and returns its frames and Run's answer.
func collect(t *testing.T, c *Camera, atMost int) ([]frame.Frame, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	var got []frame.Frame
	for {
		select {
		case f := <-out:
			if got = append(got, f); len(got) == atMost {
				cancel()
			}
		case err := <-done:
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Fatalf("the camera did not end; %d frames came", len(got))
			}
			return got, err
		}
	}
}

func seqs(frames []frame.Frame) []int64 {
	var s []int64
	for _, f := range frames {
		s = append(s, f.Seq)
	}
	return s
}

// ms is a shorthand of the tables below.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestDriverStampsAreCaptureInstants(t *testing.T) {
	hand := new(instant.Hand)
	turn := make(chan struct{}, 1)
	s := &fakeSource{hand: hand, turn: turn}
	for i := range 12 {
		// Every 33 ms, grabbed 20 ms later; after the tenth, two are missing.
		k := i
		if i >= 10 {
			k += 2
		}
		s.takes = append(s.takes, take{at: ms(1000 + 33*k + 20), stamp: ms(1000 + 33*k), colour: byte(i)})
	}
	// One picture at a time, so that the queue never has to give one up.
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	c := newCamera(Options{}, Description{Kind: Device, Port: "/dev/video-test", Stamps: DriverStamps}, s, hand)
	go func() { done <- c.Run(t.Context(), out) }()
	var got []frame.Frame
	for range s.takes {
		turn <- struct{}{}
		got = append(got, receive(t, out))
	}
	for i, f := range got {
		if want := instant.Instant(s.takes[i].stamp); f.At != want || f.Arrival.Sub(f.At) != ms(20) {
			t.Errorf("frame %d: at %d, arrival %d, want %d and 20 ms later", i, f.At, f.Arrival, want)
		}
	}
	if want := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13}; !slices.Equal(seqs(got), want) {
		t.Errorf("numbers %v, want %v", seqs(got), want)
	}
	if n, want := c.Counts(), (Counts{Frames: 12, Dropped: 2}); n != want {
		t.Errorf("counts %+v, want %+v", n, want)
	}
	// The device file does not exist, so a failed grab means gone.
	turn <- struct{}{}
	if err := wait(t, done); !errors.Is(err, ErrGone) {
		t.Errorf("Run returned %v, want ErrGone", err)
	}
	if s.closes != 1 {
		t.Errorf("the device was closed %d times", s.closes)
	}
}

func receive(t *testing.T, out <-chan frame.Frame) frame.Frame {
	t.Helper()
	select {
	case f := <-out:
		return f
	case <-time.After(deadline):
		t.Fatal("no frame came")
		panic("unreachable")
	}
}

func wait(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(deadline):
		t.Fatal("Run did not return")
		panic("unreachable")
	}
}

func TestRepeatedPicturesAreCounted(t *testing.T) {
	hand := new(instant.Hand)
	turn := make(chan struct{}, 8)
	s := &fakeSource{hand: hand, turn: turn, takes: []take{
		{at: ms(1000), stamp: ms(1000), colour: 1},
		{at: ms(1010), stamp: ms(1000), colour: 1}, // the same buffer again
		{at: ms(1033), stamp: ms(1033), colour: 1}, // a new one, with the same picture
	}}
	c := newCamera(Options{}, Description{Kind: Device, Port: "/dev/video-test", Stamps: DriverStamps}, s, hand)
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context(), out) }()
	turn <- struct{}{}
	first := receive(t, out)
	turn <- struct{}{}
	turn <- struct{}{}
	second := receive(t, out)
	if first.Seq != 0 || second.Seq != 1 || second.At != instant.Instant(ms(1033)) {
		t.Errorf("frames %d and %d, the second at %d", first.Seq, second.Seq, second.At)
	}
	turn <- struct{}{}
	wait(t, done)
	if n, want := c.Counts(), (Counts{Frames: 2, Repeated: 2}); n != want {
		t.Errorf("counts %+v, want %+v", n, want)
	}
}

func TestSlowConsumerDoesNotHoldUpTheDevice(t *testing.T) {
	hand := new(instant.Hand)
	const count = 50
	hold, reached := make(chan struct{}), make(chan struct{})
	s := &fakeSource{hand: hand, hold: hold}
	for i := range count {
		s.takes = append(s.takes, take{at: ms(1000 + 33*i), stamp: ms(1000 + 33*i), colour: byte(i)})
	}
	// Nobody takes a frame until the device has given them all.
	c := newCamera(Options{}, Description{Kind: Device, Port: "/dev/video-test", Stamps: DriverStamps},
		signalling{s, reached}, hand)
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context(), out) }()
	select {
	case <-reached:
	case <-time.After(deadline):
		t.Fatal("the device was held up")
	}
	var got []frame.Frame
	for len(got) == 0 || got[len(got)-1].Seq < count-1 {
		got = append(got, receive(t, out))
	}
	if len(got) > queueDepth+1 {
		t.Errorf("%d frames had waited: %v", len(got), seqs(got))
	}
	close(hold)
	wait(t, done)
	if n := c.Counts(); n.Frames+n.Dropped != count {
		t.Errorf("counts %+v do not add up to %d", n, count)
	}
}

// signalling closes reached when its source has given all its takes.
type signalling struct {
	*fakeSource
	reached chan struct{}
}

func (s signalling) grab() (picture, bool, error) {
	if s.next == len(s.takes) {
		select {
		case <-s.reached:
		default:
			close(s.reached)
		}
	}
	return s.fakeSource.grab()
}

func TestUnreadablePicturesAreSurvived(t *testing.T) {
	hand := new(instant.Hand)
	s := &fakeSource{hand: hand, takes: []take{
		{at: ms(900), colour: 9}, // awaited, to know that nothing was held back
		{at: ms(1000), colour: 1}, {none: true}, {none: true}, {at: ms(1100), colour: 2},
	}}
	c := newCamera(Options{}, Description{Kind: Address, Stamps: ArrivalStamps}, s, hand)
	got, err := collect(t, c, 0)
	if !errors.Is(err, ErrGone) {
		t.Errorf("Run returned %v, want ErrGone after %v without a picture", err, patience)
	}
	if len(got) != 2 {
		t.Errorf("%d frames, want 2", len(got))
	}
}

// A picture that cannot be read leaves a gap in the driver's stamps. It is one
// lost frame, not two.
func TestUnreadablePictureOfADeviceIsCountedOnce(t *testing.T) {
	hand := new(instant.Hand)
	turn := make(chan struct{}, 2)
	s := &fakeSource{hand: hand, turn: turn}
	for i := range 12 {
		at := ms(1000 + 33*i)
		s.takes = append(s.takes, take{at: at, stamp: at, colour: byte(i), none: i == 10})
	}
	c := newCamera(Options{}, Description{Kind: Address, Stamps: DriverStamps}, s, hand)
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- c.Run(ctx, out) }()
	var last frame.Frame
	for i := range s.takes {
		turn <- struct{}{}
		if i != 10 {
			last = receive(t, out)
		}
	}
	cancel()
	turn <- struct{}{}
	if err := wait(t, done); err != nil {
		t.Error(err)
	}
	if n, want := c.Counts(), (Counts{Frames: 11, Dropped: 1}); n != want || last.Seq != 11 {
		t.Errorf("counts %+v, want %+v; last frame %d, want 11", n, want, last.Seq)
	}
}

func TestUnpacedFileLosesNothing(t *testing.T) {
	hand := new(instant.Hand)
	s := &fakeSource{hand: hand}
	for i := range 40 {
		s.takes = append(s.takes, take{at: ms(7000), stamp: ms(40 * i), colour: byte(i)})
	}
	c := newCamera(Options{Pace: Unpaced}, Description{Kind: File, FPS: 25, Stamps: FileStamps}, s, hand)
	got, err := collect(t, c, 0)
	if !errors.Is(err, io.EOF) {
		t.Errorf("Run returned %v, want io.EOF", err)
	}
	if len(got) != 40 {
		t.Fatalf("%d frames, want 40", len(got))
	}
	for i, f := range got {
		if want := instant.Instant(ms(7000 + 40*i)); f.Seq != int64(i) || f.At != want {
			t.Errorf("frame %d: number %d at %d, want at %d", i, f.Seq, f.At, want)
		}
	}
	if n, want := c.Counts(), (Counts{Frames: 40}); n != want {
		t.Errorf("counts %+v, want %+v", n, want)
	}
}

func TestLoopedFileGoesOn(t *testing.T) {
	hand := new(instant.Hand)
	s := &fakeSource{hand: hand, takes: []take{{stamp: 0, colour: 1}, {stamp: ms(40), colour: 2}, {stamp: ms(80), colour: 3}}}
	c := newCamera(Options{Pace: Unpaced, Loop: true}, Description{Kind: File, FPS: 25, Stamps: FileStamps}, s, hand)
	got, err := collect(t, c, 8)
	if err != nil {
		t.Fatalf("Run returned %v after ctx ended, want nil", err)
	}
	if s.rewinds < 2 {
		t.Errorf("rewound %d times", s.rewinds)
	}
	for i, f := range got {
		if f.Seq != int64(i) || f.At.Sub(got[0].At) != ms(40*i) {
			t.Errorf("frame %d: number %d, %v after the first", i, f.Seq, f.At.Sub(got[0].At))
		}
	}
}

func TestCameraRunsOnce(t *testing.T) {
	hand := new(instant.Hand)
	s := &fakeSource{hand: hand}
	c := newCamera(Options{}, Description{Kind: File, Stamps: FileStamps}, s, hand)
	if _, err := collect(t, c, 0); !errors.Is(err, io.EOF) {
		t.Fatalf("an empty file: %v", err)
	}
	if err := c.Run(t.Context(), nil); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a second Run returned %v", err)
	}
	if err := c.Close(); err != nil || s.closes != 1 {
		t.Errorf("Close after Run: %v, closed %d times", err, s.closes)
	}
}
