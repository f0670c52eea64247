package neutral

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"emolab/fusion/action"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/visibility"
)

const second = time.Second

func TestFitFindsTheFaceAtRest(t *testing.T) {
	sadAtRest := rest(20 * second)
	sadAtRest.neutral = .04
	grin := smile(30 * second)
	grin.happy = .95
	thoughtful := act{lasts: 10 * second, neutral: .5, change: map[string]float64{"brow_inner": .08, "brow_middle": .07, "brow_outer": .04}}
	doubtful := rest(5 * second)
	doubtful.neutral = .5
	// What must not be taken looks all the more neutral and calm.
	odd := map[string]float64{"chin_height": -.1, "upper_lip": -.05, "brow_inner": .05}
	turned := act{lasts: 8 * second, neutral: 1, change: odd, yaw: 25}
	covered := act{lasts: 8 * second, neutral: 1, change: odd, view: visibility.MouthCovered}
	asleep := act{lasts: 8 * second, neutral: 1, change: odd, shut: true}
	dim := rest(20 * second)
	dim.view = visibility.TooDark | visibility.TooSmall
	away := act{lasts: 3 * second, lost: true}

	for name, acts := range map[string][]act{
		"rest only":                           {rest(12 * second)},
		"just enough of it":                   {talk(10 * second), rest(3 * second), talk(10 * second)},
		"a longer, calm smile":                {smile(20 * second), talk(5 * second), rest(6 * second)},
		"a face that reads as sad":            {sadAtRest, smile(10 * second), talk(10 * second)},
		"and smiles most of the time":         {sadAtRest, grin, talk(10 * second)},
		"and looks neutral with raised brows": {sadAtRest, thoughtful, talk(5 * second)},
		"turned away and back":                {turned, doubtful, talk(5 * second)},
		"a hand over the mouth":               {covered, rest(5 * second)},
		"eyes shut for a while":               {asleep, doubtful, talk(5 * second)},
		"a dark room":                         {dim},
		"gone for a while":                    {away, rest(4 * second), away, rest(4 * second), away},
	} {
		for _, rate := range []float64{10, 15, 30, 60} {
			f, err := Fit(film(7, rate, acts...), Options{})
			if err != nil {
				t.Errorf("%s, %g a second: %v", name, rate, err)
				continue
			}
			near(t, &f)
			if f.span() < 1600*time.Millisecond || f.span() > 10*second || f.Method != MethodCalmest || f.Version != Version {
				t.Errorf("%s, %g a second: a stretch of %v, %s %s", name, rate, f.span(), f.Method, f.Version)
			}
			if math.Abs(f.Pose.YawDeg-3) > .5 || math.Abs(f.Pose.PitchDeg+2) > .5 || f.Pose.Z != 600 {
				t.Errorf("%s, %g a second: posture %+v", name, rate, f.Pose)
			}
			if t.Failed() {
				t.Fatalf("%s, %g a second: taken from %v to %v", name, rate, f.From.Sub(start), f.Until.Sub(start))
			}
		}
	}
}

