package action

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnits(t *testing.T) {
	numbers := [Count]int{1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43}
	for i, u := range Units() {
		if u.Number != numbers[i] {
			t.Errorf("unit %d is AU %d, want %d", i, u.Number, numbers[i])
		}
		if want := "au" + string(rune('0'+u.Number/10)) + string(rune('0'+u.Number%10)); u.Column != want {
			t.Errorf("AU %d stands in column %q, want %q", u.Number, u.Column, want)
		}
		if u.Grade != Good && u.Grade != Fair && u.Grade != Weak {
			t.Errorf("AU %d has the grade %q", u.Number, u.Grade)
		}
		if u.Name == "" || strings.Count(u.Note, ".") != 1 || !strings.HasSuffix(u.Note, ".") {
			t.Errorf("AU %d: %q: %q is not one sentence", u.Number, u.Name, u.Note)
		}
	}
}

// resting is a neutral face with the least spread.
func resting() Neutral {
	f := plain()
	return Neutral{Features: Measure(&f), Scale: Floor()}
}

// changed returns the measures of a face at rest with some of them changed.
func changed(n *Neutral, by Features) Features {
	f := n.Features
	for i, d := range by {
		f[i] += d
	}
	return f
}

func TestAFaceAtRestShowsNothing(t *testing.T) {
	n := resting()
	for i, v := range n.Intensities(&n.Features) {
		if v != 0 {
			t.Errorf("%s is %g", Units()[i].Column, v)
		}
	}
}

// TestIntensities compares with figures worked out by hand, from a face with a
// spread of .005 in every measure: the dead zone of a single measure is .01.
func TestIntensities(t *testing.T) {
	n := resting()
	for i := range n.Scale {
		n.Scale[i] = .005
	}
	for _, tc := range []struct {
		name string
		by   Features
		want Intensities
	}{
		{"brows raised by half", Features{browInner: .07},
			Intensities{au01: (.07 - .01) / (.13 - .01)}},
		{"outer brows", Features{browOuter: .04}, // dead zone .01*sqrt(1+.09)
			Intensities{au02: (.04 - .01044031) / (.06 - .01044031)}},
		{"brows lowered", Features{browInner: -.05, browMiddle: -.05}, // .01*sqrt(.25+.25+.09)
			Intensities{au04: (.05 - .00768115) / (.10 - .00768115)}},
		{"eyes wide", Features{eyeAspect: .0225},
			Intensities{au05: .5}},
		{"eyes shut", Features{eyeAspect: -.06},
			Intensities{au43: 1}}, // and 7 is gone
		{"eyes narrowed", Features{eyeAspect: -.0225},
			Intensities{au43: .25, au07: .5 * .75}},
		{"a smile", Features{mouthWidth: .2, cornerSag: -.1, lidLower: -.0075}, // full; lids: dead zone at its cap, half the full scale
			Intensities{au12: 1, au06: .5}},
		{"what a smile moves along", Features{mouthWidth: .2, cornerSag: -.1, eyeAspect: -.03, browInner: -.03, browMiddle: -.03, noseWing: -.05, upperLip: -.05, cornerRight: -.02},
			Intensities{au12: 1}},
		{"a smile on one side", Features{cornerRight: -.08},
			Intensities{au14: 1}},
		{"the other side", Features{cornerLeft: -.08},
			Intensities{au14: 1}},
		{"corners down", Features{cornerSag: .025},
			// It stretches the mouth by .025 of .04 too: dead zone .01*sqrt(.25+1).
			Intensities{au15: .5, au20: (.025 - .01118034) / (.04 - .01118034)}},
		{"nose", Features{noseWing: -.045}, Intensities{au09: .5}},
		{"upper lip", Features{upperLip: -.03}, // dead zone .01*sqrt(1+.01)
			Intensities{au10: (.03 - .01004988) / (.05 - .01004988)}},
		{"upper lip as far as the open mouth explains", Features{upperLip: -.01, lipGap: .1}, Intensities{au25: 1}},
		{"chin", Features{chinHeight: -.1}, Intensities{au17: 1}},
		{"chin as far as the open mouth explains", Features{chinHeight: -.045, lipGap: .1},
			Intensities{au25: 1}},
		{"lips part", Features{lipGap: .045}, Intensities{au25: .5}},
		{"jaw", Features{chinDepth: .085}, Intensities{au26: .5}},
		{"lips pressed", Features{lipUpperThick: -.015, lipLowerThick: -.015}, Intensities{au24: 1}},
		{"lips tightened", Features{lipUpperThick: -.015, lipLowerThick: -.015, mouthWidth: -.12}, Intensities{au23: 1}},
		{"lips hidden by an open mouth", Features{lipUpperThick: -.015, lipLowerThick: -.015, lipGap: .1}, Intensities{au25: 1}},
		{"no more than noise", Features{browInner: .0099, lipGap: .0099, chinDepth: -.3}, Intensities{}},
		{"beyond full scale", Features{chinDepth: 3, lipGap: 3}, Intensities{au25: 1, au26: 1}},
	} {
		f := changed(&n, tc.by)
		got := n.Intensities(&f)
		for i, u := range Units() {
			if !(math.Abs(got[i]-tc.want[i]) < 1e-6) {
				t.Errorf("%s: %s is %.6f, want %.6f", tc.name, u.Column, got[i], tc.want[i])
			}
		}
	}
}

