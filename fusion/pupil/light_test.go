package pupil

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"emolab/fusion/instant"
)

// scenes is a luminance that changes every few seconds.
func scenes(at []instant.Instant, random *rand.Rand) []float64 {
	x := make([]float64, len(at))
	until, level := 0.0, .5
	for i, t := range at {
		if s := t.Sub(at[0]).Seconds(); s >= until {
			until, level = s+1+4*random.Float64(), random.Float64()
		}
		x[i] = level
	}
	return x
}

// lit is a pupil that follows the luminance, beside what it does by itself.
func lit(at []instant.Instant, luminance []float64, slope, lag, following float64, own func(float64) float64) []float64 {
	out := make([]float64, len(at))
	state, k := math.Log10(luminance[0]+black), 0
	for i, t := range at {
		s := t.Sub(at[0]).Seconds()
		for k+1 < len(at) && at[k+1].Sub(at[0]).Seconds() <= s-lag {
			k++
		}
		if i > 0 {
			dt := t.Sub(at[i-1]).Seconds()
			state += (1 - math.Exp(-dt/following)) * (math.Log10(luminance[k]+black) - state)
		}
		out[i] = 4 + slope*state + own(s)
	}
	return out
}

// The light's part is found and taken out, at any rate: in nearly every recording. What
// a pupil does by itself may look like light for 90 s, to a weak and slow pupil above all.
func TestRegressRecovers(t *testing.T) {
	recordings, off, remains := 0, 0, 0
	own := func(s float64) float64 { return .04*math.Sin(2*math.Pi*s/11) + .002*s }
	for _, rate := range []float64{30, 60, 250} {
		for _, slope := range []float64{-1.5, -.8, -.4} {
			for _, lag := range []float64{.2, .3, .45} {
				for _, following := range []float64{.2, .4, .8} {
					recordings++
					random := rand.New(rand.NewPCG(uint64(recordings), 1))
					at := stamps(90, rate)
					luminance := scenes(at, random)
					size := lit(at, luminance, slope, lag, following, own)
					for i := range size {
						if random.Float64() < .1 {
							size[i] = math.NaN()
						}
					}
					r, err := Regress(at, size, luminance)
					if err != nil {
						t.Fatal(err)
					}
					if math.Abs(r.Slope/slope-1) > .15 || math.Abs(r.Lag.Seconds()-lag) > .15 {
						off++
						t.Logf("%v Hz: slope %.3f, lag %v, time constant %v; simulated %.3f, %v, %v", rate, r.Slope, r.Lag, r.Following, slope, lag, following)
					}
					if left(r, at, size, slope, own) > .1 {
						remains++
					}
					if r.R2 < .5 || r.PredictedR2 > r.R2+.1 || r.N < 1000 {
						t.Errorf("R² %.2f, predicted %.2f, n %d", r.R2, r.PredictedR2, r.N)
					}
				}
			}
		}
	}
	if off > recordings/20 || remains > recordings/20 {
		t.Errorf("of %d recordings %d have another slope or lag, and %d keep a tenth of the light's part", recordings, off, remains)
	}
}

// left is the share of the light's part that the adjusted sizes still have: what is left
// should be the pupil's own.
func left(r Regression, at []instant.Instant, size []float64, slope float64, own func(float64) float64) float64 {
	n, mean := 0.0, 0.0
	for i, v := range r.Adjusted {
		if !math.IsNaN(v) {
			n++
			mean += v - own(at[i].Sub(at[0]).Seconds())
		}
	}
	mean /= n
	left, was := 0.0, 0.0
	for i, v := range r.Adjusted {
		if math.IsNaN(v) {
			continue
		}
		s := at[i].Sub(at[0]).Seconds()
		left += (v - own(s) - mean) * (v - own(s) - mean)
		was += (size[i] - 4 - own(s) - slope*math.Log10(.5)) * (size[i] - 4 - own(s) - slope*math.Log10(.5))
	}
	return left / was
}

func TestRegressRefuses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	at := stamps(60, 60)
	own := func(s float64) float64 { return .2 * math.Sin(2*math.Pi*s/9) }
	luminance := scenes(at, random)
	constant, unknown := make([]float64, len(at)), make([]float64, len(at))
	for i := range at {
		constant[i], unknown[i] = .4, math.NaN()
	}
	size := lit(at, luminance, -.8, .3, .4, own)
	for name, c := range map[string]struct {
		at              []instant.Instant
		size, luminance []float64
	}{
		"constant":   {at, size, constant},
		"unknown":    {at, size, unknown},
		"short":      {at[:600], size[:600], luminance[:600]},
		"nothing":    {nil, nil, nil},
		"no pupil":   {at, unknown, luminance},
		"wrong way":  {at, lit(at, luminance, .8, .3, .4, own), luminance},
		"two days":   {[]instant.Instant{0, instant.Instant(longest) + 1}, size[:2], luminance[:2]},
		"no pupil's": {at, constant, luminance},
	} {
		if r, err := Regress(c.at, c.size, c.luminance); !errors.Is(err, ErrLight) {
			t.Errorf("%s: %v, slope %v", name, err, r.Slope)
		}
	}
}

// A pupil that has nothing to do with the light is left alone nearly always.
func TestRegressChance(t *testing.T) {
	taken := 0
	const runs = 200
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 7))
		at := stamps(120, 30)
		size := make([]float64, len(at))
		state := 0.0
		for i := range size { // a wandering pupil
			state += -.02*state + .02*random.NormFloat64()
			size[i] = 4 + state
		}
		if _, err := Regress(at, size, scenes(at, random)); err == nil {
			taken++
		}
	}
	t.Logf("%d of %d", taken, runs)
	if taken > runs/10 {
		t.Errorf("light was taken out %d times of %d where there was none", taken, runs)
	}
}

// After a time without luminance the light is unknown until it has been followed.
func TestRegressUnknownLight(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	at := stamps(90, 60)
	luminance := scenes(at, random)
	size := lit(at, luminance, -.8, .3, .4, func(float64) float64 { return 0 })
	blind(at, luminance, 40, 45)
	r, err := Regress(at, size, luminance)
	if err != nil {
		t.Fatal(err)
	}
	until := 45*time.Second + r.Lag + settle*r.Following
	for i, v := range r.Adjusted {
		s := at[i].Sub(at[0])
		known := s < 40*time.Second || s > until+200*time.Millisecond
		if s > r.Lag+settle*r.Following+200*time.Millisecond && known && math.IsNaN(v) {
			t.Fatalf("nothing at %v", s)
		}
		if s > 41*time.Second && s < until-200*time.Millisecond && !math.IsNaN(v) {
			t.Fatalf("%v at %v, where the light is not known", v, s)
		}
	}
}

// One hour at 250 Hz.
func BenchmarkRegress(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 1))
	at := stamps(3600, 250)
	luminance := scenes(at, random)
	size := lit(at, luminance, -.8, .3, .4, func(s float64) float64 { return .1 * math.Sin(s) })
	for b.Loop() {
		if _, err := Regress(at, size, luminance); err != nil {
			b.Fatal(err)
		}
	}
}
