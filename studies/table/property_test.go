package table_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/studies/table"
)

// TestAnyDialectIsReadBack: whatever the separator, the decimal sign, the words
// for missing, quotes, line ends, preamble and comments, the numbers come back.
func TestAnyDialectIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(2, 6).Draw(t, "columns")
		rows := rapid.IntRange(3, 40).Draw(t, "rows")
		dialect := rapid.SampledFrom([]struct {
			separator string
			comma     bool
		}{{",", false}, {";", false}, {";", true}, {"\t", false}, {"\t", true}, {"|", false}, {"  ", false}}).Draw(t, "dialect")
		gap := rapid.SampledFrom([]string{"", "NA", "NaN", "-", "."}).Draw(t, "missing")
		if dialect.separator == "  " && gap == "" {
			gap = "NA" // blanks cannot show an empty cell
		}
		quoted := rapid.Bool().Draw(t, "quoted")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		header := rapid.Bool().Draw(t, "header")

		var b strings.Builder
		if rapid.Bool().Draw(t, "comment") {
			b.WriteString("# made by a program" + end)
		}
		cell := func(s string) string {
			if quoted {
				return `"` + s + `"`
			}
			return s
		}
		var names []string
		for c := range columns {
			names = append(names, fmt.Sprintf("column_%c", 'a'+c))
		}
		if header {
			var line []string
			for _, n := range names {
				line = append(line, cell(n))
			}
			b.WriteString(strings.Join(line, dialect.separator) + end)
		}
		want := make([][]float64, columns)
		for range rows {
			var line []string
			for c := range columns {
				v := float64(rapid.IntRange(-100000, 100000).Draw(t, "value"))/1000 + 0.0005 // never whole: "1,2" would be two numbers
				text := strconv.FormatFloat(v, 'f', 4, 64)
				v, _ = strconv.ParseFloat(text, 64)
				if c > 0 && rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
					v, text = math.NaN(), gap
				}
				want[c] = append(want[c], v)
				if dialect.comma {
					text = strings.Replace(text, ".", ",", 1)
					if gap == "." && text == "," {
						text = "."
					}
				}
				line = append(line, cell(text))
			}
			b.WriteString(strings.Join(line, dialect.separator) + end)
		}
		tab, err := table.Read(strings.NewReader(b.String()), "test", table.Options{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if tab.Rows != rows || len(tab.Columns) != columns {
			t.Fatalf("%d rows of %d columns, want %d of %d:\n%s", tab.Rows, len(tab.Columns), rows, columns, b.String())
		}
		for c, column := range tab.Columns {
			if header && column.Name != names[c] {
				t.Fatalf("column %d is called %q, want %q", c, column.Name, names[c])
			}
			if !slices.EqualFunc(column.Values, want[c], same) {
				t.Fatalf("column %d: %v, want %v, in\n%s", c, column.Values, want[c], b.String())
			}
		}
	})
}

// TestAxisKeepsTime: whatever the unit and the place where a recording begins,
// the steps and the rate come back.
func TestAxisKeepsTime(t *testing.T) {
	units := map[string]float64{"s": 1, "ms": 1e3, "us": 1e6}
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"s", "ms", "us"}).Draw(t, "unit")
		rate := rapid.SampledFrom([]float64{4, 32, 100, 250, 1000}).Draw(t, "rate")
		start := float64(rapid.IntRange(0, 1000).Draw(t, "start"))
		named := rapid.Bool().Draw(t, "named")
		name := "time"
		if named {
			name += "_" + unit
		}
		text := rows(name+",eda", 60, func(i int) string {
			return strconv.FormatFloat((start+float64(i)/rate)*units[unit], 'f', 6, 64) + ",2.5"
		})
		tab, err := table.Read(strings.NewReader(text), "test", table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := tab.Axis(edaAxis)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.Rate/rate-1) > 1e-3 || math.Abs(a.Start-start) > 1e-6 || math.Abs(a.Duration()-59/rate) > 1e-4 {
			t.Fatalf("%v Hz from %v s for %v s, want %v Hz from %v s for %v s (unit %s)", a.Rate, a.Start, a.Duration(), rate, start, 59/rate, unit)
		}
		if err := a.Cut(start+10/rate, start+20/rate+1e-9); err != nil || len(a.At) < 10 || len(a.At) > 12 || math.Abs(a.Seconds(0)-start-10/rate) > 1/rate {
			t.Fatalf("cut: %v, %d samples from %v s", err, len(a.At), a.Seconds(0))
		}
		if err := a.Cut(start+1e6, start+2e6); err == nil {
			t.Fatal("a stretch outside of the recording was cut out")
		}
	})
}
