package gaze

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"emolab/fusion/instant"
)

// Validation points lie elsewhere than any calibration target, and all of them
// on the screen.
func TestTargetsLieApart(t *testing.T) {
	for _, n := range []int{5, 9, 13} {
		if got := len(Targets(n)); got != n {
			t.Errorf("Targets(%d) has %d", n, got)
		}
		for _, m := range []int{4, 5, 9} {
			if got := len(ValidationTargets(m)); got != m {
				t.Errorf("ValidationTargets(%d) has %d", m, got)
			}
			for _, p := range ValidationTargets(m) {
				for _, q := range Targets(n) {
					if math.Hypot(p.X-q.X, p.Y-q.Y) < .1-1e-9 {
						t.Errorf("%v of %d is a calibration target of %d: %v", p, m, n, q)
					}
				}
				if p.X < .05 || p.X > .95 || p.Y < .05 || p.Y > .95 {
					t.Errorf("%v of %d lies at the very edge", p, m)
				}
			}
		}
	}
	if Targets(7) != nil || ValidationTargets(3) != nil {
		t.Error("7 and 3 are no numbers of targets")
	}
}

// steady is a look with exact values: error right and down of the target, and
// samples that go round in a square of the given half side.
func steady(target Point, right, down, half float64, n int) Look {
	s := desk()
	r0, d0 := s.Direction(target.X, target.Y)
	l := Look{Target: target, Until: instant.Instant(n) * instant.Instant(10*time.Millisecond)}
	corner := [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}
	for i := range n {
		x, y := s.At(r0+right+half*corner[i%4][0], d0+down+half*corner[i%4][1])
		l.At = append(l.At, instant.Instant(i)*instant.Instant(10*time.Millisecond))
		l.X, l.Y = append(l.X, x), append(l.Y, y)
	}
	return l
}

func TestMeasures(t *testing.T) {
	const half = .1
	v := Validate([]Look{steady(Point{.5, .5}, .3, -.4, half, 150)}, desk(), FitOptions{})
	for name, c := range map[string][2]float64{
		"accuracy": {v.MeanDeg, .5}, "worst": {v.MaxDeg, .5}, "right": {v.RightDeg, .3}, "down": {v.DownDeg, -.4},
		"RMS-S2S": {v.RMSS2SDeg, 2 * half}, "SD": {v.SDDeg, half * math.Sqrt2}, "BCEA": {v.BCEADeg2, 2 * 1.14 * math.Pi * half * half}, "loss": {v.Loss, 0},
	} {
		if math.Abs(c[0]-c[1]) > 1e-3 {
			t.Errorf("%s is %.5f, want %.5f", name, c[0], c[1])
		}
	}
	if p := v.Points[0]; p.Used != 100 || len(p.Samples) == 0 || len(p.Samples) > maxShown {
		t.Errorf("%d samples count, %d are kept for the picture", p.Used, len(p.Samples))
	}
}

// A tracker that sends nothing while it sees no eye has lost as much as one that
// sends empty samples.
func TestLossWithoutSamples(t *testing.T) {
	whole := steady(Point{.5, .5}, 0, 0, .1, 150)
	silent, empty := whole, whole
	silent.At, silent.X, silent.Y = nil, nil, nil
	empty.X = append([]float64(nil), whole.X...)
	for i := range whole.At {
		if i >= 70 && i < 110 {
			empty.X[i] = math.NaN()
			continue
		}
		silent.At, silent.X, silent.Y = append(silent.At, whole.At[i]), append(silent.X, whole.X[i]), append(silent.Y, whole.Y[i])
	}
	for name, l := range map[string]Look{"silent": silent, "empty": empty} {
		if v := Validate([]Look{l}, desk(), FitOptions{}); math.Abs(v.Loss-.4) > .011 {
			t.Errorf("%s: loss %.3f, want .4", name, v.Loss)
		}
	}
}

