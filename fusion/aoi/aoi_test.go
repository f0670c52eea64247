package aoi_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/aoi"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

func clip(t testing.TB) aoi.Set {
	t.Helper()
	f, err := os.Open("testdata/clip.aoi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := aoi.Parse(f, "clip.aoi.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAt(t *testing.T) {
	s := clip(t)
	if s.Stimulus != "clip01.mp4" || len(s.Areas) != 4 {
		t.Fatalf("%+v", s)
	}
	for _, c := range []struct {
		name string
		x, y float64
		at   float64 // s
		want string
	}{
		{"in the face", .5, .6, 0, "face"},
		{"the eyes are smaller than the face around them", .5, .3, 0, "eyes"},
		{"in the box but not in the ellipse", .31, .11, 0, ""},
		{"in the sign", .1, .1, 0, "sign"},
		{"beside the sign's slope", .02, .18, 0, ""},
		{"the ball is not there yet", .05, .85, .9, ""},
		{"the ball begins", .05, .85, 1, "ball"},
		{"the ball in the middle of its way", .45, .85, 2, "ball"},
		{"where the ball was", .05, .85, 2, ""},
		{"the ball stands until it hides", .85, .85, 3.9, "ball"},
		{"the ball is hidden", .85, .85, 5, ""},
		{"the ball is elsewhere, and over the face", .55, .55, 6, "ball"},
		{"and stays", .55, .55, 60, "ball"},
		{"outside", 1.2, -.3, 2, ""},
		{"nowhere", math.NaN(), .5, 2, ""},
	} {
		got := ""
		if i := s.At(c.x, c.y, time.Duration(c.at*1e9)); i != aoi.None {
			got = s.Areas[i].Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestErrorsNameLineAndKey(t *testing.T) {
	good, err := os.ReadFile("testdata/clip.aoi.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"emolab-aoi/1"`, `"emolab-aoi/2"`, `line 2: format: "emolab-aoi/2" is not known`},
		{`"stimulus"`, `"stimulis"`, `line 3: "stimulis" is not known`},
		{`"ellipse"`, `"circle"`, `line 5: areas[0] "face": shape: "circle" is not known: polygon, rect or ellipse`},
		{`"box": [0.3, 0.1, 0.4, 0.6]`, `"box": [0.3, 0.1, 0.4]`, `line 5: areas[0] "face": box: [0.3 0.1 0.4] is not [x, y, width, height]`},
		{`"box": [0.3, 0.1, 0.4, 0.6]`, `"box": [0.3, 0.1, 0.4, 0]`, `line 5: areas[0] "face": box: [0.3 0.1 0.4 0] has no width or no height`},
		{`"box": [0.3, 0.1, 0.4, 0.6]`, `"box": [300, 100, 400, 600]`, `line 5: areas[0] "face": box: 300: fractions of the stimulus`},
		{`"box": [0.3, 0.1, 0.4, 0.6]`, `"box": "all"`, `line 5: box: string does not belong there`},
		{`"eyes", "shape"`, `"face", "shape"`, `line 6: areas[1] "face": another area has that name`},
		{`"eyes", "shape"`, `" ", "shape"`, `line 6: areas[1] " ": name is missing`},
		{`"points": [[0.0, 0.0], `, `"points": [`, `line 7: areas[2] "sign": points: 2 of them: a polygon has 3`},
		{`[0.2, 0.0]`, `[0.2]`, `line 7: areas[2] "sign": points[1]: [0.2] is not [x, y]`},
		{`"layer": 1`, `"layr": 1`, `unknown field "layr"`},
		{`"t_s": 3.0`, `"t_s": 1.0`, `line 9: areas[3] "ball": keyframes[1]: t_s: 1 is not after the one before`},
		{`"t_s": 3.0, `, ``, `line 9: areas[3] "ball": keyframes[1]: t_s is missing`},
		{`"hidden": true`, `"hidden": true, "box": [0, 0, 1, 1]`, `keyframes[2]: hidden: a hidden area has neither`},
		{`"layer": 2,`, `"layer": 2, "box": [0, 0, 1, 1],`, `line 9: areas[3] "ball": keyframes: a moving area has its points or box in the keyframes only`},
		{`[0.8, 0.8, 0.1, 0.1]}`, `[0.8, 0.8, 0.1, 0.1]`, `line 12: not JSON`},
		{`    ]}
  ]
}`, ``, `the file ends too early`},
		{"  ]\n}", "  ]\n} {}", `line 16: not JSON`},
		{`"format": "emolab-aoi/1",`, ``, `"format" is missing`},
	} {
		text := strings.Replace(string(good), c.old, c.new, 1)
		if text == string(good) {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, err := aoi.Parse(strings.NewReader(text), "clip.aoi.json")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "clip.aoi.json: ") {
			t.Errorf("%q for %q:\n got %v\nwant ... %s", c.new, c.old, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/clip.aoi.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"emolab-aoi/1","areas":[{"name":"a","shape":"polygon","points":[[1e99,0],[0,0],[1,1]]}]}`))
	f.Add([]byte(`{"areas":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := aoi.Parse(strings.NewReader(string(text)), "a")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "a: ") {
				t.Fatalf("an error without the file: %v", err)
			}
			return
		}
		for _, a := range s.Areas {
			for _, at := range []time.Duration{-time.Hour, 0, time.Second, 1500 * time.Millisecond, time.Hour} {
				s.At(.5, .5, at)
				for _, p := range a.Outline(at) {
					if math.IsNaN(p.X) || math.IsNaN(p.Y) {
						t.Fatalf("area %q has the corner %v", a.Name, p)
					}
				}
			}
		}
	})
}

// TestRectIsAPolygon: a rectangle and the polygon of its corners hold the same.
func TestRectIsAPolygon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) float64 { return rapid.Float64Range(-.2, 1.2).Draw(t, name) }
		size := func(name string) float64 { return rapid.Float64Range(.01, .5).Draw(t, name) }
		moving := func() (rect, polygon aoi.Area) {
			rect = aoi.Area{Name: "rect", Shape: aoi.Rect}
			polygon = aoi.Area{Name: "polygon", Shape: aoi.Polygon}
			for k := range rapid.IntRange(1, 4).Draw(t, "keyframes") {
				b := aoi.Box{X: draw("x"), Y: draw("y"), Width: size("w"), Height: size("h")}
				at := time.Duration(k) * time.Second
				rect.Keyframes = append(rect.Keyframes, aoi.Keyframe{At: at, Box: b})
				polygon.Keyframes = append(polygon.Keyframes, aoi.Keyframe{At: at, Points: []aoi.Point{
					{X: b.X, Y: b.Y}, {X: b.X + b.Width, Y: b.Y}, {X: b.X + b.Width, Y: b.Y + b.Height}, {X: b.X, Y: b.Y + b.Height}}})
			}
			return rect, polygon
		}
		rect, polygon := moving()
		x, y := draw("at x"), draw("at y")
		at := time.Duration(rapid.Int64Range(-5e8, 5e9).Draw(t, "at"))
		// Rounding may put an edge to either side of a point that lies on it.
		for _, p := range rect.Outline(at) {
			if math.Abs(p.X-x) < 1e-9 || math.Abs(p.Y-y) < 1e-9 {
				return
			}
		}
		one, other := aoi.Set{Areas: []aoi.Area{rect}}, aoi.Set{Areas: []aoi.Area{polygon}}
		if a, b := one.At(x, y, at), other.At(x, y, at); a != b {
			t.Fatalf("rectangle %d, polygon %d", a, b)
		}
		// The smaller of two areas wins, in any order.
		small := aoi.Area{Name: "small", Shape: aoi.Ellipse, Keyframes: []aoi.Keyframe{{Box: aoi.Box{X: x - .002, Y: y - .002, Width: .004, Height: .004}}}}
		if i := (aoi.Set{Areas: []aoi.Area{rect, small}}).At(x, y, at); i != 1 {
			t.Fatalf("area %d, want the small one", i)
		}
		rect.Layer = 1
		if i := (aoi.Set{Areas: []aoi.Area{small, rect}}).At(x, y, at); one.At(x, y, at) == 0 && i != 1 {
			t.Fatalf("area %d, want the higher one", i)
		}
	})
}