// drawChange is a change of every measure, of the size that faces show.
func drawChange(t *rapid.T) Features {
	var by Features
	for i := range by {
		by[i] = rapid.Float64Range(-.3, .3).Draw(t, FeatureNames()[i])
	}
	return by
}

func TestIntensitiesStayWithinTheirRange(t *testing.T) {
	n := resting()
	rapid.Check(t, func(t *rapid.T) {
		f := changed(&n, drawChange(t))
		au := n.Intensities(&f)
		for i, v := range au {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s is %g", Units()[i].Column, v)
			}
		}
		for e, v := range EMFACS(&au) {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("evidence %d is %g", e, v)
			}
		}
	})
}

func TestIntensitiesOfAMirroredFace(t *testing.T) {
	n := resting()
	rapid.Check(t, func(t *rapid.T) {
		face := drawFace(t)
		mirrored := face.Mirrored()
		f, g := Measure(&face), Measure(&mirrored)
		a, b := n.Intensities(&f), n.Intensities(&g)
		for i := range a {
			if !(math.Abs(a[i]-b[i]) < 1e-9) {
				t.Fatalf("%s: %g became %g", Units()[i].Column, a[i], b[i])
			}
		}
	})
}

// TestMovementsGrow checks that a movement never becomes weaker when the face
// goes on in its direction, whatever else the face does.
func TestMovementsGrow(t *testing.T) {
	n := resting()
	rapid.Check(t, func(t *rapid.T) {
		f := changed(&n, drawChange(t))
		k := rapid.IntRange(0, movementCount-1).Draw(t, "movement")
		m := movements()[k]
		further := f
		step := rapid.Float64Range(0, .2).Draw(t, "step")
		for i, w := range m.weights {
			further[i] += step * w
		}
		if a, b := n.strength(&f, m), n.strength(&further, m); !(b >= a) {
			t.Fatalf("movement %d: %g became %g", k, a, b)
		}
	})
}

// TestEveryUnitGrowsByItself moves only the measures of each unit.
func TestEveryUnitGrowsByItself(t *testing.T) {
	n := resting()
	own := [Count][]int{
		au01: {innerRaised}, au02: {outerAhead}, au04: {browsLowered}, au05: {eyesWidened},
		au06: {cornersPulled, lowerLidsRaised}, au09: {noseDrawn}, au10: {lipDrawn}, au12: {cornersPulled},
		au14: {leftCornerHigher}, au15: {cornersSunk}, au17: {chinDrawn}, au20: {mouthStretched},
		au23: {lipsThinned, mouthNarrowed}, au24: {lipsThinned}, au25: {lipsParted}, au26: {jawDropped}, au43: {eyesClosed},
	}
	for u, ms := range own {
		if u == au07 {
			continue // it grows and then gives way to 43
		}
		before := 0.
		for step := 0.; step <= 1; step += .02 {
			var by Features
			for _, k := range ms {
				m := movements()[k]
				var norm float64
				for _, w := range m.weights {
					norm += w * w
				}
				for i, w := range m.weights {
					by[i] += step * m.full * w / norm
				}
			}
			f := changed(&n, by)
			now := n.Intensities(&f)[u]
			if now < before-1e-9 {
				t.Errorf("%s fell from %g to %g at %g", Units()[u].Column, before, now, step)
			}
			before = now
		}
		// 20 needs a smile's width, and 15 is stretched too.
		if before < .5 {
			t.Errorf("%s reaches only %g", Units()[u].Column, before)
		}
	}
}

func TestUnknownMeasuresGiveUnknownUnits(t *testing.T) {
	n := resting()
	f := unknown()
	for i, v := range n.Intensities(&f) {
		if !math.IsNaN(v) {
			t.Errorf("nothing known: %s is %g", Units()[i].Column, v)
		}
	}
	// One measure unknown takes with it what depends on it, and no more.
	f = n.Features
	f[chinDepth] = math.NaN()
	for i, v := range n.Intensities(&f) {
		if math.IsNaN(v) != (i == au26) {
			t.Errorf("without the chin: %s is %g", Units()[i].Column, v)
		}
	}
	without := n
	without.Features[browOuter] = math.NaN()
	for i, v := range without.Intensities(&n.Features) {
		if math.IsNaN(v) != (i == au02) {
			t.Errorf("without a neutral outer brow: %s is %g", Units()[i].Column, v)
		}
	}
}

// A restless person's dead zone is wide, but does not swallow the movement.
func TestDeadZoneIsCapped(t *testing.T) {
	n := resting()
	for i := range n.Scale {
		n.Scale[i] = 1
	}
	f := changed(&n, Features{chinDepth: .12}) // three quarters of the full scale
	if got := n.Intensities(&f)[au26]; math.Abs(got-.5) > 1e-9 {
		t.Errorf("got %g, want .5", got)
	}
}

func BenchmarkIntensities(b *testing.B) {
	n := resting()
	f := changed(&n, Features{mouthWidth: .1, cornerSag: -.05})
	for b.Loop() {
		n.Intensities(&f)
	}
}
