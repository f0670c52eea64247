package bitalino

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// streamOf returns the frames of samples from..until of one input. Its readings
// wander as skin does.
func streamOf(from, until int) []byte {
	var b []byte
	for i := from; i < until; i++ {
		b = Append(b, frameOf(i), 1)
	}
	return b
}

// frameOf is frame number i of streamOf.
func frameOf(i int) Frame {
	return Frame{Seq: uint8(i & 15), Analog: [6]uint16{uint16(300 + (i*i/7+i)%90)}}
}

// decode puts b through d in pieces.
func decode(d *Decoder, b []byte, piece int) []Received {
	var got []Received
	for piece := range slices.Chunk(b, piece) {
		got = d.Put(got, piece, 0)
	}
	return got
}

func TestLocksAfterEightFrames(t *testing.T) {
	d := NewDecoder(1)
	if got := decode(d, streamOf(0, 7), 1); len(got) != 0 || d.Locked() {
		t.Fatalf("%d frames believed after seven", len(got))
	}
	got := d.Put(nil, streamOf(7, 9), 5)
	if len(got) != 9 || !d.Locked() {
		t.Fatalf("%d frames after nine", len(got))
	}
	for i, f := range got {
		at := instant.Instant(0)
		if i >= 7 {
			at = 5
		}
		if f.Frame != frameOf(i) || f.Relocked != (i == 0) || f.Arrival != at {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	if f := d.Faults(); f != (Faults{}) {
		t.Errorf("%+v on a clean line", f)
	}
}

// A line that is stuck at 0 has right checksums for ever, but its sequence numbers
// do not rise.
func TestZerosAreNoFrames(t *testing.T) {
	for channels := 1; channels <= MaxChannels; channels++ {
		d := NewDecoder(channels)
		if got := decode(d, make([]byte, 10_000), 1000); len(got) != 0 {
			t.Errorf("%d channels: %d frames in zeros", channels, len(got))
		}
	}
	// Nor are frames lost when the electrodes are open and the readings are 0.
	var b []byte
	for i := range 40 {
		b = Append(b, Frame{Seq: uint8(i & 15)}, 1)
	}
	d := NewDecoder(1)
	if got := decode(d, append(make([]byte, 500), b...), 7); len(got) != 40 {
		t.Errorf("%d frames with the reading 0, want 40", len(got))
	}
}

// Whatever happens to a stretch of the line, from the lock length on all is right:
// frames that are held back until then are passed with it.
func TestResynchronises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		good := streamOf(0, 64)
		bad := bytes.Clone(streamOf(64, 64+rapid.IntRange(1, 30).Draw(t, "damaged frames")))
		after := streamOf(200, 240) // the numbers tell nothing of what was lost
		for range rapid.IntRange(1, 10).Draw(t, "damages") {
			at := rapid.IntRange(0, max(0, len(bad)-1)).Draw(t, "at")
			n := min(rapid.IntRange(1, 12).Draw(t, "length"), len(bad)-at)
			switch rapid.SampledFrom([]string{"cut", "flip", "duplicate", "insert"}).Draw(t, "damage") {
			case "cut":
				bad = slices.Delete(bad, at, at+n)
			case "flip":
				for i := at; i < at+n; i++ {
					bad[i] ^= rapid.Byte().Draw(t, "flipped")
				}
			case "duplicate":
				bad = slices.Insert(bad, at, bytes.Clone(bad[at:at+n])...)
			case "insert": // of another conversation
				bad = slices.Insert(bad, at, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "inserted")...)
			}
			if len(bad) == 0 {
				break
			}
		}
		d := NewDecoder(1)
		piece := rapid.IntRange(1, 70).Draw(t, "piece")
		if got := decode(d, good, piece); len(got) != 64 {
			t.Fatalf("%d frames before the damage, want 64", len(got))
		}
		got := decode(d, append(bad, after...), piece)
		if len(got) < 40-lock {
			t.Fatalf("%d frames, want the last %d at least", len(got), 40-lock)
		}
		for i, f := range got[len(got)-(40-lock):] {
			if want := frameOf(200 + lock + i); f.Frame != want {
				t.Fatalf("frame %d after the damage: %+v, want %+v", lock+i, f.Frame, want)
			}
		}
	})
}

