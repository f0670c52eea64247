package portrait

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// covered returns the area of a mask in square head heights.
func covered(m mask) float64 {
	var sum float64
	for _, c := range m.cover {
		sum += float64(c)
	}
	return sum / resolution / resolution
}

// at returns the cover of a canvas pixel, 0 outside the box.
func (m mask) at(x, y int) float32 {
	if x < m.box.Min.X || x >= m.box.Max.X || y < m.box.Min.Y || y >= m.box.Max.Y {
		return 0
	}
	return m.cover[m.index(x, y)]
}

// starOutline draws a simple polygon around a centre.
func starOutline(t *rapid.T) curve {
	cx := rapid.Float64Range(-.3, .3).Draw(t, "cx")
	cy := rapid.Float64Range(-.3, .4).Draw(t, "cy")
	radii := rapid.SliceOfN(rapid.Float64Range(.005, .2), 3, 12).Draw(t, "radii")
	turn := rapid.Float64Range(0, 6).Draw(t, "turn")
	c := make(curve, len(radii))
	for i, r := range radii {
		sin, cos := math.Sincos(turn + 2*math.Pi*float64(i)/float64(len(radii)))
		c[i] = point{cx + r*cos, cy + r*sin}
	}
	return c
}

func TestFillCoversTheAreaOfThePolygon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := starOutline(t)
		if rapid.Bool().Draw(t, "backwards") {
			c = curve(nil).back(c)
		}
		m := fill(c, 0)
		if got, want := covered(m), area(c); math.Abs(got-want) > 1e-6+1e-4*want {
			t.Fatalf("covers %v, want %v", got, want)
		}
		for i, v := range m.cover {
			if v < 0 || v > 1 {
				t.Fatalf("pixel %d is covered by %v", i, v)
			}
		}
	})
}

func TestFeatherKeepsTheArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := starOutline(t)
		feather := rapid.Float64Range(.001, .012).Draw(t, "feather")
		if got, want := covered(fill(c, feather)), area(c); math.Abs(got-want) > 1e-6+1e-3*want {
			t.Fatalf("covers %v, want %v", got, want)
		}
	})
}

func TestFillAtTheCanvasEdge(t *testing.T) {
	const right = canvasLeft + canvasWidth/float64(resolution)
	const bottom = canvasTop + canvasHeight/float64(resolution)
	box := func(x0, y0, x1, y1 float64) curve { return curve{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }
	for _, tc := range []struct {
		name string
		c    curve
		want float64
	}{
		{"inside", box(0, 0, .1, .2), .02},
		{"half pixel", box(0, 0, .0025, .005), .0025 * .005},
		{"over the left", box(-1, 0, canvasLeft+.1, .1), .01},
		{"over the right", box(right-.1, 0, 2, .1), .01},
		{"over the top", box(0, -3, .1, canvasTop+.1), .01},
		{"over the bottom", box(0, bottom-.1, .1, 3), .01},
		{"around it all", box(-3, -3, 3, 3), (right - canvasLeft) * (bottom - canvasTop)},
		{"outside", box(1, 0, 2, 1), 0},
	} {
		if got := covered(fill(tc.c, 0)); math.Abs(got-tc.want) > 1e-6 {
			t.Errorf("%s: covers %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestFillPlacesItsEdge(t *testing.T) {
	// From the middle of pixel 10 to the end of pixel 12, on a full row.
	c := curve{
		{canvasLeft + 10.5/resolution, canvasTop + 20./resolution},
		{canvasLeft + 13./resolution, canvasTop + 20./resolution},
		{canvasLeft + 13./resolution, canvasTop + 21./resolution},
		{canvasLeft + 10.5/resolution, canvasTop + 21./resolution},
	}
	m := fill(c, 0)
	for x, want := range map[int]float32{9: 0, 10: .5, 11: 1, 12: 1, 13: 0} {
		if got := m.at(x, 20); math.Abs(float64(got-want)) > 1e-5 {
			t.Errorf("pixel %d is covered by %v, want %v", x, got, want)
		}
		if got := m.at(x, 21); math.Abs(float64(got)) > 1e-5 {
			t.Errorf("pixel %d one row down is covered by %v", x, got)
		}
	}
}

func TestTimes(t *testing.T) {
	a := fill(curve{{0, 0}, {.2, 0}, {.2, .2}, {0, .2}}, 0)
	b := fill(curve{{.1, .1}, {.3, .1}, {.3, .3}, {.1, .3}}, 0)
	if got := covered(a.times(b)); math.Abs(got-.01) > 1e-6 {
		t.Errorf("two squares share %v, want .01", got)
	}
	if got := covered(a.times(mask{})); got != 0 {
		t.Errorf("shares %v with nothing", got)
	}
}

func TestGaussian(t *testing.T) {
	m := gaussian(point{.1, .2}, .03, .01)
	for _, p := range []point{{.1, .2}, {.13, .2}, {.07, .2}, {.1, .21}, {.16, .22}} {
		c, r := int(column(p.x)), int(row(p.y))
		dx, dy := (xAt(c)-.1)/.03, (yAt(r)-.2)/.01
		got, want := float64(m.at(c, r)), math.Exp(-(dx*dx+dy*dy)/2)
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("at %v: %v, want %v", p, got, want)
		}
	}
	if got, want := covered(m), 2*math.Pi*.03*.01; math.Abs(got/want-1) > .01 {
		t.Errorf("volume is %.4f of the whole bell's", got/want)
	}
}

func TestKernelSumsToOne(t *testing.T) {
	for _, sigma := range []float64{.2, .5, 1, 2.5, 7} {
		k := kernel(sigma)
		sum := k[0]
		for _, v := range k[1:] {
			sum += 2 * v
		}
		if math.Abs(float64(sum)-1) > 1e-5 {
			t.Errorf("sigma %v: sums to %v", sigma, sum)
		}
	}
}
