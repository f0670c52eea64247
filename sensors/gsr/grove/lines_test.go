package grove

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// read returns the columns of the lines of text, nil for those that are not
// believed.
func read(l *Lines, text string) [][]float64 {
	var all [][]float64
	for i := range len(text) {
		line, ok := l.Put(text[i])
		if !ok {
			continue
		}
		if !line.Believed {
			line.Columns = nil
		}
		all = append(all, line.Columns)
	}
	return all
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		text string
		want []float64
	}{
		{"512", []float64{512}},
		{"GSR: 512", []float64{512}},
		{"GSR=512", []float64{512}},
		{"  512 ", []float64{512}},
		{"123456,512", []float64{123456, 512}},
		{"123456;512\t3.25", []float64{123456, 512, 3.25}},
		{"t:1, A0: 2 (raw), temp = -3.5 C", []float64{1, 2, -3.5}},
		{"sensor ready", nil},
		{"5x2", nil},
		{"x5", nil},
		{"5\r12", nil},
		{"51\x802", nil},
		{"--5", nil},
		{"0x10", nil},
		{"1e3", nil},
		{"nan", nil},
		{"5.", nil},
		{"12345678901", nil},
		{strings.Repeat(" ", maxLine-3) + "512", []float64{512}},
		{strings.Repeat(" ", maxLine) + "512", nil},
	} {
		if d := cmp.Diff(c.want, columns([]byte(c.text))); d != "" {
			t.Errorf("%q: %s", c.text, d)
		}
	}
}

func TestBelievesWhatFollowsALineLikeIt(t *testing.T) {
	one := func(x float64) []float64 { return []float64{x} }
	for _, c := range []struct {
		name, text string
		want       [][]float64
	}{
		{"half a line first", "12\r\n510\r\n511\r\n", [][]float64{nil, one(510), one(511)}},
		{"line feed only", "512\n510\n", [][]float64{nil, one(510)}},
		{"after damage", "1\n2\n\xff3\n4\n5\n", [][]float64{nil, one(2), nil, nil, one(5)}},
		{"another number of columns", "1\n2\n3,4\n5\n6\n", [][]float64{nil, one(2), nil, nil, one(6)}},
		{"empty lines", "1\r\n\r\n\n2\r\n", [][]float64{nil, one(2)}},
		{"no end", strings.Repeat("7", 100_000) + "\n1\n2\n", [][]float64{nil, nil, one(2)}},
		{"not ended yet", "1\n2\n3", [][]float64{nil, one(2)}},
	} {
		var l Lines
		if d := cmp.Diff(c.want, read(&l, c.text)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if len(l.held) > maxLine+1 {
			t.Errorf("%s: %d bytes held", c.name, len(l.held))
		}
	}
}

func TestReading(t *testing.T) {
	for _, c := range []struct {
		o    Options
		text string
		want float64 // -1: none
	}{
		{Options{}, "512", 512},
		{Options{}, "1023", 1023},
		{Options{}, "1024", -1},
		{Options{}, "-1", -1},
		{Options{}, "5.5", -1},
		{Options{}, "7,8,9", 9},
		{Options{Column: 1}, "7,8,9", 7},
		{Options{Column: 3}, "7,8,9", 9},
		{Options{Column: 4}, "7,8,9", -1},
		{Options{Bits: 12}, "4095", 4095},
		{Options{Bits: 12}, "4096", -1},
		{Options{Millis: 1}, "99999,512", 512},
		{Options{Millis: 1}, "512", -1}, // the reading was lost
		{Options{Millis: 2, Column: 1}, "512", -1},
		{Options{Millis: 2, Column: 1}, "512,99999", 512},
	} {
		line := Line{Columns: columns([]byte(c.text)), Believed: true}
		x, ok := c.o.withDefaults().reading(line)
		if ok != (c.want >= 0) || (ok && x != c.want) {
			t.Errorf("%+v, %q: %v, %v, want %v", c.o, c.text, x, ok, c.want)
		}
	}
}

// Whatever happens to a stretch of the line, from the second whole line after it
// on all is right.
func TestResynchronises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reading := func(i int) int { return 100 + i*37%900 }
		text := func(from, until int) []byte {
			var b []byte
			for i := from; i < until; i++ {
				b = fmt.Appendf(b, "%d,%d\r\n", 50*i, reading(i))
			}
			return b
		}
		bad := text(10, 30)
		for range rapid.IntRange(1, 10).Draw(t, "damages") {
			at := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
			n := min(rapid.IntRange(1, 12).Draw(t, "length"), len(bad)-at)
			switch rapid.SampledFrom([]string{"cut", "flip", "duplicate", "insert"}).Draw(t, "damage") {
			case "cut":
				if n < len(bad) {
					bad = slices.Delete(bad, at, at+n)
				}
			case "flip":
				for i := at; i < at+n; i++ {
					bad[i] ^= rapid.Byte().Draw(t, "flipped")
				}
			case "duplicate":
				bad = slices.Insert(bad, at, slices.Clone(bad[at:at+n])...)
			case "insert": // of another conversation
				bad = slices.Insert(bad, at, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "inserted")...)
			}
		}
		var l Lines
		read(&l, string(text(0, 10))+string(bad))
		got := read(&l, string(text(30, 40))) // the first may still be hit
		if len(got) != 10 && len(got) != 11 {
			t.Fatalf("%d lines, want 10", len(got))
		}
		for i, columns := range got[len(got)-8:] {
			if want := []float64{float64(50 * (32 + i)), float64(reading(32 + i))}; !slices.Equal(columns, want) {
				t.Fatalf("line %d after the damage: %v, want %v", 2+i, columns, want)
			}
		}
	})
}

