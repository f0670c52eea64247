package iviewx

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/sensors/eyetracker/linetest"
)

func TestParseSample(t *testing.T) {
	for _, c := range []struct {
		text string
		want Sample
	}{
		{"28437864110 l 400 202 1024 960", Sample{28437864110, 'l', Eye{400, 202, 1024, 960}, Eye{}}},
		{"28437864110 r -40 202.5 1024 960", Sample{28437864110, 'r', Eye{}, Eye{-40, 202.5, 1024, 960}}},
		{"5 b 399 398 200 199 1000 1100 900 910", Sample{5, 'b', Eye{399, 200, 1000, 900}, Eye{398, 199, 1100, 910}}},
		{"5\tb  0 0 0 0 0 0 0 0 ", Sample{5, 'b', Eye{}, Eye{}}},
	} {
		got, err := ParseSample([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
}

func TestParseSampleRefuses(t *testing.T) {
	for _, text := range []string{
		"", "5", "5 b", "5 x 1 2 3 4", "5 l 1 2 3", "5 l 1 2 3 4 5", "5 b 1 2 3 4", "5 b 1 2 3 4 5 6 7",
		"5 b 1 2 3 4 5 6 7 8 9", "-5 l 1 2 3 4", "5.5 l 1 2 3 4", "x l 1 2 3 4", "5 lr 1 2 3 4",
		"5 l nan 2 3 4", "5 l 1e3 2 3 4", "5 l 0x1 2 3 4", "5 l 9999999 2 3 4", "5 l 1-2 2 3 4", "99999999999999999999 l 1 2 3 4",
		"9999999999999999 l 1 2 3 4", "28437864110: 400, 202",
	} {
		if s, err := ParseSample([]byte(text)); err == nil {
			t.Errorf("%q passes as %+v", text, s)
		}
	}
}

// scan returns the messages in the text, fed in pieces.
func scan(s *Scanner, text string, piece int) []string {
	var got []string
	for p := []byte(text); len(p) > 0; {
		n := min(piece, len(p))
		for b := p[:n]; len(b) > 0; {
			m, rest, ok := s.Next(b)
			if ok {
				got = append(got, string(m))
			}
			b = rest
		}
		p = p[n:]
	}
	return got
}

func TestScanner(t *testing.T) {
	long := strings.Repeat("x", 3*maxLine)
	for _, c := range []struct {
		name   string
		text   string
		want   []string
		faults Faults
	}{
		{"line feed", "ET_SPL 1\nET_FIN\n", []string{"ET_SPL 1", "ET_FIN"}, Faults{}},
		{"both", "ET_SPL 1\r\nET_FIN\r\n", []string{"ET_SPL 1", "ET_FIN"}, Faults{}},
		{"the other way round", "ET_SPL 1\n\rET_FIN\n\r", []string{"ET_SPL 1", "ET_FIN"}, Faults{}},
		{"carriage return", "ET_SPL 1\rET_FIN\r", []string{"ET_SPL 1", "ET_FIN"}, Faults{}},
		{"blanks around", "  ET_SPL 1 \t\n", []string{"ET_SPL 1"}, Faults{}},
		{"empty lines", "\n\n\r\nET_FIN\n", []string{"ET_FIN"}, Faults{}},
		{"other words", "hello\nET_FIN\n", []string{"ET_FIN"}, Faults{Stray: 1}},
		{"joined in the middle", "9 b 1 2\nET_FIN\n", []string{"ET_FIN"}, Faults{Stray: 1}},
		{"end of line lost", "ET_SPL 1 b 2ET_SPL 3\n", []string{"ET_SPL 3"}, Faults{Stray: 1}},
		{"no text", "ET_SPL \x80\nET_FIN\n", []string{"ET_FIN"}, Faults{Stray: 1}},
		{"too long", "ET_SPL " + long + "\nET_FIN\n", []string{"ET_FIN"}, Faults{TooLong: 1}},
		{"too long before another", long + "ET_FIN\n", []string{"ET_FIN"}, Faults{TooLong: 1}},
	} {
		for _, piece := range []int{1, 7, 100_000} {
			var s Scanner
			if d := cmp.Diff(c.want, scan(&s, c.text, piece)); d != "" {
				t.Errorf("%s, in pieces of %d: %s", c.name, piece, d)
			}
			if s.Faults() != c.faults {
				t.Errorf("%s, in pieces of %d: faults %+v, want %+v", c.name, piece, s.Faults(), c.faults)
			}
		}
	}
}

// Whatever happens to some bytes, messages that begin after it are read; and
// what was not touched is read as well.
func TestScannerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\n\r", "\r"}).Draw(t, "end")
		var before, after []string
		text := ""
		lines := func(n int) (all []string, text string) {
			for range n {
				m := fmt.Sprintf("ET_SPL %d l 1 2 3 4", rapid.Uint32().Draw(t, "stamp"))
				all, text = append(all, m), text+m+end
			}
			return all, text
		}
		before, text = lines(rapid.IntRange(0, 4).Draw(t, "before"))
		_, hit := lines(rapid.IntRange(1, 4).Draw(t, "hit"))
		after, tail := lines(rapid.IntRange(1, 4).Draw(t, "after"))
		text += string(linetest.Damage(t, []byte(hit))) + tail
		var s Scanner
		got := scan(&s, text, rapid.IntRange(1, 60).Draw(t, "piece"))
		if len(got) < len(before) || len(before) > 0 && !cmp.Equal(got[:len(before)], before) {
			t.Fatalf("before the damage: %q, want %q", got, before)
		}
		// The damage may end in what looks like part of a line; the first message
		// after it begins with ET_ all the same.
		if k := len(got) - len(after); k < 0 || !cmp.Equal(got[k:], after) {
			t.Fatalf("after the damage: %q, want %q", got, after)
		}
	})
}

