package eyemovement_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/eyetest"
	"emolab/fusion/instant"
)

// TestPrecisionIsTheReference compares RMS-S2S and BCEA with those that
// I2MC_Python gives for the fixations of a recording. It takes a pixel at the
// screen's centre for all of them, hence the tolerance.
func TestPrecisionIsTheReference(t *testing.T) {
	stem := filepath.Join(eyetest.Folder(t), "eye", "i2mc_participant1_2_tx300")
	var meta struct {
		Reference struct {
			I2MC struct {
				Fixations struct {
					Start, End []float64
					RMS        []float64 `json:"RMSxy"`
					BCEA       []float64
					Bridged    []float64 `json:"fracinterped"`
				}
			}
		}
	}
	text, err := os.ReadFile(stem + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		t.Fatal(err)
	}
	g := i2mcGaze(t, stem+".csv")
	s := eyemovement.Screen{WidthMM: 509.174, HeightMM: 286.411, DistanceMM: 650}
	want := meta.Reference.I2MC.Fixations
	compared := 0
	for i := range want.Start {
		first, last := int(want.Start[i]), int(want.End[i])
		if want.Bridged[i] > 0 {
			continue // the reference measures what it filled in as well
		}
		part := eyemovement.Gaze{At: g.At[first : last+1], X: g.X[first : last+1], Y: g.Y[first : last+1]}
		// The size of a degree away from the centre: at most 12 degrees here.
		const tolerance = .07
		if got := eyemovement.RMSS2S(part, s); math.Abs(got/want.RMS[i]-1) > tolerance {
			t.Errorf("fixation %d: RMS-S2S %.4f, want %.4f", i, got, want.RMS[i])
		}
		if got := eyemovement.BCEA(part, s, eyemovement.BCEAShare); math.Abs(got/want.BCEA[i]-1) > 2*tolerance {
			t.Errorf("fixation %d: BCEA %.4f, want %.4f", i, got, want.BCEA[i])
		}
		compared++
	}
	if compared < 8 {
		t.Errorf("only %d fixations compared", compared)
	}
}

func i2mcGaze(t *testing.T, file string) eyemovement.Gaze {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	left, right := eyemovement.Gaze{}, eyemovement.Gaze{}
	for _, row := range rows[1:] {
		var v [5]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(row[i], 64); err != nil {
				v[i] = math.NaN()
			}
		}
		at := instant.Instant(v[0] * 1e6)
		left.At, right.At = append(left.At, at), append(right.At, at)
		left.X, left.Y = append(left.X, v[1]/1920), append(left.Y, v[2]/1080)
		right.X, right.Y = append(right.X, v[3]/1920), append(right.Y, v[4]/1080)
	}
	return eyemovement.Average(left, right)
}

// TestPrecisionOfNoise: of normal noise of one size, all four measures are what
// theory says.
func TestPrecisionOfNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const sd, n = .3, 40000
	var g eyemovement.Gaze
	for i := range n {
		x, y := desk.At(3+sd*r.NormFloat64(), 1+sd*r.NormFloat64())
		g.At = append(g.At, instant.Instant(i)*instant.Instant(time.Millisecond))
		g.X, g.Y = append(g.X, x), append(g.Y, y)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"RMS-S2S", eyemovement.RMSS2S(g, desk), 2 * sd},
		{"SD", eyemovement.SD(g, desk), math.Sqrt2 * sd},
		{"BCEA of 68 %", eyemovement.BCEA(g, desk, .68), 2 * 1.139 * math.Pi * sd * sd},
		{"BCEA of 95 %", eyemovement.BCEA(g, desk, .95), 2 * 2.996 * math.Pi * sd * sd},
	} {
		if math.Abs(c.got/c.want-1) > .03 {
			t.Errorf("%s is %.4f, want %.4f", c.name, c.got, c.want)
		}
	}
}

