package gaze

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// A tracker with a known error, noise, gaps and wild samples is corrected to
// within .1° of what is left of its noise, and its precision is measured to
// within .1°.
func TestRecoversTracker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := tracker{
			screen: desk(),
			rate:   rapid.SampledFrom([]float64{60, 120, 250}).Draw(t, "rate"),
			right:  rapid.Float64Range(-4, 4).Draw(t, "right"),
			down:   rapid.Float64Range(-4, 4).Draw(t, "down"),
			gain:   rapid.Float64Range(.8, 1.25).Draw(t, "gain"),
			bend:   rapid.SampledFrom([]float64{0, 0, .3}).Draw(t, "bend"),
			noise:  rapid.Float64Range(.02, .3).Draw(t, "noise"),
			loss:   rapid.Float64Range(0, .3).Draw(t, "loss"),
			wild:   rapid.Float64Range(0, .1).Draw(t, "wild"),
			random: seeded(rapid.Uint64().Draw(t, "seed")),
		}
		c, err := Fit(k.looks(Targets(rapid.SampledFrom([]int{9, 13}).Draw(t, "targets"))), k.screen, FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		v := Validate(correct(c, k.looks(ValidationTargets(9))), k.screen, FitOptions{})
		noise := k.noise / k.gain // the calibration divides the noise too
		// the mean of 60 samples and more lies within noise/√60 of its place
		// and nine targets choose a model that leaves a tenth of a bend
		if v.MeanDeg > .1+noise/4+k.bend/10 {
			t.Errorf("%s: mean error %.3f° after calibration", c.Model, v.MeanDeg)
		}
		if want := noise * math.Sqrt2; math.Abs(v.SDDeg-want) > .1 {
			t.Errorf("SD %.3f°, simulated %.3f°", v.SDDeg, want)
		}
		if want := 2 * noise; math.Abs(v.RMSS2SDeg-want) > .1 {
			t.Errorf("RMS-S2S %.3f°, simulated %.3f°", v.RMSS2SDeg, want)
		}
		if math.Abs(v.Loss-k.loss) > .1 {
			t.Errorf("loss %.2f, simulated %.2f", v.Loss, k.loss)
		}
	})
}

// Without calibration a validation shows the tracker's own error.
func TestValidateShowsError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := tracker{
			screen: desk(), rate: 60, random: seeded(rapid.Uint64().Draw(t, "seed")),
			right: rapid.Float64Range(-3, 3).Draw(t, "right"),
			down:  rapid.Float64Range(-3, 3).Draw(t, "down"),
			noise: rapid.Float64Range(.02, .4).Draw(t, "noise"),
			wild:  rapid.Float64Range(0, .1).Draw(t, "wild"),
		}
		v := Validate(k.looks(ValidationTargets(rapid.SampledFrom([]int{4, 5, 9}).Draw(t, "n"))), k.screen, FitOptions{})
		// directions are added, angles away from the axes are a little smaller
		if want := math.Hypot(k.right, k.down); math.Abs(v.MeanDeg-want) > .1+.03*want {
			t.Errorf("mean error %.3f°, simulated %.3f°", v.MeanDeg, want)
		}
		if math.Abs(v.RightDeg-k.right) > .1+.05*math.Abs(k.right) || math.Abs(v.DownDeg-k.down) > .1+.05*math.Abs(k.down) {
			t.Errorf("error %.3f° right, %.3f° down, simulated %.3f° and %.3f°", v.RightDeg, v.DownDeg, k.right, k.down)
		}
	})
}

func TestRefitIsTheFit(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, right: 1, gain: 1.1, noise: .2, random: seeded(1)}
	looks := k.looks(Targets(9))
	a, err := Fit(looks, k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Fit(looks, k.screen, FitOptions{})
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("the same looks gave another calibration:\n%s", d)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Calibration
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, back); d != "" {
		t.Errorf("not the same after JSON:\n%s", d)
	}
}

