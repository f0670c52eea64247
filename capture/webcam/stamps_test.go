package webcam

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// lasting returns takes every 33 ms from at on, each grabbed 20 ms after its
// stamp was due, with the stamps that stamp makes of that.
func lasting(from, n int, stamp func(due time.Duration) time.Duration) []take {
	var all []take
	for i := range n {
		due := ms(from + 33*i)
		all = append(all, take{at: due + ms(20), stamp: stamp(due), colour: byte(i)})
	}
	return all
}

func asDue(due time.Duration) time.Duration { return due }

func none(time.Duration) time.Duration { return 0 }

// settled makes a device whose stamps have been looked at.
func settled(t *testing.T, s *fakeSource, o Options) *Camera {
	t.Helper()
	s.hand.Advance(ms(900))
	c := newCamera(o, Description{Kind: Device, Port: "/dev/video-test", FPS: 30, Stamps: DriverStamps}, s, s.hand)
	if err := c.settle(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStampsAreDecidedWhenTheCameraIsOpened(t *testing.T) {
	good := lasting(1000, stampTries, asDue)
	late := lasting(1000, stampTries, asDue)
	for i := range 3 {
		late[i].stamp = 0 // its clock does not run yet
	}
	now := lasting(1000, stampTries, asDue)
	for i := range now {
		if i%2 == 1 {
			now[i].stamp = 0
		}
	}
	for name, tc := range map[string]struct {
		takes []take
		want  Stamps
	}{
		"good":                {good, DriverStamps},
		"good after some":     {late, DriverStamps},
		"good now and then":   {now, ArrivalStamps},
		"none":                {lasting(1000, stampTries, none), ArrivalStamps},
		"in the future":       {lasting(1000, stampTries, func(d time.Duration) time.Duration { return d + ms(60) }), ArrivalStamps},
		"of another clock":    {lasting(9000, stampTries, func(d time.Duration) time.Duration { return d - ms(8000) }), ArrivalStamps},
		"always the same one": {lasting(1000, stampTries, func(time.Duration) time.Duration { return ms(1000) }), ArrivalStamps},
	} {
		t.Run(name, func(t *testing.T) {
			s := &fakeSource{hand: new(instant.Hand), takes: tc.takes}
			c := settled(t, s, Options{})
			if got := c.Describe().Stamps; got != tc.want {
				t.Errorf("stamps %q, want %q", got, tc.want)
			}
			if s.next > stampTries {
				t.Errorf("%d pictures were read to know", s.next)
			}
		})
	}
}

func TestADeviceWithoutPicturesIsNotOpened(t *testing.T) {
	s := &fakeSource{hand: new(instant.Hand)}
	c := newCamera(Options{}, Description{Kind: Device, Port: "/dev/video-test", Stamps: DriverStamps}, s, s.hand)
	if err := c.settle(); err == nil || !strings.Contains(err.Error(), "gives no pictures") {
		t.Errorf("settle returned %v", err)
	}
}

// runOneByOne runs c over the takes that are left of s, one at a time, and returns what
// was delivered for each, and Run's answer to the end of the takes.
func runOneByOne(t *testing.T, c *Camera, s *fakeSource, events <-chan stream.Event) (frames []frame.Frame, told []stream.Event, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	for {
		select {
		case f := <-out:
			frames = append(frames, f)
		case e := <-events:
			told = append(told, e)
		case err = <-done:
			for len(events) > 0 {
				told = append(told, <-events)
			}
			if ctx.Err() != nil {
				t.Fatal("the camera did not end")
			}
			return frames, told, err
		}
	}
}

// Once driver stamps, always driver stamps: frames whose stamp cannot be true are
// not delivered, and told.
func TestBadStampsInTheMiddleAreFaults(t *testing.T) {
	takes := lasting(1000, 60, asDue)
	for i := 30; i < 33; i++ {
		takes[i].stamp = 0
	}
	takes[40].stamp = takes[39].stamp - ms(100) // back in time
	s := &fakeSource{hand: new(instant.Hand), takes: takes}
	events := make(chan stream.Event, 8)
	c := settled(t, s, Options{Events: events})
	frames, told, err := runOneByOne(t, c, s, events)
	if !errors.Is(err, ErrGone) {
		t.Errorf("Run returned %v", err)
	}
	at := map[instant.Instant]bool{}
	for _, k := range takes {
		at[instant.Instant(k.stamp)] = k.stamp > 0
	}
	at[instant.Instant(takes[40].stamp)] = false
	for _, f := range frames {
		if !at[f.At] {
			t.Errorf("a frame at %d, which is the stamp of none", f.At)
		}
	}
	var faults int64
	for _, e := range told {
		if e.Kind != stream.Fault || !strings.Contains(e.Detail, "stamps") {
			t.Errorf("told %+v", e)
		}
		faults += e.Count
	}
	if faults != 4 {
		t.Errorf("%d faults told, want 4", faults)
	}
	// The queue may have given up some, but none is without account.
	if n := c.Counts(); n.Frames+n.Dropped != int64(60-stampTrust) {
		t.Errorf("counts %+v, want %d in all", n, 60-stampTrust)
	}
}

func TestACameraWhoseStampsStayBadEnds(t *testing.T) {
	takes := append(lasting(1000, 10, asDue), lasting(1330, 120, none)...)
	s := &fakeSource{hand: new(instant.Hand), takes: takes}
	events := make(chan stream.Event, 8)
	c := settled(t, s, Options{Events: events})
	_, told, err := runOneByOne(t, c, s, events)
	if !errors.Is(err, ErrStamps) {
		t.Errorf("Run returned %v, want ErrStamps", err)
	}
	if c.Describe().Stamps != DriverStamps {
		t.Error("the kind of stamps has changed in the middle")
	}
	if len(told) < 2 || len(told) > 4 {
		t.Errorf("told %d times within %v, want about once a second: %+v", len(told), patience, told)
	}
}

// What the driver had filled before anybody asked is old: as its stamps say, or
// as nothing says.
func TestWhatWasHeldBackIsThrownAway(t *testing.T) {
	t.Run("driver", func(t *testing.T) {
		takes := lasting(1000, stampTrust+1, asDue)
		held := lasting(1000+33*len(takes), 4, asDue)
		for i := range held {
			held[i].at = ms(9000)
		}
		fresh := lasting(9050, 3, asDue)
		takes = append(append(takes[:stampTrust], held...), fresh...)
		s := &fakeSource{hand: new(instant.Hand), takes: takes}
		c := settled(t, s, Options{})
		s.hand.Advance(ms(9000) - time.Duration(s.hand.Now()))
		frames, _, _ := runOneByOne(t, c, s, nil)
		if len(frames) == 0 || frames[0].At < instant.Instant(ms(9050)) {
			t.Fatalf("%d frames, the first at %d", len(frames), frames[0].At)
		}
		if n := c.Counts(); n.Frames+n.Dropped != 3 {
			t.Errorf("counts %+v, want 3 in all", n)
		}
	})
	t.Run("arrival", func(t *testing.T) {
		var takes []take
		for i := range 50 { // a socket that is full
			takes = append(takes, take{at: ms(5000 + 2*i), colour: byte(i)})
		}
		takes = append(takes, lasting(5200, 5, none)...)
		s := &fakeSource{hand: new(instant.Hand), takes: takes}
		s.hand.Advance(ms(5000))
		c := newCamera(Options{}, Description{Kind: Address, Port: "http://cam", FPS: 30, Stamps: ArrivalStamps}, s, s.hand)
		frames, _, _ := runOneByOne(t, c, s, nil)
		if len(frames) == 0 || frames[0].At < instant.Instant(ms(5200)) {
			t.Errorf("%d frames, the first at %v: it had been held back", len(frames), frames)
		}
	})
}

// Whatever a driver says: instants grow, lie before their arrival and not long
// before, and the kind of stamps does not change.
func TestStampsKeepTheirWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var takes []take
		at := time.Second
		for i := range rapid.IntRange(stampTries, 60).Draw(t, "pictures") {
			at += time.Duration(rapid.Int64Range(0, int64(400*time.Millisecond)).Draw(t, "after"))
			k := take{at: at, colour: byte(i), stamp: at - time.Duration(rapid.Int64Range(0, int64(50*time.Millisecond)).Draw(t, "age"))}
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				k.stamp = 0
			case 1:
				k.stamp = time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "stamp"))
			case 2:
				k.colour = 7
			}
			takes = append(takes, k)
		}
		s := &fakeSource{hand: new(instant.Hand), takes: takes}
		s.hand.Advance(time.Second)
		c := newCamera(Options{}, Description{Kind: Device, Port: "/dev/video-test", Stamps: DriverStamps}, s, s.hand)
		if err := c.settle(); err != nil {
			t.Fatal(err)
		}
		stamps := c.Describe().Stamps
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		out := make(chan frame.Frame)
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx, out) }()
		last := frame.Frame{Seq: -1}
		for running := true; running; {
			select {
			case f := <-out:
				if f.Seq <= last.Seq || f.At < last.At || f.At.Sub(f.Arrival) > stampSlack || f.Arrival.Sub(f.At) > stampAge {
					t.Fatalf("frame %d at %d (arrived %d) after frame %d at %d", f.Seq, f.At, f.Arrival, last.Seq, last.At)
				}
				last = f
			case <-done:
				running = false
			}
		}
		if c.Describe().Stamps != stamps {
			t.Fatal("the kind of stamps has changed")
		}
	})
}

func TestOnlyTheSameClockSucceeds(t *testing.T) {
	driver, arrival, file := Description{Stamps: DriverStamps}, Description{Stamps: ArrivalStamps}, Description{Stamps: FileStamps}
	for _, d := range []Description{driver, arrival, file} {
		if err := d.Succeeds(d); err != nil {
			t.Errorf("%q after itself: %v", d.Stamps, err)
		}
	}
	if err := arrival.Succeeds(driver); err == nil || !strings.Contains(err.Error(), "arrival stamps") {
		t.Errorf("arrivals after a driver's stamps: %v", err)
	}
	if driver.Succeeds(arrival) == nil {
		t.Error("a driver's stamps after arrivals are accepted")
	}
}