// look is a fixation from and until in ms after the stimulus' start.
func look(from, until int, x, y float64) eyemovement.Event {
	const start = instant.Instant(10 * time.Second)
	return eyemovement.Event{
		Class: eyemovement.Fixation, X: x, Y: y,
		From: start.Add(time.Duration(from) * time.Millisecond), Until: start.Add(time.Duration(until) * time.Millisecond),
	}
}

// TestMeasure is a session of 2 s that can be checked by hand.
func TestMeasure(t *testing.T) {
	left := aoi.Area{Name: "left", Shape: aoi.Rect, Keyframes: []aoi.Keyframe{{Box: aoi.Box{X: 0, Y: 0, Width: .4, Height: 1}}}}
	right := aoi.Area{Name: "right", Shape: aoi.Rect, Keyframes: []aoi.Keyframe{{Box: aoi.Box{X: .6, Y: 0, Width: .4, Height: 1}}}}
	never := aoi.Area{Name: "never", Shape: aoi.Rect, Keyframes: []aoi.Keyframe{{Box: aoi.Box{X: 2, Y: 2, Width: 1, Height: 1}}}}
	events := []eyemovement.Event{
		look(-100, 150, .9, .5), // began before: not an answer to the stimulus
		look(200, 300, .5, .5),  // elsewhere
		look(350, 550, .8, .5),  // right
		{Class: eyemovement.Saccade, From: look(550, 600, 0, 0).From, Until: look(550, 600, 0, 0).Until},
		look(600, 700, .7, .5),   // right still: one visit, saccade and all
		look(750, 1050, .1, .5),  // left
		look(1100, 1200, .9, .5), // right again
		look(1900, 2400, .2, .5), // left, cut off at the end
		look(2500, 2600, .2, .5), // after it
	}
	start := look(0, 0, 0, 0).From
	r := aoi.Measure(aoi.Set{Areas: []aoi.Area{left, right, never}}, events, aoi.Exposure{From: start, Until: start.Add(2 * time.Second)})
	const ms = time.Millisecond
	want := []aoi.Metrics{
		{Name: "left", Looks: 2, Fixations: 2, Looked: 400 * ms, Fixated: 400 * ms, Dwell: 400 * ms, LookedShare: .2, Visits: 2, Revisits: 1, ToFirst: 750 * ms, First: 300 * ms, Before: 3, Seen: true, ToFixation: 750 * ms},
		{Name: "right", Looks: 3, Fixations: 3, Looked: 400 * ms, Fixated: 400 * ms, Dwell: 450 * ms, LookedShare: .2, Visits: 2, Revisits: 1, ToFirst: 350 * ms, First: 200 * ms, Before: 1, Seen: true, ToFixation: 350 * ms},
		{Name: "never"},
	}
	for i, w := range want {
		if r.Areas[i] != w {
			t.Errorf("got  %+v\nwant %+v", r.Areas[i], w)
		}
	}
	if r.Areas[1].MeanVisit() != 225*ms || r.Areas[2].MeanVisit() != 0 {
		t.Errorf("mean visits %v and %v", r.Areas[1].MeanVisit(), r.Areas[2].MeanVisit())
	}
	if r.Looks != 6 || r.Elsewhere != 1 {
		t.Errorf("%+v", r)
	}
	for i, w := range [][]int{{0, 1, 0, 0}, {2, 1, 0, 0}, {0, 0, 0, 0}, {0, 1, 0, 0}} {
		for j, n := range w {
			if r.Transitions[i][j] != n {
				t.Errorf("%d transitions from %d to %d, want %d", r.Transitions[i][j], i, j, n)
			}
		}
	}
	// Two fifths and three fifths of the looks; from either area to one other.
	if h := -.4*math.Log2(.4) - .6*math.Log2(.6); math.Abs(r.StationaryEntropy-h) > 1e-12 || r.TransitionEntropy != 0 {
		t.Errorf("entropies %g and %g, want %g and 0", r.StationaryEntropy, r.TransitionEntropy, h)
	}

	nobody := aoi.Measure(aoi.Set{Areas: []aoi.Area{left, right, never}}, nil, aoi.Exposure{From: start, Until: start.Add(time.Second)})
	g := aoi.Join([]aoi.Report{r, nobody})
	if g[0].People != 2 || g[0].Seen != 1 || g[0].SeenShare() != .5 || g[0].ToFirst != 750*ms || g[0].Fixated != 200*ms || g[0].Looked != 200*ms || g[0].Fixations != 1 || g[0].Looks != 1 {
		t.Errorf("%+v", g[0])
	}
	if g[2].Seen != 0 || g[2].ToFirst >= 0 {
		t.Errorf("%+v", g[2])
	}
	if !math.IsNaN(nobody.StationaryEntropy) || !math.IsNaN(nobody.TransitionEntropy) {
		t.Errorf("entropies of nothing: %+v", nobody)
	}
}

