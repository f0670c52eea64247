package pupil

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// A slow wave of an unhurried pupil, in mm.
func wave(t float64) float64 { return 4 + .3*math.Sin(2*math.Pi*t/7) + .1*math.Sin(2*math.Pi*t/1.9) }

// stamps are regular ones of the rate from 3 s on.
func stamps(seconds, rate float64) []instant.Instant {
	at := make([]instant.Instant, int(seconds*rate))
	for i := range at {
		at[i] = instant.Instant(3e9 + float64(i)/rate*1e9)
	}
	return at
}

// eye plays f with noise of the given SD.
func eye(at []instant.Instant, f func(float64) float64, noise float64, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 2))
	x := make([]float64, len(at))
	for i, t := range at {
		x[i] = f(t.Sub(at[0]).Seconds()) + noise*random.NormFloat64()
	}
	return x
}

// blind takes the samples from..until (s) away.
func blind(at []instant.Instant, x []float64, from, until float64) {
	for i, t := range at {
		if s := t.Sub(at[0]).Seconds(); s >= from && s < until {
			x[i] = math.NaN()
		}
	}
}

func add(dst []float64, by float64) []float64 {
	out := slices.Clone(dst)
	for i := range out {
		out[i] += by
	}
	return out
}

// The wave is recovered through noise, blinks, spikes and a lid that comes down
// before it closes, at every rate.
func TestRecoversWave(t *testing.T) {
	for _, rate := range []float64{30, 60, 120, 250, 500, 1000} {
		at := stamps(20, rate)
		left, right := eye(at, wave, .02, 1), eye(at, func(t float64) float64 { return wave(t) + .4 }, .02, 2)
		for _, x := range [][]float64{left, right} {
			for i, t := range at {
				if s := t.Sub(at[0]).Seconds(); (s > 4.96 && s < 5) || (s > 5.2 && s < 5.24) {
					x[i] -= 1.5 // the lid on its way
				}
			}
			blind(at, x, 5, 5.2)
			blind(at, x, 12, 13)
			if rate >= 60 { // slower, a spike and its neighbours are a quarter of a second
				x[len(x)/2] = 8.5
			}
		}
		r := Clean(at, left, right, Options{})
		if len(r.Blinks) != 1 || r.Blinks[0].From.Sub(at[0]) > 5100*time.Millisecond {
			t.Errorf("%v Hz: blinks %v", rate, r.Blinks)
		}
		worst, lost := 0.0, 0
		for i, v := range r.Size {
			s := at[i].Sub(at[0]).Seconds()
			if math.IsNaN(v) {
				lost++
				if s < 4.8 || (s > 5.5 && s < 11.8) || s > 13.2 {
					t.Fatalf("%v Hz: nothing at %.2f s", rate, s)
				}
				continue
			}
			if s > .3 && s < 19.7 {
				worst = max(worst, math.Abs(v-wave(s)-.2))
			}
		}
		if worst > .08 {
			t.Errorf("%v Hz: %.3f mm off the wave", rate, worst)
		}
		if share := float64(lost) / float64(len(at)); math.Abs(1-share-r.Valid) > 1e-9 || share < .04 || share > .09 {
			t.Errorf("%v Hz: %.3f lost, valid %.3f", rate, share, r.Valid)
		}
	}
}

