package cvx

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// signal is a recording of a kind, in µS.
func signal(t *rapid.T, n int, rate float64) []float64 {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	kind := rapid.SampledFrom([]string{"responses", "noise", "walk", "steps", "ramp", "alternating"}).Draw(t, "kind")
	y := make([]float64, n)
	level, q1, q2 := 5.0, 0.0, 0.0
	slow, fast := math.Exp(-1/(2*rate)), math.Exp(-1/(.7*rate))
	for i := range y {
		switch kind {
		case "responses":
			q1 *= slow
			q2 *= fast
			if r.Float64() < .2/rate {
				a := r.ExpFloat64()
				q1, q2 = q1+a, q2+a
			}
			level += .02 * r.NormFloat64() / math.Sqrt(rate)
			y[i] = level + q1 - q2 + .002*r.NormFloat64()
		case "noise":
			y[i] = r.NormFloat64()
		case "walk":
			level += r.NormFloat64()
			y[i] = level
		case "steps":
			if r.Float64() < .1/rate {
				level = 20 * r.Float64()
			}
			y[i] = level
		case "ramp":
			y[i] = float64(i)
		case "alternating":
			y[i] = float64(i % 2)
		}
	}
	return y
}

func drawOptions(t *rapid.T) Options {
	return Options{
		Legacy: rapid.Bool().Draw(t, "legacy"),
		KnotS:  rapid.SampledFrom([]float64{0, 2, 5, 30}).Draw(t, "knot"),
		Alpha:  rapid.SampledFrom([]float64{0, 8e-5, 8e-2}).Draw(t, "alpha"),
		Gamma:  rapid.SampledFrom([]float64{0, 1e-4, 1}).Draw(t, "gamma"),
	}
}

// The conditions that no point but the minimum fulfils (Karush, Kuhn and Tucker),
// computed anew from the published statement of the problem, matrix by matrix.
func TestTheMinimumIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{2, 4, 10, 25}).Draw(t, "rate")
		// Less than this does not determine a free state and a level together.
		n := rapid.IntRange(int(20*rate), int(20*rate)+1000).Draw(t, "n")
		o, err := drawOptions(t).filled(rate)
		if err != nil {
			t.Fatal(err)
		}
		z, _, sd, err := standardise(signal(t, n, rate))
		if err != nil || sd == 0 {
			t.Skip("constant")
		}
		p := newProblem(z, rate, o)
		s, err := p.solve(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if !s.converged {
			t.Fatalf("not converged after %d iterations: gap %g of %g", s.iterations, s.gap, s.objective)
		}
		e := make([]float64, n)
		p.residuals(s.unknowns, e)
		// dObjective/dp: the adjoint recursion of q on M'e.
		down := func(i int) float64 {
			sum := 0.0
			for j, m := range []float64{1, 2, 1} {
				if k := i + j; k < n && k >= p.first {
					sum += m * e[k]
				}
			}
			return sum
		}
		largest := p.alpha
		var g1, g2 float64
		for i := n - 1; i >= p.first; i-- {
			g := down(i) - p.a1*g1 - p.a2*g2
			g1, g2 = g, g1
			slope := (g + p.alpha) / largest
			if slope < -1e-5 {
				t.Fatalf("the objective falls where the driver of sample %d rises: %g", i, slope)
			}
			if s.s[i] < 0 {
				t.Fatalf("driver %g", s.s[i])
			}
			if rest := s.s[i] * (g + p.alpha); math.Abs(rest) > 1e-6*(1+s.objective) {
				t.Fatalf("the driver of sample %d is %g although the objective's slope is %g", i, s.s[i], g+p.alpha)
			}
		}
		bump := naiveBump(p.k)
		for j := range p.knots {
			sum := p.gamma * s.l[j+1]
			for lag, v := range bump {
				if i := j*p.k + lag - len(bump)/2; i >= 0 && i < n {
					sum += v * e[i]
				}
			}
			if math.Abs(sum) > 1e-6*math.Sqrt(float64(n)) {
				t.Fatalf("slope %g along spline coefficient %d", sum, j)
			}
		}
		var constant, drift float64
		for i := range n {
			constant += e[i]
			drift += e[i] * float64(i+1) / float64(n)
		}
		if math.Abs(constant)+math.Abs(drift) > 1e-6*math.Sqrt(float64(n)) {
			t.Fatalf("slopes %g and %g along the drift", constant, drift)
		}
	})
}