// The order in which the targets were shown changes nothing.
func TestOrderDoesNotMatter(t *testing.T) {
	k := tracker{screen: desk(), rate: 120, right: -2, down: 1, gain: .9, bend: .2, noise: .2, wild: .05, random: seeded(2)}
	looks := k.looks(Targets(9))
	a, err := Fit(looks, k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b, err := Fit(rapid.Permutation(looks).Draw(t, "looks"), k.screen, FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if a.Model != b.Model || math.Abs(a.MeanDeg-b.MeanDeg) > 1e-9 {
			t.Fatalf("%s %.12f°, in another order %s %.12f°", a.Model, a.MeanDeg, b.Model, b.MeanDeg)
		}
		for x := -.1; x < 1.2; x += .3 {
			x1, y1 := a.Apply(x, .4)
			x2, y2 := b.Apply(x, .4)
			if math.Hypot(x1-x2, y1-y2) > 1e-9 {
				t.Fatalf("%.2f goes to %v, %v or %v, %v", x, x1, y1, x2, y2)
			}
		}
	})
}

// A look away for a third of the time changes the result by less than .1°.
func TestOutliersDoNotMatter(t *testing.T) {
	k := tracker{screen: desk(), rate: 120, right: 1.5, gain: 1.05, noise: .2, random: seeded(3)}
	clean := k.looks(Targets(9))
	a, err := Fit(clean, k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	away := make([]Look, len(clean))
	for i, l := range clean {
		l.X, l.Y = slices.Clone(l.X), slices.Clone(l.Y)
		for j := range l.X {
			if l.At[j].Sub(l.From) > shown*3/4 {
				l.X[j] += .3
			}
		}
		away[i] = l
	}
	b, err := Fit(away, k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if b.Samples.Outlying < 9*25 {
		t.Errorf("%d samples were left out", b.Samples.Outlying)
	}
	for _, p := range ValidationTargets(9) {
		x1, y1 := a.Apply(p.X, p.Y)
		x2, y2 := b.Apply(p.X, p.Y)
		if d := k.screen.Degrees(x1, y1, x2, y2); d > .1 {
			t.Errorf("at %v the looks away moved the gaze by %.2f°", p, d)
		}
	}
}

// A tracker without error needs no rich model, a bent one does.
func TestModelIsChosen(t *testing.T) {
	for name, c := range map[string]struct {
		bent   func(Point) Point
		models []Model
	}{
		"shifted": {func(p Point) Point { return Point{p.X + .05, p.Y - .1} }, []Model{Offset}},
		"scaled":  {func(p Point) Point { return Point{1.2*p.X - .1, .9 * p.Y} }, []Model{Affine}},
		"bent":    {func(p Point) Point { return Point{p.X + .2*p.X*p.X, p.Y - .1*p.X*p.X} }, []Model{Quadratic, Crossed, Cubic}},
	} {
		right := 0
		for seed := range uint64(20) {
			k := tracker{screen: desk(), rate: 120, noise: .3, random: seeded(seed), bent: c.bent}
			got, err := Fit(k.looks(Targets(13)), k.screen, FitOptions{})
			if err != nil {
				t.Fatal(name, err)
			}
			if slices.Contains(c.models, got.Model) {
				right++
			}
			if len(got.Candidates) != len(models()) {
				t.Errorf("%s: %d candidates are told of", name, len(got.Candidates))
			}
		}
		// chance alone lets a richer one win now and then
		if right < 16 {
			t.Errorf("%s: %v was chosen %d times of 20", name, c.models, right)
		}
	}
}

func TestRefuses(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, noise: .2, random: seeded(4)}
	blind := k
	blind.loss = 1
	if _, err := Fit(blind.looks(Targets(9)), k.screen, FitOptions{}); !errors.Is(err, ErrTooFewTargets) {
		t.Errorf("without gaze: %v", err)
	}
	if _, err := Fit(nil, k.screen, FitOptions{}); !errors.Is(err, ErrTooFewTargets) {
		t.Errorf("without looks: %v", err)
	}
	// somebody who stares at the centre, and somebody who looks anywhere
	stare, anywhere := k.looks(Targets(9)), k.looks(Targets(9))
	for i := range stare {
		gone := Point{k.random.Float64(), k.random.Float64()}
		for j := range stare[i].X {
			stare[i].X[j], stare[i].Y[j] = .5+.003*k.random.NormFloat64(), .5+.003*k.random.NormFloat64()
			anywhere[i].X[j], anywhere[i].Y[j] = gone.X, gone.Y
		}
	}
	for name, looks := range map[string][]Look{"stare": stare, "anywhere": anywhere} {
		if c, err := Fit(looks, k.screen, FitOptions{}); !errors.Is(err, ErrNotFollowed) {
			t.Errorf("%s: %v, %v", name, c.Model, err)
		}
	}
}

// A fold is refused, and outside the targets the map goes on straight.
func TestNoNonsenseOutside(t *testing.T) {
	folded := polynomial{model: Quadratic, x: []float64{.5, 1, 0, -3, 0}, y: []float64{.5, 0, 1, 0, 0}, low: Point{-.4, -.4}, high: Point{.4, .4}}
	if folded.folds() == nil {
		t.Error("x = u - 3u² turns back at u = 1/6")
	}
	rapid.Check(t, func(t *rapid.T) {
		k := tracker{screen: desk(), rate: 60, gain: 1.1, bend: 1, noise: .3, random: seeded(rapid.Uint64().Draw(t, "seed"))}
		c, err := Fit(k.looks(Targets(9)), k.screen, FitOptions{Model: Crossed})
		if err != nil {
			t.Fatal(err)
		}
		last := math.Inf(-1)
		for x := -5.0; x < 6; x += .05 {
			now, y := c.Apply(x, .5)
			if now <= last {
				t.Fatalf("from %.2f on the map turns back", x)
			}
			if math.Abs(y) > 6 {
				t.Fatalf("%.2f, .5 goes to %v, %v", x, now, y)
			}
			last = now
		}
	})
}

func TestApplyKeepsMissing(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, noise: .1, random: seeded(5)}
	c, err := Fit(k.looks(Targets(5)), k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Point{{math.NaN(), .5}, {.5, math.NaN()}, {math.Inf(1), .5}, {.5, -1e300}} {
		if x, y := c.Apply(p.X, p.Y); !math.IsNaN(x) || !math.IsNaN(y) {
			t.Errorf("%v goes to %v, %v", p, x, y)
		}
	}
	if x, y := (Calibration{}).Apply(.3, .4); x != .3 || y != .4 {
		t.Errorf("the zero calibration moves .3, .4 to %v, %v", x, y)
	}
}

// Whatever a tracker says, nothing panics, and what comes out can be stored.
func TestAnyGaze(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(-.5, 1.5), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -99, 99, 0}))
	rapid.Check(t, func(t *rapid.T) {
		s := desk()
		var looks []Look
		for _, target := range Targets(rapid.SampledFrom([]int{5, 9, 13}).Draw(t, "targets")) {
			l := Look{Target: target, Until: instant.Instant(shown)}
			// a few different values make runs of them, as a frozen tracker does
			x, y := value.Draw(t, "x"), value.Draw(t, "y")
			for i := range rapid.IntRange(0, 40).Draw(t, "n") {
				if i%8 == 0 {
					x, y = value.Draw(t, "x"), value.Draw(t, "y")
				}
				l.At = append(l.At, instant.Instant(500*time.Millisecond)+instant.Instant(rapid.Int64Range(0, int64(time.Second)).Draw(t, "at")))
				l.X, l.Y = append(l.X, x), append(l.Y, y)
			}
			if n := len(l.Y); n > 0 && rapid.IntRange(0, 5).Draw(t, "short") == 0 {
				l.Y = l.Y[:n-1]
			}
			looks = append(looks, l)
		}
		c, err := Fit(looks, s, FitOptions{})
		if err == nil {
			if _, err := json.Marshal(c); err != nil {
				t.Fatal(err)
			}
			for _, p := range append(Targets(9), Point{-50, 50}) {
				if x, y := c.Apply(p.X, p.Y); math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0) {
					t.Fatalf("%v goes to %v, %v", p, x, y)
				}
			}
			looks = correct(c, looks)
		}
		v := Validate(looks, s, FitOptions{})
		v.Judge(Limits{})
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(MeasureDrift(looks, s, FitOptions{})); err != nil {
			t.Fatal(err)
		}
		for _, l := range looks {
			NewProcedure(Targets(5), ProcedureOptions{Screen: s}).Weak(l)
		}
	})
}

// A mirrored camera is a tracker too.
func TestMirrored(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, noise: .1, random: seeded(6), bent: func(p Point) Point { return Point{1 - p.X, p.Y} }}
	c, err := Fit(k.looks(Targets(9)), k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := c.Apply(.2, .5); math.Abs(x-.8) > .01 {
		t.Errorf(".2 goes to %.3f, want .8", x)
	}
}
