package eyetribe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// split feeds the text in pieces of the given size and returns the objects.
func split(s *Splitter, text string, piece int) []string {
	var got []string
	for p := []byte(text); len(p) > 0; {
		n := min(piece, len(p))
		for b := p[:n]; len(b) > 0; {
			o, rest, ok := s.Next(b)
			if ok {
				got = append(got, string(o))
			}
			b = rest
		}
		p = p[n:]
	}
	return got
}

func TestSplitter(t *testing.T) {
	const beat = `{"category":"heartbeat","statuscode":200}`
	long := `{"category":"` + strings.Repeat("x", 2*maxMessage) + `"}`
	for _, c := range []struct {
		name   string
		text   string
		want   []string
		faults Faults
	}{
		{"one a line", beat + "\n" + beat + "\r\n", []string{beat, beat}, Faults{}},
		{"no line ends", beat + beat + beat, []string{beat, beat, beat}, Faults{}},
		{"blanks between", beat + " \t" + beat, []string{beat, beat}, Faults{}},
		{"nested", `{"a":{"b":{}},"c":[{}]}`, []string{`{"a":{"b":{}},"c":[{}]}`}, Faults{}},
		{"braces in a string", `{"a":"}{","b":"\"}\\"}` + beat, []string{`{"a":"}{","b":"\"}\\"}`, beat}, Faults{}},
		{"other key first", `{"statuscode":200,"category":"heartbeat"}` + beat, []string{`{"statuscode":200,"category":"heartbeat"}`, beat}, Faults{}},
		{"cut off by the line's end", `{"category":"tracker","values":{` + "\n" + beat, []string{beat}, Faults{Broken: 1}},
		{"cut off by the next", `{"category":"tracker","values":{` + beat, []string{beat}, Faults{Broken: 1}},
		{"cut off in a string", `{"category":"trac` + beat + beat, []string{beat, beat}, Faults{Broken: 1}},
		{"closed too early", `{"category":"tracker"}}}` + beat, []string{`{"category":"tracker"}`, beat}, Faults{Stray: 1}},
		{"garbage outside", "xyz\x00\xff" + beat + "!!\n" + beat, []string{beat, beat}, Faults{Stray: 2}},
		{"too long, then a line", long + "\n" + beat, []string{beat}, Faults{TooLong: 1}},
		{"too long, then no line", long + beat, []string{beat}, Faults{TooLong: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{1, 7, 1_000_000} {
				var s Splitter
				if d := cmp.Diff(c.want, split(&s, c.text, piece)); d != "" {
					t.Errorf("in pieces of %d: %s", piece, d)
				}
				if s.Faults() != c.faults {
					t.Errorf("in pieces of %d: faults %+v, want %+v", piece, s.Faults(), c.faults)
				}
			}
		})
	}
}

func TestSplitterDoesNotAllocate(t *testing.T) {
	text := []byte(line(1))
	var s Splitter
	n := testing.AllocsPerRun(100, func() {
		for p := text; len(p) > 0; {
			_, p, _ = s.Next(p)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
}

// Messages survive any splitting, with and without line ends, and any garbage
// before them.
func TestSplitterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		var want []string
		for i := range rapid.IntRange(1, 20).Draw(t, "messages") {
			if rapid.Bool().Draw(t, "dirty") {
				garbage := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "garbage")
				// Garbage that is an object is one; it is for decode to refuse.
				text.WriteString(strings.ReplaceAll(string(garbage), "}", ""))
			}
			m := fmt.Sprintf(`{"category":"heartbeat","statuscode":%d}`, i)
			text.WriteString(m + rapid.SampledFrom([]string{"", "\n", "\r\n"}).Draw(t, "end"))
			want = append(want, m)
		}
		var s Splitter
		got := split(&s, text.String(), rapid.IntRange(1, 50).Draw(t, "piece"))
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte(documented), 5)
	f.Add([]byte(lost), 3)
	f.Add([]byte(`{"category":"tracker","statuscode":500,"values":{"statusmessage":"set failed"}}`), 1)
	f.Add([]byte("{\"a\":\"\\\"}\\\\\"}{\"category\"\n\xff{"), 2)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		const last = `{"category":"heartbeat","statuscode":77}`
		text := string(in) + "\n" + last
		var whole, pieces Splitter
		a := split(&whole, text, len(text))
		b := split(&pieces, text, 1+(piece&0x7FFFFFFF)%23)
		if len(a) == 0 || a[len(a)-1] != last {
			t.Fatalf("the message after garbage and a line's end is lost: %q", a)
		}
		if d := cmp.Diff(a, b); d != "" || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %s, %+v, in pieces %+v", d, whole.Faults(), pieces.Faults())
		}
		for _, o := range a {
			if len(o) > maxMessage {
				t.Fatalf("an object of %d bytes", len(o))
			}
			m, v, err := decode([]byte(o))
			if err != nil {
				continue
			}
			m.explanation()
			if v.Frame == nil {
				continue
			}
			f, err := v.Frame.parse()
			if err == nil && (f.TimeMS < 0 || f.X > maxPx || f.Y < -maxPx || f.LeftPupil < 0 || f.RightPupil > maxPupil) {
				t.Fatalf("impossible frame %+v", f)
			}
		}
	})
}
