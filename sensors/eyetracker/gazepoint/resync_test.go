package gazepoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"

	"pgregory.net/rapid"
)

// lockRecords is what PROTOCOL.md states: from this record after the damage on,
// all are passed.
const lockRecords = 2

// entered is a record as it stands in the stream.
type entered struct {
	seq int64
	placed
}

// hearer is the way of a record from its bytes to its number, as dialogue has it.
type hearer struct {
	scanner  Scanner
	sequence sequence
	seq      int64
	faults   int64 // outside of the scanner
	all      []entered
	rebased  int
}

// hear takes bytes that arrived at an instant.
func (h *hearer) hear(b []byte, arrival instant.Instant) {
	for len(b) > 0 {
		m, rest, ok := h.scanner.Next(b)
		b = rest
		if !ok || string(m.Tag) != "REC" {
			continue
		}
		r, err := ParseRecord(m)
		if err != nil {
			h.faults++
			continue
		}
		out, n, damaged := h.sequence.take(r, arrival)
		h.faults += damaged
		for _, p := range out[:n] {
			if p.Rebased {
				h.rebased++
			}
			h.seq += p.Lost
			h.all = append(h.all, entered{h.seq, p})
			h.seq++
		}
	}
}

const period = time.Second / 60

// text is record n of a tracker at 60 Hz, as it is sent; what it says follows
// from n.
func text(n int) []byte {
	us := 5_000_000 + n*1_000_000/60
	return fmt.Appendf(nil, "<REC CNT=\"%d\" TIME=\"%d.%06d\" BPOGX=\"%.5f\" BPOGY=\"%.5f\" BPOGV=\"1\" LPMM=\"3.5\" LPMMV=\"1\" RPMM=\"3.25\" RPMMV=\"1\" />\r\n",
		1000+n, us/1e6, us%1e6, float64(n%97)/97, float64(n%89)/89)
}

// says tells whether e says what record n says.
func (e entered) says(n int) bool {
	var s Scanner
	m, _, _ := s.Next(text(n))
	want, err := ParseRecord(m)
	return err == nil && e.Count == want.Count && e.TimeUS == want.TimeUS && e.X == want.X && e.Y == want.Y &&
		e.LeftMM == want.LeftMM && e.RightMM == want.RightMM
}

// damage is one thing that a line does to bytes. draw returns a number below n.
func damage(draw func(n int) int, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	at := draw(len(b))
	to := min(len(b), at+1+draw(300))
	switch draw(4) {
	case 0:
		return slices.Delete(b, at, to)
	case 1:
		for i := at; i < to; i += 1 + draw(60) {
			b[i] ^= byte(1 + draw(255))
		}
		return b
	case 2:
		return slices.Insert(b, to, slices.Clone(b[at:to])...)
	}
	other := make([]byte, 1+draw(300))
	for i := range other {
		other[i] = byte(draw(256))
	}
	return slices.Insert(b, at, other...)
}

// burst plays a tracker whose line damages some records in a row, and checks
// those after them.
func burst(draw func(n int) int) (h hearer, err error) {
	before, harmed := 2+draw(19), 1+draw(12)
	const after = 12
	h = hearer{sequence: sequence{rate: 60}}
	at := func(n int) instant.Instant { return instant.Instant(time.Duration(n) * period) }
	for n := range before {
		h.hear(text(n), at(n))
	}
	var b []byte
	for n := range harmed {
		b = append(b, text(before+n)...)
	}
	for range 1 + draw(4) {
		b = damage(draw, b)
	}
	h.hear(b, at(before+harmed))
	all := before + harmed + after
	for n := all - after; n < all; n++ {
		h.hear(text(n), at(n))
	}
	due := after - lockRecords + 1
	if len(h.all) < due {
		return h, fmt.Errorf("%d records, want %d of those after the damage alone", len(h.all), due)
	}
	for i, e := range h.all[len(h.all)-due:] {
		n := all - due + i
		if !e.says(n) {
			return h, fmt.Errorf("%d records after the damage: %+v, want record %d", lockRecords+i, e, n)
		}
		if h.rebased == 0 && e.seq != int64(n) {
			return h, fmt.Errorf("record %d after the damage has number %d", n, e.seq)
		}
	}
	return h, nil
}

// After any damage, from the second whole record on every one is passed with its
// own values, and with its right number: what was lost is a hole in them.
func TestResynchronises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if _, err := burst(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") }); err != nil {
			t.Fatal(err)
		}
	})
}

// maxFalseEpochs is the share of bursts of damage that PROTOCOL.md states to be
// taken for a restart of the tracker's clock.
const maxFalseEpochs = 1e-3

func TestDamageIsNoRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const bursts = 1000
	restarts := 0
	for range bursts {
		h, err := burst(r.IntN)
		if err != nil {
			t.Fatal(err)
		}
		if h.rebased > 0 {
			restarts++
		}
	}
	t.Logf("%d of %d bursts of damage taken for a restart", restarts, bursts)
	if share := float64(restarts) / bursts; share > maxFalseEpochs {
		t.Errorf("%v of the bursts of damage are taken for a restart, stated are %v", share, maxFalseEpochs)
	}
}

// Of random bytes nothing passes: PROTOCOL.md says why.
func TestGarbageDoesNotPass(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	h := hearer{sequence: sequence{rate: 60}}
	b := make([]byte, 4096)
	for range 1000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		h.hear(b, 0)
	}
	if len(h.all) != 0 {
		t.Errorf("%d records in 4 MB of random bytes", len(h.all))
	}
}

// maxFalse is the share of records with one wrong bit that PROTOCOL.md states to
// pass with a wrong value.
const maxFalse = 0.10

// Without a checksum, a wrong digit of a coordinate is a movement.
func TestDamagedDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	h := hearer{sequence: sequence{rate: 60}}
	harmed, wrong := 0, 0
	for n := range 9_000 {
		b := text(n)
		if n%3 == 2 {
			b[r.IntN(len(b)-2)] ^= 1 << r.IntN(8)
			harmed++
		}
		h.hear(b, instant.Instant(time.Duration(n)*period))
	}
	for _, e := range h.all {
		if n := e.Count - 1000; !e.says(int(n)) || e.seq != n {
			wrong++
		}
	}
	share := float64(wrong) / float64(harmed)
	t.Logf("%d of %d records with one wrong bit passed with a wrong value: %.1f %%", wrong, harmed, 100*share)
	if share > maxFalse || share == 0 {
		t.Errorf("%.2f of the damaged records passed with a wrong value, stated are %.2f", share, maxFalse)
	}
}