// TestDegrees: the angle between two lines of sight, by hand.
func TestDegrees(t *testing.T) {
	s := eyemovement.Screen{WidthMM: 1000, HeightMM: 1000, DistanceMM: 500}
	for _, c := range []struct{ x0, y0, x1, y1, want float64 }{
		{.5, .5, 1, .5, 45},
		{0, .5, 1, .5, 90},
		{.5, 0, .5, .5, 45},
		{.5, .5, .5, .5, 0},
		{1, .5, .5, 1, 60}, // of (1,0,1) and (0,1,1)
	} {
		if got := s.Degrees(c.x0, c.y0, c.x1, c.y1); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %g, %g to %g, %g: %g degrees, want %g", c.x0, c.y0, c.x1, c.y1, got, c.want)
		}
	}
	if right, down := s.Direction(1, .25); math.Abs(right-45) > 1e-9 || math.Abs(down+26.565) > 1e-3 {
		t.Errorf("direction %g, %g", right, down)
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64Range(-.5, 1.5).Draw(t, "x"), rapid.Float64Range(-.5, 1.5).Draw(t, "y")
		if x1, y1 := desk.At(desk.Direction(x, y)); math.Abs(x1-x)+math.Abs(y1-y) > 1e-9 {
			t.Fatalf("%g, %g came back as %g, %g", x, y, x1, y1)
		}
	})
}

