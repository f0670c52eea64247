package cda

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type reference struct {
	Rate float64 `json:"fs_hz"`
	CDA  struct {
		Tau    []float64 `json:"tau"`
		Driver []float64 `json:"driver_5step"`
		Tonic  []float64 `json:"tonic_5step"`
		Phasic []float64 `json:"phasic_5step"`
		Total  float64   `json:"iscr_total_us_s"`
		Mean   float64   `json:"mean_tonic"`
		Events []struct {
			At   float64 `json:"event_s"`
			ISCR float64 `json:"CDA_ISCR"`
		} `json:"event_related_1_4s"`
	} `json:"cda_ledapy"`
}

func load(t testing.TB, stem string) (us []float64, ref reference) {
	t.Helper()
	dir := os.Getenv("EMOLAB_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "signals")
	b, err := os.ReadFile(filepath.Join(dir, stem+".ref.json"))
	if err != nil {
		t.Skipf("no reference recordings: %v (set EMOLAB_SHARED to the folder that holds data/signals)", err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, stem+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		_, value, _ := strings.Cut(lines.Text(), ",")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue // the header
		}
		us = append(us, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return us, ref
}

var records = []string{"eda_nk_eventrelated_150s", "eda_nk_resting_507s"}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(sd)
}

func correlation(a, b []float64) float64 {
	ma, sa := moments(a)
	mb, sb := moments(b)
	sum := 0.0
	for i := range a {
		sum += (a[i] - ma) * (b[i] - mb)
	}
	return sum / float64(len(a)) / sa / sb
}

func every(x []float64, k, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x[i*k]
	}
	return out
}

// The tolerances leave room for the reference's optimiser, whose result depends
// on where it begins. significantUS and pull were set on these two recordings: this
// holds them in place and says nothing of a third.
func TestAgreesWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		_, sd := moments(us)
		want := ref.CDA
		for name, o := range map[string]Options{"own time constants": {}, "the reference's": {Tau1: want.Tau[0], Tau2: want.Tau[1]}} {
			t.Run(stem+"/"+name, func(t *testing.T) {
				got, err := Decompose(context.Background(), us, ref.Rate, o)
				if err != nil {
					t.Fatal(err)
				}
				if got.Rate != 25 || math.Abs(got.FirstS-.015) > 1e-12 {
					t.Errorf("%g Hz from %g s", got.Rate, got.FirstS)
				}
				for i, tau := range []float64{got.Tau1, got.Tau2} {
					if math.Abs(tau-want.Tau[i]) > .2*want.Tau[i] {
						t.Errorf("time constant %g s, want %g", tau, want.Tau[i])
					}
				}
				corr := correlation(every(got.Driver, 5, len(want.Driver)), want.Driver)
				if corr < .98 {
					t.Errorf("the driver correlates by %g", corr)
				}
				area := got.Activity()
				if math.Abs(area-want.Total) > .05*want.Total {
					t.Errorf("ISCR %g µS s, want %g", area, want.Total)
				}
				rms := 0.0
				for i, v := range every(got.Tonic, 5, len(want.Tonic)) {
					rms += (v - want.Tonic[i]) * (v - want.Tonic[i]) / float64(len(want.Tonic))
				}
				rms = math.Sqrt(rms)
				if rms > .05*sd {
					t.Errorf("tonic is off by %g µS rms, %g SD", rms, rms/sd)
				}
				t.Logf("tau %.3f %.3f (want %.3f), corr %.4f, area %.2f (want %.2f), tonic off by %.4f SD", got.Tau1, got.Tau2, want.Tau, corr, area, want.Total, rms/sd)
				for _, e := range want.Events {
					iscr := got.ISCR(e.At+1, e.At+4)
					t.Logf("event at %g s: ISCR %.3f, want %.3f (%.3f)", e.At, iscr, e.ISCR, got.ISCR(e.At+1-.04, e.At+4-.04))
					if o.Tau1 == 0 && math.Abs(iscr-e.ISCR) > .05*(1+e.ISCR) {
						t.Errorf("event at %g s: ISCR %.3f, want %.3f", e.At, iscr, e.ISCR)
					}
				}
			})
		}
	}
}