// Every value is finite or flagged lost, and nothing else is, whatever comes in.
func TestNothingUnflagged(t *testing.T) {
	values := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -3, 4, 4.1, 1e300, 5e-324, 3.9, 4.05, 1.4, 9.5}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		at := make([]instant.Instant, n)
		now := instant.Instant(0)
		for i := range at {
			now += instant.Instant(rapid.SampledFrom([]int64{0, 1, 2e6, 4e6, 4e6, 4e6, 3e7, 1e8, 3e8, 1e10}).Draw(t, "step"))
			at[i] = now
		}
		draw := func() []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = rapid.SampledFrom(values).Draw(t, "size")
			}
			return x
		}
		left, right := draw(), draw()
		switch rapid.IntRange(0, 3).Draw(t, "eyes") {
		case 0:
			left = nil
		case 1:
			right = nil
		}
		r := Clean(at, left, right, Options{Arbitrary: rapid.Bool().Draw(t, "arbitrary"), Passes: rapid.IntRange(-1, 4).Draw(t, "passes")})
		for i, v := range r.Size {
			if finite := !math.IsNaN(v) && !math.IsInf(v, 0); finite != (r.Origin[i] != Lost) {
				t.Fatalf("sample %d: %v, %v", i, v, r.Origin[i])
			}
		}
		if !(r.Valid >= 0 && r.Valid <= 1) {
			t.Fatalf("valid %v", r.Valid)
		}
	})
}

// Shifted in time the result is the same; scaled, with arbitrary units, it is
// scaled.
func TestInvariances(t *testing.T) {
	at := stamps(15, 120)
	left, right := eye(at, wave, .02, 3), eye(at, wave, .02, 4)
	blind(at, left, 4, 4.3)
	blind(at, right, 4.05, 4.2)
	blind(at, right, 8, 10)
	a := Clean(at, left, right, Options{Arbitrary: true})
	later := make([]instant.Instant, len(at))
	for i := range at {
		later[i] = at[i].Add(time.Hour)
	}
	scaled := func(x []float64) []float64 {
		y := slices.Clone(x)
		for i := range y {
			y[i] *= 256 // exact, so that thresholds fall alike
		}
		return y
	}
	for name, c := range map[string]struct {
		got   Result
		scale float64
	}{
		"later":   {Clean(later, left, right, Options{Arbitrary: true}), 1},
		"scaled":  {Clean(at, scaled(left), scaled(right), Options{Arbitrary: true}), 256},
		"swapped": {Clean(at, right, left, Options{Arbitrary: true}), 1},
	} {
		if !slices.Equal(c.got.Origin, a.Origin) {
			t.Errorf("%s: other samples are lost", name)
		}
		for i, v := range c.got.Size {
			if math.Abs(v/c.scale-a.Size[i]) > 1e-6 {
				t.Fatalf("%s: %v at %d, want %v", name, v/c.scale, i, a.Size[i])
			}
		}
	}
}

// One eye that goes missing does not make the mean jump by their difference.
func TestOneEyeMissing(t *testing.T) {
	at := stamps(10, 100)
	left := eye(at, wave, 0, 1)
	right := add(left, .8)
	blind(at, right, 4, 6)
	r := Clean(at, left, right, Options{})
	for i, v := range r.Size {
		s := at[i].Sub(at[0]).Seconds()
		if math.Abs(v-wave(s)-.4) > .02 && s > .3 && s < 9.7 {
			t.Fatalf("at %.2f s %.3f, want %.3f", s, v, wave(s)+.4)
		}
	}
	if o := r.Origin[500]; o != OneEye {
		t.Errorf("where one eye is missing: %v", o)
	}
	if mono := Clean(at, left, nil, Options{}); mono.Origin[500] != BothEyes || mono.Right.Flags != nil {
		t.Errorf("a single eye: %v", mono.Origin[500])
	}
}

func TestBaseline(t *testing.T) {
	at := stamps(2, 100)
	size := make([]float64, len(at))
	for i := range size {
		size[i] = float64(i)
	}
	event := at[100]
	if v, ok := Baseline(at, size, event, 0); !ok || v != 74.5 {
		t.Errorf("baseline %v, %v, want the median of 50..99", v, ok)
	}
	if v, ok := Baseline(at, size, event, 200*time.Millisecond); !ok || v != 89.5 {
		t.Errorf("baseline of 200 ms %v, %v", v, ok)
	}
	blind(at, size, .5, .71)
	if v, ok := Baseline(at, size, event, 0); ok || !math.IsNaN(v) {
		t.Errorf("with 42 %% missing: %v, %v", v, ok)
	}
	if _, ok := Baseline(at, size, at[0], 0); ok {
		t.Error("a baseline of nothing")
	}
}

