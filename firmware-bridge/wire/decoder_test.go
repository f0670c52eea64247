package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// seqs feeds p in the pieces given by cuts and returns the sequence numbers of
// the EDA messages.
func seqs(d *Decoder, p []byte, cuts ...int) []uint16 {
	var got []uint16
	for len(p) > 0 {
		n := len(p)
		if len(cuts) > 0 {
			n, cuts = min(n, max(1, cuts[0])), cuts[1:]
		}
		for piece := p[:n]; len(piece) > 0; {
			m, rest, ok := d.Next(piece)
			if ok && m.Type == TypeEDA {
				got = append(got, m.EDA().Seq)
			}
			piece = rest
		}
		p = p[n:]
	}
	return got
}

func TestDecoderCountsFaults(t *testing.T) {
	good := AppendEDA(nil, EDA{Seq: 7, Tick: 8, Raw: 9})
	flipped := bytes.Clone(good)
	flipped[len(flipped)-2] ^= 0x10
	for _, c := range []struct {
		name string
		in   []byte
		want Faults
	}{
		{"clean", nil, Faults{}},
		{"empty frames", []byte{0, 0, 0}, Faults{}},
		{"broken stuffing", []byte{9, 1, 0}, Faults{COBS: 1}},
		{"wrong checksum", flipped, Faults{CRC: 1}},
		{"no room for a checksum", []byte{2, 5, 0}, Faults{CRC: 1}},
		{"unknown type", appendFrame(nil, 0x70, []byte{1, 2}), Faults{Unknown: 1}},
		{"short payload", appendFrame(nil, TypeEDA, []byte{1, 2}), Faults{Short: 1}},
		{"too long", append(bytes.Repeat([]byte{1}, 500), 0), Faults{Oversize: 1}},
		{"half a frame", append(bytes.Clone(good[:5]), 0), Faults{CRC: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			got := seqs(&d, append(bytes.Clone(c.in), good...))
			if len(got) == 0 || got[len(got)-1] != 7 {
				t.Errorf("the good frame after it was not read: %v", got)
			}
			if d.Faults() != c.want {
				t.Errorf("faults %+v, want %+v", d.Faults(), c.want)
			}
		})
	}
}

