package gazepoint

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scan feeds the text in pieces of the given size and returns the messages as
// text: TAG name=value name=value.
func scan(s *Scanner, text string, piece int) []string {
	var got []string
	for p := []byte(text); len(p) > 0; {
		n := min(piece, len(p))
		for b := p[:n]; len(b) > 0; {
			m, rest, ok := s.Next(b)
			if ok {
				words := []string{string(m.Tag)}
				for _, a := range m.Attrs {
					words = append(words, fmt.Sprintf("%s=%s", a.Name, a.Value))
				}
				got = append(got, strings.Join(words, " "))
			}
			b = rest
		}
		p = p[n:]
	}
	return got
}

func TestScanner(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string
		want   []string
		faults Faults
	}{
		{"record", "<REC CNT=\"1\" TIME=\"0.5\" />\r\n", []string{"REC CNT=1 TIME=0.5"}, Faults{}},
		{"no blank between attributes", `<ACK ID="X"VALUE="0"DUR="0" />`, []string{"ACK ID=X VALUE=0 DUR=0"}, Faults{}},
		{"blank before a value", `<CAL ID=" CALIB_START_PT" PT="1" />`, []string{"CAL ID=CALIB_START_PT PT=1"}, Faults{}},
		{"blank before the equals sign", `<ACK ID="CALIBRATE_START" STATE ="1" />`, []string{"ACK ID=CALIBRATE_START STATE=1"}, Faults{}},
		{"end without slash", `<UPDATE FREE="1">`, []string{"UPDATE FREE=1"}, Faults{}},
		{"another end", "<REC A=\"1\" />>\r\n<REC A=\"2\" />", []string{"REC A=1", "REC A=2"}, Faults{}},
		{"blanks and marks in a value", `<REC USER="a b > c/d" />`, []string{"REC USER=a b > c/d"}, Faults{}},
		{"value that ends in a slash", `<REC USER="a/" />`, []string{"REC USER=a/"}, Faults{}},
		{"empty value", `<REC KB="" />`, []string{"REC KB="}, Faults{}},
		{"bare tag", `<REC />`, []string{"REC"}, Faults{}},
		{"line feed only", "<REC A=\"1\" />\n<REC A=\"2\" />\n", []string{"REC A=1", "REC A=2"}, Faults{}},
		{"unknown tag", `<ROC A="1" /><REC A="2" />`, []string{"REC A=2"}, Faults{UnknownTag: 1}},
		{"cut off by the next", `<REC A="1" B="<REC A="2" />`, []string{"REC A=2"}, Faults{Broken: 1}},
		{"cut off by the line's end", "<REC A=\"1\r\n<REC A=\"2\" />", []string{"REC A=2"}, Faults{Broken: 1}},
		{"lost quote", "<REC A=\"1 B=\"3\" />\r\n<REC A=\"2\" />", []string{"REC A=2"}, Faults{Broken: 1}},
		{"lost end", "<REC A=\"1\"\r\n<REC A=\"2\" />", []string{"REC A=1", "REC A=2"}, Faults{}},
		{"no name", `<REC ="1" /><REC A="2" />`, []string{"REC A=2"}, Faults{Broken: 1}},
		{"no tag", `< /><REC A="2" />`, []string{"REC A=2"}, Faults{Broken: 1}},
		{"garbage outside", "xyz\x00\xff<REC A=\"1\" />!!\r\n<REC A=\"2\" />", []string{"REC A=1", "REC A=2"}, Faults{Stray: 2}},
		{"too long", "<REC A=\"" + strings.Repeat("x", 9000) + "\" />\r\n<REC A=\"2\" />", []string{"REC A=2"}, Faults{TooLong: 1}},
		{"too long, next in the same line", "<REC A=\"" + strings.Repeat("x", 9000) + "<REC A=\"2\" />", []string{"REC A=2"}, Faults{TooLong: 1}},
		{"too many attributes", "<REC" + strings.Repeat(` A="1"`, 200) + " /><REC A=\"2\" />", []string{"REC A=2"}, Faults{TooLong: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{1, 7, 100_000} {
				var s Scanner
				if d := cmp.Diff(c.want, scan(&s, c.text, piece)); d != "" {
					t.Errorf("in pieces of %d: %s", piece, d)
				}
				if s.Faults() != c.faults {
					t.Errorf("in pieces of %d: faults %+v, want %+v", piece, s.Faults(), c.faults)
				}
			}
		})
	}
}

func TestScannerDoesNotAllocate(t *testing.T) {
	text := []byte("<REC CNT=\"1\" TIME=\"0.5\" BPOGX=\"0.1\" />\r\n")
	var s Scanner
	n := testing.AllocsPerRun(100, func() {
		for p := text; len(p) > 0; {
			_, p, _ = s.Next(p)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
}

// Records survive any splitting and any garbage that a line's end finishes.
func TestScannerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		var want []string
		for i := range rapid.IntRange(1, 20).Draw(t, "records") {
			if rapid.Bool().Draw(t, "dirty") {
				text.Write(rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "garbage"))
				text.WriteString("\r\n")
			}
			fmt.Fprintf(&text, "<REC CNT=\"%d\" />\r\n", i)
			want = append(want, fmt.Sprintf("REC CNT=%d", i))
		}
		var s Scanner
		got := scan(&s, text.String(), rapid.IntRange(1, 50).Draw(t, "piece"))
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte(`<REC CNT="1" TIME="2.5" BPOGX="0.5" BPOGY="0.5" BPOGV="1" />`), 5)
	f.Add([]byte("<ACK ID=\"X\"VALUE=\"0\"DUR=\"0\" />>\r\n<CAL"), 3)
	f.Add([]byte("\xff\x00<<REC A=\"<\" =\"\">\""), 1)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		text := string(in) + "\r\n<REC CNT=\"77\" />\r\n"
		var whole, pieces Scanner
		a := scan(&whole, text, len(text))
		b := scan(&pieces, text, 1+(piece&0x7FFFFFFF)%23)
		if len(a) == 0 || a[len(a)-1] != "REC CNT=77" {
			t.Fatalf("the record after garbage and a line's end is lost: %q", a)
		}
		if d := cmp.Diff(a, b); d != "" || whole.Faults() != pieces.Faults() {
			t.Fatalf("splitting changed the outcome: %s, %+v, in pieces %+v", d, whole.Faults(), pieces.Faults())
		}
		var s Scanner
		for p := []byte(text); len(p) > 0; {
			m, rest, ok := s.Next(p)
			p = rest
			if !ok {
				continue
			}
			r, err := ParseRecord(m)
			if err != nil {
				continue
			}
			if r.Count < 0 || r.TimeUS < 0 || math.IsNaN(r.X) || math.Abs(r.Y) > maxGaze || r.LeftMM > maxPupilMM {
				t.Fatalf("impossible record %+v", r)
			}
		}
	})
}