// A frame that is damaged costs itself and nothing else.
func TestOneDamagedFrame(t *testing.T) {
	b := streamOf(0, 60)
	b[3*30] ^= 0x10
	d := NewDecoder(1)
	got := decode(d, b, 13)
	want := slices.Concat(seqs(0, 30), seqs(31, 60))
	var have []uint8
	for _, f := range got {
		have = append(have, f.Seq)
		if f.Relocked != (len(have) == 1 || len(have) == 31) {
			t.Errorf("frame %d: relocked is %v", len(have)-1, f.Relocked)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("numbers %v, want %v", have, want)
	}
	if f := d.Faults(); f.Checksum != 1 || f.Sequence != 0 || f.Skipped != 3 {
		t.Errorf("%+v, want one wrong checksum and its three bytes", f)
	}
}

func seqs(from, until int) []uint8 {
	var all []uint8
	for i := from; i < until; i++ {
		all = append(all, uint8(i&15))
	}
	return all
}

// The stated garbage rates. All are of chance, with a fixed seed.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	t.Run("not locked", func(t *testing.T) {
		garbage := random(1 << 19)
		// Frames pass as chance has it: the first once in 16 windows, and each that
		// follows once in 256. Eight can only be reckoned from that.
		for frames, one := range map[int]float64{1: 16, 2: 16 * 256} {
			passed := 0
			d := NewDecoder(1)
			for i := range len(garbage) - 3*frames {
				d.n = copy(d.held[:], garbage[i:i+3*frames])
				if _, ok := d.run(); ok {
					passed++
				}
			}
			want := float64(len(garbage)) / one
			if math.Abs(float64(passed)-want) > 6*math.Sqrt(want) {
				t.Errorf("%d windows pass as %d frames, want about %.0f", passed, frames, want)
			}
		}
		if got := NewDecoder(1).Put(nil, garbage, 0); len(got) != 0 {
			t.Errorf("%d frames in 512 KiB of random bytes, want none", len(got))
		}
	})
	t.Run("locked", func(t *testing.T) {
		const trials = 40_000
		good := NewDecoder(1)
		good.Put(nil, streamOf(0, lock), 0)
		passed := 0
		for range trials {
			d := *good
			passed += len(d.Put(nil, random(12), 0))
		}
		// 1 in 255 expected; half as much again is more than six standard deviations.
		if share := float64(passed) / trials; share > 1.5/255 || share < .5/255 {
			t.Errorf("%d frames passed in %d bursts of random bytes, want about 1 in 255", passed, trials)
		}
	})
	t.Run("one byte", func(t *testing.T) {
		passed, damaged := 0, 0
		for i := range 160 {
			for at := range 3 {
				for flip := 1; flip < 256; flip++ {
					b := Append(nil, frameOf(i), 1)
					b[at] ^= byte(flip)
					damaged++
					if f, ok := Parse(b, 1); ok && f.Seq == frameOf(i).Seq {
						passed++
					}
				}
			}
		}
		if share := float64(passed) / float64(damaged); share > 1.0/25 || passed == 0 {
			t.Errorf("%d of %d frames with a wrong byte passed, want less than 1 in 25", passed, damaged)
		}
	})
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	d, b := NewDecoder(1), streamOf(0, 16)
	dst := make([]Received, 0, 64)
	if n := testing.AllocsPerRun(100, func() { dst = d.Put(dst[:0], b, 0) }); n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.bytes, uint8(v.channels), uint16(3))
	}
	f.Add(streamOf(3, 30), uint8(1), uint16(2))
	f.Add(make([]byte, 300), uint8(6), uint16(11))
	f.Fuzz(func(t *testing.T, in []byte, channels uint8, piece uint16) {
		n := 1 + int(channels)%MaxChannels
		whole, pieces := NewDecoder(n), NewDecoder(n)
		a := whole.Put(nil, in, 0)
		b := decode(pieces, in, 1+int(piece)%100)
		if !slices.Equal(a, b) || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %v, in pieces %v", a, b)
		}
		if len(a)*Size(n) > len(in) {
			t.Fatalf("%d frames of %d bytes out of %d", len(a), Size(n), len(in))
		}
		for i, f := range a {
			if f.Analog[0] > 1023 || f.Analog[4] > 63 || f.Seq > 15 || f.Digital > 15 {
				t.Fatalf("impossible frame %+v", f)
			}
			if i == 0 && !f.Relocked {
				t.Fatal("the first frame does not say that it is")
			}
			if i > 0 && !f.Relocked && f.Seq != (a[i-1].Seq+1)%16 {
				t.Fatalf("number %d after %d", f.Seq, a[i-1].Seq)
			}
		}
		if i := whole.n; i >= lock*Size(n) {
			t.Fatalf("%d bytes held", i)
		}
		// Frames that follow are read, whatever there was before.
		var clean []byte
		for i := range 64 {
			clean = Append(clean, Frame{Seq: uint8(i & 15), Analog: [6]uint16{uint16(i), 7, 9, 11, 1, 2}}, n)
		}
		got := whole.Put(nil, clean, 0)
		if len(got) == 0 || got[len(got)-1].Analog[0] != 63 {
			t.Fatalf("64 clean frames, and the last is not read: %+v", got)
		}
	})
}

func FuzzVersion(f *testing.F) {
	f.Add([]byte("BITalino_v5.2\n"))
	f.Add([]byte("\x00BITalino V3.1\r\n"))
	f.Fuzz(func(t *testing.T, heard []byte) {
		if v, ok := ParseVersion(heard); ok && (v.Major < 0 || v.Major > 999 || !bytes.Contains(heard, []byte("BITalino"))) {
			t.Fatalf("%+v in %q", v, heard)
		}
		recognise(heard)
	})
}
