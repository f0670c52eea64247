package eyemovement_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

func labelled(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Class {
	return eyemovement.Labels(eyemovement.Classify(g, s, eyemovement.Options{}), g.Len())
}

// alike is the share of samples that have the same class.
func alike(a, b []eyemovement.Class) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// What Classify says does not hang on the time of day, on which way the screen
// is mirrored or turned, on the unit of length, nor, but for samples at the edge
// of a decision, on an offset of the tracker.
func TestClassifyInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{60, 120, 200, 250, 300, 500, 1000}).Draw(t, "rate")
		seed := rapid.Uint64().Draw(t, "noise")
		g := drawScript(t, 2).film(desk, rate, .05, seed)
		if rapid.Bool().Draw(t, "damaged") {
			g = damage(g, seed)
		}
		want := labelled(g, desk)
		check := func(what string, g eyemovement.Gaze, s eyemovement.Screen, least float64) {
			t.Helper()
			if share := alike(labelled(g, s), want); share < least {
				t.Fatalf("%s: %.3f of the samples have the same class, want %.2f", what, share, least)
			}
		}
		check("shifted in time", later(g, time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "shift in time"))), desk, 1)
		check("mirrored", eyemovement.Gaze{At: g.At, X: each(g.X, func(x float64) float64 { return 1 - x }), Y: g.Y}, desk, .99)
		k := rapid.Float64Range(.1, 10).Draw(t, "unit of length")
		check("in another unit", g, eyemovement.Screen{WidthMM: k * desk.WidthMM, HeightMM: k * desk.HeightMM, DistanceMM: k * desk.DistanceMM}, .99)
		check("axes changed", eyemovement.Gaze{At: g.At, X: g.Y, Y: g.X}, eyemovement.Screen{WidthMM: desk.HeightMM, HeightMM: desk.WidthMM, DistanceMM: desk.DistanceMM}, .99)
		right := rapid.Float64Range(-.01, .01).Draw(t, "right")
		check("shifted on the screen", eyemovement.Gaze{At: g.At, X: each(g.X, func(x float64) float64 { return x + right }), Y: g.Y}, desk, .9)
	})
}

// At any rate the fixations of the script are found, where and when they were.
func TestClassifyFindsWhatWasLookedAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t, 4)
		for _, rate := range []float64{60, 120, 250, 500, 1000} {
			events := eyemovement.Classify(s.film(desk, rate, .02, 7), desk, eyemovement.Options{Still: true})
			found := of(events, eyemovement.Fixation)
			if len(found) != len(s) {
				t.Fatalf("%g Hz: %d fixations, want %d: %+v", rate, len(found), len(s), events)
			}
			for i, f := range found {
				x, y := desk.At(s[i].x, s[i].y)
				if d := desk.Degrees(f.X, f.Y, x, y); d > .5 {
					t.Fatalf("%g Hz: fixation %d is %.2f degrees off", rate, i, d)
				}
				if d := f.Until.Sub(instant.Instant(time.Second) + instant.Instant(s[i].until)); d.Abs() > 50*time.Millisecond {
					t.Fatalf("%g Hz: fixation %d ends %v off", rate, i, d)
				}
			}
		}
	})
}

// A blink is one event with what the lid does beside it; what is lost for more
// than a second has no class.
func TestClassifyLosses(t *testing.T) {
	g := middle(2500) // 10 s
	lose := func(from, until int) {
		for i := from; i < until; i++ {
			g.X[i] = math.NaN()
		}
	}
	lose(200, 204)   // 16 ms
	lose(500, 540)   // 160 ms
	lose(1000, 1400) // 1.6 s
	for i := 540; i < 560; i++ {
		g.Y[i] += .01 * float64(560-i) // the lid opens
	}
	labels := labelled(g, desk)
	for i, c := range labels {
		want := eyemovement.Fixation
		switch {
		case i >= 495 && i < 590:
			continue // the blink and its edges, below
		case i >= 997 && i < 1400+8: // with 10 ms before and 30 ms after
			want = eyemovement.Undefined
		}
		if c != want {
			t.Fatalf("sample %d is a %v, want a %v", i, c, want)
		}
	}
	blinks := of(eyemovement.Classify(g, desk, eyemovement.Options{}), eyemovement.Blink)
	if len(blinks) != 1 || blinks[0].First > 498 || blinks[0].First < 485 || blinks[0].Last < 555 || blinks[0].Last > 575 {
		t.Errorf("blinks %+v, want one from about sample 497 to about 560", blinks)
	}
}

