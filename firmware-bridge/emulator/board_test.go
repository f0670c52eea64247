package emulator_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// still is a world in which nothing happens but at the given jumps: the trigger
// goes up at the first, down at the next.
type still struct {
	skin, light float64
	jumps       []instant.Instant
}

func (s still) Skin(instant.Instant) float64  { return s.skin }
func (s still) Light(instant.Instant) float64 { return s.light }

func (s still) Trigger(at instant.Instant) bool {
	n := 0
	for _, j := range s.jumps {
		if j <= at {
			n++
		}
	}
	return n%2 == 1
}

func (s still) Jumps(from, until instant.Instant) []instant.Instant {
	var in []instant.Instant
	for _, j := range s.jumps {
		if j >= from && j < until {
			in = append(in, j)
		}
	}
	return in
}

// belated is a world that is still until it is set to another, which must be like
// it as far as it is handed over already.
type belated struct {
	mu  sync.Mutex
	now still
}

func (w *belated) set(now still) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

func (w *belated) world() still {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *belated) Skin(at instant.Instant) float64  { return w.world().Skin(at) }
func (w *belated) Light(at instant.Instant) float64 { return w.world().Light(at) }
func (w *belated) Trigger(at instant.Instant) bool  { return w.world().Trigger(at) }
func (w *belated) Jumps(from, until instant.Instant) []instant.Instant {
	return w.world().Jumps(from, until)
}

// board is a running probe, with the port open.
type board struct {
	t *testing.T
	*emulator.Emulator
	port   *os.File
	begins int // how often the firmware has begun, by what the test did
	mu     sync.Mutex
	clocks []script.Clock
}

// begun waits until it is known of each beginning of the firmware when that was: the host
// program tells it by another way than the port.
func (b *board) begun() {
	b.t.Helper()
	b.await("the firmware's clock is told", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.clocks) >= b.begins
	})
}

// start runs the probe.
func start(t *testing.T, host, elf string, o emulator.Options) *board {
	t.Helper()
	o.Host, o.ELF, o.Clock = host, elf, instant.Monotonic{}
	o.Link = filepath.Join(t.TempDir(), "port")
	if o.World == nil {
		o.World = still{}
	}
	b := &board{t: t, begins: 1}
	o.PoweredOn = func(c script.Clock) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.clocks = append(b.clocks, c)
	}
	e, err := emulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b.Emulator = e
	t.Cleanup(func() {
		if err := e.Close(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("close: %v", err)
		}
		if _, err := os.Lstat(o.Link); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link is left behind: %v", err)
		}
	})
	return b
}

// open opens the port, which is there as soon as the board is plugged in.
func (b *board) open() {
	b.t.Helper()
	port, err := os.OpenFile(b.Path(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.port = port
	b.t.Cleanup(func() { port.Close() })
}

func (b *board) write(s string) {
	b.t.Helper()
	if _, err := b.port.WriteString(s); err != nil {
		b.t.Fatal(err)
	}
}

// patience is how long a test waits for what must come. A machine without time
// simulates ten times slower than real time.
const patience = 2 * time.Minute

// read returns the next n bytes.
func (b *board) read(n int) []byte {
	b.t.Helper()
	if err := b.port.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	p := make([]byte, n)
	for got := 0; got < n; {
		k, err := b.port.Read(p[got:])
		if err != nil {
			b.t.Fatalf("after %q: %v", p[:got], err)
		}
		got += k
	}
	return p
}

// expect fails unless the next bytes are s.
func (b *board) expect(s string) {
	b.t.Helper()
	if got := b.read(len(s)); string(got) != s {
		b.t.Fatalf("read %q, want %q", got, s)
	}
}

// settle drops what came before the port was open. The firmware runs then.
func (b *board) settle() {
	b.t.Helper()
	b.write("~")
	for b.read(1)[0] != '~' {
	}
	b.begun()
}

// tick asks for the board's clock, in ticks of 1 µs, and says when.
func (b *board) tick() (t0 instant.Instant, us float64, t3 instant.Instant) {
	b.t.Helper()
	var clock instant.Monotonic
	t0 = clock.Now()
	b.write("n")
	p := b.read(5)
	t3 = clock.Now()
	if p[0] != 'N' {
		b.t.Fatalf("read %q, want a time", p)
	}
	return t0, float64(binary.LittleEndian.Uint32(p[1:])) / 2, t3
}

// at returns the true instant of half microseconds.
func (b *board) at(us float64) instant.Instant {
	b.t.Helper()
	c, ok := b.Clock()
	if !ok {
		b.t.Fatal("the firmware has started no timer")
	}
	return c.At0.Add(time.Duration(us * c.NsPerTick))
}

// await waits until a condition holds; the counters it looks at come once a second.
func (b *board) await(what string, holds func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		select {
		case <-every.C:
		case <-ctx.Done():
			b.t.Fatalf("%s: not within %v; %+v", what, patience, b.Stats())
		}
	}
}