func BenchmarkDecompose(b *testing.B) {
	us, _ := load(b, "eda_nk_resting_507s")
	for _, bb := range []struct {
		name string
		s    int
	}{{"5min", 300}, {"1h", 3600}} {
		b.Run(bb.name, func(b *testing.B) {
			long := us
			for len(long) < bb.s*100 {
				long = append(long, us...)
			}
			b.ResetTimer()
			for range b.N {
				if _, err := Decompose(context.Background(), long[:bb.s*100], 100, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// naive are the kernel, convolution and long division by their definitions.
func naiveKernel(tau1, tau2, rate float64) []float64 {
	var b []float64
	sum, most := 0.0, 0.0
	for k := 1; ; k++ {
		t := float64(k) / rate
		v := math.Exp(-t/tau2) - math.Exp(-t/tau1)
		most = max(most, v)
		if v < most && v < 1e-18 {
			break
		}
		b, sum = append(b, v), sum+v
	}
	cut, total := 0, 0.0
	for i, v := range b {
		if i > 0 && v < b[i-1] && v < kernelEnd*sum {
			break
		}
		cut, total = i+1, total+v
	}
	b = b[:cut]
	for i := range b {
		b[i] /= total
	}
	return b
}

func TestKernelArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{4, 5, 8, 25}).Draw(t, "rate")
		tau1 := rapid.Float64Range(.05, 1.5).Draw(t, "tau1")
		tau2 := tau1 + rapid.Float64Range(.2, 3).Draw(t, "apart")
		b, want := newBateman(tau1, tau2, rate), naiveKernel(tau1, tau2, rate)
		if b.n != len(want) {
			t.Fatalf("a kernel of %d samples, want %d", b.n, len(want))
		}
		for i, v := range b.values() {
			if math.Abs(v-want[i]) > 1e-9 {
				t.Fatalf("kernel[%d] is %g, want %g", i, v, want[i])
			}
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		x := make([]float64, 2*b.n+50)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		// Convolve by definition from silence, then divide: x comes back.
		y := make([]float64, len(x))
		for i := range y {
			for k := 0; k <= i && k < len(want); k++ {
				y[i] += want[k] * x[i-k]
			}
		}
		for i, v := range b.divide(y, nil) {
			if math.Abs(v-x[i]) > 1e-6 {
				t.Fatalf("driver[%d] is %g, want %g", i, v, x[i])
			}
		}
		// Convolve any stretch, with x[0] having lasted for ever.
		from := rapid.IntRange(0, len(x)-1).Draw(t, "from")
		got := make([]float64, len(x))
		b.convolve(b.values(), x, got, from, len(x))
		for i := from; i < len(x); i++ {
			sum := 0.0
			for k, v := range want {
				sum += v * x[max(i-k, 0)]
			}
			if math.Abs(got[i]-sum) > 1e-6 {
				t.Fatalf("response[%d] is %g, want %g", i, got[i], sum)
			}
		}
	})
}

// planted is a level with responses at the given times, noise on top.
func planted(at []float64, seconds, rate, tau1, tau2, noise float64) []float64 {
	r := rand.New(rand.NewPCG(3, 4))
	y := make([]float64, int(seconds*rate))
	peakAt := math.Log(tau2/tau1) * tau1 * tau2 / (tau2 - tau1)
	peak := math.Exp(-peakAt/tau2) - math.Exp(-peakAt/tau1)
	for i := range y {
		y[i] = 6 + .3*math.Sin(float64(i)/rate/40) + noise*r.NormFloat64()
		for k, a := range at {
			if s := float64(i)/rate - a; s > 0 {
				y[i] += (.5 + .1*float64(k)) / peak * (math.Exp(-s/tau2) - math.Exp(-s/tau1))
			}
		}
	}
	return y
}

func TestPlantedResponsesAreFound(t *testing.T) {
	at := []float64{21, 44.5, 60, 85, 101.3, 130, 152}
	y := planted(at, 180, 25, .8, 2.2, .001)
	r, err := Decompose(context.Background(), y, 25, Options{ThresholdUS: .1, Tau1: .8, Tau2: 2.2})
	if err != nil {
		t.Fatal(err)
	}
	// The time constants that are found explain it at least as well.
	own, err := Decompose(context.Background(), y, 25, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if own.Criterion > 1.1*r.Criterion || correlation(own.Driver, r.Driver) < .9 {
		t.Errorf("with %.2f and %.2f s a criterion of %g, with the planted ones %g; the drivers correlate by %g", own.Tau1, own.Tau2, own.Criterion, r.Criterion, correlation(own.Driver, r.Driver))
	}
	if len(r.Responses) != len(at) {
		t.Fatalf("%d responses: %+v", len(r.Responses), r.Responses)
	}
	for k, got := range r.Responses {
		want := .5 + .1*float64(k)
		if math.Abs(got.AtS-at[k]) > .3 || math.Abs(got.AmplitudeUS-want) > .12*want {
			t.Errorf("response %d is %+v, planted at %g s with %g µS", k, got, at[k], want)
		}
	}
	if v := r.ISCR(50, 56); math.Abs(v) > .05 {
		t.Errorf("ISCR %g where nothing happens", v)
	}
	if v := r.ISCR(59, 63); v < .5 {
		t.Errorf("ISCR %g around a response", v)
	}
	if !math.IsNaN(r.ISCR(500, 504)) || !math.IsNaN(r.ISCR(4, 2)) {
		t.Error("an ISCR beyond the end")
	}
}

func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{4, 10, 25, 60, 100}).Draw(t, "rate")
		n := rapid.IntRange(int(10*rate), int(60*rate)).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		scale := rapid.SampledFrom([]float64{0, 1e-9, .01, 1, 1e6}).Draw(t, "scale")
		y := make([]float64, n)
		for i := range y {
			y[i] = 5 + scale*r.NormFloat64()
		}
		tau := rapid.SampledFrom([][2]float64{{.01, .03}, {.5, 2}, {1, 20}, {10, 20}}).Draw(t, "tau")
		got, err := Decompose(context.Background(), y, rate, Options{Tau1: tau[0], Tau2: tau[1]})
		if err != nil {
			t.Fatal(err)
		}
		block := int(math.Round(rate / got.Rate))
		x := blockMean(y, block)
		if len(got.Driver) != len(x) || len(got.Phasic) != len(x) || len(got.Tonic) != len(x) {
			t.Fatalf("%d values for %d blocks", len(got.Driver), len(x))
		}
		for i := range x {
			if !(math.Abs(got.Phasic[i]+got.Tonic[i]-x[i]) <= 1e-9*(1+scale)) {
				t.Fatalf("sample %d: phasic %g and tonic %g of %g", i, got.Phasic[i], got.Tonic[i], x[i])
			}
			if math.IsNaN(got.Driver[i]) || math.IsInf(got.Driver[i], 0) {
				t.Fatalf("driver %g", got.Driver[i])
			}
		}
	})
}