// A target that moves is pursued, unless the stimulus is said to be still.
func TestClassifyPursuit(t *testing.T) {
	for _, rate := range []float64{60, 250, 1000} {
		var g eyemovement.Gaze
		for i := range int(4 * rate) {
			at := float64(i) / rate
			right := 0.
			if at > 1 {
				right = 8 * min(at-1, 2) // 8 °/s for 2 s
			}
			x, y := desk.At(right-8, 0)
			g.At = append(g.At, instant.Instant(at*1e9))
			g.X, g.Y = append(g.X, x+1e-4*math.Sin(float64(i*i))), append(g.Y, y+1e-4*math.Cos(float64(i*i)))
		}
		events := eyemovement.Classify(g, desk, eyemovement.Options{})
		pursuits := of(events, eyemovement.Pursuit)
		if len(pursuits) != 1 || (pursuits[0].From-1e9).Sub(0).Abs() > 150*time.Millisecond || (pursuits[0].Until-3e9).Sub(0).Abs() > 150*time.Millisecond {
			t.Errorf("%v Hz: %+v, want pursuit from 1 to 3 s", rate, events)
		}
		for _, e := range eyemovement.Classify(g, desk, eyemovement.Options{Still: true}) {
			if e.Class == eyemovement.Pursuit {
				t.Errorf("%v Hz: pursuit of what is still: %+v", rate, e)
			}
		}
	}
}

// Whatever comes in: no panic, events in order, nothing of samples that are not
// there, no number that is not one but those that are said to.
func TestClassifyTakesAnything(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(-.5, 1.5), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)), rapid.Float64())
	rapid.Check(t, func(t *rapid.T) {
		var g eyemovement.Gaze
		var now instant.Instant
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.OneOf(rapid.Int64Range(1, 40e6), rapid.Just(int64(2e6)), rapid.Int64Range(0, 3e9)).Draw(t, "step")))
			g.At = append(g.At, now)
			g.X, g.Y = append(g.X, value.Draw(t, "x")), append(g.Y, value.Draw(t, "y"))
		}
		events := eyemovement.Classify(g, desk, eyemovement.Options{Rate: rapid.SampledFrom([]float64{0, 1e-3, 30, 500, 1e9}).Draw(t, "rate")})
		last := -1
		for _, e := range events {
			if e.First <= last || e.Last < e.First || e.Last >= g.Len() || e.Class == eyemovement.Undefined || e.Until < e.From {
				t.Fatalf("%+v after sample %d", e, last)
			}
			last = e.Last
		}
	})
}

func TestClassifyRefusesWhatIsNoRecording(t *testing.T) {
	g := eyemovement.Gaze{At: []instant.Instant{1, 1}, X: []float64{0, 0}, Y: []float64{0, 0}}
	if e := eyemovement.Classify(g, desk, eyemovement.Options{}); e != nil {
		t.Errorf("events of stamps that do not rise: %+v", e)
	}
	g.At = slices.Clone([]instant.Instant{1, 2})
	if e := eyemovement.Classify(g, eyemovement.Screen{}, eyemovement.Options{}); e != nil {
		t.Errorf("events without a screen: %+v", e)
	}
}

