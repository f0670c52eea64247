package bitalino

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// line carries numbered frames to a counter as a Bluetooth or USB link does: all
// that was taken since the last delivery comes at once.
type line struct {
	rate    float64       // Hz, of the board's own clock
	drift   float64       // how much faster than nominal it runs, as a ratio
	batch   time.Duration // between two deliveries
	jitter  time.Duration // by which one may be late
	counter counter
	taken   int64 // frames taken by the board
	now     instant.Instant
	random  *rand.Rand
}

// deliver lets one batch come, of which the first skip frames are lost. It returns
// the number that the counter gave the first frame that came, and the true one.
func (l *line) deliver(skip int64) (got, want, lost int64) {
	l.now = l.now.Add(l.batch)
	upTo := int64(l.now.Sub(0).Seconds() * l.rate * (1 + l.drift))
	first := l.taken + skip
	l.taken = max(upTo, first+1)
	at := l.now
	if l.jitter > 0 {
		at = at.Add(time.Duration(l.random.Int64N(int64(l.jitter))))
	}
	if skip > 0 || l.counter.reads == 0 {
		lost = l.counter.relock(uint8(first&15), at, int(l.taken-first-1))
	}
	got = l.counter.next
	l.counter.next += l.taken - first
	l.counter.observe(at)
	return got, first, lost
}

// Any number of lost frames is told right, also when it is more than the sequence
// number shows, while a read is not later than usual by half of 16 frames.
func TestCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hz := rapid.SampledFrom([]int{10, 100, 1000}).Draw(t, "rate")
		half := 8 * time.Second / time.Duration(hz)
		l := line{
			rate: float64(hz), counter: counter{rate: float64(hz)},
			drift:  rapid.Float64Range(-200e-6, 200e-6).Draw(t, "drift"),
			batch:  max(16*time.Millisecond, time.Second/time.Duration(hz)),
			jitter: half * 3 / 4,
			random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		}
		shift := int64(0) // the first number is the sequence number, 0..15
		for i := range rapid.IntRange(50, 400).Draw(t, "reads") {
			skip := int64(0)
			if i > 2*remembered && rapid.IntRange(0, 20).Draw(t, "hole") == 0 {
				skip = rapid.Int64Range(1, 500).Draw(t, "lost")
				l.now = l.now.Add(time.Duration(float64(skip) / l.rate * 1e9))
			}
			got, want, lost := l.deliver(skip)
			if i == 0 {
				shift = got - want
			}
			if got != want+shift || lost != skip {
				t.Fatalf("read %d: number %d, want %d; %d lost, want %d", i, got, want+shift, lost, skip)
			}
		}
	})
}

// The numbers alone decide where the time says nothing.
func TestCountsByTheNumbers(t *testing.T) {
	c := counter{rate: 100}
	for _, s := range []struct {
		seq  uint8
		n    int64
		at   time.Duration
		lost int64
	}{
		{5, 10, 0, 0},                             // 5..14
		{1, 3, 60 * time.Millisecond, 2},          // 15 and 0 are missing
		{4, 2, 80 * time.Millisecond, 0},          // 4, 5: damage between, and nothing is missing
		{5, 1, 500 * time.Millisecond, 16*2 + 15}, // the same number again, much later
	} {
		at := instant.Instant(0).Add(s.at)
		if lost := c.relock(s.seq, at, int(s.n-1)); lost != s.lost {
			t.Errorf("frame %d at %v: %d lost, want %d", s.seq, s.at, lost, s.lost)
		}
		c.next += s.n
		c.observe(at)
	}
}
