package face

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plane lays detector output for one cell and anchor into an empty grid.
func plane(grid, anchor, cell int, x, y, w, h, score float32) []float32 {
	raw := make([]float32, 25*grid*grid)
	for k := range 5 {
		for c := range grid * grid {
			raw[(5*k+4)*grid*grid+c] = -20
		}
	}
	for i, v := range []float32{x, y, w, h, score} {
		raw[(5*anchor+i)*grid*grid+cell] = v
	}
	return raw
}

func TestDecodeDetections(t *testing.T) {
	// Cell (3, 2) of 7x7 on a square of 700 px: 100 px a cell. sigmoid(0) = .5.
	got := decodeDetections(plane(7, 0, 2*7+3, 0, 0, 0, 0, 3), 7, 700, .5)
	if len(got) != 1 {
		t.Fatalf("%d faces, want 1", len(got))
	}
	w, h := 160.3231, 209.4468
	want := Rect{350 - w/2, 250 - h/2, w, h}
	if d := got[0]; math.Abs(d.score-.952574) > 1e-6 || iou(d.box, want) < .999999 {
		t.Errorf("got %+v, want %+v", d, want)
	}
	if got := decodeDetections(plane(7, 0, 0, 0, 0, 0, 0, -.01), 7, 700, .5); len(got) != 0 {
		t.Errorf("a score below the threshold is a face: %+v", got)
	}
}

func TestSuppressKeepsTheBestOfEachGroup(t *testing.T) {
	near, far := Rect{10, 10, 100, 100}, Rect{300, 10, 100, 100}
	got := suppress([]detection{{near, .6}, {far, .7}, {Rect{15, 12, 100, 100}, .9}})
	var scores []float64
	for _, d := range got {
		scores = append(scores, d.score)
	}
	if !slices.Equal(scores, []float64{.9, .7}) {
		t.Errorf("kept %v", scores)
	}
}

func TestParticipantIsLargeAndCentral(t *testing.T) {
	middle, corner := Rect{270, 190, 100, 100}, Rect{0, 0, 130, 130}
	behind, huge := Rect{300, 100, 40, 40}, Rect{20, 20, 300, 300}
	for name, tc := range map[string]struct {
		faces []Rect
		want  Rect
	}{
		"alone":                             {[]Rect{corner}, corner},
		"a small face behind":               {[]Rect{behind, middle}, middle},
		"a slightly larger one in a corner": {[]Rect{corner, middle}, middle},
		"a much larger one off the middle":  {[]Rect{middle, huge}, huge},
	} {
		var found []detection
		for _, r := range tc.faces {
			found = append(found, detection{r, .9})
		}
		if got, ok := participant(found, 640, 480); !ok || got.box != tc.want {
			t.Errorf("%s: %v", name, got.box)
		}
	}
	if _, ok := participant(nil, 640, 480); ok {
		t.Error("a face among none")
	}
}

// TestCropsStayInside: whatever the rectangle, the crop must lie within the
// picture and fill one side of the net's input.
func TestCropsStayInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 2000).Draw(t, "width"), rapid.IntRange(1, 2000).Draw(t, "height")
		r := Rect{
			rapid.Float64Range(-500, 2000).Draw(t, "x"), rapid.Float64Range(-500, 2000).Draw(t, "y"),
			rapid.Float64Range(0, 1500).Draw(t, "w"), rapid.Float64Range(0, 1500).Draw(t, "h"),
		}
		if c, ok := newCrop(r, width, height, 96); ok {
			if c.x0 < 0 || c.y0 < 0 || c.w < 1 || c.h < 1 || c.x0+c.w > width || c.y0+c.h > height {
				t.Fatalf("%+v lies outside the picture", c)
			}
			if min(c.innerW, c.innerH) < 1 || max(c.innerW, c.innerH) != c.n {
				t.Fatalf("%+v does not fill the input", c)
			}
		}
		if in, ok := r.within(width, height); ok {
			if !(in.W > 0 && in.H > 0) || in.X < 0 || in.Y < 0 || in.X+in.W > float64(width)+1e-9 || in.Y+in.H > float64(height)+1e-9 {
				t.Fatalf("%+v lies outside the picture", in)
			}
		}
	})
	beside := Rect{700, 10, 50, 50}
	if _, ok := newCrop(beside, 640, 480, 96); ok {
		t.Error("a box beside the picture has a crop")
	}
	if in, ok := beside.within(640, 480); ok {
		t.Errorf("%v of a box beside the picture lies within", in)
	}
}
