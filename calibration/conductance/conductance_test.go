package conductance

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

// The same circuit with other parts is in the Shimmer3 GSR+, whose published
// conversion gives these values.
func TestMicrosiemensVectors(t *testing.T) {
	for _, c := range []struct {
		rf   float64
		raw  uint16
		want float64
	}{
		{287, 2288, 8.1964}, {40.2, 3000, 84.468}, {1000, 2000, 1.9304},
	} {
		circuit := Circuit{VrefMV: 500, RfKohm: c.rf, VccMV: 3000, Bits: 12}
		if got := circuit.Microsiemens(c.raw); !near(got, c.want, .0006) {
			t.Errorf("Rf %v, reading %d: %v µS, want %v", c.rf, c.raw, got, c.want)
		}
	}
}

func TestMicrosiemensRange(t *testing.T) {
	c := Emobox()
	for _, raw := range []uint16{0, 1, c.Raw(0) - 1, 65535, 65500} {
		if got := c.Microsiemens(raw); !math.IsNaN(got) {
			t.Errorf("reading %d: %v µS, want NaN", raw, got)
		}
	}
	if got := c.Raw(1000); got != 65535 {
		t.Errorf("1000 µS reads %d, want full scale", got)
	}
	if got := c.Raw(-100); got != 0 {
		t.Errorf("-100 µS reads %d, want 0", got)
	}
}

func TestRawInverse(t *testing.T) {
	c := Emobox()
	step := c.Microsiemens(30001) - c.Microsiemens(30000)
	if step > .005 {
		t.Errorf("one step is %v µS, want at most 0.005", step)
	}
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Float64Range(.01, 89).Draw(t, "us")
		if got := c.Microsiemens(c.Raw(us)); !near(got, us, .51*step) {
			t.Fatalf("%v µS came back as %v", us, got)
		}
	})
}

func TestFitRecoversLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gain := rapid.Float64Range(.8, 1.2).Draw(t, "gain")
		offset := rapid.Float64Range(-.5, .5).Draw(t, "offset")
		var points []Point
		for _, kohm := range []float64{22, 100, 470, 1000}[:rapid.IntRange(2, 4).Draw(t, "n")] {
			points = append(points, Point{Kohm: kohm, MeasuredUS: (1000/kohm - offset) / gain})
		}
		c, err := Fit(points)
		if err != nil {
			t.Fatal(err)
		}
		if !near(c.Gain, gain, 1e-9) || !near(c.OffsetUS, offset, 1e-9) || c.RMSUS > 1e-9 {
			t.Fatalf("%+v, want gain %v offset %v", c, gain, offset)
		}
	})
}

func TestFitResiduals(t *testing.T) {
	c, err := Fit([]Point{{1000, 1.1}, {100, 10}, {50, 20.1}})
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for i, r := range c.ResidualsUS {
		sum += r
		if want := c.Apply(c.Points[i].MeasuredUS) - c.Points[i].TrueUS(); r != want {
			t.Errorf("residual %d = %v, want %v", i, r, want)
		}
	}
	if !near(sum, 0, 1e-9) || c.RMSUS <= 0 {
		t.Errorf("residuals %v (rms %v) of a least-squares line must sum to 0", c.ResidualsUS, c.RMSUS)
	}
}

func TestFitRefuses(t *testing.T) {
	for name, points := range map[string][]Point{
		"none":          nil,
		"one":           {{100, 10}},
		"same":          {{100, 10}, {100, 10.01}},
		"no resistance": {{0, 10}, {100, 5}},
		"open":          {{100, math.NaN()}, {50, 20}},
	} {
		if c, err := Fit(points); err == nil {
			t.Errorf("%s: %+v, want an error", name, c)
		}
	}
}
