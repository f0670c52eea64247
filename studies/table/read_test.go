package table_test

import (
	"bytes"
	"compress/gzip"
	"math"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/table"
)

func read(t *testing.T, text string, o table.Options) *table.Table {
	t.Helper()
	tab, err := table.Read(strings.NewReader(text), "test.csv", o)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return tab
}

// contents are a table's names and values.
func contents(tab *table.Table) (names []string, values [][]float64) {
	for _, c := range tab.Columns {
		names, values = append(names, c.Name), append(values, c.Values)
	}
	return names, values
}

func TestRead(t *testing.T) {
	nan := math.NaN()
	two := [][]float64{{0, 0.5}, {1.25, -2}}
	named := []string{"t", "eda"}
	none := []string{"", ""}
	for _, c := range []struct {
		name, text string
		names      []string
		values     [][]float64
	}{
		{"comma", "t,eda\n0,1.25\n0.5,-2\n", named, two},
		{"windows", "t,eda\r\n0,1.25\r\n0.5,-2\r\n", named, two},
		{"no line end", "t,eda\n0,1.25\n0.5,-2", named, two},
		{"byte order mark", "\ufefft,eda\n0,1.25\n0.5,-2\n", named, two},
		{"tabs", "t\teda\n0\t1.25\n0.5\t-2\n", named, two},
		{"semicolons, decimal commas", "t;eda\n0;1,25\n0,5;-2\n", named, two},
		{"tabs, decimal commas", "t\teda\n0\t1,25\n0,5\t-2\n", named, two},
		{"blanks", "t eda\n0    1.25\n0.5 -2\n", named, two},
		{"blanks, decimal commas", "0,0 1,25\n0,5 -2,0\n", none, two},
		{"no header", "0,1.25\n0.5,-2\n", none, two},
		{"comments", "# recorded today\nt,eda\n0,1.25\n% pause\n0.5,-2\n", named, two},
		{"header in a comment", "# t eda\n0 1.25\n0.5 -2\n", named, two},
		{"preamble", "Subject,7\nRate,100\nt,eda\n0,1.25\n0.5,-2\n", named, two},
		{"title above", "Skin conductance of P07\n\nt,eda\n0,1.25\n0.5,-2\n", named, two},
		{"quotes", "\"t\",\"eda\"\n\"0\",\"1.25\"\n\"0.5\",\"-2\"\n", named, two},
		{"separator in quotes", "t;\"eda; left\"\n0;\"1,25\"\n0,5;-2\n", []string{"t", "eda; left"}, two},
		{"separator at the end", "t,eda,\n0,1.25,\n0.5,-2,\n", named, two},
		{"separator at the end of rows", "t,eda\n0,1.25,\n0.5,-2,\n", named, two},
		{"missing", "t,eda\n0,\n0.5,NA\n1,NaN\n1.5,.\n2,4", named, [][]float64{{0, .5, 1, 1.5, 2}, {nan, nan, nan, nan, 4}}},
		{"last line unfinished", "t,eda\n0,1.25\n0.5,-2\n1", named, two},
		{"words", "t,eda,event\n0,1.25,\n0.5,-2,film\n", []string{"t", "eda", "event"}, [][]float64{{0, .5}, {1.25, -2}, {nan, nan}}},
		{"units below", "t,eda\ns,µS\n0,1.25\n0.5,-2\n", named, two},
		{"row numbers of R", "t eda\n1 0 1.25\n2 0.5 -2\n", []string{"", "t", "eda"}, [][]float64{{1, 2}, {0, .5}, {1.25, -2}}},
		{"one column, decimal comma", "eda\n1,25\n2,5\n", []string{"eda"}, [][]float64{{1.25, 2.5}}},
		{"Empatica E4", "1463738580.0\n4.0\n0.2\n0.3\n0.4\n", []string{""}, [][]float64{{.2, .3, .4}}},
		{"Latin-1", "t,\xb5S\n0,1.25\n0.5,-2\n", []string{"t", "µS"}, two},
		{"dates", "t,eda\n2026-03-01 12:00:00.5,1.25\n2026-03-01 12:00:01,-2\n", named, [][]float64{{1772366400.5, 1772366401}, {1.25, -2}}},
		{"times of day", "t,eda\n00:00:01.5,1.25\n0:01:00,-2\n", named, [][]float64{{1.5, 60}, {1.25, -2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			names, values := contents(read(t, c.text, table.Options{}))
			if d := cmp.Diff(c.names, names); d != "" {
				t.Error("names (-want +got)", d)
			}
			if d := cmp.Diff(c.values, values, cmp.Comparer(same)); d != "" {
				t.Error("values (-want +got)", d)
			}
		})
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestReadPacked(t *testing.T) {
	const text = "t,eda\n0,1.25\n0.5,-2\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	wide := func(high, low int, mark ...byte) []byte {
		for _, u := range utf16.Encode([]rune("t\tµS\n0\t1.25\n0.5\t-2\n")) {
			pair := [2]byte{}
			pair[high], pair[low] = byte(u>>8), byte(u)
			mark = append(mark, pair[:]...)
		}
		return mark
	}
	for name, data := range map[string][]byte{
		"gzip": packed.Bytes(), "UTF-16LE": wide(1, 0, 0xff, 0xfe), "UTF-16BE": wide(0, 1, 0xfe, 0xff),
	} {
		tab, err := table.Read(bytes.NewReader(data), name, table.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, values := contents(tab); !cmp.Equal(values, [][]float64{{0, 0.5}, {1.25, -2}}) {
			t.Errorf("%s: %v", name, values)
		}
	}
	if _, err := table.Read(bytes.NewReader(packed.Bytes()[:20]), "cut.gz", table.Options{}); err == nil {
		t.Error("a file of half a gzip was read")
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "no rows of numbers"},
		{"words only", "a,b\nc,d\n", "no rows of numbers"},
		{"short row", "t,eda\n0,1\n1\n2,3\n", "line 3: has 1 cell, the other rows have 2"},
		{"long row", "t,eda\n0,1\n1,2,3\n2,3\n", "line 3: has 3 cells"},
		{"two readings", "512,384\n513,380\n", "--decimal"},
		{"zero bytes", "t,eda\n0,1\n\x00\x00\n", "line 3: holds a zero byte"},
		{"one endless line", strings.Repeat("1,", table.MaxLine), "longer than"},
		{"too many columns", strings.Repeat("1,", table.MaxColumns+10) + "\n", "no rows of numbers"},
	} {
		_, err := table.Read(strings.NewReader(c.text), "test.csv", table.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "test.csv") {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

func TestDecimalChosen(t *testing.T) {
	_, values := contents(read(t, "512,384\n513,380\n", table.Options{Decimal: table.Comma}))
	if want := [][]float64{{512.384, 513.38}}; !cmp.Equal(values, want) {
		t.Errorf("decimal commas: %v, want %v", values, want)
	}
	_, values = contents(read(t, "512,384\n513,380\n", table.Options{Decimal: table.Point}))
	if want := [][]float64{{512, 513}, {384, 380}}; !cmp.Equal(values, want) {
		t.Errorf("decimal points: %v, want %v", values, want)
	}
}

func TestFind(t *testing.T) {
	tab := read(t, "t,eda,3,eda2,EDA2\n0,1,2,3,4\n1,2,3,4,5\n", table.Options{})
	for name, want := range map[string]int{"EDA": 2, "2": 2, "t": 1} {
		if c, err := tab.Find(name); err != nil || c.Number != want {
			t.Errorf("Find(%s) = %v, %v", name, c, err)
		}
	}
	if _, err := tab.Find("gsr"); err == nil || !strings.Contains(err.Error(), `2 "eda"`) {
		t.Errorf("an absent column: %v", err)
	}
	if _, err := tab.Find("eda2"); err == nil || !strings.Contains(err.Error(), "number") {
		t.Errorf("a name borne twice: %v", err)
	}
}

// TestHostileWords: a column of words that are all different stays bounded, and
// tells so by having no word.
func TestHostileWords(t *testing.T) {
	var b strings.Builder
	b.WriteString("t,word\n")
	const n = 70000
	for i := range n {
		b.WriteString("1,w")
		for k := i; ; k /= 26 {
			b.WriteByte(byte('a' + k%26))
			if k < 26 {
				break
			}
		}
		b.WriteByte('\n')
	}
	tab := read(t, b.String(), table.Options{})
	if got := tab.Columns[1].Word(0); got != "wa" {
		t.Errorf("first word %q", got)
	}
	if got := tab.Columns[1].Word(n - 1); got != "" {
		t.Errorf("last word %q, want none", got)
	}
}