// A long recording is smoothed in blocks, and as if it were one.
func TestBlocksLeaveNoSeam(t *testing.T) {
	for _, o := range []Options{{}, {SmoothHz: .5}, {SmoothHz: 20}, {GridHz: 500, SmoothHz: 400}} {
		at := stamps(500, 250) // on the grid, so that only the seams can differ
		size := eye(at, wave, .02, 6)
		for s := 1.; s < 500; s += 7 {
			blind(at, size, s, s+.2)
		}
		o.Passes = -1
		got := Clean(at, size, nil, o)
		o = o.filled()
		var used []int
		for i, k := range got.Origin {
			if k == BothEyes {
				used = append(used, i)
			}
		}
		whole := newGrid(at, size, used, o.GridHz)
		if o.SmoothHz < .9*o.GridHz/2 {
			whole.value = filter.ZeroPhase(filter.Butterworth(filterOrder, o.SmoothHz, o.GridHz, filter.Low), whole.value)
		}
		for i, v := range got.Size {
			if got.Origin[i] != Lost && !(math.Abs(v-whole.read(at[i])) < 1e-9) {
				t.Fatalf("%v Hz: sample %d is %v, want %v", o.SmoothHz, i, v, whole.read(at[i]))
			}
		}
		if got.Valid < .9 {
			t.Errorf("%v Hz: %v valid", o.SmoothHz, got.Valid)
		}
	}
}

// One hour at 250 Hz.
func BenchmarkClean(b *testing.B) {
	at := stamps(3600, 250)
	left, right := eye(at, wave, .02, 1), eye(at, wave, .02, 2)
	for s := 5.0; s < 3600; s += 4 {
		blind(at, left, s, s+.15)
		blind(at, right, s, s+.15)
	}
	for b.Loop() {
		Clean(at, left, right, Options{})
	}
}

func TestMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 60).Draw(t, "x")
		if rapid.Bool().Draw(t, "ties") {
			for i := range x {
				x[i] = math.Round(x[i])
			}
		}
		sorted := slices.Sorted(slices.Values(x))
		want := (sorted[(len(x)-1)/2] + sorted[len(x)/2]) / 2
		if got := middle(x); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
	if !math.IsNaN(middle(nil)) {
		t.Error("a median of nothing")
	}
}

// Half the samples give the same pupil, and so do all of them beside a gap.
func TestResamplingAndGaps(t *testing.T) {
	at := stamps(20, 500)
	size := eye(at, wave, .01, 5)
	whole := Clean(at, size, nil, Options{})
	var fewer []instant.Instant
	var half []float64
	for i := 0; i < len(at); i += 2 {
		fewer, half = append(fewer, at[i]), append(half, size[i])
	}
	for i, v := range Clean(fewer, half, nil, Options{}).Size {
		if math.Abs(v-whole.Size[2*i]) > .01 {
			t.Fatalf("at %v with half the samples %.4f, with all %.4f", fewer[i].Sub(at[0]), v, whole.Size[2*i])
		}
	}
	gap := slices.Clone(size)
	blind(at, gap, 9, 9.9)
	for i, v := range Clean(at, gap, nil, Options{}).Size {
		s := at[i].Sub(at[0]).Seconds()
		if inside := s >= 9 && s < 9.9; inside != math.IsNaN(v) && (s < 8.9 || s > 10 || inside) {
			t.Fatalf("at %.2f s: %v", s, v)
		}
		if (s < 8.5 || s > 10.4) && math.Abs(v-whole.Size[i]) > .01 {
			t.Fatalf("at %.2f s %.4f, without the gap %.4f", s, v, whole.Size[i])
		}
	}
}
