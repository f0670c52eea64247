package expression

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// sure is a frame whose expression is sure.
func sure(k int) (p Probabilities) {
	p[k] = 1
	return p
}

func unseen() (p Probabilities) {
	for k := range p {
		p[k] = math.NaN()
	}
	return p
}

func TestMedian(t *testing.T) {
	letters := map[rune]Probabilities{'n': sure(Neutral), 'h': sure(Happy), 's': sure(Sad), '-': unseen()}
	for _, tc := range []struct {
		name     string
		n        int
		in, want string
	}{
		{"a single frame misread", 3, "nnhnn", "nnnnn"},
		{"two frames misread", 5, "nnnhhnnn", "nnnnnnnn"},
		{"an edge stays", 5, "nnnnhhhh", "nnnnhhhh"},
		{"none", 1, "nhnsn", "nhnsn"},
		{"less than none", -3, "nhn", "nhn"},
		{"even counts as odd", 2, "nnhnn", "nnnnn"},
		{"no face stays none", 3, "nn-hh", "nn-hh"},
		{"no face does not count", 5, "hh-nh-hh", "hh-hh-hh"},
		// The ends see two frames, half and half: the first of the two counts.
		{"nothing in common", 3, "nhs", "nhh"},
		{"empty", 5, "", ""},
	} {
		var in []Probabilities
		for _, l := range tc.in {
			in = append(in, letters[l])
		}
		got := ""
		for _, p := range Median(in, tc.n) {
			switch {
			case math.IsNaN(p[Neutral]):
				got += "-"
			default:
				got += Names()[p.Top()][:1]
			}
		}
		if got != tc.want {
			t.Errorf("%s: %s over %d frames is %s, want %s", tc.name, tc.in, tc.n, got, tc.want)
		}
	}
}

func anyFrames(t *rapid.T) []Probabilities {
	frames := make([]Probabilities, rapid.IntRange(0, 30).Draw(t, "frames"))
	for i := range frames {
		if rapid.IntRange(0, 5).Draw(t, "face") == 0 {
			frames[i] = unseen()
			continue
		}
		var sum float64
		for k := range frames[i] {
			frames[i][k] = rapid.Float64Range(1e-6, 1).Draw(t, "p")
			sum += frames[i][k]
		}
		for k := range frames[i] {
			frames[i][k] /= sum
		}
	}
	return frames
}

func TestMedianIsADistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyFrames(t)
		n := rapid.IntRange(1, 9).Draw(t, "n")
		for i, p := range Median(in, n) {
			if math.IsNaN(in[i][Neutral]) != math.IsNaN(p[Neutral]) {
				t.Fatalf("frame %d: %v became %v", i, in[i], p)
			}
			var sum float64
			for _, v := range p {
				sum += v
			}
			if !math.IsNaN(sum) && math.Abs(sum-1) > 1e-9 {
				t.Fatalf("frame %d adds up to %g", i, sum)
			}
		}
	})
}