func BenchmarkClassifyHour(b *testing.B) {
	const rate = 250
	var g eyemovement.Gaze
	for i := range 3600 * rate {
		at := float64(i) / rate
		g.At = append(g.At, instant.Instant(at*1e9))
		g.X = append(g.X, .5+.3*math.Floor(math.Mod(at*3, 3))/3+1e-3*math.Sin(float64(i*i)))
		g.Y = append(g.Y, .5+1e-3*math.Cos(float64(i*i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		eyemovement.Classify(g, desk, eyemovement.Options{})
	}
}

// One sample in fifty lost on the way is no blink, at any rate.
func TestClassifyBridgesScatteredLosses(t *testing.T) {
	for _, rate := range []float64{60, 250, 500} {
		var g eyemovement.Gaze
		for i := range int(20 * rate) {
			if i%50 == 7 || i%50 == 9 {
				continue
			}
			g.At = append(g.At, instant.Instant(float64(i)/rate*1e9))
			g.X, g.Y = append(g.X, .5+1e-4*math.Sin(float64(i*i))), append(g.Y, .5+1e-4*math.Cos(float64(i*i)))
		}
		events := eyemovement.Classify(g, desk, eyemovement.Options{})
		if len(events) != 1 || events[0].Class != eyemovement.Fixation {
			t.Errorf("%v Hz: %d events, first %+v, want one fixation", rate, len(events), events[0])
		}
	}
}

// What is mostly lost for longer than a blink has no class to its end, however
// often a sample gets through.
func TestClassifyLongLossWithSamplesInIt(t *testing.T) {
	g := middle(2500) // 10 s
	for i := 500; i < 1850; i++ {
		if i%20 > 6 {
			g.X[i] = math.NaN()
		}
	}
	for i, c := range labelled(g, desk) {
		if lost := i >= 507 && i < 1850; lost && c != eyemovement.Undefined || i >= 1900 && c != eyemovement.Fixation {
			t.Fatalf("sample %d is a %v", i, c)
		}
	}
}

// What a tracker says while the lid moves is in no centre and in no velocity,
// even where it is so short that the fixation goes on.
func TestClassifyLeavesOutWhatIsFarOffTheScreen(t *testing.T) {
	g := middle(500)
	g.X[250], g.Y[250] = -7.5, 9
	events := eyemovement.Classify(g, desk, eyemovement.Options{})
	if len(events) != 1 || math.Abs(events[0].X-.5) > .001 || math.Abs(events[0].Y-.5) > .001 || events[0].PeakDegS > 10 || events[0].DispersionDeg > .1 {
		t.Errorf("%+v, want one fixation in the middle", events)
	}
	if g.X[250] != -7.5 {
		t.Error("the recording was changed")
	}
}

func TestClassifyDetailed(t *testing.T) {
	g := middle(1000)
	events, d := eyemovement.ClassifyDetailed(g, desk, eyemovement.Options{Slow: eyemovement.SlowOptions{ThresholdDegS: 4}})
	if !slices.Equal(events, eyemovement.Classify(g, desk, eyemovement.Options{Slow: eyemovement.SlowOptions{ThresholdDegS: 4}})) {
		t.Error("other events than Classify's")
	}
	if d.RateHz != 250 || d.ModelRateHz != 250 || !(d.NoiseDegS > 0) || d.Slow.ThresholdDegS != 4 || d.Slow.Min != 120*time.Millisecond || d.Blink.Max != time.Second {
		t.Errorf("details %+v", d)
	}
	for _, word := range []string{"250 Hz", "4 deg/s (least squares over 250 ms) for 120 ms", "30 ms to 1000 ms", "15 %", "conditional random field"} {
		if !strings.Contains(d.String(), word) {
			t.Errorf("%q is not in: %s", word, d)
		}
	}
	if _, d = eyemovement.ClassifyDetailed(g, desk, eyemovement.Options{Still: true}); strings.Contains(d.String(), "pursuit") {
		t.Errorf("pursuit of what is still: %s", d)
	}
}

// middle is so many samples at 250 Hz in the middle of the screen, with a little
// noise.
func middle(n int) (g eyemovement.Gaze) {
	for i := range n {
		g.At = append(g.At, instant.Instant(i*4e6))
		g.X, g.Y = append(g.X, .5+1e-4*math.Sin(float64(i*i))), append(g.Y, .5+1e-4*math.Cos(float64(i*i)))
	}
	return g
}

// A saccade of two or three samples has the amplitude that lies between the
// fixations beside it, at 60 Hz as at 500.
func TestClassifyAmplitude(t *testing.T) {
	for _, rate := range []float64{60, 500} {
		var g eyemovement.Gaze
		for i := range int(4 * rate) {
			at := float64(i) / rate
			u := min(max((at-2)/.04, 0), 1) // 40 ms
			x, y := desk.At(-5+10*u*u*(3-2*u), 0)
			g.At = append(g.At, instant.Instant(at*1e9))
			g.X, g.Y = append(g.X, x+1e-4*math.Sin(float64(i*i))), append(g.Y, y+1e-4*math.Cos(float64(i*i)))
		}
		saccades := of(eyemovement.Classify(g, desk, eyemovement.Options{}), eyemovement.Saccade)
		if len(saccades) != 1 || math.Abs(saccades[0].AmplitudeDeg-10) > .5 || !(saccades[0].PeakDegS > 100) {
			t.Errorf("%v Hz: %+v, want one saccade of 10 degrees", rate, saccades)
		}
	}
}
