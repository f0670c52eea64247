package strobe

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func grey(v float64) Colour { return Colour{v, v, v} }

// play adds seconds of a video at 60 frames a second, of which one cell has the colour
// that f says and all others are grey.
func play(seconds float64, cell int, f func(t float64) Colour) Worst {
	var c Counter
	for i := range int(seconds * 60) {
		t := float64(i) / 60
		var cells Cells
		for k := range cells {
			cells[k] = grey(.3)
		}
		cells[cell] = f(t)
		c.Add(time.Duration(t*float64(time.Second)), &cells)
	}
	return c.Worst()
}

// square is one of two colours, hz times a second each.
func square(hz float64, a, b Colour) func(float64) Colour {
	return func(t float64) Colour {
		if math.Mod(t*hz, 1) < .5 {
			return a
		}
		return b
	}
}

func TestFlashes(t *testing.T) {
	red := Colour{Red: 1}
	for name, c := range map[string]struct {
		colour  func(float64) Colour
		flashes int
		tooMany bool
		red     bool
	}{
		"still":                       {func(float64) Colour { return grey(.5) }, 0, false, false},
		"three a second":              {square(3, grey(0), grey(1)), 3, false, false},
		"four a second":               {square(4, grey(0), grey(1)), 4, true, false},
		"ten a second":                {square(10, grey(.2), grey(.5)), 10, true, false},
		"too weak":                    {square(10, grey(.5), grey(.59)), 0, false, false},
		"strong enough":               {square(10, grey(.5), grey(.61)), 10, true, false},
		"bright all the time":         {square(10, grey(.81), grey(1)), 0, false, false},
		"bright, from less":           {square(10, grey(.79), grey(1)), 10, true, false},
		"a slow change":               {func(t float64) Colour { return grey(t / 10) }, 0, false, false},
		"smooth waves":                {func(t float64) Colour { return grey(.4 + .3*math.Sin(2*math.Pi*6*t)) }, 6, true, false},
		"ripples on a wave":           {func(t float64) Colour { return grey(.4 + .2*math.Sin(2*math.Pi*t) + .04*math.Sin(2*math.Pi*12*t)) }, 1, false, false},
		"dim red on black":            {square(10, Colour{Red: .3}, Colour{}), 10, true, true},
		"red and grey of equal light": {square(10, red, grey(.2126)), 10, true, true},
		"pink":                        {square(10, Colour{.3, .1, .1}, grey(.12)), 0, false, false},
		"blue on black":               {square(10, Colour{Blue: 1}, Colour{}), 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := play(5, 7, c.colour)
			if got.Flashes != c.flashes || (got.Flashes > Limit) != c.tooMany || got.Red != c.red {
				t.Errorf("%+v, too many %v; want %d, %v, red %v", got, got.Flashes > Limit, c.flashes, c.tooMany, c.red)
			}
		})
	}
}

// The worst second is found wherever it is, and what is calm around it changes nothing.
func TestWhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := float64(rapid.IntRange(60, 400).Draw(t, "first frame")) / 60
		hz := rapid.IntRange(1, 15).Draw(t, "per second")
		flicker := square(float64(hz), grey(.8), grey(.1))
		got := play(9, rapid.IntRange(0, Across*Across-1).Draw(t, "cell"), func(s float64) Colour {
			if s < begin || s >= begin+1 {
				return grey(.1)
			}
			return flicker(s - begin + 1e-9)
		})
		if got.Flashes != hz {
			t.Fatalf("%d flashes, want %d", got.Flashes, hz)
		}
		if off := got.From.Seconds() - begin; math.Abs(off) > 1./30 {
			t.Fatalf("from %s, want %.2f s", got.From, begin)
		}
	})
}
