package order

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestLeastFilled(t *testing.T) {
	for _, c := range []struct {
		counts []int
		want   int
	}{
		{nil, -1}, {[]int{3}, 0}, {[]int{1, 1, 1}, 0}, {[]int{2, 1, 1}, 1}, {[]int{2, 1, 0, 0}, 2},
	} {
		if got := LeastFilled(c.counts); got != c.want {
			t.Errorf("%v: %d, want %d", c.counts, got, c.want)
		}
	}
}

// Whatever happens, usable sessions differ by no more than were ever under way at once,
// and one more for each that was withdrawn and not made up for.
func TestUsableSessionsStayEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 12).Draw(t, "rows")
		atOnce := rapid.IntRange(1, 4).Draw(t, "at once")
		withdraw := rapid.Bool().Draw(t, "some withdraw")
		usable, lost := make([]int, rows), 0
		var open []int // rows of the sessions under way
		for range rapid.IntRange(1, 300).Draw(t, "events") {
			switch what := rapid.IntRange(0, 9).Draw(t, "event"); {
			case what < 5 && len(open) < atOnce:
				counts := slices.Clone(usable)
				for _, row := range open {
					counts[row]++
				}
				open = append(open, LeastFilled(counts))
			case what == 9 && withdraw:
				row := rapid.IntRange(0, rows-1).Draw(t, "row")
				if usable[row] > 0 {
					usable[row]--
					lost++
				}
			case len(open) > 0:
				k := rapid.IntRange(0, len(open)-1).Draw(t, "session that ends")
				if rapid.IntRange(0, 2).Draw(t, "drops out") > 0 {
					usable[open[k]]++
				}
				open = slices.Delete(open, k, k+1)
			}
			if spread := slices.Max(usable) - slices.Min(usable); spread > atOnce+lost {
				t.Fatalf("%v: %d apart, with at most %d under way at once and %d withdrawn", usable, spread, atOnce, lost)
			}
		}
		// Whatever is missing is made up for: with nobody dropping out any more, the rows
		// are even after as many sessions as are missing.
		missing := 0
		for _, n := range usable {
			missing += slices.Max(usable) - n
		}
		for range missing {
			usable[LeastFilled(usable)]++
		}
		if slices.Max(usable) != slices.Min(usable) {
			t.Fatalf("%v after %d sessions that were missing", usable, missing)
		}
	})
}