func TestDecoderAcceptsLongerPayload(t *testing.T) {
	m := one(t, appendFrame(nil, TypeEDA, []byte{1, 0, 2, 0, 0, 0, 3, 0, 99, 98}))
	if got, want := m.EDA(), (EDA{1, 2, 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Frames survive any splitting, and garbage that a delimiter ends costs nothing
// but itself.
func TestDecoderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var line []byte
		var want []uint16
		for i := range rapid.IntRange(1, 30).Draw(t, "frames") {
			if rapid.Bool().Draw(t, "dirty") {
				garbage := rapid.SliceOfN(rapid.ByteRange(1, 255), 1, 80).Draw(t, "garbage")
				line = append(append(line, garbage...), 0)
			}
			e := EDA{Seq: uint16(i), Tick: rapid.Uint32().Draw(t, "tick"), Raw: rapid.Uint16().Draw(t, "raw")}
			line, want = AppendEDA(line, e), append(want, e.Seq)
		}
		cuts := rapid.SliceOf(rapid.IntRange(1, 40)).Draw(t, "cuts")
		var d Decoder
		got := seqs(&d, line, cuts...)
		// Random garbage passes a 16-bit checksum now and then: then there is more,
		// never less.
		i := 0
		for _, s := range got {
			if i < len(want) && s == want[i] {
				i++
			}
		}
		if i < len(want) {
			t.Fatalf("read %v, want %v", got, want)
		}
	})
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	line := AppendPong(AppendEDA(nil, EDA{1, 2, 3}), Pong{4, 5, 6})
	var d Decoder
	n := testing.AllocsPerRun(100, func() {
		for p := line; len(p) > 0; {
			_, p, _ = d.Next(p)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
}

func FuzzDecoder(f *testing.F) {
	good := AppendEDA(nil, EDA{Seq: 1, Tick: 2, Raw: 3})
	f.Add(good, 3)
	f.Add(AppendHello(nil, Hello{Protocol: 1, Model: "emobox"}), 1)
	f.Add([]byte{0, 1, 1, 0, 255, 0}, 2)
	f.Add(bytes.Repeat([]byte{1}, 100), 7)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		const mark = 0xA5A5
		after := AppendEDA([]byte{0}, EDA{Seq: mark, Tick: 1, Raw: 1})
		line := append(bytes.Clone(in), after...)

		var whole, pieces Decoder
		a := seqs(&whole, line)
		var cuts []int
		for range len(line) {
			cuts = append(cuts, cut%17)
		}
		b := seqs(&pieces, line, cuts...)

		if len(a) == 0 || a[len(a)-1] != mark {
			t.Fatalf("the frame after garbage and delimiter is lost: %v", a)
		}
		if whole.Faults() != pieces.Faults() || len(a) != len(b) {
			t.Fatalf("splitting changed the outcome: %v %+v, in pieces %v %+v", a, whole.Faults(), b, pieces.Faults())
		}
	})
}

// TestGarbageRate proves what PROTOCOL.md states of random bytes: of 40 million not
// one sample comes.
func TestGarbageRate(t *testing.T) {
	r := rand.NewChaCha8([32]byte{20, 26})
	var d Decoder
	line := make([]byte, 4096)
	samples, runs := 0, int64(0)
	for range 40_000_000 / len(line) {
		_, _ = r.Read(line) // never fails
		runs += int64(bytes.Count(line, []byte{0}))
		for p := line; len(p) > 0; {
			m, rest, ok := d.Next(p)
			if ok && (m.Type == TypeEDA || m.Type == TypeLight || m.Type == TypeTrigger) {
				samples++
			}
			p = rest
		}
	}
	if samples > 0 {
		t.Errorf("%d samples from %d runs of random bytes", samples, runs)
	}
	// All but the empty runs, one in 256, are told.
	if f := d.Faults(); f.COBS+f.CRC+f.Unknown+f.Short+f.Oversize < runs*99/100 {
		t.Errorf("%+v of %d runs counted as faults", f, runs)
	}
}

// Of random bodies of a sample's length and type one in 65536 has the right checksum.
func TestGarbageRateOfChecksum(t *testing.T) {
	r := rand.NewChaCha8([32]byte{20, 27})
	const expected = 16
	var d Decoder
	body := make([]byte, 1+8+crcSize)
	var frame []byte
	samples := 0
	for range expected << 16 {
		_, _ = r.Read(body) // never fails
		body[0] = byte(TypeEDA)
		frame = append(appendCOBS(frame[:0], body), 0)
		if _, _, ok := d.Next(frame); ok {
			samples++
		}
	}
	// Poisson: four standard deviations are 16.
	if samples < expected-15 || samples > expected+16 {
		t.Errorf("%d of %d random bodies pass, want about %d", samples, expected<<16, expected)
	}
}

// TestLocksAfterOneFrame damages a stretch of a stream in every way and wants
// every sample from the stated lock length on, and none that was not sent.
func TestLocksAfterOneFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := func(from, until int) []byte {
			var b []byte
			for i := from; i < until; i++ {
				b = AppendEDA(b, EDA{Seq: uint16(i), Tick: uint32(i) * 10_000, Raw: uint16(rapid.Uint16().Draw(t, "raw"))})
			}
			return b
		}
		damaged := frames(0, 20)
		for range rapid.IntRange(1, 6).Draw(t, "injuries") {
			if len(damaged) == 0 {
				break
			}
			at := rapid.IntRange(0, len(damaged)-1).Draw(t, "at")
			until := min(len(damaged), at+rapid.IntRange(1, 30).Draw(t, "length"))
			piece := bytes.Clone(damaged[at:until])
			switch rapid.SampledFrom([]string{"cut", "flip", "twice", "interleave"}).Draw(t, "how") {
			case "cut":
				damaged = append(damaged[:at:at], damaged[until:]...)
			case "flip":
				damaged[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
			case "twice":
				damaged = append(damaged[:until:until], append(piece, damaged[until:]...)...)
			case "interleave":
				other := rapid.SliceOfN(rapid.Byte(), 1, 30).Draw(t, "other")
				damaged = append(damaged[:at:at], append(other, damaged[at:]...)...)
			}
		}
		var d Decoder
		got := seqs(&d, append(damaged, frames(100, 110)...))
		var after []uint16
		for _, s := range got {
			if s >= 100 {
				after = append(after, s)
			} else if s >= 20 {
				t.Fatalf("sample %d was never sent", s)
			}
		}
		// The first good frame may hang on the damage by a missing delimiter.
		if len(after) < 9 || after[len(after)-9] != 101 {
			t.Fatalf("after the damage came %v, want 101..109 at least", after)
		}
	})
}
