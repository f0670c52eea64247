package eyetrac

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/sensors/eyetracker/linetest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	for _, c := range []struct {
		bytes string
		want  Frame
	}{
		{"80 01 25 00 48 00 05 16 05 7F 7D 06", Frame{0x80, 0x81A5, 200, 1285, -3}},
		{"80 00 00 00 00 00 00 00 00 00 00 00", Frame{0x80, 0, 0, 0, 0}},
		{"80 7F 7F 00 7F 00 7F 56 7F 7F 7F 07", Frame{0x80, 0xFFFF, 255, -1, -1}},
		{"83 00 01 00 00 00 00 00 00 00 00 00", Frame{0x83, 1, 0, 0, 0}},
	} {
		b := unhex(t, c.bytes)
		got, ok := ParseFrame([12]byte(b))
		if !ok {
			t.Errorf("%s: refused", c.bytes)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.bytes, d)
		}
		if back := AppendFrame(nil, c.want); !bytes.Equal(back, b) {
			t.Errorf("%+v: % X, want % X", c.want, back, b)
		}
	}
}

func TestRefusesWhatIsNoFrame(t *testing.T) {
	for name, s := range map[string]string{
		"first byte without its mark": "00 01 25 00 48 00 05 16 05 7F 7D 06",
		"mark inside":                 "80 01 A5 00 48 00 05 16 05 7F 7D 06",
		"empty byte not empty":        "80 01 25 00 48 01 05 16 05 7F 7D 06",
		"overflow of the status":      "80 01 25 00 48 00 05 17 05 7F 7D 06",
		"overflow of the empty byte":  "80 01 25 00 48 00 05 36 05 7F 7D 06",
		"overflow with the mark":      "80 01 25 00 48 00 05 96 05 7F 7D 06",
		"overflow of more than three": "80 01 25 00 48 00 05 16 05 7F 7D 0E",
	} {
		if f, ok := ParseFrame([12]byte(unhex(t, s))); ok {
			t.Errorf("%s: passes as %+v", name, f)
		}
	}
}

func frames() *rapid.Generator[Frame] {
	return rapid.Custom(func(t *rapid.T) Frame {
		return Frame{
			Status: 0x80 | rapid.Uint8().Draw(t, "status"),
			Number: rapid.Uint16().Draw(t, "number"), Pupil: rapid.Uint16().Draw(t, "pupil"),
			Horizontal: rapid.Int16().Draw(t, "h"), Vertical: rapid.Int16().Draw(t, "v"),
		}
	})
}

func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := frames().Draw(t, "frame")
		b := AppendFrame(nil, want)
		for _, c := range b[1:] {
			if c >= 0x80 {
				t.Fatalf("% X: a mark inside", b)
			}
		}
		if got, ok := ParseFrame([12]byte(b)); !ok || got != want {
			t.Fatalf("% X: %+v, %v, want %+v", b, got, ok, want)
		}
	})
}

// read returns all frames in b, fed in pieces.
func read(r *Framer, b []byte, piece int) []Frame {
	var all []Frame
	for len(b) > 0 {
		n := min(piece, len(b))
		for p := b[:n]; len(p) > 0; {
			f, _, rest, ok := r.Next(p, 0)
			if ok {
				all = append(all, f)
			}
			p = rest
		}
		b = b[n:]
	}
	return all
}

// Each kind of damage costs the frames that it touches and no other: the first
// whole frame after it is read.
func TestFramerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(frames(), 1, 4).Draw(t, "before")
		hit := rapid.SliceOfN(frames(), 1, 4).Draw(t, "hit")
		after := rapid.SliceOfN(frames(), 1, 6).Draw(t, "after")
		var b []byte
		for _, f := range before {
			b = AppendFrame(b, f)
		}
		var wrong []byte
		for _, f := range hit {
			wrong = AppendFrame(wrong, f)
		}
		b = append(b, linetest.Damage(t, wrong)...)
		for _, f := range after {
			b = AppendFrame(b, f)
		}
		b = append(b, 0x80) // begins the one that would come next
		var r Framer
		got := read(&r, b, rapid.IntRange(1, 40).Draw(t, "piece"))
		if n := len(before) - 1; len(got) < n || !cmp.Equal(got[:n], before[:n]) {
			t.Fatalf("before the damage: %+v, want %+v", got, before[:n])
		}
		if n := len(got) - len(after); n < 0 || !cmp.Equal(got[n:], after) {
			t.Fatalf("after the damage: %+v, want %+v", got, after)
		}
	})
}

// Random bytes hold a frame in one place of 2^26: stated in PROTOCOL.md.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const megabytes = 16
	var framer Framer
	found := 0
	b := make([]byte, 1<<20)
	for range megabytes {
		for i := 0; i < len(b); i += 8 {
			v := r.Uint64()
			for k := range 8 {
				b[i+k] = byte(v >> (8 * k))
			}
		}
		for p := b; len(p) > 0; {
			_, _, rest, ok := framer.Next(p, 0)
			if ok {
				found++
			}
			p = rest
		}
	}
	// A quarter of a frame is expected; four have a probability of 0.01 %.
	if found > 3 {
		t.Errorf("%d frames in %d MB of random bytes, want at most 3", found, megabytes)
	}
}

// The arrival of a frame is that of its last byte, not of the byte that proves it.
func TestArrivalOfTheLastByte(t *testing.T) {
	b := AppendFrame(nil, Frame{Status: 0x80, Number: 7})
	var r Framer
	if _, _, _, ok := r.Next(b[:5], 100); ok {
		t.Fatal("half a frame passes")
	}
	if _, _, _, ok := r.Next(b[5:], 200); ok {
		t.Fatal("a frame passes before the next one")
	}
	_, at, _, ok := r.Next(b[:1], 300)
	if !ok || at != instant.Instant(200) {
		t.Errorf("arrived at %d (%v), want 200", at, ok)
	}
}

func TestFramerCountsFaults(t *testing.T) {
	good := AppendFrame(nil, Frame{Status: 0x80, Number: 7})
	for _, c := range []struct {
		name string
		b    []byte
		want Faults
	}{
		{"clean", append(append([]byte(nil), good...), good...), Faults{}},
		{"joined in the middle", append(append([]byte(nil), good[3:]...), good...), Faults{Stray: 1}},
		{"cut", append(append([]byte(nil), good[:8]...), good...), Faults{Cut: 1}},
		{"byte too many", append(append(append([]byte(nil), good...), 1, 2, 3), good...), Faults{Broken: 1}},
		{"impossible", append(unhex(t, "80 00 00 00 00 01 00 00 00 00 00 00"), good...), Faults{Broken: 1}},
	} {
		var r Framer
		read(&r, c.b, 5)
		if d := cmp.Diff(c.want, r.Faults()); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte{0x80, 1, 0x25, 0, 0x48, 0, 5, 0x16, 5, 0x7F, 0x7D, 6, 0x80}, 3)
	f.Add(bytes.Repeat([]byte{0x80, 0}, 20), 1)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		want := Frame{Status: 0x80, Number: 77, Pupil: 3, Horizontal: -4, Vertical: 5}
		b := append(AppendFrame(append([]byte(nil), in...), want), 0x80)
		var whole, pieces Framer
		all := read(&whole, b, len(b))
		if len(all) == 0 || all[len(all)-1] != want {
			t.Fatalf("the frame after garbage is lost: %+v", all)
		}
		if again := read(&pieces, b, 1+(piece&0x7FFFFFFF)%23); !cmp.Equal(all, again) || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %+v, in pieces %+v", all, again)
		}
	})
}