// The stated garbage rates.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	o := Options{}.withDefaults()
	var l Lines
	lines, readable, believed := 0, 0, 0
	for range 16 << 20 {
		line, ok := l.Put(byte(r.Uint32()))
		if !ok {
			continue
		}
		lines++
		if _, ok := o.reading(line); ok {
			believed++
		}
		line.Believed = true
		if _, ok := o.reading(line); ok {
			readable++
		}
	}
	t.Logf("%d random lines, %d readable, %d believed", lines, readable, believed)
	if believed > 0 {
		t.Errorf("%d readings in 16 MiB of random bytes, want none", believed)
	}
	if share := float64(readable) / float64(lines); share > 1.0/2000 || readable == 0 {
		t.Errorf("%d of %d random lines are readable, want less than 1 in 2000", readable, lines)
	}

	wrong, damaged := 0, 0
	for reading := 101; reading < 1000; reading += 7 {
		for at := range 5 {
			for flip := 1; flip < 256; flip++ {
				text := fmt.Appendf(nil, "%d\r\n", reading)
				text[at] ^= byte(flip)
				damaged++
				var l Lines
				for _, columns := range read(&l, "500\r\n"+string(text)+"500\r\n500\r\n") {
					line := Line{Columns: columns, Believed: columns != nil}
					if x, ok := o.reading(line); ok && x != 500 && x != float64(reading) {
						wrong++
						break
					}
				}
			}
		}
	}
	t.Logf("%d of %d lines with a wrong byte pass with a wrong reading", wrong, damaged)
	if share := float64(wrong) / float64(damaged); share > 1.0/20 || wrong == 0 {
		t.Errorf("%d of %d lines with a wrong byte gave a wrong reading, want less than 1 in 20", wrong, damaged)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("512\r\n511\r\n"))
	f.Add([]byte("GSR: 512\nGSR: 513\n"))
	f.Add([]byte("1234,5\n1250,6\n\xff\x00,,;:()\n-1.5\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		o := Options{Millis: 1}.withDefaults()
		var l Lines
		for _, c := range in {
			line, ok := l.Put(c)
			if len(l.held) > maxLine+1 || (!ok && line.Columns != nil) {
				t.Fatalf("%d bytes held, %+v, %v", len(l.held), line, ok)
			}
			if line.Believed && line.Columns == nil {
				t.Fatal("believed without a number")
			}
			if x, ok := o.reading(line); ok && (x < 0 || x > 1023) {
				t.Fatalf("impossible reading %v", x)
			}
		}
		got := read(&l, "\n71,1\n72,2\n")
		if want := []float64{72, 2}; !slices.Equal(got[len(got)-1], want) {
			t.Fatalf("%v, want the second line after garbage and a line's end", got)
		}
		recognise(in)
	})
}