func TestALevelAloneIsTonic(t *testing.T) {
	y := make([]float64, 3000)
	for i := range y {
		y[i] = 7.5
	}
	r, err := Decompose(context.Background(), y, 25, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.Tau1/usualTau1-1) > .25 || math.Abs(r.Tau2/usualTau2-1) > .25 || len(r.Responses) != 0 {
		t.Errorf("time constants %g and %g s, %d responses", r.Tau1, r.Tau2, len(r.Responses))
	}
	for i, v := range r.Tonic {
		if math.Abs(v-7.5) > .01 {
			t.Fatalf("tonic[%d] is %g", i, v)
		}
	}
}

// A level that is added goes to the tonic part.
func TestShift(t *testing.T) {
	y := planted([]float64{30, 55, 80}, 120, 25, .75, 2, .001)
	o := Options{Tau1: .75, Tau2: 2}
	a, err := Decompose(context.Background(), y, 25, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		y[i] += 10
	}
	b, err := Decompose(context.Background(), y, 25, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := 250; i < len(y)-250; i++ { // away from the ends, which the level leads in to
		if math.Abs(a.Phasic[i]-b.Phasic[i]) > .02 {
			t.Fatalf("sample %d: phasic %g, with another level %g", i, a.Phasic[i], b.Phasic[i])
		}
	}
}

func TestWhatIsNoRecording(t *testing.T) {
	ctx := context.Background()
	fine := make([]float64, 1000)
	bad := func(v float64) []float64 {
		y := make([]float64, 1000)
		y[500] = v
		return y
	}
	for name, tt := range map[string]struct {
		y    []float64
		rate float64
		o    Options
		want error
	}{
		"empty":         {nil, 25, Options{}, ErrShort},
		"nine seconds":  {make([]float64, 9*25), 25, Options{}, ErrShort},
		"missing":       {bad(math.NaN()), 25, Options{}, ErrNotFinite},
		"infinite":      {bad(math.Inf(1)), 25, Options{}, ErrNotFinite},
		"no rate":       {fine, 0, Options{}, nil},
		"slow":          {fine, 1, Options{}, nil},
		"NaN rate":      {fine, math.NaN(), Options{}, nil},
		"one constant":  {fine, 25, Options{Tau1: 1}, nil},
		"swapped":       {fine, 25, Options{Tau1: 2, Tau2: 1}, nil},
		"NaN constants": {fine, 25, Options{Tau1: math.NaN(), Tau2: 2}, nil},
	} {
		_, err := Decompose(ctx, tt.y, tt.rate, tt.o)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if _, err := Decompose(ended, fine, 25, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestLiveliest(t *testing.T) {
	x := make([]float64, 1000)
	for i := 600; i < 700; i++ {
		x[i] = float64(i % 2)
	}
	if s := liveliest(x, 200); s.first > 600 || s.last < 700 || s.last-s.first != 200 {
		t.Errorf("%+v", s)
	}
	if s := liveliest(x[:50], 200); s != (span{0, 50}) {
		t.Errorf("%+v", s)
	}
}
