package grove

import (
	"math"
	"testing"
)

func TestMicrosiemens(t *testing.T) {
	for _, c := range []struct {
		o    Options
		x    float64
		want float64
		tol  float64
	}{
		{Options{}, 100, 33.66, .005},
		{Options{}, 300, 13.05, .005},
		{Options{}, 500, .593, .0005},
		{Options{}, 511, .0489, .00005},
		{Options{Bits: 12}, 400, 100 * 1648.0 / 4896, 1e-9}, // (2048 - 400) / (4096 + 800)
		{Options{Cal: 480}, 300, 100 * 180.0 / 1624, 1e-9},
	} {
		if got := c.o.withDefaults().Microsiemens(c.x); math.Abs(got-c.want) > c.tol {
			t.Errorf("%+v, reading %v: %v µS, want %v", c.o, c.x, got, c.want)
		}
	}
}

// From the reading without skin on, the maker's formula gives infinite and
// negative resistances.
func TestOpenAndSaturated(t *testing.T) {
	for _, o := range []Options{{}, {Bits: 12}, {Cal: 480}} {
		set := o.withDefaults()
		for x := 0.0; x < set.fullScale(); x++ {
			us := set.Microsiemens(x)
			if nothing := x == 0 || x >= set.Cal; math.IsNaN(us) != nothing || us <= 0 {
				t.Errorf("%+v, reading %v: %v µS", o, x, us)
			}
		}
	}
}

func TestReadingIsTheInverse(t *testing.T) {
	for _, o := range []Options{{}, {Bits: 12}, {Cal: 480}} {
		set := o.withDefaults()
		for x := 1.0; x < set.Cal; x++ {
			if got := set.Reading(set.Microsiemens(x)); got != x {
				t.Errorf("%+v: reading %v came back as %v", o, x, got)
			}
		}
		if got := set.Reading(0); got != set.Cal {
			t.Errorf("%+v: 0 µS reads %v, want that without skin", o, got)
		}
		if got := set.Reading(1e9); got != 0 {
			t.Errorf("%+v: 1000 S reads %v, want 0", o, got)
		}
	}
}