// naiveBump is the convolution of two triangles of height k, scaled to 1 in its
// middle.
func naiveBump(k int) []float64 {
	triangle := make([]float64, 2*k-1)
	for i := range triangle {
		triangle[i] = float64(k) - math.Abs(float64(i-k+1))
	}
	bump := make([]float64, 4*k-3)
	for i, a := range triangle {
		for j, b := range triangle {
			bump[i+j] += a * b
		}
	}
	peak := bump[2*k-2]
	for i := range bump {
		bump[i] /= peak
	}
	return bump
}

func decompose(t *rapid.T, y []float64, rate float64, o Options) Result {
	r, err := Decompose(context.Background(), y, rate, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPartsAddUpAndFollowTheDriver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{2, 4, 10, 25}).Draw(t, "rate")
		y := signal(t, rapid.IntRange(2, 800).Draw(t, "n"), rate)
		r := decompose(t, y, rate, Options{})
		// The response of the driver, by the published recursion.
		step, fast, slow := 1/rate, 1/DefaultFastS, 1/DefaultSlowS
		var q1, q2 float64
		for i := range y {
			if d := r.Phasic[i] + r.Tonic[i] + r.Residual[i] - y[i]; math.Abs(d) > 1e-9*(1+math.Abs(y[i])) {
				t.Fatalf("sample %d: the parts miss the signal by %g", i, d)
			}
			if !(r.Driver[i] >= 0) {
				t.Fatalf("driver %g", r.Driver[i])
			}
			q := (r.Driver[i]*(fast-slow)*step*step - (2*fast*slow*step*step-8)*q1 - (fast*step-2)*(slow*step-2)*q2) / ((fast*step + 2) * (slow*step + 2))
			if d := q + 2*q1 + q2 - r.Phasic[i]; math.Abs(d) > 1e-9*(1+r.SD) {
				t.Fatalf("sample %d: phasic %g is not the response to the driver", i, r.Phasic[i])
			}
			q1, q2 = q, q1
		}
	})
}

func TestShiftAndScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rate = 10
		y := signal(t, rapid.IntRange(50, 600).Draw(t, "n"), rate)
		shift := rapid.Float64Range(-50, 50).Draw(t, "shift")
		scale := rapid.SampledFrom([]float64{1e-6, .1, 3, 1e9}).Draw(t, "scale")
		other := make([]float64, len(y))
		for i, v := range y {
			other[i] = (v + shift) * scale
		}
		a, b := decompose(t, y, rate, Options{}), decompose(t, other, rate, Options{})
		if a.SD == 0 || b.SD == 0 {
			t.Skip("constant")
		}
		if math.Abs(a.Objective-b.Objective) > 1e-7*max(a.Objective, leastObjective*float64(len(y))) {
			t.Fatalf("objectives %g and %g", a.Objective, b.Objective)
		}
		for i := range y {
			if d := b.Phasic[i]/scale - a.Phasic[i]; math.Abs(d) > 1e-3*a.SD {
				t.Fatalf("sample %d: phasic differs by %g SD", i, d/a.SD)
			}
			if d := b.Tonic[i]/scale - shift - a.Tonic[i]; math.Abs(d) > 1e-3*a.SD {
				t.Fatalf("sample %d: tonic differs by %g SD", i, d/a.SD)
			}
		}
	})
}

