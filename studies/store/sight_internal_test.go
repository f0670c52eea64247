package store

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// shifted is a calibration that moves the gaze to the right.
func shifted(by float64) *gaze.Calibration {
	return &gaze.Calibration{Model: gaze.Offset, X: []float64{by, 1, 0}, Y: []float64{0, 0, 1}, Low: gaze.Point{X: -9, Y: -9}, High: gaze.Point{X: 9, Y: 9}}
}

// Every sample is corrected with what held at its instant, whatever the order of
// samples and corrections, and nothing else of it changes.
func TestEverySampleHasTheCorrectionOfItsInstant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var all corrections
		at := instant.Instant(0)
		for i := range rapid.IntRange(0, 4).Draw(t, "corrections") {
			c := correction{from: at}
			if rapid.Bool().Draw(t, "ours") {
				c.fit = shifted(float64(i + 1))
			}
			all = append(all, c)
			at += instant.Instant(rapid.IntRange(0, 50).Draw(t, "later"))
		}
		var g eyemovement.Gaze
		at = -5
		for range rapid.IntRange(0, 40).Draw(t, "samples") {
			at += instant.Instant(rapid.IntRange(1, 10).Draw(t, "step"))
			g.At, g.X, g.Y = append(g.At, at), append(g.X, .25), append(g.Y, .5)
		}
		all.apply(g)
		for i, at := range g.At {
			x, y := .25, .5
			if c := all.at(at); c.fit != nil {
				x, y = c.fit.Apply(x, y)
			}
			if g.X[i] != x || g.Y[i] != y {
				t.Fatalf("the sample at %d is at %v, %v, want %v, %v", at, g.X[i], g.Y[i], x, y)
			}
		}
	})
}

// The stamps of what is derived from rise, whatever a clock said, and every sample of it
// is the one that it names.
func TestSightRises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := aligned{info: stream.Info{Kind: stream.Gaze, Channels: []stream.Channel{{Name: "gaze_x"}, {Name: "gaze_y"}, {Name: "gaze_valid"}}}}
		n := rapid.IntRange(0, 50).Draw(t, "n")
		for i := range n {
			a.samples = append(a.samples, stream.Sample{Seq: int64(i), At: instant.Instant(rapid.IntRange(0, 60).Draw(t, "at")),
				Values: []float64{float64(i), .5, float64(rapid.IntRange(0, 1).Draw(t, "valid"))}})
		}
		g := sightOf(&a)
		if n > 0 && g.Len() == 0 || g.Check() != nil {
			t.Fatalf("%d samples, %v", g.Len(), g.Check())
		}
		places := make([]float64, n)
		for i := range places {
			places[i] = -1
		}
		left := n - g.Len()
		for k := range g.Len() {
			i := g.of(k)
			s := a.samples[i]
			places[i] = g.X[k]
			if g.At[k] != s.At || (s.Values[2] == 1) != g.Valid(k) || g.Valid(k) && g.X[k] != float64(i) {
				t.Fatalf("sample %d is not number %d of the stream", k, i)
			}
		}
		for i, v := range spread(g, g.X, n, -1) {
			if v != places[i] && !(math.IsNaN(v) && math.IsNaN(places[i])) {
				t.Fatalf("sample %d of %d, of which %d were left out, has %v, want %v", i, n, left, v, places[i])
			}
		}
		from, until := instant.Instant(rapid.IntRange(-5, 70).Draw(t, "from")), instant.Instant(rapid.IntRange(-5, 70).Draw(t, "until"))
		inside := 0
		for _, at := range g.At {
			if at >= from && at < until {
				inside++
			}
		}
		if got := g.between(from, until); got.Len() != inside || inside > 0 && got.At[0] < from {
			t.Fatalf("%d samples between %d and %d, want %d", got.Len(), from, until, inside)
		}
	})
}

// What cannot be kept says so, and is not taken for a value.
func TestACalibrationThatCannotBeKept(t *testing.T) {
	t.Parallel()
	var c Calibration
	if c.set(gaze.Calibration{MeanDeg: math.NaN()}, .5) || !math.IsNaN(c.Residual) || !strings.Contains(string(c.Value), "refused") {
		t.Errorf("kept as %s with a residual of %v", c.Value, c.Residual)
	}
	if !c.set(gaze.Calibration{MeanDeg: .5}, .5) || c.Residual != .5 {
		t.Errorf("not kept: %s with a residual of %v", c.Value, c.Residual)
	}
}

// Targets are sorted by what they were shown for; those of which it is not known where
// they were, or until when, count for nothing.
func TestRoundsOfTargets(t *testing.T) {
	t.Parallel()
	target := func(segment, step, round int, p session.Purpose) Target {
		return Target{segment, session.Target{Purpose: p, Step: step, Round: round, X: .5, Y: .5, From: 10, Until: 20}}
	}
	open, nowhere := target(0, 1, 0, session.ToValidate), target(0, 1, 0, session.ToValidate)
	open.Until, nowhere.X = 0, math.NaN()
	cue := target(0, 2, 0, session.ToBreathe)
	cue.Until, cue.X = 0, math.NaN()
	all, crosses, cues := rounds([]Target{
		target(0, 1, 0, session.ToCalibrate), target(0, 1, 0, session.ToCalibrate), target(0, 1, 0, session.ToValidate), open, nowhere,
		target(1, 1, 0, session.ToCalibrate), target(0, 1, 1, session.ToCalibrate), target(0, 3, 0, session.ToFixate), cue, target(0, 5, 0, session.ToValidate),
	}, 0)
	if len(all) != 3 || len(crosses) != 1 || len(cues) != 1 {
		t.Fatalf("%d showings, %d crosses, %d cues", len(all), len(crosses), len(cues))
	}
	for i, want := range []struct{ step, round, calibrating, checking int }{{1, 0, 2, 1}, {1, 1, 1, 0}, {5, 0, 0, 1}} {
		r := all[i]
		if r.step != want.step || r.round != want.round || len(r.calibrating) != want.calibrating || len(r.checking) != want.checking {
			t.Errorf("showing %d is of step %d, round %d with %d and %d targets", i, r.step, r.round, len(r.calibrating), len(r.checking))
		}
	}
}

// The light of the screen is that of the frame on the grey ground; where the frame, or
// its light, is not known, neither is the screen's.
func TestLightOfTheScreen(t *testing.T) {
	t.Parallel()
	half := [4]float64{.25, 0, .5, 1}
	course := []stimulus.Showing{
		{From: 10, Until: 20, Known: true},
		{From: 20, Until: 30, Known: true, Presentation: 1, Frame: 1, Rect: half},
		{From: 30, Until: 40, Known: true, Presentation: 1, Frame: 2, Rect: half}, // beyond what was measured
		{From: 40, Until: 50, Presentation: 1, Rect: half},
		{From: 50, Until: stimulus.Open, Known: true, Presentation: 2, Frame: 0, Rect: half}, // another clip
	}
	nan := math.NaN()
	got := luminances{1: {0, 1}}.during([]instant.Instant{5, 10, 25, 35, 45, 55}, course)
	for i, want := range []float64{nan, ground, (1 + ground) / 2, nan, nan, nan} {
		if math.Abs(got[i]-want) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want) {
			t.Errorf("light %d is %v, want %v", i, got[i], want)
		}
	}
}