// TestMovingAreaIsFollowed: who follows the ball is on it from the moment it
// appears, wherever on the screen and from which time of the video on.
func TestMovingAreaIsFollowed(t *testing.T) {
	s := clip(t)
	frame := eyemovement.Frame{X: .2, Y: .1, Width: .5, Height: .8}
	start := look(0, 0, 0, 0).From
	var events []eyemovement.Event
	for ms := 0; ms < 2500; ms += 100 { // shown from .5 s of the video on
		at := .5 + float64(ms+50)/1000
		x := .05 + .4*min(2, max(0, at-1))
		events = append(events, look(ms, ms+100, frame.X+frame.Width*x, frame.Y+frame.Height*.85))
	}
	r := aoi.Measure(s, events, aoi.Exposure{From: start, Until: start.Add(3 * time.Second), Start: 500 * time.Millisecond, Frame: frame})
	ball := r.Areas[3]
	if !ball.Seen || ball.ToFirst != 500*time.Millisecond || ball.Fixations != 20 || ball.Visits != 1 || r.Elsewhere != 5 {
		t.Errorf("%+v, %d elsewhere", ball, r.Elsewhere)
	}
}

// TestPursuitIsOneLook: a pursuit in pieces that touch is one look at what it
// follows, a fixation of the same place right after it another.
func TestPursuitIsOneLook(t *testing.T) {
	s := clip(t)
	pursuit := func(from, until int, x float64) eyemovement.Event {
		e := look(from, until, x, .85)
		e.Class = eyemovement.Pursuit
		return e
	}
	start := look(0, 0, 0, 0).From
	r := aoi.Measure(s, []eyemovement.Event{
		pursuit(1000, 1500, .15), pursuit(1500, 2000, .35), // on the ball
		look(2000, 2200, .48, .85),
		pursuit(2200, 2400, .05), // where it is not
	}, aoi.Exposure{From: start, Until: start.Add(3 * time.Second)})
	if ball := r.Areas[3]; ball.Looks != 2 || ball.Fixations != 1 || ball.Looked != 1200*time.Millisecond || ball.Fixated != 200*time.Millisecond || ball.ToFirst != time.Second || ball.ToFixation != 2*time.Second || ball.First != time.Second || ball.Visits != 1 {
		t.Errorf("%+v", ball)
	}
	if r.Looks != 3 || r.Elsewhere != 1 || r.Transitions[3][3] != 1 || r.Transitions[3][4] != 1 {
		t.Errorf("%+v", r)
	}
}