// What lies minutes before a sample does not move it, but for the z-score.
func TestTheMiddleDoesNotDependOnTheEnds(t *testing.T) {
	const rate, n, cut = 10, 6000, 300 // cut: a whole number of knots
	r := rand.New(rand.NewPCG(5, 6))
	y := make([]float64, n)
	var q1, q2 float64
	for i := range y {
		q1, q2 = q1*math.Exp(-1./(2*rate)), q2*math.Exp(-1./(.7*rate))
		if i%137 == 20 {
			q1, q2 = q1+1, q2+1
		}
		y[i] = 5 + q1 - q2 + math.Sin(float64(i)/900) + .002*r.NormFloat64()
	}
	whole, err := Decompose(context.Background(), y, rate, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Weights that mean the same in µS although the z-scores differ.
	_, _, sd, _ := standardise(y[cut:])
	o := Options{Alpha: DefaultAlpha * whole.SD / sd}
	part, err := Decompose(context.Background(), y[cut:], rate, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2000; i < 4000; i++ {
		if d := math.Abs(whole.Phasic[i] - part.Phasic[i-cut]); d > .005 {
			t.Fatalf("sample %d: phasic differs by %g µS", i, d)
		}
	}
}

func TestImpulsesAreRecovered(t *testing.T) {
	const rate, n = 25, 25 * 120
	at := []int{300, 700, 1200, 1260, 2000, 2500}
	y := make([]float64, n)
	for i := range y {
		y[i] = 8 - .005*float64(i)/rate
		for k, a := range at {
			if s := float64(i-a) / rate; s >= 0 {
				y[i] += (.3 + .2*float64(k)) * (math.Exp(-s/DefaultSlowS) - math.Exp(-s/DefaultFastS))
			}
		}
	}
	r, err := Decompose(context.Background(), y, rate, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, a := range at {
		sum := 0.0
		for i := a - 12; i < a+12; i++ {
			sum += r.Driver[i] / rate
		}
		if want := .3 + .2*float64(k); math.Abs(sum-want) > .05*want {
			t.Errorf("impulse %d of %g comes back as %g", k, want, sum)
		}
	}
	elsewhere := 0.0
	for _, v := range r.Driver {
		elsewhere += v / rate
	}
	if total := 6*.3 + .2*15; math.Abs(elsewhere-total) > .05*total {
		t.Errorf("%g of driver in all, want %g", elsewhere, total)
	}
}

// A second of signal does not determine a level and a state: the result is defined
// and says whether it is the minimum.
func TestShortRecordingsAreDefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{2, 10, 100, 1000}).Draw(t, "rate")
		y := signal(t, rapid.IntRange(2, 40).Draw(t, "n"), rate)
		r := decompose(t, y, rate, drawOptions(t))
		for i := range y {
			sum := r.Phasic[i] + r.Tonic[i] + r.Residual[i]
			if !(math.Abs(sum-y[i]) <= 1e-6*(1+math.Abs(y[i])+r.SD)) || !(r.Driver[i] >= 0) {
				t.Fatalf("sample %d: the parts of %g add up to %g, driver %g", i, y[i], sum, r.Driver[i])
			}
		}
		if r.Converged && !(r.Gap <= DefaultGap*max(r.Objective, leastObjective*float64(len(y)))) {
			t.Fatalf("converged with a gap of %g of %g", r.Gap, r.Objective)
		}
	})
}

func TestWhatIsNoRecording(t *testing.T) {
	ctx := context.Background()
	for name, tt := range map[string]struct {
		y    []float64
		rate float64
		o    Options
		want error
	}{
		"empty":        {nil, 25, Options{}, ErrShort},
		"one":          {[]float64{1}, 25, Options{}, ErrShort},
		"missing":      {[]float64{1, math.NaN(), 2}, 25, Options{}, ErrNotFinite},
		"infinite":     {[]float64{1, math.Inf(-1), 2}, 25, Options{}, ErrNotFinite},
		"too large":    {[]float64{1, 2e300, 2}, 25, Options{}, ErrNotFinite},
		"no rate":      {[]float64{1, 2, 3}, 0, Options{}, nil},
		"NaN rate":     {[]float64{1, 2, 3}, math.NaN(), Options{}, nil},
		"too fast":     {[]float64{1, 2, 3}, 1e6, Options{}, nil},
		"swapped taus": {[]float64{1, 2, 3}, 25, Options{SlowS: .7, FastS: 2}, nil},
		"equal taus":   {[]float64{1, 2, 3}, 25, Options{SlowS: 1, FastS: 1}, nil},
		"negative":     {[]float64{1, 2, 3}, 25, Options{Alpha: -1}, nil},
		"NaN weight":   {[]float64{1, 2, 3}, 25, Options{Gamma: math.NaN()}, nil},
	} {
		_, err := Decompose(ctx, tt.y, tt.rate, tt.o)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if _, err := Decompose(ended, []float64{1, 2, 3, 1}, 25, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestExtremesAreDefined(t *testing.T) {
	wave := func(scale, offset float64) []float64 {
		y := make([]float64, 400)
		for i := range y {
			y[i] = offset + scale*math.Sin(float64(i)/30)
		}
		return y
	}
	for name, y := range map[string][]float64{
		"zero": make([]float64, 300), "constant": wave(0, 5), "constant but for rounding": wave(1e-16, 5),
		"huge": wave(1e300, 0), "the largest": wave(largestValue/2, largestValue/4), "tiny": wave(1e-300, 0),
		"two samples": {1, 2}, "three samples": {1, 2, 0}, "negative": wave(3, -10), "a spike": append(wave(0, 1), 1e12, 1),
	} {
		for _, legacy := range []bool{false, true} {
			r, err := Decompose(context.Background(), y, 25, Options{Legacy: legacy})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !r.Converged {
				t.Errorf("%s: not converged: gap %g of %g after %d", name, r.Gap, r.Objective, r.Iterations)
			}
			for _, x := range [][]float64{r.Phasic, r.Tonic, r.Residual, r.Driver} {
				if len(x) != len(y) {
					t.Fatalf("%s: %d values for %d samples", name, len(x), len(y))
				}
				for i, v := range x {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("%s (legacy %v): sample %d is %v", name, legacy, i, v)
					}
				}
			}
		}
	}
}
