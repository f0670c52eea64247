package action

import (
	"math"
	"testing"

	"emolab/fusion/expression"
)

// TestEMFACS compares with figures worked out by hand from the grades' weights:
// A 1, B .7, C .4.
func TestEMFACS(t *testing.T) {
	for _, tc := range []struct {
		name       string
		au         Intensities
		expression int
		want       float64
	}{
		{"a full smile", Intensities{au06: 1, au12: 1}, expression.Happy, 1},
		{"a smile without the eyes", Intensities{au12: 1}, expression.Happy, 1 / 1.4},
		{"a smile against sadness", Intensities{au01: 1, au04: 1, au15: 1, au17: 1, au12: 1}, expression.Sad, .5},
		{"sadness", Intensities{au01: 1, au04: .5, au15: 1}, expression.Sad, (.7 + .35 + .7) / 2.5},
		{"surprise", Intensities{au01: 1, au02: 1, au05: 1, au26: 1}, expression.Surprised, 1},
		{"surprise is half of fear", Intensities{au01: 1, au02: 1, au05: 1, au26: 1}, expression.Fearful, 2.8 / 4.6},
		{"lowered brows against surprise", Intensities{au05: 1, au26: 1, au04: 1}, expression.Surprised, 1.4/2.8 - .5*.7},
		{"anger", Intensities{au04: 1}, expression.Angry, .7 / 2.3},
		{"disgust", Intensities{au09: 1, au10: .5}, expression.Disgusted, .6 / 1.9},
		{"no more disgust than its leads", Intensities{au09: .2, au15: 1, au17: 1}, expression.Disgusted, .2},
		{"sunken corners alone are no disgust", Intensities{au15: 1, au17: 1}, expression.Disgusted, 0},
		{"a dropped jaw alone is no surprise", Intensities{au26: 1}, expression.Surprised, 0},
		{"nor is it fear beside lowered brows", Intensities{au04: 1, au26: 1}, expression.Fearful, 0},
		{"pressed lips alone are no anger", Intensities{au23: .5, au24: .5}, expression.Angry, 0},
		{"a frown and a raised chin are no sadness", Intensities{au04: 1, au17: 1}, expression.Sad, 0},
		{"what is left", Intensities{au12: 1}, expression.Neutral, 1 - 1/1.4},
		{"rest", Intensities{}, expression.Neutral, 1},
	} {
		if got := EMFACS(&tc.au)[tc.expression]; math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%s: %s is %.4f, want %.4f", tc.name, expression.Names()[tc.expression], got, tc.want)
		}
	}
}

func TestEMFACSFindsEachPrototype(t *testing.T) {
	for e, parts := range prototypes() {
		if e == expression.Neutral {
			continue
		}
		var au Intensities
		for u, part := range parts {
			if part == core || part == lead {
				au[u] = 1
			}
		}
		got := EMFACS(&au)
		for other, v := range got {
			if other != e && v >= got[e] {
				t.Errorf("the units of %s: it has %.2f, %s %.2f", expression.Names()[e], got[e], expression.Names()[other], v)
			}
		}
		if math.Abs(got[e]-1) > 1e-12 {
			t.Errorf("the units of %s: it has %g", expression.Names()[e], got[e])
		}
	}
}

func TestEMFACSOfUnknownUnits(t *testing.T) {
	var au Intensities
	au[au20] = math.NaN() // of fear only
	for e, v := range EMFACS(&au) {
		if math.IsNaN(v) != (e == expression.Fearful || e == expression.Neutral) {
			t.Errorf("without 20, %s is %g", expression.Names()[e], v)
		}
	}
}
