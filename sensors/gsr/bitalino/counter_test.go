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
	got     []numbered
}

// deliver lets one batch come, of which the first skip frames are lost, and late
// makes it come later than usual. It adds what the counter is sure of to got.
func (l *line) deliver(skip int64, late time.Duration) {
	l.now = l.now.Add(l.batch)
	upTo := int64(l.now.Sub(0).Seconds() * l.rate * (1 + l.drift))
	first := l.taken + skip
	l.taken = max(upTo, first+1)
	at := l.now.Add(late)
	if l.jitter > 0 {
		at = at.Add(time.Duration(l.random.Int64N(int64(l.jitter))))
	}
	var read []Received
	for i := first; i < l.taken; i++ {
		read = append(read, Received{Frame: Frame{Seq: uint8(i & 15), Analog: [6]uint16{uint16(i & 1023)}}, Arrival: at})
	}
	read[0].Relocked = skip > 0 || late > 0 || first == 0
	l.got = l.counter.take(l.got, read, at, true)
}

// Any number of lost frames is told right, also when it is more than the sequence
// number shows, while reads are not later than usual by half of 16 frames for a
// second. One that is later is no loss, even after damage.
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
		// Two holes within a second are told apart by the sequence numbers only.
		apart := max(2*remembered, int(3*doubtFor/2/l.batch))
		quiet := 0 // reads since the last trouble
		var missing int64
		for range rapid.IntRange(50, 1000).Draw(t, "reads") {
			skip, late := int64(0), time.Duration(0)
			if quiet++; quiet > apart {
				switch rapid.IntRange(0, 20).Draw(t, "trouble") {
				case 0:
					skip, quiet = rapid.Int64Range(1, 500).Draw(t, "lost"), 0
					l.now = l.now.Add(time.Duration(float64(skip) / l.rate * 1e9))
				case 1:
					late, quiet = time.Duration(rapid.IntRange(1, 900).Draw(t, "late"))*time.Millisecond, 0
				}
			}
			missing += skip
			l.deliver(skip, late)
		}
		for range 30 + hz { // whatever is in doubt is decided
			l.deliver(0, 0)
		}
		var lost int64
		for i, f := range l.got {
			lost += f.lost
			if int64(f.Analog[0]) != f.number&1023 || f.number != int64(i)+lost {
				t.Fatalf("frame %d has the number %d; %d lost before it", f.Analog[0], f.number, lost)
			}
		}
		if last := l.got[len(l.got)-1]; lost != missing || last.number != l.taken-1 {
			t.Fatalf("%d lost, want %d; the last number is %d, want %d", lost, missing, last.number, l.taken-1)
		}
	})
}

// A stretch that cannot be decided by the time is decided by the numbers.
func TestCountsByTheNumbers(t *testing.T) {
	c := counter{rate: 100}
	for _, s := range []struct {
		seq  uint8
		n    int
		at   time.Duration
		lost int64
	}{
		{5, 10, 0, 0},                    // 5..14
		{1, 3, 60 * time.Millisecond, 2}, // 15 and 0 are missing
		{4, 2, 80 * time.Millisecond, 0}, // damage between, and nothing is missing
	} {
		at := instant.Instant(0).Add(s.at)
		var read []Received
		for i := range s.n {
			read = append(read, Received{Frame: Frame{Seq: (s.seq + uint8(i)) & 15}, Relocked: i == 0})
		}
		got := c.take(nil, read, at, true)
		if len(got) != s.n || got[0].lost != s.lost || got[0].number&15 != int64(s.seq) {
			t.Errorf("at %v: %+v, want %d frames from %d on, %d lost", s.at, got, s.n, s.seq, s.lost)
		}
	}
}

// While it is in doubt how long a hole is, frames are held back, but not for ever.
func TestHoldsBackWhileInDoubt(t *testing.T) {
	l := line{rate: 100, batch: 20 * time.Millisecond, counter: counter{rate: 100}}
	for range 50 {
		l.deliver(0, 0)
	}
	before := len(l.got)
	l.now = l.now.Add(2 * time.Second) // 200 frames
	l.deliver(200, 0)
	for range 45 {
		l.deliver(0, 0)
	}
	if len(l.got) != before {
		t.Fatalf("%d frames passed within %v", len(l.got)-before, doubtFor)
	}
	for range 10 {
		l.deliver(0, 0)
	}
	if first := l.got[before]; first.lost != 200 || len(l.got) < before+100 || len(l.counter.held) != 0 {
		t.Errorf("%+v, %d frames passed, %d held", first, len(l.got)-before, len(l.counter.held))
	}
}