// TestMeasureAddsUp: whatever is looked at, every look is at one area or
// elsewhere, and every step between two of them in the table.
func TestMeasureAddsUp(t *testing.T) {
	s := clip(t)
	rapid.Check(t, func(t *rapid.T) {
		var events []eyemovement.Event
		now := -500
		for range rapid.IntRange(0, 40).Draw(t, "fixations") {
			from := now + rapid.IntRange(0, 100).Draw(t, "saccade")
			now = from + rapid.IntRange(1, 400).Draw(t, "fixation")
			x := rapid.OneOf(rapid.Float64Range(-.1, 1.1), rapid.Just(math.NaN()), rapid.Just(math.Inf(1))).Draw(t, "x")
			e := look(from, now, x, rapid.Float64Range(-.1, 1.1).Draw(t, "y"))
			if rapid.Bool().Draw(t, "pursuit") {
				e.Class = eyemovement.Pursuit
			}
			events = append(events, e)
		}
		start := look(0, 0, 0, 0).From
		whole := time.Duration(rapid.Int64Range(0, 8e9).Draw(t, "exposure"))
		r := aoi.Measure(s, events, aoi.Exposure{From: start, Until: start.Add(whole)})
		looks, looked, steps := r.Elsewhere, time.Duration(0), 0
		for _, m := range r.Areas {
			looks += m.Looks
			looked += m.Looked
			if m.Seen != (m.Looks > 0) || m.Visits > m.Looks || m.Dwell < m.Looked || m.Fixations > m.Looks || m.Fixated > m.Looked || m.Fixations > 0 && m.ToFixation < m.ToFirst || m.Seen && (m.ToFirst < 0 || m.ToFirst >= whole) {
				t.Fatalf("%+v", m)
			}
		}
		for _, row := range r.Transitions {
			for _, n := range row {
				steps += n
			}
		}
		if looks != r.Looks || looked > whole || steps != max(0, r.Looks-1) {
			t.Fatalf("%d looks of %d, %v of %v, %d steps", looks, r.Looks, looked, whole, steps)
		}
	})
}

// TestTag: the word under which somebody sorts an area stays with it.
func TestTag(t *testing.T) {
	s, err := aoi.Parse(strings.NewReader(`{"format": "emolab-aoi/1", "areas": [{"name": "sign", "tag": "logo", "shape": "rect", "box": [0, 0, 1, 1]}]}`), "a")
	if err != nil || s.Areas[0].Tag != "logo" {
		t.Fatalf("%+v, %v", s, err)
	}
}
