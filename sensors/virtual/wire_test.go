package virtual

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

// echo is a device that says what it is told.
type echo struct{}

func (echo) Run(ctx context.Context, _ *Alarm, in <-chan Arrived, send func([]byte)) {
	for {
		select {
		case got := <-in:
			send(got.Bytes)
		case <-ctx.Done():
			return
		}
	}
}

// ticker is a device that says something every period.
type ticker struct {
	clock  instant.Clock
	period time.Duration
}

func (d ticker) Run(ctx context.Context, due *Alarm, _ <-chan Arrived, send func([]byte)) {
	next := d.clock.Now().Add(d.period)
	for {
		due.After(next.Sub(d.clock.Now()))
		select {
		case <-due.C():
			if d.clock.Now() >= next {
				send([]byte("tick"))
				next = next.Add(d.period)
			}
		case <-ctx.Done():
			return
		}
	}
}

// bubble is the lab clock of a synctest bubble.
type bubble struct{ begun time.Time }

func (b bubble) Now() instant.Instant { return instant.Instant(time.Since(b.begun)) }

func newWire(t *testing.T, d Device, what Disturbance, clock instant.Clock) (*Link, *Wire) {
	t.Helper()
	link, wire, err := NewWire(d, what, 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link, wire
}

func openWire(t *testing.T, w *Wire, silence time.Duration) connection.Line {
	t.Helper()
	l, err := w.Open(silence)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What is written comes back, whole and in order, however it is cut.
func TestWireCarries(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 5000), 1, 20).Draw(rt, "pieces")
		size := rapid.IntRange(1, 5000).Draw(rt, "size of a read")
		batch := time.Duration(rapid.IntRange(0, 20).Draw(rt, "batch")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			_, wire := newWire(t, echo{}, Disturbance{Batch: batch}, bubble{time.Now()})
			line := openWire(t, wire, 0)
			go func() {
				for _, p := range pieces {
					if n, err := line.Write(p); n != len(p) || err != nil {
						t.Errorf("%d of %d bytes written: %v", n, len(p), err)
					}
				}
			}()
			want := bytes.Join(pieces, nil)
			var got []byte
			for b := make([]byte, size); len(got) < len(want); {
				n, _, err := line.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, b[:n]...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back, not those %d that were written", len(got), len(want))
			}
		})
	})
}

// The latency timer runs freely, also while nothing waits for it, and an hour of it
// takes no time.
func TestWireBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batch, period = 16 * time.Millisecond, 107 * time.Millisecond
		clock := bubble{time.Now()}
		_, wire := newWire(t, ticker{clock, period}, Disturbance{Batch: batch}, clock)
		line := openWire(t, wire, time.Second)
		b := make([]byte, 64)
		for k := instant.Instant(1); k <= instant.Instant(time.Hour/period); k++ {
			n, arrival, err := line.Read(b)
			if err != nil || string(b[:n]) != "tick" {
				t.Fatalf("%q, %v", b[:n], err)
			}
			sent := k * instant.Instant(period)
			if want := (sent/instant.Instant(batch) + 1) * instant.Instant(batch); arrival != want {
				t.Fatalf("message %d, sent at %d, arrived at %d, want %d", k, sent, arrival, want)
			}
		}
	})
}

func TestWireEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(l *Link, line connection.Line) error
		want error
	}{
		"pulled":  {func(l *Link, _ connection.Line) error { return l.Unplug() }, errPulled},
		"hung up": {func(_ *Link, line connection.Line) error { return line.Close() }, errHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link, wire := newWire(t, echo{}, Disturbance{}, bubble{time.Now()})
				line := openWire(t, wire, time.Hour)
				if _, err := wire.Open(0); err == nil {
					t.Error("it can be opened twice")
				}
				read := make(chan error, 1)
				go func() {
					_, _, err := line.Read(make([]byte, 8))
					read <- err
				}()
				synctest.Wait() // until the read blocks
				if err := c.end(link, line); err != nil {
					t.Fatal(err)
				}
				if err := <-read; !errors.Is(err, c.want) {
					t.Errorf("a blocked read ends with %v, want %v", err, c.want)
				}
				if _, err := line.Write([]byte("x")); !errors.Is(err, c.want) {
					t.Errorf("a write fails with %v, want %v", err, c.want)
				}
				if err := errors.Join(line.Close(), line.Close()); err != nil {
					t.Error(err)
				}
				if err := link.Plug(); err != nil {
					t.Fatal(err)
				}
				again := openWire(t, wire, 0)
				if _, err := again.Write([]byte("again")); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 8)
				if n, _, err := again.Read(b); err != nil || string(b[:n]) != "again" {
					t.Errorf("after that it says %q, %v", b[:n], err)
				}
			})
		})
	}
}

func TestWireTellsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := bubble{time.Now()}
		link, wire := newWire(t, ticker{clock, 2 * time.Second}, Disturbance{}, clock)
		line := openWire(t, wire, 3*time.Second)
		b := make([]byte, 8)
		for range 3 {
			if _, _, err := line.Read(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := link.Unplug(); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Open(0); !errors.Is(err, errPulled) {
			t.Errorf("a pulled cable opens: %v", err)
		}
		if err := link.Plug(); err != nil {
			t.Fatal(err)
		}
		line = openWire(t, wire, time.Second)
		if _, at, err := line.Read(b); err == nil || at != clock.Now() {
			t.Errorf("%v after a second of silence", err)
		}
	})
}

// What the device says while nobody listens is lost, and holds it up as little as a
// host that does not read.
func TestWireLosesWhatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := bubble{time.Now()}
		_, wire := newWire(t, ticker{clock, time.Millisecond}, Disturbance{}, clock)
		connection.Wait(t.Context(), time.Minute)
		line := openWire(t, wire, 0)
		connection.Wait(t.Context(), time.Minute) // many times what is kept
		_, _, err := line.Read(make([]byte, 4))
		if err != nil {
			t.Fatal(err)
		}
		if at := clock.Now(); at != instant.Instant(2*time.Minute) {
			t.Errorf("what was kept is read at %d", at)
		}
		if n := len(line.(*wireEnd).in); n != wireDepth-1 {
			t.Errorf("%d messages are kept, want %d", n, wireDepth-1)
		}
	})
}

// A device on a wire is disturbed by the same line as on a terminal.
func TestWireLosesItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages, loss = 5000, 10
		clock := bubble{time.Now()}
		_, wire := newWire(t, ticker{clock, 20 * time.Millisecond}, Disturbance{LossPercent: loss}, clock)
		line := openWire(t, wire, 0)
		b := make([]byte, 8)
		came := 0
		for clock.Now() < instant.Instant(messages*20*time.Millisecond) {
			if _, _, err := line.Read(b); err != nil {
				t.Fatal(err)
			}
			came++
		}
		if came < messages*85/100 || came > messages*95/100 {
			t.Errorf("%d of %d came, the line loses %d %%", came, messages, loss)
		}
	})
}
