package portrait

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestThroughPassesItsPoints(t *testing.T) {
	pts := []point{{0, 0}, {.1, .2}, {.3, .1}, {.4, .4}}
	c := through(pts...)
	if len(c) != 3*segments+1 {
		t.Fatalf("%d points, want %d", len(c), 3*segments+1)
	}
	for i, p := range pts {
		if c[i*segments] != p {
			t.Errorf("point %d is %v, want %v", i, c[i*segments], p)
		}
	}
}

// A uniform Catmull-Rom spline through evenly spaced points of a parabola is
// that parabola.
func TestThroughReproducesAParabola(t *testing.T) {
	var pts []point
	for x := -3.; x <= 3; x++ {
		pts = append(pts, point{x, x * x})
	}
	c := through(pts...)
	for _, p := range c[segments : len(c)-segments] { // the ends have no neighbour to follow
		if math.Abs(p.y-p.x*p.x) > 1e-12 {
			t.Errorf("(%v, %v) is off the parabola", p.x, p.y)
		}
	}
}

func TestAroundCloses(t *testing.T) {
	square := []point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}
	c := around(square...)
	for i, p := range square {
		if c[i*segments] != p {
			t.Errorf("corner %d is %v, want %v", i, c[i*segments], p)
		}
	}
	// The symmetry of the points is the symmetry of the curve: a quarter turn
	// moves it along by one span.
	for i, p := range c {
		q := c[(i+segments)%len(c)]
		if math.Hypot(q.x+p.y, q.y-p.x) > 1e-12 {
			t.Fatalf("%v turned by 90 degrees is not on the curve, but %v is", p, q)
		}
	}
}

func TestBridge(t *testing.T) {
	got := bridge(point{-2, 1}, point{-1, 3}, point{0, 4})
	want := []point{{-2, 1}, {-1, 3}, {0, 4}, {1, 3}, {2, 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestYAt(t *testing.T) {
	c := curve{{0, 0}, {1, 2}, {3, 0}}
	for _, tc := range []struct{ x, want float64 }{
		{-1, 0}, {0, 0}, {.5, 1}, {1, 2}, {2, 1}, {3, 0}, {9, 0},
	} {
		if got := c.yAt(tc.x); got != tc.want {
			t.Errorf("yAt(%v) = %v, want %v", tc.x, got, tc.want)
		}
		if got := c.mirrored(-1).yAt(-tc.x); got != tc.want {
			t.Errorf("mirrored: yAt(%v) = %v, want %v", -tc.x, got, tc.want)
		}
	}
}

// area is the surveyor's formula.
func area(c curve) float64 {
	var sum float64
	for i, p := range c {
		q := c[(i+1)%len(c)]
		sum += p.x*q.y - q.x*p.y
	}
	return math.Abs(sum) / 2
}

func TestBandIsAsThickAsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.Float64Range(.01, .5).Draw(t, "length")
		angle := rapid.Float64Range(-3.2, 3.2).Draw(t, "angle")
		thick := rapid.Float64Range(.001, .05).Draw(t, "thickness")
		sin, cos := math.Sincos(angle)
		line := curve{{0, 0}, {length / 2 * cos, length / 2 * sin}, {length * cos, length * sin}}
		got := area(line.band(func(float64) float64 { return thick }))
		if math.Abs(got-length*thick) > 1e-9 {
			t.Fatalf("area %v, want %v", got, length*thick)
		}
	})
}

func TestDisc(t *testing.T) {
	// A polygon of 24 corners has 98.9 % of its circle's area.
	if got, want := area(disc(point{.1, .2}, .03)), math.Pi*.03*.03; math.Abs(got/want-.9886) > .001 {
		t.Errorf("area is %.4f of the circle's", got/want)
	}
}
