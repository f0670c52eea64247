package portrait

import (
	"math"
	"testing"

	"emolab/fusion/script"
)

func expressions() []string {
	return []string{"neutral", "happy", "sad", "surprised", "angry", "fearful", "disgusted"}
}

func at(t *testing.T, expression string, intensity float64) actions {
	t.Helper()
	a, known := weights(expression)
	if !known {
		t.Fatalf("the expression %q is not known", expression)
	}
	return a.scaled(intensity)
}

func TestWeights(t *testing.T) {
	if a := at(t, "neutral", 1); a != (actions{}) {
		t.Errorf("the neutral face acts: %v", a)
	}
	if _, known := weights("bored"); known {
		t.Error("an expression that does not exist is known")
	}
	for seed := range uint64(5) {
		for _, e := range script.New(seed).Expressions {
			if a := at(t, e.Name, 1); a == (actions{}) {
				t.Errorf("%s looks like neutral", e.Name)
			}
		}
	}
	if a := at(t, "happy", .5); a[au12] != .5 || a[au6] != .3 {
		t.Errorf("half a smile has AU12 %v and AU6 %v, want .5 and .3", a[au12], a[au6])
	}
}

// middle returns the height of a curve halfway between its ends.
func middle(c curve) float64 { return c.yAt((c[0].x + c[len(c)-1].x) / 2) }

func TestExpressionsMoveTheFeatures(t *testing.T) {
	rest := actions{}
	lips := func(e string) mouth { return mouthOf(at(t, e, 1)) }
	brow := func(e string) curve { return browOf(at(t, e, 1)) }

	if m := mouthOf(rest); m.opening != 0 {
		t.Errorf("the neutral mouth is open by %v", m.opening)
	}
	if m := lips("happy"); m.halfWidth <= mouthOf(rest).halfWidth || m.cornerY >= mouthOf(rest).cornerY {
		t.Errorf("a smile must widen the mouth and lift its corners: %+v", m)
	}
	if m := lips("sad"); m.cornerY <= mouthOf(rest).cornerY {
		t.Errorf("sadness must lower the corners of the mouth: %v", m.cornerY)
	}
	if m := lips("surprised"); m.opening < .05 {
		t.Errorf("surprise must open the mouth, but it is open by %v", m.opening)
	}
	if got, was := brow("surprised"), browOf(rest); middle(got) >= middle(was) {
		t.Error("surprise must lift the brows")
	}
	if got, was := brow("angry"), browOf(rest); got[0].y <= was[0].y || got[0].x >= was[0].x {
		t.Error("anger must lower the brows and draw them together")
	}
	if got, was := brow("sad"), browOf(rest); got[0].y >= was[0].y {
		t.Error("sadness must lift the inner end of the brows")
	}
}

func TestLids(t *testing.T) {
	gap := func(closure float64) float64 {
		e := eyeOf(actions{au43: closure})
		return middle(e.lower) - middle(e.upper)
	}
	last := math.Inf(1)
	for _, closure := range []float64{0, .25, .5, .75, 1} {
		g := gap(closure)
		if g >= last {
			t.Errorf("at closure %v the eye is open by %v, no less than before (%v)", closure, g, last)
		}
		last = g
	}
	if open, shut := gap(0), gap(1); open < .03 || math.Abs(shut) > .006 {
		t.Errorf("the gap is %v open and %v shut", open, shut)
	}
}

// Whatever the expression and its strength, the features keep their order from
// top to bottom and lie within the face.
func TestFeaturesStayInTheFace(t *testing.T) {
	for _, name := range expressions() {
		for _, intensity := range []float64{0, .3, .7, 1} {
			for _, closure := range []float64{0, .5, 1} {
				a := at(t, name, intensity)
				a[au43] = max(a[au43], closure)
				e, m, b := eyeOf(a), mouthOf(a), browOf(a)
				chin := math.Inf(-1)
				for _, p := range outlineOf(a) {
					chin = max(chin, p.y)
				}
				order := []float64{
					middle(b), middle(e.upper), middle(e.lower) + .003, .214, // the nose
					middle(m.outerUpper), middle(m.innerUpper), middle(m.innerLower) + 1e-9, middle(m.outerLower), chin,
				}
				for i := 1; i < len(order); i++ {
					if !(order[i-1] < order[i]) {
						t.Errorf("%s at %v, closure %v: feature %d at %v is not above feature %d at %v",
							name, intensity, closure, i-1, order[i-1], i, order[i])
					}
				}
				for _, c := range []curve{e.upper, e.lower, m.outerUpper, m.outerLower, b} {
					for _, p := range c {
						if !(radius2(p.x, p.y) < 1) {
							t.Errorf("%s at %v: %v lies outside the face", name, intensity, p)
						}
					}
				}
			}
		}
	}
}
