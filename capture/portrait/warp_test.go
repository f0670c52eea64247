package portrait

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// lanes returns blue, green, red and alpha.
func (c texel) lanes() [4]int {
	return [4]int{int(c & 0xffff), int(c >> 16 & 0xffff), int(c >> 32 & 0xffff), int(c >> 48)}
}

// premultiplied draws a texel whose colours are not above its alpha.
func premultiplied(t *rapid.T, name string) texel {
	a := rapid.IntRange(0, 255).Draw(t, name+" alpha")
	lane := func(colour string) texel { return texel(rapid.IntRange(0, a).Draw(t, name+" "+colour)) }
	return lane("blue") | lane("green")<<16 | lane("red")<<32 | texel(a)<<48
}

func TestMixWeighsTheLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := premultiplied(t, "a"), premultiplied(t, "b")
		f := rapid.IntRange(0, 255).Draw(t, "f")
		la, lb, got := a.lanes(), b.lanes(), mix(a, b, texel(f)).lanes()
		for i := range got {
			if want := (la[i]*(256-f) + lb[i]*f) / 256; got[i] != want {
				t.Fatalf("lane %d is %d, want %d", i, got[i], want)
			}
		}
	})
}

func TestOverStaysBetweenBothColours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := premultiplied(t, "texel")
		under := rapid.IntRange(0, 255).Draw(t, "under")
		pixel := []byte{byte(under), byte(under), byte(under)}
		c.over(pixel)
		alpha := c.lanes()[3]
		for i, got := range pixel {
			want := float64(c.lanes()[i]) + float64(under)*float64(255-alpha)/255
			if math.Abs(float64(got)-want) >= 1 {
				t.Fatalf("channel %d is %d, want about %v", i, got, want)
			}
		}
	})
}

func TestSoftenSpreadsAndKeeps(t *testing.T) {
	tx := make(texture, canvasWidth*canvasHeight)
	const x, y = 100, 120
	tx[y*canvasWidth+x] = 255<<48 | 255<<32 | 255<<16 | 255
	tx.soften()
	weights := [5]int{1, 4, 6, 4, 1}
	for dy := -3; dy <= 3; dy++ {
		for dx := -3; dx <= 3; dx++ {
			want := 0.
			if max(dx, -dx, dy, -dy) <= 2 {
				want = 255 * float64(weights[dx+2]*weights[dy+2]) / 256
			}
			for i, got := range tx[(y+dy)*canvasWidth+x+dx].lanes() {
				if math.Abs(float64(got)-want) > 1 {
					t.Errorf("(%d, %d) lane %d is %d, want about %v", dx, dy, i, got, want)
				}
			}
		}
	}

	for i := range tx {
		tx[i] = 200<<48 | 90<<32 | 60<<16 | 30
	}
	flat := tx[0]
	tx.soften()
	if got := tx[y*canvasWidth+x]; got != flat {
		t.Errorf("an even surface changes from %v to %v", flat.lanes(), got.lanes())
	}
}

func TestSample(t *testing.T) {
	tx := make(texture, canvasWidth*canvasHeight)
	tx[5*canvasWidth+7], tx[5*canvasWidth+8] = 100, 200
	for _, tc := range []struct {
		x, y float64
		want texel
	}{
		{7, 5, 100}, {8, 5, 200}, {7.5, 5, 150}, {7, 5.5, 50}, {7.5, 4.5, 75},
		{-1, 5, 0}, {7, -.5, 0}, {canvasWidth, 5, 0}, {7, canvasHeight, 0},
	} {
		if got := tx.sample(toFixed(tc.x), toFixed(tc.y)); got != tc.want {
			t.Errorf("at (%v, %v): %d, want %d", tc.x, tc.y, got, tc.want)
		}
	}
}

// What is seen at the pixel at which a point appears is that point.
func TestTraceInvertsTheView(t *testing.T) {
	h := newHeights()
	s := &scene{width: 640, height: 480, unit: 1}
	rapid.Check(t, func(t *rapid.T) {
		p := s.pose(Look{
			Yaw:    rapid.Float64Range(-3, 3).Draw(t, "yaw"),
			Pitch:  rapid.Float64Range(-2, 2).Draw(t, "pitch"),
			Roll:   rapid.Float64Range(-10, 10).Draw(t, "roll"),
			Scale:  rapid.Float64Range(.7, 1.3).Draw(t, "scale"),
			ShiftX: rapid.Float64Range(-60, 60).Draw(t, "shift x"),
			ShiftY: rapid.Float64Range(-25, 25).Draw(t, "shift y"),
		})
		// On the cheeks and the forehead, off the steep flanks of nose and rim.
		q := point{rapid.Float64Range(.12, .2).Draw(t, "x"), rapid.Float64Range(-.2, .2).Draw(t, "y")}
		z := h.at(q.x, q.y)
		seen := p.place(q)
		dx, dy := p.scale*z*p.sinYaw, p.scale*z*p.sinPitch
		seen = point{seen.x + p.cosRoll*dx - p.sinRoll*dy, seen.y + p.sinRoll*dx + p.cosRoll*dy}

		got := p.trace(h, seen.x, seen.y)
		// Heights are those of whole canvas pixels.
		if math.Hypot(got.x-q.x, got.y-q.y) > .5/resolution {
			t.Fatalf("traced to %v, want %v", got, q)
		}
	})
}

func TestPoseDirections(t *testing.T) {
	s := &scene{width: 640, height: 480, unit: 1}
	h := newHeights()
	nose := point{0, .15}
	// seenAt finds the pixel at which a point of the canvas is seen.
	seenAt := func(l Look) point {
		p := s.pose(l)
		best, where := math.Inf(1), point{}
		for y := 150.; y < 400; y++ {
			for x := 200.; x < 440; x++ {
				q := p.trace(h, x, y)
				if d := math.Hypot(q.x-nose.x, q.y-nose.y); d < best {
					best, where = d, point{x, y}
				}
			}
		}
		return where
	}
	front := seenAt(Look{})
	if math.Hypot(front.x-320, front.y-(228+.15*250)) > 1 {
		t.Errorf("the nose of a head from the front is at %v", front)
	}
	for _, tc := range []struct {
		name   string
		look   Look
		dx, dy float64 // signs; 0 where it does not matter
	}{
		{"yaw", Look{Yaw: 8}, 1, 0},
		{"pitch", Look{Pitch: 5}, 0, 1},
		{"roll", Look{Roll: 8}, -1, 0}, // the nose is below the origin
		{"shift", Look{ShiftX: 20, ShiftY: -10}, 1, -1},
		{"scale", Look{Scale: 1.2}, 0, 1},
	} {
		got := seenAt(tc.look)
		if tc.dx*(got.x-front.x) < 0 || tc.dy*(got.y-front.y) < 0 || got == front {
			t.Errorf("%s: the nose moves from %v to %v", tc.name, front, got)
		}
	}
}
