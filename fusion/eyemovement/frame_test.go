package eyemovement_test

import (
	"math"
	"testing"

	"emolab/fusion/eyemovement"
)

func TestFitFrame(t *testing.T) {
	f := eyemovement.FitFrame(1000, 1000, 2000, 1000) // a square on a wide screen
	if f != (eyemovement.Frame{X: .25, Y: 0, Width: .5, Height: 1}) {
		t.Errorf("%+v", f)
	}
	if x, y := f.Inside(.5, .25); x != .5 || y != .25 {
		t.Errorf("%g, %g", x, y)
	}
	if x, _ := f.Inside(.25, .25); x != 0 {
		t.Errorf("its left edge is at %g", x)
	}
	if x, y := f.OnScreen(f.Inside(.3, .4)); math.Abs(x-.3) > 1e-12 || math.Abs(y-.4) > 1e-12 {
		t.Errorf("there and back: %g, %g", x, y)
	}
	if x, y := (eyemovement.Frame{}).Inside(.3, .4); x != .3 || y != .4 {
		t.Errorf("the whole screen: %g, %g", x, y)
	}
}
