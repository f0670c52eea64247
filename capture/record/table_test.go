package record

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// drawEntries draws the lines of a table.
func drawEntries(t *rapid.T) []entry {
	var entries []entry
	for file, frames := range rapid.SliceOfN(rapid.IntRange(1, 5), 0, 5).Draw(t, "files") {
		for frame := range frames {
			entries = append(entries, entry{
				file: file, frame: int64(frame), epoch: rapid.IntRange(0, 9).Draw(t, "epoch"),
				seq: rapid.Int64().Draw(t, "seq"), at: instant.Instant(rapid.Int64().Draw(t, "at")),
				arrival: instant.Instant(rapid.Int64().Draw(t, "arrival")),
			})
		}
	}
	return entries
}

func text(entries []entry) []byte {
	b := []byte(tableHead)
	for _, e := range entries {
		b = e.append(b)
	}
	return b
}

// A table reads back, and one that is cut anywhere reads back as far as its
// lines are whole.
func TestTableReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		whole := text(entries)
		got, err := parseTable(whole)
		if err != nil || !slices.Equal(got, entries) {
			t.Fatalf("%v, %v; want %v", got, err, entries)
		}
		cut := rapid.IntRange(0, len(whole)).Draw(t, "cut")
		got, err = parseTable(whole[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		lines := max(0, strings.Count(string(whole[:cut]), "\n")-1)
		if !slices.Equal(got, entries[:lines]) {
			t.Fatalf("cut at %d: %d lines, want %d", cut, len(got), lines)
		}
	})
}

func TestTablesThatNobodyWrote(t *testing.T) {
	for text, want := range map[string]string{
		"frame,file\n":                           "line 1",
		tableHead + "0,0,0,0,0\n":                "line 2: 5 columns",
		tableHead + "0,0,0,0,0,x\n":              `line 2: "x" is no whole number`,
		tableHead + "0,0,0,0,0,0\n-1,0,0\n":      "line 3: 3 columns",
		tableHead + "-1,0,0,0,0,0\n":             "counts below zero",
		tableHead + "0,0,99999999999,0,0,0\n":    "counts below zero or too far",
		tableHead + "0,1,0,0,0,0\n":              "line 2: frame 1 of file 0 is out of place",
		tableHead + "0,0,0,0,0,0\n0,0,0,0,0,0\n": "line 3: frame 0 of file 0 is out of place",
		tableHead + "0,0,0,0,0,0\n2,0,0,0,0,0\n": "line 3: frame 0 of file 2 is out of place",
	} {
		if got, err := parseTable([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte(tableHead + "0,0,0,5,100,200\n0,1,0,6,101,201\n1,0,1,7,102,202\n1,1"))
	f.Add([]byte("file,"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseTable(b)
		if err != nil {
			return
		}
		again, err := parseTable(text(entries))
		if err != nil || !slices.Equal(entries, again) {
			t.Errorf("%v became %v, %v", entries, again, err)
		}
	})
}