func TestFitUsesAsMuchAsThereIs(t *testing.T) {
	f, err := Fit(film(3, 30, talk(5*second), rest(60*second), talk(5*second)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.span() < 9*second || f.span() > 10*second {
		t.Errorf("%v were used, want nearly 10 s", f.span())
	}
	// Three blinks of five frames, and a few that wobbled far.
	if f.Rejected < 10 || f.Rejected > 30 || f.Frames+f.Rejected < 270 {
		t.Errorf("%d frames used, %d left out", f.Frames, f.Rejected)
	}
	f, err = Fit(film(3, 30, rest(60*second)), Options{Most: 4 * second})
	if err != nil || f.span() > 4*second || f.span() < 3*second {
		t.Errorf("%v were used (%v), want at most 4 s", f.span(), err)
	}
}

// Frames in which the landmarks jumped do not widen the spread.
func TestWildFramesAreLeftOut(t *testing.T) {
	frames := film(3, 30, rest(10*second))
	for i := range frames {
		if i%10 == 0 {
			for k := range frames[i].Features {
				frames[i].Features[k] += .5
			}
		}
	}
	f, err := Fit(frames, Options{From: frames[0].At, Until: frames[len(frames)-1].At})
	if err != nil {
		t.Fatal(err)
	}
	near(t, &f)
	if f.Rejected < 30 || f.Residual > .012 {
		t.Errorf("%d left out, residual %g", f.Rejected, f.Residual)
	}
}

// TestResidualByHand fits a face whose measures jump between two values.
func TestResidualByHand(t *testing.T) {
	frames := film(1, 30, rest(4*second))
	for i := range frames {
		frames[i].EARRight, frames[i].EARLeft = openEye, openEye
		frames[i].Features = face()
		frames[i].Pose.YawDeg, frames[i].Pose.PitchDeg = 0, 0
		switch i % 4 { // medians stay; root mean square sqrt(1/2)
		case 1:
			for k := range frames[i].Features {
				frames[i].Features[k] += .002
			}
		case 3:
			for k := range frames[i].Features {
				frames[i].Features[k] -= .002
			}
		}
	}
	f, err := Fit(frames, Options{From: frames[0].At, Until: frames[len(frames)-1].At})
	if err != nil {
		t.Fatal(err)
	}
	want := face()
	for i, name := range action.FeatureNames() {
		if math.Abs(f.Features[i]-want[i]) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, f.Features[i], want[i])
		}
	}
	if math.Abs(f.Residual-.002*math.Sqrt(.5)) > 1e-12 || f.Rejected != 0 || f.Frames != 120 {
		t.Errorf("residual %g of %d frames, %d left out", f.Residual, f.Frames, f.Rejected)
	}
}