func TestNothingMeasured(t *testing.T) {
	for name, looks := range map[string][]Look{
		"no looks":   nil,
		"no samples": {{Target: Point{.5, .5}, Until: instant.Instant(time.Second)}},
		"unequal":    {{Target: Point{.5, .5}, At: make([]instant.Instant, 50), X: make([]float64, 3)}},
	} {
		v := Validate(looks, desk(), FitOptions{})
		if !math.IsNaN(v.MeanDeg) || !math.IsNaN(v.SDDeg) || v.Loss != 1 {
			t.Errorf("%s: mean %v, SD %v, loss %v", name, v.MeanDeg, v.SDDeg, v.Loss)
		}
		if j := v.Judge(Limits{}); j.Level != Refused || len(j.Reasons) != 1 {
			t.Errorf("%s: %+v", name, j)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(name, err)
		}
		var back Validation
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(v, back, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: not the same after JSON:\n%s", name, d)
		}
		if err := v.SVG(io.Discard, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJudge(t *testing.T) {
	all := ValidationTargets(9)
	with := func(right, down func(Point) float64) []Look {
		looks := make([]Look, len(all))
		for i, p := range all {
			looks[i] = steady(p, right(p), down(p), .05, 150)
		}
		return looks
	}
	none := func(Point) float64 { return 0 }
	always := func(x float64) func(Point) float64 { return func(Point) float64 { return x } }
	if1 := func(on func(Point) bool, x float64) func(Point) float64 {
		return func(p Point) float64 {
			if on(p) {
				return x
			}
			return .2
		}
	}
	lossy := with(none, none)
	for _, l := range lossy {
		for i := range l.X {
			if i%2 == 0 {
				l.X[i] = math.NaN()
			}
		}
	}
	missed := with(none, none)
	for i := range 3 {
		missed[i].At, missed[i].X, missed[i].Y = nil, nil, nil
	}
	shaky := make([]Look, len(all))
	for i, p := range all {
		shaky[i] = steady(p, 0, 0, 1, 150)
	}
	turn := -1.0
	for name, c := range map[string]struct {
		looks []Look
		level Level
		words string
	}{
		"good":     {with(always(.3), none), Good, ""},
		"warned":   {with(always(.8), none), Fair, "0.8° too far to the right everywhere"},
		"a side":   {with(if1(func(p Point) bool { return p.X > .6 }, 1.9), none), Fair, "right side is off by 1.9°, the rest by 0.2°. It can be used"},
		"uneven":   {with(func(Point) float64 { turn = -turn; return .8 * turn }, none), Fair, "differently at each point. It can be used"},
		"shifted":  {with(always(-2), always(-2)), Refused, "2.8° too far up and to the left everywhere"},
		"edge":     {with(if1(func(p Point) bool { return p.X > .6 }, 2.1), none), Refused, "right side is off by 2.1°"},
		"point":    {with(if1(func(p Point) bool { return p == all[0] }, 4), none), Refused, "at the top left is off by 4.0°"},
		"anywhere": {with(func(Point) float64 { turn = -turn; return 1.5 * turn }, none), Refused, "differently at each point"},
		"lossy":    {lossy, Refused, "50 % of the samples are missing"},
		"missed":   {missed, Refused, "3 of 9 points without enough gaze"},
		"shaky":    {shaky, Fair, "unsteady"},
	} {
		v := Validate(c.looks, desk(), FitOptions{})
		j := v.Judge(Limits{AcceptDeg: 1, WarnDeg: .7})
		if j.Level != c.level || !strings.Contains(strings.Join(j.Reasons, "\n"), c.words) {
			t.Errorf("%s: %s %q, want %s %q", name, j.Level, j.Reasons, c.level, c.words)
		}
		if again := strings.Contains(strings.Join(j.Reasons, "\n"), "again"); again && j.Level == Fair {
			t.Errorf("%s: it is fair, and says to do it again: %q", name, j.Reasons)
		}
		if (j.Level == Good) != (len(j.Reasons) == 0) {
			t.Errorf("%s: %s with %d reasons", name, j.Level, len(j.Reasons))
		}
	}
}

// The picture is XML, and shows what it should.
func TestPicture(t *testing.T) {
	looks := []Look{steady(Point{.2, .2}, .5, 0, .1, 150), {Target: Point{.8, .8}}}
	v := Validate(looks, desk(), FitOptions{})
	var b bytes.Buffer
	if err := v.SVG(&b, 1); err != nil {
		t.Fatal(err)
	}
	picture := b.String()
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"0.50°", "no gaze", "prefers-color-scheme:dark", "accuracy 0.50°"} {
		if !strings.Contains(picture, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	if err := v.SVG(failing{}, 1); err == nil {
		t.Error("a failed write is not told")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }
