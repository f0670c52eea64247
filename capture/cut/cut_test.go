package cut

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/capture/frame"
)

const width, height = 96, 54

// shot draws the pictures of one shot: a sky, a ground, and discs that move.
type shot struct {
	sky, ground colour
	horizon     float64 // 0 top to 1 bottom
	discs       []disc
}

type colour [3]float64 // blue, green, red, 0 to 255

type disc struct {
	colour colour
	x, y   float64 // at the beginning, 0 to 1
	vx, vy float64 // per second
	radius float64
}

// at draws the shot t seconds after it began, with gain times its light.
func (s shot) at(t, gain float64) frame.Frame {
	f := frame.Frame{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
	for y := range height {
		for x := range width {
			px, py := float64(x)/width, float64(y)/height
			c := s.sky
			if py > s.horizon {
				c = s.ground
			}
			for _, d := range s.discs {
				if math.Hypot(px-d.x-d.vx*t, py-d.y-d.vy*t) < d.radius {
					c = d.colour
				}
			}
			for k, v := range c {
				f.Pix[3*(y*width+x)+k] = byte(max(0, min(gain*v, 255)))
			}
		}
	}
	return f
}

func drawShot(t *rapid.T) shot {
	hue := func(label string) colour {
		return colour{rapid.Float64Range(0, 255).Draw(t, label+" blue"), rapid.Float64Range(0, 255).Draw(t, label+" green"), rapid.Float64Range(0, 255).Draw(t, label+" red")}
	}
	s := shot{sky: hue("sky"), ground: hue("ground"), horizon: rapid.Float64Range(.2, .8).Draw(t, "horizon")}
	for range rapid.IntRange(0, 3).Draw(t, "discs") {
		unit := func(label string) float64 { return rapid.Float64Range(0, 1).Draw(t, label) }
		s.discs = append(s.discs, disc{hue("disc"), unit("x"), unit("y"), unit("vx") - .5, unit("vy") - .5, .05 + .1*unit("radius")})
	}
	return s
}

// film collects pictures at a steady rate.
type film struct {
	fps   float64
	looks []Look
	times []time.Duration
}

func (f *film) add(p frame.Frame) {
	f.times = append(f.times, time.Duration(float64(len(f.looks))*float64(time.Second)/f.fps))
	f.looks = append(f.looks, Of(p))
}

// show adds n frames of a shot.
func (f *film) show(s shot, n int) {
	for i := range n {
		f.add(s.at(float64(i)/f.fps, 1))
	}
}

func (f *film) want(t rapid.TB, cuts ...int) {
	t.Helper()
	if got := Find(f.looks, f.times); !slices.Equal(got, cuts) {
		t.Fatalf("cuts at frames %v, want %v", got, cuts)
	}
}

// Two shots that hardly differ are no test.
func clearlyDifferent(a, b shot) bool {
	x, y := Of(a.at(0, 1)), Of(b.at(0, 1))
	return Distance(&x, &y) > .2
}

func TestCutsOfAnyShots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := film{fps: rapid.SampledFrom([]float64{24, 25, 30000. / 1001, 50, 60}).Draw(t, "fps")}
		var cuts []int
		var last shot
		for k := range rapid.IntRange(1, 5).Draw(t, "shots") {
			s := drawShot(t)
			if k > 0 && !clearlyDifferent(last, s) {
				continue
			}
			if k > 0 {
				cuts = append(cuts, len(f.looks))
			}
			f.show(s, int(rapid.Float64Range(.45, 1.2).Draw(t, "seconds")*f.fps))
			last = shot{sky: s.sky, ground: s.ground, horizon: s.horizon} // the discs may have gone
		}
		// The clip may draw two shots alike but for their discs: then the first frame of
		// the one and the last of the other are compared here as Find does.
		for _, c := range cuts {
			if Distance(&f.looks[c-1], &f.looks[c]) < .15 {
				t.Skip("a cut between pictures that are alike")
			}
		}
		f.want(t, cuts...)
	})
}

var (
	beach = shot{sky: colour{220, 170, 120}, ground: colour{110, 190, 220}, horizon: .6, discs: []disc{{colour{60, 60, 200}, .2, .7, .3, 0, .12}}}
	night = shot{sky: colour{60, 20, 15}, ground: colour{30, 30, 35}, horizon: .4, discs: []disc{{colour{230, 250, 250}, .7, .2, -.1, 0, .08}}}
	white = shot{sky: colour{255, 255, 255}, ground: colour{255, 255, 255}}
)

// street draws a row of houses of which some have passed by.
func street(passed float64) frame.Frame {
	f := frame.Frame{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
	for i := range width * height {
		house := int(3*float64(i%width)/width + 3*passed)
		for k := range 3 {
			f.Pix[3*i+k] = byte(house * (71 + 58*k))
		}
	}
	return f
}

func TestWhatIsNoCut(t *testing.T) {
	for name, draw := range map[string]func(f *film){
		"a still": func(f *film) { f.show(shot{sky: beach.sky, ground: beach.ground, horizon: .5}, 60) },
		"a flash": func(f *film) {
			f.show(beach, 30)
			f.show(white, 3)
			f.show(beach, 30)
		},
		"a flash of one frame": func(f *film) {
			f.show(beach, 30)
			f.show(white, 1)
			f.show(beach, 30)
		},
		"strobe light": func(f *film) {
			for range 10 {
				f.show(night, 2)
				f.show(white, 2)
			}
		},
		"a fade to black": func(f *film) {
			for i := range 30 {
				f.add(beach.at(float64(i)/30, 1-float64(i)/29))
			}
			for range 15 {
				f.add(beach.at(1, 0))
			}
		},
		"a fade from white": func(f *film) {
			for i := range 45 {
				f.add(beach.at(float64(i)/30, 1+6*math.Pow(1-float64(i)/44, 3)))
			}
		},
		"a dissolve": func(f *film) {
			f.show(beach, 20)
			for i := range 20 {
				a, b, w := beach.at(.7, 1), night.at(0, 1), float64(i)/19
				for k := range a.Pix {
					a.Pix[k] = byte((1-w)*float64(a.Pix[k]) + w*float64(b.Pix[k]))
				}
				f.add(a)
			}
			f.show(night, 20)
		},
		"a fast pan": func(f *film) {
			// Houses, each a third of the picture wide, pass by in four frames.
			for i := range 60 {
				f.add(street(float64(i) / 4))
			}
		},
		"one frame":   func(f *film) { f.show(beach, 1) },
		"two frames":  func(f *film) { f.show(beach, 2) },
		"no frame":    func(*film) {},
		"no pictures": func(f *film) { f.add(frame.Frame{}); f.add(frame.Frame{}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := film{fps: 30}
			draw(&f)
			f.want(t)
		})
	}
}

func TestWhatIsACut(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(f *film)
		want []int
	}{
		"in a flash": {func(f *film) {
			f.show(beach, 30)
			f.show(white, 2)
			f.show(night, 30)
		}, []int{30}},
		"in a longer flash": {func(f *film) {
			f.show(beach, 30)
			f.show(white, 4)
			f.show(night, 30)
		}, []int{30}},
		"out of black": {func(f *film) {
			for i := range 30 {
				f.add(beach.at(float64(i)/30, 1-float64(i)/29))
			}
			f.show(night, 20)
			f.show(beach, 20)
		}, []int{50}},
		"over a mixed frame": {func(f *film) {
			f.show(beach, 30)
			a, b := beach.at(1, 1), night.at(0, 1)
			for k := range a.Pix {
				a.Pix[k] = byte((int(a.Pix[k]) + int(b.Pix[k])) / 2)
			}
			f.add(a)
			f.show(night, 30)
		}, []int{30}},
		"there and back": {func(f *film) {
			f.show(beach, 30)
			f.show(night, 12)
			f.show(beach, 30)
		}, []int{30, 42}},
		"every frame shown twice": {func(f *film) {
			for i := range 60 {
				s := beach
				if i >= 30 {
					s = night
				}
				f.add(s.at(float64(i/2*2)/30, 1))
			}
		}, []int{30}},
		"pictures one after the other": {func(f *film) {
			for i := range 5 {
				s := beach
				if i%2 == 1 {
					s = night
				}
				s.discs = nil
				f.show(s, 10)
			}
		}, []int{10, 20, 30, 40}},
	} {
		t.Run(name, func(t *testing.T) {
			f := film{fps: 30}
			c.draw(&f)
			got := Find(f.looks, f.times)
			if !slices.Equal(got, c.want) {
				t.Errorf("cuts at frames %v, want %v", got, c.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	black, white := Of(shot{}.at(0, 1)), Of(white.at(0, 1))
	if d := Distance(&black, &white); d != 1 {
		t.Errorf("black and white are %v apart", d)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := Of(drawShot(t).at(0, 1)), Of(drawShot(t).at(0, 1))
		if Distance(&a, &a) != 0 || Distance(&a, &b) != Distance(&b, &a) || Distance(&a, &b) > 1.5 {
			t.Fatalf("%v, %v", Distance(&a, &b), Distance(&b, &a))
		}
	})
}

// A picture of any size is looked at whole.
func TestSizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(0, 300).Draw(t, "width"), rapid.IntRange(0, 300).Draw(t, "height")
		f := frame.Frame{Width: w, Height: h, Pix: make([]byte, 3*w*h)}
		for i := range f.Pix {
			f.Pix[i] = 200
		}
		l := Of(f)
		if w < blocks || h < blocks {
			return // some ninth has no pixel
		}
		for i := 0; i < len(l); i += perBlock {
			if l[i] != 200 || l[i+lumas] != 128 {
				t.Fatalf("%d x %d: part %d is %v", w, h, i/perBlock, l[i:i+perBlock])
			}
		}
	})
}