func TestNamedStretchIsTakenWhole(t *testing.T) {
	frames := film(5, 30, smile(10*second), rest(5*second), smile(10*second))
	f, err := Fit(frames, Options{From: start.Add(10 * second), Until: start.Add(14900 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, &f)
	if f.Method != MethodNamed || f.span() < 4500*time.Millisecond {
		t.Errorf("%s of %v", f.Method, f.span())
	}
	// A smile, when told so.
	f, err = Fit(frames, Options{From: start, Until: start.Add(5 * second)})
	if err != nil || f.Features[place("mouth_width")] < face()[place("mouth_width")]+.15 {
		t.Errorf("the smile named was not taken: %v", err)
	}
}

func TestFramesMayBeMissing(t *testing.T) {
	whole := film(9, 30, talk(4*second), rest(15*second), talk(4*second))
	r := rand.New(rand.NewPCG(4, 4))
	var holed []facial.Measured
	for _, m := range whole {
		at := m.At.Sub(start)
		if r.Float64() < .2 || (at > 8*second && at < 9*second) || (at > 14*second && at < 14800*time.Millisecond) {
			continue
		}
		holed = append(holed, m)
	}
	f, err := Fit(holed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, &f)
	// The longest stretch between the holes is 5 s.
	if f.span() < 4*second || f.span() > 6*second {
		t.Errorf("a stretch of %v, from %v", f.span(), f.From.Sub(start))
	}
}

// A stream without the net's answers, and one in which some are missing, still
// have a calmest stretch.
func TestExpressionsMayBeMissing(t *testing.T) {
	for name, step := range map[string]int{"none": 1, "every seventh missing": 7} {
		frames := film(3, 30, talk(4*second), rest(6*second), talk(4*second))
		for i := 0; i < len(frames); i += step {
			for k := range frames[i].Expression {
				frames[i].Expression[k] = math.NaN()
			}
		}
		f, err := Fit(frames, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		near(t, &f)
	}
}

func TestFitSaysWhatToDo(t *testing.T) {
	gone := act{lasts: 10 * second, lost: true}
	turned := rest(10 * second)
	turned.view = visibility.TurnedAway
	flat := film(2, 30, rest(10*second))
	for i := range flat {
		flat[i].Posed = false
	}
	grin := smile(20 * second)
	grin.happy = .95
	for name, tc := range map[string]struct {
		frames []facial.Measured
		o      Options
		says   []string
	}{
		"nothing":        {nil, Options{}, []string{"no frames"}},
		"no face":        {film(1, 30, gone), Options{}, []string{"300 show no face", "cross"}},
		"turned away":    {film(1, 30, turned), Options{}, []string{"300 are turned away", "cross"}},
		"no pose":        {flat, Options{}, []string{"in 300 the landmarks make no face", "cross"}},
		"too short":      {film(1, 30, rest(1*second)), Options{}, []string{"2s are needed", "cross"}},
		"never calm":     {film(1, 30, talk(30*second)), Options{}, []string{"never calm for 2s", "cross"}},
		"too slow":       {film(1, 6, rest(20*second)), Options{}, []string{"every 167ms", "camera"}},
		"only smiles":    {film(1, 30, talk(10*second), grin), Options{}, []string{"only while it smiles", "cross", "name the stretch"}},
		"named, no face": {film(1, 30, gone, rest(10*second)), Options{From: start, Until: start.Add(9 * second)}, []string{"no face"}},
		"named, before the recording": {film(1, 30, rest(10*second)), Options{From: 1, Until: instant.Instant(5 * second)},
			[]string{"no frames"}},
	} {
		_, err := Fit(tc.frames, tc.o)
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
			continue
		}
		for _, s := range tc.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %q", name, err, s)
			}
		}
	}
	for name, o := range map[string]Options{
		"too short a stretch named":  {From: start, Until: start.Add(second / 4)},
		"ends before it begins":      {From: start.Add(second), Until: start},
		"too short at least":         {Least: time.Millisecond},
		"negative":                   {Least: -second},
		"at most less than at least": {Least: 5 * second, Most: 3 * second},
	} {
		if _, err := Fit(film(1, 30, rest(10*second)), o); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaceAsJSON(t *testing.T) {
	want, err := Fit(film(1, 30, rest(10*second)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Face
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Face{})); d != "" {
		t.Errorf("(-written +read)\n%s", d)
	}
	for _, name := range []string{`"features":{`, `"mouth_width":`, `"scale":{`, `"from_ns":`, `"until_ns":`, `"method":"calmest stretch"`, `"residual":`, `"pose":{"yaw_deg":`} {
		if !strings.Contains(string(data), name) {
			t.Errorf("%s is not in %s", name, data)
		}
	}
}

func TestFitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
			of := rapid.SampledFrom([]func(time.Duration) act{rest, smile, talk,
				func(d time.Duration) act { return act{lasts: d, lost: true} }}).Draw(t, "act")
			return of(time.Duration(rapid.IntRange(100, 5000).Draw(t, "ms")) * time.Millisecond)
		}), 1, 5).Draw(t, "acts")
		frames := film(rapid.Uint64().Draw(t, "seed"), rapid.Float64Range(12, 60).Draw(t, "rate"), acts...)
		f, err := Fit(frames, Options{})
		if err != nil {
			if !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			return
		}
		if !(f.From >= frames[0].At && f.Until <= frames[len(frames)-1].At && f.span() <= 10*second && f.span() >= second) {
			t.Fatalf("from %v to %v", f.From, f.Until)
		}
		if n := len(between(frames, f.From, f.Until)); f.Frames+f.Rejected != n || f.Frames == 0 {
			t.Fatalf("%d used and %d left out of %d", f.Frames, f.Rejected, n)
		}
		if !f.Features.Known() || !f.Scale.Known() || !(f.Residual >= 0) {
			t.Fatalf("not all is known: %+v", f)
		}
		// The same an hour later.
		later := make([]facial.Measured, len(frames))
		for i, m := range frames {
			m.At = m.At.Add(time.Hour)
			later[i] = m
		}
		g, err := Fit(later, Options{})
		if err != nil || g.From.Sub(f.From) != time.Hour || g.Features != f.Features {
			t.Fatalf("an hour later: %v, %v after", err, g.From.Sub(f.From))
		}
	})
}

// BenchmarkFitAnHour fits 108,000 frames.
func BenchmarkFitAnHour(b *testing.B) {
	var acts []act
	for range 60 {
		acts = append(acts, rest(20*second), talk(20*second), smile(20*second))
	}
	frames := film(1, 30, acts...)
	b.ReportMetric(float64(len(frames)), "frames")
	for b.Loop() {
		if _, err := Fit(frames, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
