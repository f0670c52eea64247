package iscan

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/sensors/eyetracker/linetest"
	"emolab/sensors/serialtest"
)

// read returns the words of all frames in b, fed in pieces.
func read(r *Framer, b []byte, piece int) [][maxOutputs]uint16 {
	var all [][maxOutputs]uint16
	for len(b) > 0 {
		n := min(piece, len(b))
		for p := b[:n]; len(p) > 0; {
			f, rest, ok := r.Next(p, 0)
			if ok {
				all = append(all, f.Words)
			}
			p = rest
		}
		b = b[n:]
	}
	return all
}

// The bytes of a frame, and which frames of a clean line pass: all but the one
// that the lock is made with and the last, which nothing proves.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		words []uint16
		bytes []byte
	}{
		{[]uint16{0x0A14}, []byte{0x44, 0x44, 0x14, 0x0A}},
		{[]uint16{2560, 1280, 350}, []byte{0x44, 0x44, 0x00, 0x0A, 0x00, 0x05, 0x5E, 0x01}},
		{[]uint16{1, 2, 3, 4, 5, 6}, []byte{0x44, 0x44, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}},
		{[]uint16{0, 0, 0}, []byte{0x44, 0x44, 0, 0, 0, 0, 0, 0}},
	} {
		if got := AppendFrame(nil, c.words...); !bytes.Equal(got, c.bytes) {
			t.Errorf("%v: % X, want % X", c.words, got, c.bytes)
		}
		var want [maxOutputs]uint16
		copy(want[:], c.words)
		r := NewFramer(len(c.words))
		got := read(r, bytes.Repeat(c.bytes, 10), 7)
		if len(got) != 8 {
			t.Errorf("%v: %d of 10 frames, want 8", c.words, len(got))
		}
		for _, w := range got {
			if w != want {
				t.Errorf("%v: %v", c.words, w)
			}
		}
	}
}

// Lines in which 44 44 stands in several places, joined at every byte.
func TestLocksAmongOtherMarks(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []uint16
		locks bool
	}{
		{"low byte of the first word", []uint16{0x0144, 7, 8}, true},
		{"first word is 44 44", []uint16{0x4444, 7, 8}, true},
		{"44 across two words", []uint16{7, 0x4401, 0x0044}, false},
		{"another word is 44 44", []uint16{7, 0x4444, 8}, false},
		{"nothing but 44", []uint16{0x4444, 0x4444, 0x4444}, false},
	} {
		var want [maxOutputs]uint16
		copy(want[:], c.words)
		frame := AppendFrame(nil, c.words...)
		for cut := range frame {
			r := NewFramer(3)
			got := read(r, append(append([]byte(nil), frame[cut:]...), bytes.Repeat(frame, 12)...), 5)
			if (len(got) > 0) != c.locks {
				t.Errorf("%s, joined at %d: %d frames", c.name, cut, len(got))
			}
			for _, w := range got {
				if w != want {
					t.Errorf("%s, joined at %d: %v", c.name, cut, w)
				}
			}
			if !c.locks {
				if c.words[0] != 0x4444 && r.Faults().Ambiguous == 0 {
					t.Errorf("%s, joined at %d: nothing said", c.name, cut)
				}
				// As soon as the eye moves it is clear.
				var moved []byte
				for i := range uint16(6) {
					moved = AppendFrame(moved, 100+i, 200+i, 300+i)
				}
				if got := read(r, moved, 5); len(got) < 2 || got[len(got)-1] != [maxOutputs]uint16{104, 204, 304} {
					t.Errorf("%s, joined at %d: not locked after six frames without: %v", c.name, cut, got)
				}
			}
		}
	}
}

// A last word whose high byte is 44 cannot be told from a first word whose low
// byte is: frames are read one byte early until it changes, which is a slip.
func TestLastWordThatLooksLikeABeginning(t *testing.T) {
	r := NewFramer(3)
	if got := read(r, bytes.Repeat(AppendFrame(nil, 7, 8, 0x4401), 12), 5); len(got) == 0 || got[0] != [maxOutputs]uint16{0x0744, 0x0800, 0x0100} {
		t.Errorf("%v: PROTOCOL.md says that these are read one byte early", got)
	}
	var b []byte
	for i := range uint16(6) {
		b = AppendFrame(b, 100+i, 200+i, 300+i)
	}
	if got := read(r, b, 5); len(got) < 2 || got[len(got)-1] != [maxOutputs]uint16{104, 204, 304} || r.Faults().Slips != 1 {
		t.Errorf("%v, %+v after it changed", got, r.Faults())
	}
}

// word makes words below 1740.8 units in tenths whose bytes are not 44.
func word() *rapid.Generator[uint16] {
	return rapid.Custom(func(t *rapid.T) uint16 {
		w := rapid.Uint16Range(0, 0x43FF).Draw(t, "word")
		if w&0xFF == mark {
			w++
		}
		return w
	})
}

// Whatever happens to the bytes, frames from the second good one on are read,
// when the one after begins; and before the damage all but the last.
func TestFramerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, maxOutputs).Draw(t, "outputs")
		frames := func(name string, from, to int) (all [][maxOutputs]uint16, b []byte) {
			for range rapid.IntRange(from, to).Draw(t, name) {
				var w [maxOutputs]uint16
				for i := range n {
					w[i] = word().Draw(t, "w")
				}
				all = append(all, w)
				b = AppendFrame(b, w[:n]...)
			}
			return all, b
		}
		before, b := frames("before", 3, 6)
		_, wrong := frames("hit", 1, 4)
		after, tail := frames("after", 3, 8)
		b = append(b, linetest.Damage(t, wrong)...)
		b = append(b, tail...)
		b = append(b, mark, mark)
		got := read(NewFramer(n), b, rapid.IntRange(1, 40).Draw(t, "piece"))
		if want := before[1 : len(before)-1]; len(got) < len(want) || !cmp.Equal(got[:len(want)], want) {
			t.Fatalf("before the damage: %v, want %v", got, want)
		}
		want := after[1:]
		if k := len(got) - len(want); k < 0 || !cmp.Equal(got[k:], want) {
			t.Fatalf("after the damage: %v, want %v", got, want)
		}
	})
}

