package eyetribe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// lockFrames is what PROTOCOL.md states: from this frame after the damage on, all
// are passed.
const lockFrames = 2

// entered is a frame as it stands in the stream.
type entered struct {
	seq int64
	placed
}

// hearer is the way of a frame from its bytes to its number, as dialogue has it.
type hearer struct {
	splitter Splitter
	sequence sequence
	seq      int64
	all      []entered
	damaged  int
	rebased  int
}

func (h *hearer) hear(b []byte, at instant.Instant) {
	for len(b) > 0 {
		object, rest, ok := h.splitter.Next(b)
		b = rest
		if !ok {
			continue
		}
		_, v, err := decode(object)
		if err != nil || v.Frame == nil {
			continue
		}
		if f, err := v.Frame.parse(); err == nil {
			h.take(f, at)
		}
	}
}

func (h *hearer) take(f Frame, at instant.Instant) {
	out, n, damaged := h.sequence.take(f, at)
	h.damaged += int(damaged)
	for _, p := range out[:n] {
		if p.Rebased {
			h.rebased++
		}
		h.seq += p.Lost
		h.all = append(h.all, entered{h.seq, p})
		h.seq++
	}
}

func arrival(ms int64) instant.Instant { return instant.Instant(ms * int64(time.Millisecond)) }

// ms is the time of frame n at 30 Hz.
func ms(n int) int64 { return 604571264 + int64(n)*1000/30 }

// line is frame n as it is sent; what it says follows from n.
func line(n int) string {
	return fmt.Sprintf(`{"category":"tracker","request":"get","statuscode":200,"values":{"frame":{"avg":{"x":1.0,"y":1.0},"fix":false,`+
		`"lefteye":{"avg":{"x":1.0,"y":1.0},"pcenter":{"x":0.5,"y":0.5},"psize":26.5,"raw":{"x":1.0,"y":1.0}},"raw":{"x":%d.25,"y":%d.5},`+
		`"righteye":{"avg":{"x":1.0,"y":1.0},"pcenter":{"x":0.5,"y":0.5},"psize":25.5,"raw":{"x":1.0,"y":1.0}},"state":7,"time":%d,"timestamp":"2019-09-12 13:53:54.304"}}}`+"\n",
		n%1900, n%1070, ms(n))
}

// says tells whether e says what frame n says.
func (e entered) says(n int) bool {
	return e.Frame == Frame{ms(n), 7, float64(n%1900) + .25, float64(n%1070) + .5, 26.5, 25.5}
}

// damage is one thing that a line does to bytes. draw returns a number below n.
func damage(draw func(n int) int, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	at := draw(len(b))
	to := min(len(b), at+1+draw(700))
	switch draw(4) {
	case 0:
		return slices.Delete(b, at, to)
	case 1:
		for i := at; i < to; i += 1 + draw(100) {
			b[i] ^= byte(1 + draw(255))
		}
		return b
	case 2:
		return slices.Insert(b, to, slices.Clone(b[at:to])...)
	}
	other := make([]byte, 1+draw(700))
	for i := range other {
		other[i] = byte(draw(256))
	}
	return slices.Insert(b, at, other...)
}

// burst plays a tracker whose line damages some frames in a row, and checks those
// after them.
func burst(draw func(n int) int) (h hearer, err error) {
	before, harmed := 2+draw(9), 1+draw(8)
	const after = 8
	h = hearer{sequence: sequence{rate: 30}}
	for n := range before {
		h.hear([]byte(line(n)), arrival(ms(n)))
	}
	var b []byte
	for n := range harmed {
		b = append(b, line(before+n)...)
	}
	for range 1 + draw(4) {
		b = damage(draw, b)
	}
	all := before + harmed + after
	h.hear(b, arrival(ms(before+harmed)))
	for n := all - after; n < all; n++ {
		h.hear([]byte(line(n)), arrival(ms(n)))
	}
	due := after - lockFrames + 1
	if len(h.all) < due {
		return h, fmt.Errorf("%d frames, want %d of those after the damage alone", len(h.all), due)
	}
	for i, e := range h.all[len(h.all)-due:] {
		n := all - due + i
		if !e.says(n) {
			return h, fmt.Errorf("%d frames after the damage: %+v, want frame %d", lockFrames+i, e, n)
		}
		// A wrong digit of a time moves its frame by a part of a period, and each such
		// frame may be counted as one too many or too few.
		if off := e.seq - int64(n); h.rebased == 0 && (off > int64(harmed) || off < -int64(harmed)) {
			return h, fmt.Errorf("frame %d after the damage has number %d", n, e.seq)
		}
	}
	return h, nil
}

// After any damage, from the second whole frame on every one is passed with its
// own values.
func TestResynchronises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if _, err := burst(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") }); err != nil {
			t.Fatal(err)
		}
	})
}

// What PROTOCOL.md states of bursts of damage: how many are taken for a restart,
// and after how many the count of what was lost is wrong.
const (
	maxFalseEpochs = 2e-3
	maxMiscounts   = 0.01
)

func TestDamageIsNoRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const bursts = 1000
	restarts, miscounts := 0, 0
	for range bursts {
		h, err := burst(r.IntN)
		if err != nil {
			t.Fatal(err)
		}
		if h.rebased > 0 {
			restarts++
		} else if last := h.all[len(h.all)-1]; ms(int(last.seq)) != last.TimeMS {
			miscounts++
		}
	}
	t.Logf("of %d bursts of damage %d taken for a restart, %d counted wrong", bursts, restarts, miscounts)
	if share := float64(restarts) / bursts; share > maxFalseEpochs {
		t.Errorf("%v of the bursts are taken for a restart, stated are %v", share, maxFalseEpochs)
	}
	if share := float64(miscounts) / bursts; share > maxMiscounts {
		t.Errorf("after %v of the bursts the count is wrong, stated are %v", share, maxMiscounts)
	}
}

// Of random bytes nothing passes: PROTOCOL.md says why.
func TestGarbageDoesNotPass(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	h := hearer{sequence: sequence{rate: 30}}
	b := make([]byte, 4096)
	for range 1000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		h.hear(b, 0)
	}
	if len(h.all) != 0 {
		t.Errorf("%d frames in 4 MB of random bytes", len(h.all))
	}
}

// maxFalse is the share of frames with one wrong bit that PROTOCOL.md states to
// pass with a wrong value.
const maxFalse = 0.10

// Without a checksum, a wrong digit of a coordinate is a movement.
func TestDamagedDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	h := hearer{sequence: sequence{rate: 30}}
	harmed, wrong := 0, 0
	const frames = 4500
	for n := range frames {
		b := []byte(line(n))
		if n%3 == 2 {
			b[r.IntN(len(b)-1)] ^= 1 << r.IntN(8)
			harmed++
		}
		h.hear(b, arrival(ms(n)))
	}
	for _, e := range h.all {
		if !e.says(int((e.TimeMS - ms(0) + 33) * 30 / 1000)) {
			wrong++
		}
	}
	share := float64(wrong) / float64(harmed)
	t.Logf("%d of %d frames with one wrong bit passed with a wrong value: %.1f %%", wrong, harmed, 100*share)
	if share > maxFalse || wrong == 0 {
		t.Errorf("%.3f of the damaged frames passed with a wrong value, stated are %.2f", share, maxFalse)
	}
}
