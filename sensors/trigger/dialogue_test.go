package trigger

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"emolab/fusion/instant"
)

// wrote is one write, and when it was called.
type wrote struct {
	b  byte
	at instant.Instant
}

// wire is a line that keeps what is written, and fails after some writes.
type wire struct {
	clock instant.Clock
	left  int
	got   []wrote
	told  chan struct{}
}

func (w *wire) Write(b []byte) (int, error) {
	if w.left == 0 {
		return 0, errors.New("pulled")
	}
	w.left--
	for _, c := range b {
		w.got = append(w.got, wrote{c, w.clock.Now()})
	}
	w.told <- struct{}{}
	return len(b), nil
}

// word is a language of two bytes with a pause between: '!' and the code.
type word struct {
	ends bool
	gap  time.Duration
}

func (word) Greet(context.Context, io.Writer) error  { return nil }
func (word) Code(code uint8) []byte                  { return []byte{'!', code} }
func (w word) EndsPulse() bool                       { return w.ends }
func (w word) Gap() time.Duration                    { return w.gap }
func (word) Bye() []byte                             { return []byte{'.'} }
func (word) Hear(b []byte, at instant.Instant) error { return nil }
func (w *wire) await(n int) {
	for range n {
		<-w.told
	}
}

// speak runs a dialogue until the wire has got n writes.
func speak(t *testing.T, l Language, w *wire, pulse time.Duration, n int, orders ...order) (outcomes chan outcome, err error) {
	t.Helper()
	asked := make(chan order, len(orders))
	for _, o := range orders {
		asked <- o
	}
	outcomes = make(chan outcome, len(orders))
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	d := &dialogue{Language: l, clock: w.clock, pulse: pulse, orders: asked, outcomes: outcomes}
	go func() { ended <- d.Speak(ctx, w) }()
	w.await(n)
	end()
	return outcomes, <-ended
}

func TestPulse(t *testing.T) {
	clock := instant.Monotonic{}
	ahead := clock.Now().Add(time.Second) // asked while Speak is ready
	const pulse, gap = 7 * time.Millisecond, time.Millisecond
	w := &wire{clock: clock, left: 100, told: make(chan struct{}, 100)}
	outcomes, err := speak(t, word{gap: gap}, w, pulse, 8, order{code: 5, onset: NoOnset, asked: ahead}, order{code: 5, onset: NoOnset, asked: ahead})
	if err != nil {
		t.Fatal(err)
	}
	bytes := make([]byte, len(w.got))
	for i, g := range w.got {
		bytes[i] = g.b
	}
	if got := string(bytes); got != "!\x05!\x00!\x05!\x00." {
		t.Fatalf("wrote %q", got)
	}
	for i, least := range []time.Duration{1: gap, 2: pulse, 3: gap, 4: rest, 5: gap, 6: pulse, 7: gap} {
		if i > 0 && w.got[i].at.Sub(w.got[i-1].at) < least {
			t.Errorf("byte %d came %v after the one before, want %v", i, w.got[i].at.Sub(w.got[i-1].at), least)
		}
	}
	// The stamp is that of the byte that has the effect.
	for _, i := range []int{1, 5} {
		o := <-outcomes
		if o.why != "" || o.at > o.after || o.after < w.got[i].at || o.at > w.got[i+1].at {
			t.Errorf("%+v, its byte was written at %d", o, w.got[i].at)
		}
	}
}

func TestDeviceThatEndsItsPulse(t *testing.T) {
	clock := instant.Monotonic{}
	ahead := clock.Now().Add(time.Second)
	w := &wire{clock: clock, left: 100, told: make(chan struct{}, 100)}
	_, err := speak(t, word{ends: true}, w, time.Millisecond, 2, order{code: 1, onset: NoOnset, asked: ahead}, order{code: 2, onset: NoOnset, asked: ahead})
	if err != nil {
		t.Fatal(err)
	}
	// The recording ends during the second pulse: that one is taken off by hand.
	if n := len(w.got); w.got[1].b != 1 || w.got[3].b != 2 || w.got[n-1].b != '.' || (n != 5 && w.got[5].b != 0) {
		t.Errorf("wrote %v", w.got)
	}
}

// A recording that ends during a pulse leaves the lines low.
func TestEndInAPulse(t *testing.T) {
	clock := instant.Monotonic{}
	w := &wire{clock: clock, left: 100, told: make(chan struct{}, 100)}
	begun := clock.Now()
	_, err := speak(t, word{ends: true}, w, time.Hour, 1, order{code: 9, onset: NoOnset, asked: clock.Now().Add(time.Second)})
	if err != nil || len(w.got) != 5 || w.got[3].b != 0 || w.got[4].b != '.' {
		t.Errorf("%v, wrote %v", err, w.got)
	}
	if d := clock.Now().Sub(begun); d > time.Minute {
		t.Errorf("it took %v", d)
	}
}

// A recording that ends before an onset does not mark it.
func TestEndBeforeAnOnset(t *testing.T) {
	clock := instant.Monotonic{}
	ctx, end := context.WithCancel(context.Background())
	end()
	w := &wire{clock: clock}
	outcomes := make(chan outcome, 1)
	d := &dialogue{Language: word{}, clock: clock, outcomes: outcomes}
	now := clock.Now()
	err := d.obey(ctx, w, order{code: 9, onset: now.Add(maxAhead), asked: now}, now)
	if err != nil || len(w.got) != 0 {
		t.Errorf("%v, wrote %v", err, w.got)
	}
	if o := <-outcomes; o.code != 9 || o.why == "" {
		t.Errorf("%+v, want the code and why it was not written", o)
	}
}

func TestWriteThatFails(t *testing.T) {
	clock := instant.Monotonic{}
	asked, outcomes := make(chan order, 1), make(chan outcome, 1)
	asked <- order{code: 9, onset: NoOnset, asked: clock.Now().Add(time.Second)}
	d := &dialogue{Language: word{}, clock: clock, orders: asked, outcomes: outcomes}
	err := d.Speak(context.Background(), &wire{clock: clock})
	if err == nil || err.Error() != "pulled" {
		t.Fatalf("%v, want why the write failed", err)
	}
	if o := <-outcomes; o.why != "pulled" || o.code != 9 {
		t.Errorf("%+v, want the code and why it was not written", o)
	}
}
