package table_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/table"
)

func TestTimesOfDamagedTables(t *testing.T) {
	at, err := read(t, "onset,name\n12,a\nn/a,b\n44,c\n", table.Options{}).Times("", "")
	if err != nil || !cmp.Equal(at.Seconds, []float64{12, 44}) || !cmp.Equal(at.Names, []string{"a", "c"}) || !strings.Contains(strings.Join(at.Notes, ""), "1 row has no number") {
		t.Errorf("with a time missing: %+v, %v", at, err)
	}
	if _, err := read(t, "onset,name\n12,a\nfoo,b\n", table.Options{}).Times("", ""); err == nil || !strings.Contains(err.Error(), `line 3, column "onset": "foo" is not a number`) {
		t.Errorf("with a word among the times: %v", err)
	}
}

func TestSinceFirst(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		start float64
		times []float64
		want  bool
	}{
		{0, []float64{12}, false},
		{5, []float64{3}, false}, // before the recording: 3 s could mean either
		{1.6e9, []float64{12}, true},
		{1.6e9, []float64{12, 500}, true}, // one that lies outside of both
		{1.6e9, []float64{500}, false},    // of neither: an error on the clock
		{1.6e9, []float64{0, inf}, true},  // from 0 on
		{1.6e9, []float64{-inf, inf}, false},
		{1.6e9, []float64{12, 1.6e9 + 12}, false},
		{-30, []float64{12}, false},
	} {
		a := table.Axis{Start: c.start}
		if got := a.SinceFirst(120, c.times...); got != c.want {
			t.Errorf("a clock from %v s, times %v: %v", c.start, c.times, got)
		}
	}
	if got := table.Clock(1606900012.3456); got != "1606900012.346" {
		t.Errorf("a Unix time is written %s", got)
	}
}

// TestUnnamedConductance: what has no unit is µS only where skin has such values.
func TestUnnamedConductance(t *testing.T) {
	for _, c := range []struct{ unit, values, want string }{
		{"", "4.1 4.2 4.3", ""},
		{"", "75.776 68.4 60.1", "--unit"},    // a Shimmer's kΩ
		{"", "58.4 59.2 61.5 62.5", "--unit"}, // a half of it beyond what skin has
		{"uS", "75.776 68.4 60.1", ""},
		{"kohm", "75.776 68.4 60.1", ""},
	} {
		var b strings.Builder
		b.WriteString("Timestamp,GSR\n")
		for i, v := range strings.Fields(c.values) {
			b.WriteString(table.Clock(float64(10*i)) + "," + v + "\n")
		}
		tab := read(t, b.String(), table.Options{})
		a, err := tab.Axis(table.AxisOptions{Rate: 100})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tab.Conductance(&a, "GSR", c.unit)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in %q: %v", c.values, c.unit, err)
		}
	}
	tab := read(t, "0 263\n1 264\n2 263\n3 265\n", table.Options{})
	a, err := tab.Axis(table.AxisOptions{Rate: 100})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Conductance(&a, "2", ""); err == nil || strings.Contains(err.Error(), "column column") || !strings.Contains(err.Error(), ", column 2: whole numbers") {
		t.Errorf("counts without a header: %v", err)
	}
}