func TestLoss(t *testing.T) {
	at := func(ms ...int) (out []instant.Instant) {
		for _, m := range ms {
			out = append(out, instant.Instant(m)*instant.Instant(time.Millisecond))
		}
		return out
	}
	nan := math.NaN()
	for _, c := range []struct {
		name string
		g    eyemovement.Gaze
		rate float64
		want float64
	}{
		{"nothing lost", eyemovement.Gaze{At: at(0, 10, 20), X: []float64{0, 0, 0}, Y: []float64{0, 0, 0}}, 100, 0},
		{"one without a place", eyemovement.Gaze{At: at(0, 10, 20, 30), X: []float64{0, nan, 0, 0}, Y: []float64{0, 0, 0, 0}}, 100, .25},
		{"a row missing", eyemovement.Gaze{At: at(0, 10, 30), X: []float64{0, 0, 0}, Y: []float64{0, 0, 0}}, 100, .25},
		{"a row missing, rate not known", eyemovement.Gaze{At: at(0, 10, 30), X: []float64{0, 0, 0}, Y: []float64{0, 0, 0}}, 0, 0},
		{"all lost", eyemovement.Gaze{At: at(0, 10), X: []float64{nan, 0}, Y: []float64{0, nan}}, 0, 1},
	} {
		if got := eyemovement.Loss(c.g, c.rate); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
	if got := eyemovement.Loss(eyemovement.Gaze{}, 100); !math.IsNaN(got) {
		t.Errorf("of nothing: %g", got)
	}
}

// TestCoefficientK: focal is long fixations and short saccades. By hand: the
// durations .2 and .4 and the amplitudes 8 and 2 have the standard scores -1, 1
// and 1, -1.
func TestCoefficientK(t *testing.T) {
	event := func(c eyemovement.Class, from, until int, deg float64) eyemovement.Event {
		return eyemovement.Event{Class: c, From: instant.Instant(from), Until: instant.Instant(until), AmplitudeDeg: deg}
	}
	events := []eyemovement.Event{
		event(eyemovement.Fixation, 0, 200e6, 0), event(eyemovement.Saccade, 200e6, 250e6, 8),
		event(eyemovement.Fixation, 250e6, 300e6, 0), event(eyemovement.Blink, 300e6, 500e6, 0),
		event(eyemovement.Fixation, 500e6, 900e6, 0), event(eyemovement.Saccade, 900e6, 930e6, 2),
		event(eyemovement.Fixation, 930e6, 990e6, 0),
	}
	k := eyemovement.CoefficientK(events)
	if len(k) != 2 || math.Abs(k[0].K+2) > 1e-9 || math.Abs(k[1].K-2) > 1e-9 {
		t.Fatalf("K is %+v, want -2 and 2", k)
	}
	if got := eyemovement.MeanK(k, 0, 250e6); math.Abs(got+2) > 1e-9 {
		t.Errorf("the first stretch has %g, want -2", got)
	}
	if got := eyemovement.MeanK(k, 250e6, 400e6); !math.IsNaN(got) {
		t.Errorf("a stretch without fixations has %g", got)
	}
	if got := eyemovement.CoefficientK(events[:3]); got != nil {
		t.Errorf("one fixation has %+v", got)
	}
}

func TestSummarise(t *testing.T) {
	s := script{{0, 0, 400 * time.Millisecond}, {8, 0, 1000 * time.Millisecond}, {0, 4, 1600 * time.Millisecond}}
	g := s.film(desk, 500, .01, 1)
	m := eyemovement.Summarise(g, eyemovement.IVT(g, desk, eyemovement.IVTOptions{}), 500)
	if m.Fixations != 3 || m.Saccades != 2 || m.Blinks != 0 || m.Missing != 0 || m.Lasted != 1600*time.Millisecond {
		t.Errorf("%+v", m)
	}
	if math.Abs(m.SaccadeDeg-8.2) > .8 || math.Abs(m.FixationS-.5) > .05 || math.Abs(m.FixationsPerS-3/1.6) > 1e-9 {
		t.Errorf("%+v", m)
	}
	if all := m.FixationShare + m.SaccadeShare; math.Abs(all-1) > .001 {
		t.Errorf("fixations and saccades are %g of the time", all)
	}
	if m := eyemovement.Summarise(eyemovement.Gaze{}, nil, 0); !math.IsNaN(m.FixationS) || !math.IsNaN(m.Missing) {
		t.Errorf("of nothing: %+v", m)
	}
}

// TestMicrosaccades: both eyes have a saccade of half a degree every half second,
// one eye has another by itself, which is none of both.
func TestMicrosaccades(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var left, right eyemovement.Gaze
	jump := func(d, from time.Duration, deg float64) float64 {
		u := float64(d-from) / float64(12*time.Millisecond)
		u = min(1, max(0, u))
		return deg * u * u * u * (10 + u*(6*u-15))
	}
	for d := time.Duration(0); d < 3*time.Second; d += 2 * time.Millisecond {
		var both float64
		for k := 1; k <= 5; k++ {
			both += jump(d, time.Duration(k)*500*time.Millisecond, .5*float64(1-2*(k%2)))
		}
		alone := jump(d, 1250*time.Millisecond, .6)
		for eye, g := range []*eyemovement.Gaze{&left, &right} {
			x, y := desk.At(both+float64(eye)*alone+.004*r.NormFloat64(), .004*r.NormFloat64())
			g.At = append(g.At, instant.Instant(d))
			g.X, g.Y = append(g.X, x), append(g.Y, y)
		}
	}
	one := eyemovement.Microsaccades(eyemovement.EngbertKliegl(right, desk, eyemovement.EKOptions{}), eyemovement.MicrosaccadeOptions{})
	two := eyemovement.Microsaccades(eyemovement.EngbertKlieglBinocular(left, right, desk, eyemovement.EKOptions{}), eyemovement.MicrosaccadeOptions{})
	if len(one) != 6 || len(two) != 5 {
		t.Fatalf("%d in the right eye and %d in both, want 6 and 5", len(one), len(two))
	}
	for i, e := range two {
		begins := time.Duration(i+1) * 500 * time.Millisecond
		if off := time.Duration(e.From) - begins; off.Abs() > 8*time.Millisecond || math.Abs(e.AmplitudeDeg-.5) > .06 {
			t.Errorf("microsaccade %d of %.2f degrees begins %v off", i, e.AmplitudeDeg, off)
		}
	}
	if n := len(eyemovement.Microsaccades(two, eyemovement.MicrosaccadeOptions{MaxDeg: .3})); n != 0 {
		t.Errorf("%d of them are smaller than .3 degrees", n)
	}
}

func TestAverage(t *testing.T) {
	nan := math.NaN()
	at := []instant.Instant{0, 1, 2, 3}
	left := eyemovement.Gaze{At: at, X: []float64{.2, nan, .2, nan}, Y: []float64{.4, .4, .4, nan}}
	right := eyemovement.Gaze{At: at, X: []float64{.4, .4, math.Inf(1), nan}, Y: []float64{.6, .6, .6, .6}}
	g := eyemovement.Average(left, right)
	if want := []float64{.3, .4, .2}; !slices.EqualFunc(g.X[:3], want, func(a, b float64) bool { return near(a, b, 1e-12) }) || g.Valid(3) {
		t.Errorf("%v, want %v and one missing", g.X, want)
	}
}
