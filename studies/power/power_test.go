package power

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// tooSlow passes over what takes half a minute under the race detector, which has nothing
// to find in a package without goroutines.
func tooSlow(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("simulates thousands of studies, in one goroutine")
	}
}

// The values are those of SciPy 1.16: nct.sf(c, df, d*sqrt(n)) + nct.cdf(-c, df,
// d*sqrt(n)) with c = t.ppf(1-alpha/2, df), df = n-1.
func TestPaired(t *testing.T) {
	for _, c := range []struct {
		n                     int
		d, alpha, power, crit float64
	}{
		{30, .5, .05, .7539647157437906, 2.045229642132703},
		{30, -.5, .05, .7539647157437906, 2.045229642132703},
		{34, .5, .05, .8077775012792738, 2.0345152974493383},
		{10, .8, .05, .6162327634744058, 2.262157162798205},
		{2, 1, .05, .09280915505633605, 12.706204736174694},
		{5, .3, .01, .018143696893442324, 4.604094871349992},
		{60, .5, .0083, .8682562546911877, 2.731622993264077},
		{200, .2, .05, .8036666605857853, 1.9719565442517533},
		{3, 2, .001, .012910436331315537, 31.599054576445365},
		{12, 0, .05, .05, 2.200985160091639},
		{1000, .1, .05, .8847890988907141, 1.9623414611334493},
	} {
		if got := paired(c.n, c.d, c.alpha); math.Abs(got-c.power) > 1e-6 {
			t.Errorf("n %d, d %g, alpha %g: power %.9f, want %.9f", c.n, c.d, c.alpha, got, c.power)
		}
		if got := critical(c.alpha, c.n-1); math.Abs(got/c.crit-1) > 1e-8 {
			t.Errorf("n %d, alpha %g: |t| from %.9f, want %.9f", c.n, c.alpha, got, c.crit)
		}
	}
}

// 36 tests of which a third has an effect, at a false discovery rate of 5 %. The values
// were drawn independently with NumPy, 20,000 families each.
func TestFamily(t *testing.T) {
	for _, c := range []struct {
		n      int
		effect float64
		want   float64
	}{
		{15, .5, .0974}, {20, .5, .2094}, {30, .5, .4833}, {40, .5, .7006}, {60, .5, .9129},
		{20, .8, .7948}, {30, .8, .9608}, {60, .8, .9999},
	} {
		got := Family{Tests: 36, True: 12, Effect: c.effect, FDR: .05}.Power(c.n)
		if math.Abs(got.Power-c.want) > .01 || got.Error > .01 {
			t.Errorf("n %d, d %g: %+v, want %.3f", c.n, c.effect, got, c.want)
		}
	}
}

// One test in a family is a paired test at the level of the rate.
func TestFamilyOfOneIsAPairedTest(t *testing.T) {
	for _, n := range []int{2, 5, 10, 30} {
		f := Family{Tests: 1, True: 1, Effect: .7, FDR: .05}
		got := f.simulate(n)
		if want := paired(n, .7, .05); math.Abs(got.Power-want) > 1.5*got.Error+.001 || f.Power(n) != (Estimate{Power: want}) {
			t.Errorf("n %d: %+v, want %.4f", n, got, want)
		}
	}
}

// A family that is cut down to what is simulated keeps its share of true differences.
func TestFamilyOfVeryManyTests(t *testing.T) {
	whole := Family{Tests: mostTests, True: mostTests / 3, Effect: .5, FDR: .05}.Power(30)
	more := Family{Tests: 30 * mostTests, True: 10 * mostTests, Effect: .5, FDR: .05}.Power(30)
	if math.Abs(whole.Power-more.Power) > .01 || whole.Power < .4 {
		t.Errorf("%+v, with thirty times the tests %+v", whole, more)
	}
}

// A moment at which 15 people in a hundred more show an expression, among 5.1 % else, in 15 s.
func TestMoment(t *testing.T) {
	tooSlow(t)
	m := Moment{Seconds: 15, Base: .051, More: .15, Alpha: .05}
	for _, c := range []struct {
		n          int
		want, peak float64
	}{
		{10, .09, .195}, {30, .38, .131}, {60, .71, .108}, {150, 1, .085},
	} {
		if got := m.Power(c.n); math.Abs(got.Power-c.want) > .06 || got.AtLeast {
			t.Errorf("n %d: %+v, want %.2f", c.n, got, c.want)
		}
		if got := m.RawPeak(c.n); math.Abs(got-c.peak) > .008 {
			t.Errorf("n %d: a peak of nothing of %.3f, want %.3f", c.n, got, c.peak)
		}
	}
	for _, n := range []int{10, 30, 60} {
		if got := (Moment{Seconds: 15, Base: .051, Alpha: .05}).Power(n); got.Power > .05+got.Error {
			t.Errorf("n %d: %+v although nothing happens", n, got)
		}
	}
	if got := m.Power(1000); got.Power < .99 || !got.AtLeast {
		t.Errorf("n 1000: %+v", got)
	}
}