// Bytes of which one in four is 44 pass as a frame where six of them stand in
// their places: with probability p^6 in a place. That is the same arithmetic
// that gives 2^-48 for random bytes, where no test could see it.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const bytes = 1 << 20
	p := 1./4 + 3./4/256
	// A lock holds on with probability p^2; and half for chance.
	limit := int(1.5 * bytes * math.Pow(p, 6) / (1 - p*p))
	for outputs := 1; outputs <= maxOutputs; outputs++ {
		framer := NewFramer(outputs)
		b := make([]byte, bytes)
		for i := range b {
			b[i] = byte(r.IntN(256))
			if r.IntN(4) == 0 {
				b[i] = mark
			}
		}
		if found := len(read(framer, b, 4096)); found > limit || found < limit/3 {
			t.Errorf("%d outputs: %d frames in %d bytes, want about %d", outputs, found, bytes, limit)
		}
	}
	if found := len(read(NewFramer(3), serialtest.Garbage(r, 1<<20), 4096)); found > 0 {
		t.Errorf("%d frames in 1 MB of random bytes, want none", found)
	}
}

// The arrival of a frame is that of its last byte, not of those that prove it.
func TestArrivalOfTheLastByte(t *testing.T) {
	r := NewFramer(2)
	for p := bytes.Repeat(AppendFrame(nil, 1, 2), 3); len(p) > 0; {
		_, p, _ = r.Next(p, 100)
	}
	b := AppendFrame(nil, 3, 4)
	r.Next(b[:2], 200) // proves the third, and begins the fourth
	r.Next(b[2:], 300)
	if _, _, ok := r.Next([]byte{mark}, 400); ok {
		t.Fatal("a frame passes before the next one has begun")
	}
	f, _, ok := r.Next([]byte{mark}, 500)
	if !ok || f.Arrival != instant.Instant(300) || f.Words != [maxOutputs]uint16{3, 4} {
		t.Errorf("%+v, %v", f, ok)
	}
}

// Frames whose bytes were changed in place are counted; where bytes were added
// or removed nobody can count.
func TestLost(t *testing.T) {
	var clean []byte
	for i := range uint16(12) {
		clean = AppendFrame(clean, 100+i, 200+i, 300+i)
	}
	flipped := append([]byte(nil), clean...)
	flipped[5*8] ^= 1 // the beginning of frame 5: 4 has no proof, 6 no predecessor
	inside := append([]byte(nil), clean...)
	inside[5*8+3] ^= 1
	for _, c := range []struct {
		name string
		b    []byte
		lost int64
		n    int
	}{
		{"clean", clean, 0, 10},
		{"a beginning", flipped, 3, 7},
		{"inside", inside, 0, 10},
		{"byte removed", append(append([]byte(nil), clean[:43]...), clean[44:]...), 0, 8},
		{"byte added", append(append(append([]byte(nil), clean[:43]...), 9), clean[43:]...), 0, 8},
	} {
		r := NewFramer(3)
		var lost int64
		n := 0
		for p := c.b; len(p) > 0; {
			f, rest, ok := r.Next(p, 0)
			if ok {
				n++
				lost += f.Lost
			}
			p = rest
		}
		if lost != c.lost || n != c.n {
			t.Errorf("%s: %d frames and %d lost, want %d and %d", c.name, n, lost, c.n, c.lost)
		}
	}
}

func TestCensus(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= maxOutputs; n++ {
		b := serialtest.Garbage(r, 50)
		for i := range uint16(enough + 3) {
			words := []uint16{1000 + i, 1100 + i, 1200 + i, 1300 + i, 1400 + i, 1500 + i}
			b = AppendFrame(b, words[:n]...)
		}
		if got := newCensus().take(b); got != n {
			t.Errorf("%d outputs: counted %d", n, got)
		}
		if got := newCensus().take(b[:len(b)/2]); got != 0 {
			t.Errorf("%d outputs: counted %d from half of it", n, got)
		}
	}
	for name, b := range map[string][]byte{"random": serialtest.Garbage(r, 1<<16), "letters": bytes.Repeat([]byte("D"), 1000)} {
		if got := newCensus().take(b); got != 0 {
			t.Errorf("%s bytes: counted %d outputs", name, got)
		}
	}
}

func FuzzFramer(f *testing.F) {
	f.Add(bytes.Repeat(AppendFrame(nil, 1, 2, 3), 4), 3, 3)
	f.Add(bytes.Repeat([]byte{mark}, 40), 2, 1)
	f.Fuzz(func(t *testing.T, in []byte, outputs, piece int) {
		n := 1 + (outputs&0x7FFFFFFF)%maxOutputs
		b := append([]byte(nil), in...)
		for i := range uint16(6) {
			words := []uint16{10 + i, 20 + i, 30 + i, 40 + i, 50 + i, 60 + i}
			b = AppendFrame(b, words[:n]...)
		}
		whole, pieces := NewFramer(n), NewFramer(n)
		all := read(whole, b, len(b))
		if len(all) == 0 || all[len(all)-1][0] != 14 {
			t.Fatalf("six frames after garbage, and the fifth is not read: %v", all)
		}
		again := read(pieces, b, 1+(piece&0x7FFFFFFF)%23)
		if !cmp.Equal(all, again) || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %v, in pieces %v", all, again)
		}
		newCensus().take(in)
	})
}