// No sample in random bytes, nor in random text of the protocol's own letters.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const letters = "ET_SPLlrb0123456789  \r\n"
	for name, make := range map[string]func() byte{
		"bytes":   func() byte { return byte(r.IntN(256)) },
		"letters": func() byte { return letters[r.IntN(len(letters))] },
	} {
		var s Scanner
		b := []byte{}
		for range 4 << 20 {
			b = append(b, make())
		}
		for len(b) > 0 {
			m, rest, ok := s.Next(b)
			b = rest
			if text, found := strings.CutPrefix(string(m), "ET_SPL "); ok && found {
				if got, err := ParseSample([]byte(text)); err == nil {
					t.Errorf("random %s: %+v", name, got)
				}
			}
		}
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("ET_SPL 28437864110 b 399 398 200 199 1000 1100 900 910\r\n"), 5)
	f.Add([]byte("ET_ET_SPL 1 l 0 0 0 0\n\rET_VLS left 1 2 0.5\rET_"), 1)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		text := string(in) + "\r\nET_SPL 77 l 1 2 3 4\r\n"
		var whole, pieces Scanner
		a := scan(&whole, text, len(text))
		b := scan(&pieces, text, 1+(piece&0x7FFFFFFF)%23)
		if len(a) == 0 || a[len(a)-1] != "ET_SPL 77 l 1 2 3 4" {
			t.Fatalf("the message after garbage and a line's end is lost: %q", a)
		}
		if d := cmp.Diff(a, b); d != "" || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %s", d)
		}
		for _, m := range a {
			text, _ := strings.CutPrefix(m, "ET_SPL ")
			if s, err := ParseSample([]byte(text)); err == nil && (s.StampUS < 0 || s.Left.X > maxNumber || !strings.ContainsRune("lrb", rune(s.Eyes))) {
				t.Fatalf("impossible sample %+v", s)
			}
		}
		recognise(in)
	})
}