// In a film of an hour a peak of nothing is higher than in ten minutes of it, so that a
// moment is harder to find; and as fewer studies are simulated, less is sure.
func TestMomentInALongFilm(t *testing.T) {
	tooSlow(t)
	part := Moment{Seconds: 600, Base: .05, More: .15, Alpha: .05}
	film := part
	film.Seconds = 3600
	a, b := part.Power(30), film.Power(30)
	if b.Power > a.Power || b.Error <= a.Error {
		t.Errorf("%+v in ten minutes, %+v in an hour", a, b)
	}
	if a, b := part.RawPeak(30), film.RawPeak(30); b < a+.02 {
		t.Errorf("a peak of nothing of %.3f in ten minutes, %.3f in an hour", a, b)
	}
}

// A tenth of the variance shared, in a clip of 30 s. Half of that time finds less.
func TestShared(t *testing.T) {
	tooSlow(t)
	long := Shared{Seconds: 30, Variance: .1, Alpha: .05}
	short := Shared{Seconds: 15, Variance: .1, Alpha: .05}
	for _, c := range []struct {
		n    int
		want float64
	}{{10, .49}, {20, .80}, {30, .97}} {
		got := long.Power(c.n)
		if math.Abs(got.Power-c.want) > .05 || got.AtLeast {
			t.Errorf("n %d: %+v, want %.2f", c.n, got, c.want)
		}
		if less := short.Power(c.n); less.Power >= got.Power {
			t.Errorf("n %d: %+v in 15 s, %+v in 30 s", c.n, less, got)
		}
	}
	if got := (Shared{Seconds: 30, Alpha: .05}).Power(20); got.Power > .05+2*got.Error {
		t.Errorf("%+v although nothing is shared", got)
	}
	if got := long.Power(500); got.Power < .97 || !got.AtLeast {
		t.Errorf("n 500: %+v", got)
	}
}

func TestTheSameEveryTime(t *testing.T) {
	f := Family{Tests: 36, True: 12, Effect: .5, FDR: .05}
	first := f.Power(20)
	Moment{Seconds: 15, Base: .05, More: .15, Alpha: .05}.Power(10)
	if again := f.Power(20); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func TestChiSquared(t *testing.T) {
	for _, df := range []float64{1, 2, 7, 29} {
		const draws = 40000
		random := source(99, int(df))
		sum, squares := 0.0, 0.0
		for range draws {
			v := chiSquared(random, df)
			sum += v
			squares += v * v
		}
		mean := sum / draws
		variance := squares/draws - mean*mean
		// The standard error of the mean is sqrt(2 df / draws).
		if math.Abs(mean-df) > 4*math.Sqrt(2*df/draws) || math.Abs(variance/(2*df)-1) > .1 {
			t.Errorf("%g degrees of freedom: mean %.3f, variance %.3f", df, mean, variance)
		}
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	for _, got := range []float64{
		paired(1, .5, .05), paired(30, .5, 0), paired(30, .5, math.NaN()),
		Family{}.Power(30).Power, Family{Tests: 3, True: 4, FDR: .05}.Power(30).Power,
		Family{Tests: 3, True: 1, FDR: 1.5}.Power(30).Power, Family{Tests: 3, True: 1, FDR: .05}.Power(1).Power,
		Moment{}.Power(30).Power, Moment{Seconds: 15, Base: 2, Alpha: .05}.Power(30).Power, Moment{}.RawPeak(3),
		Shared{}.Power(30).Power, Shared{Seconds: 30, Variance: -1, Alpha: .05}.Power(30).Power,
	} {
		if got != 0 {
			t.Errorf("a power of %g", got)
		}
	}
	if paired(30, .5, 1) != 1 {
		t.Error("a level of 1 finds everything")
	}
}

func TestPairedGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 300).Draw(t, "n")
		d := rapid.Float64Range(0, 3).Draw(t, "d")
		alpha := rapid.Float64Range(1e-6, .5).Draw(t, "alpha")
		p := paired(n, d, alpha)
		if p < alpha-1e-6 || p > 1+1e-9 {
			t.Fatalf("power %g at the level %g", p, alpha)
		}
		if more := paired(n+1, d, alpha); more < p-1e-6 {
			t.Fatalf("%g with one person more than %g", more, p)
		}
		if more := paired(n, d+.1, alpha); more < p-1e-6 {
			t.Fatalf("%g with a larger effect than %g", more, p)
		}
	})
}

func TestCriticalIsExceededAsOftenAsItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		df := rapid.IntRange(1, 500).Draw(t, "degrees of freedom")
		alpha := math.Exp(rapid.Float64Range(math.Log(1e-7), math.Log(.99)).Draw(t, "log alpha"))
		if got := beyond(critical(alpha, df), df, 0); math.Abs(got/alpha-1) > 1e-9 {
			t.Fatalf("%g with %d degrees of freedom is exceeded with probability %g", alpha, df, got)
		}
	})
}
