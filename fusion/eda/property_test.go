package eda

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// person draws a recording of a scripted participant, with noise in µS. The level
// hardly moves: a rise of its own is a response by one rule or none by another, as
// a ten-thousandth of a µS decides.
func person(t *rapid.T, rate, noise float64) ([]instant.Instant, []float64) {
	s := script.New(rapid.Uint64Range(0, 40).Draw(t, "seed"))
	s.LevelUS = .1
	at := regular(int(s.Period.Seconds()*rate), rate)
	us := make([]float64, len(at))
	for i := range us {
		us[i] = 5 + s.Conductance(at[i].Sub(at[0])) + noise*math.Sin(float64(i*i%991))
	}
	return at, us
}

// options draws one of the methods that are linear or convex. CDA's search for
// time constants ends elsewhere for the slightest change.
var options = rapid.Custom(func(t *rapid.T) Options {
	return Options{
		Method:  rapid.SampledFrom([]Method{HighPass, Median, CVX}).Draw(t, "method"),
		Scoring: rapid.SampledFrom([]Scoring{TroughToPeak, OnPhasic, Relative}).Draw(t, "scoring"),
	}
})

// same wants equal values, or both missing.
func same(t *rapid.T, what string, got, want []float64, tol float64) {
	t.Helper()
	for i := range want {
		if math.IsNaN(got[i]) != math.IsNaN(want[i]) || math.Abs(got[i]-want[i]) > tol {
			t.Fatalf("%s: sample %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// sameResponses wants the same times to two points of the grid that responses
// were scored on, and amplitudes to tol.
func sameResponses(t *rapid.T, got, want []Response, scale, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d responses, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Onset.Sub(w.Onset).Abs() > 81*time.Millisecond || g.Peak.Sub(w.Peak).Abs() > 81*time.Millisecond {
			t.Fatalf("response %d lies at %v..%v, want %v..%v", i, g.Onset, g.Peak, w.Onset, w.Peak)
		}
		if math.Abs(g.AmplitudeUS-scale*w.AmplitudeUS) > tol {
			t.Fatalf("response %d has %v µS, want %v", i, g.AmplitudeUS, scale*w.AmplitudeUS)
		}
	}
}

// An offset of the sensor moves the level and leaves everything else alone.
func TestShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 50, 2e-4)
		o := options.Draw(t, "options")
		offset := rapid.Float64Range(-3, 30).Draw(t, "offset")
		shifted := slices.Clone(us)
		for i := range shifted {
			shifted[i] += offset
		}
		a, b := Analyze(at, us, o), Analyze(at, shifted, o)
		for i := range a.Tonic {
			a.Tonic[i] += offset
		}
		same(t, "tonic", b.Tonic, a.Tonic, 1e-5)
		same(t, "phasic", b.Phasic, a.Phasic, 1e-5)
		sameResponses(t, b.Responses, a.Responses, 1, 2e-5)
	})
}

// A gain of the sensor scales everything.
func TestScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 50, 2e-4)
		o := options.Draw(t, "options")
		o.ThresholdUS, o.FineUS = .05, .05
		gain := rapid.Float64Range(.3, 4).Draw(t, "gain")
		scaled := slices.Clone(us)
		for i := range scaled {
			scaled[i] *= gain
		}
		a := Analyze(at, us, o)
		o.ThresholdUS, o.FineUS = .05*gain, .05*gain
		b := Analyze(at, scaled, o)
		for i := range a.Tonic {
			a.Tonic[i] *= gain
			a.Phasic[i] *= gain
		}
		same(t, "tonic", b.Tonic, a.Tonic, 1e-5*gain)
		same(t, "phasic", b.Phasic, a.Phasic, 1e-5*gain)
		sameResponses(t, b.Responses, a.Responses, gain, 2e-5*gain)
	})
}

// Time has no origin.
func TestTimeOffset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 50, 2e-4)
		o := options.Draw(t, "options")
		d := time.Duration(rapid.Int64Range(-1e12, 1e15).Draw(t, "offset"))
		later := make([]instant.Instant, len(at))
		for i := range at {
			later[i] = at[i].Add(d)
		}
		a, b := Analyze(at, us, o), Analyze(later, us, o)
		same(t, "tonic", b.Tonic, a.Tonic, 0)
		same(t, "phasic", b.Phasic, a.Phasic, 0)
		if !slices.Equal(a.Flags, b.Flags) {
			t.Fatal("other flags")
		}
		for i := range a.Responses {
			a.Responses[i].Onset, a.Responses[i].Peak = a.Responses[i].Onset.Add(d), a.Responses[i].Peak.Add(d)
		}
		sameResponses(t, b.Responses, a.Responses, 1, 0)
	})
}

// A slower sensor, or one that is decimated, sees the same responses: to two
// samples at 25 Hz and 0.03 µS. Without noise, because where a response leaves a
// level that hardly moves is noise's affair, and that differs with the rate.
func TestResampling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 100, 0)
		o := options.Draw(t, "options")
		if o.Method == Median && o.Scoring != TroughToPeak {
			return // a median has corners, and where they lie depends on the samples
		}
		want := Analyze(at, us, o)
		for _, k := range []int{2, 4} {
			slow := filter.BlockMean(us, k)
			when := make([]instant.Instant, len(slow))
			for i := range when {
				when[i] = at[i*k].Add(at[i*k+k-1].Sub(at[i*k]) / 2)
			}
			got := Analyze(when, slow, o)
			end := at[len(at)-1].Add(-time.Second) // one at the end may lack its last sample
			sameResponses(t, before(got.Responses, end), before(want.Responses, end), 1, .03)
		}
	})
}

func before(r []Response, end instant.Instant) []Response {
	n := 0
	for n < len(r) && r[n].Peak < end {
		n++
	}
	return r[:n]
}

// What lies beyond a gap of more than MaxGap is another recording.
func TestGapsPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 50, 2e-4)
		o := options.Draw(t, "options")
		o.Rate = 50
		cut := rapid.IntRange(1, len(us)-1).Draw(t, "cut")
		gap := MaxGap + time.Duration(rapid.Int64Range(1e6, 1e10).Draw(t, "gap"))
		apart := slices.Clone(at)
		for i := cut; i < len(apart); i++ {
			apart[i] = apart[i].Add(gap)
		}
		whole := Analyze(apart, us, o)
		first, second := Analyze(apart[:cut], us[:cut], o), Analyze(apart[cut:], us[cut:], o)
		same(t, "tonic", whole.Tonic, append(first.Tonic, second.Tonic...), 0)
		same(t, "phasic", whole.Phasic, append(first.Phasic, second.Phasic...), 0)
		sameResponses(t, whole.Responses, append(first.Responses, second.Responses...), 1, 0)
		if len(whole.Pieces) != 2 {
			t.Fatalf("%d pieces", len(whole.Pieces))
		}
	})
}

// A hole of up to a second leaves what lies away from it nearly as it was. The
// convex method weighs the whole piece, so that a response whose onset is lost
// moves the level further away than a filter would.
func TestShortGapsAreBridged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, us := person(t, 50, 2e-4)
		o := Options{Method: rapid.SampledFrom([]Method{HighPass, CVX}).Draw(t, "method")}
		tol := map[Method]float64{HighPass: .002, CVX: .1}[o.Method]
		from := rapid.IntRange(100, len(us)-200).Draw(t, "from")
		n := rapid.IntRange(1, 48).Draw(t, "n")
		holes := slices.Clone(us)
		for i := from; i < from+n; i++ {
			holes[i] = math.NaN()
		}
		a, b := Analyze(at, us, o), Analyze(at, holes, o)
		if len(b.Pieces) != 1 {
			t.Fatalf("%d pieces", len(b.Pieces))
		}
		for i := range us {
			gone := i >= from && i < from+n
			if math.IsNaN(b.Tonic[i]) != gone || (b.Flags[i]&Missing != 0) != gone {
				t.Fatalf("sample %d has tonic %v and %v", i, b.Tonic[i], b.Flags[i])
			}
			if away := i < from-500 || i > from+n+500; away && math.Abs(a.Tonic[i]-b.Tonic[i]) > tol {
				t.Fatalf("sample %d: tonic %v without, %v with the hole at %d", i, a.Tonic[i], b.Tonic[i], from)
			}
		}
	})
}

// Whatever goes in, nothing that comes out is missing or infinite without a
// flag that says so.
func TestNothingIsMissingUnflagged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 400).Draw(t, "n")
		at, us, c := make([]instant.Instant, n), make([]float64, n), make([]float64, n)
		now := instant.Instant(rapid.Int64Range(-1e15, 1e15).Draw(t, "from"))
		pace := rapid.SampledFrom([]int64{1e6, 4e7, 2e8, 12e8}).Draw(t, "pace")
		odd := rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 5e-324, 9e5, -9e5, 0, 60})
		level := rapid.Float64Range(-1, 70).Draw(t, "level")
		for i := range n {
			now = now.Add(time.Duration(rapid.Int64Range(0, 2*pace).Draw(t, "step")))
			at[i], us[i], c[i] = now, level, 33
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				us[i], c[i] = odd.Draw(t, "us"), odd.Draw(t, "temperature")
			case 1, 2, 3:
				us[i] += rapid.Float64Range(-1, 1).Draw(t, "noise")
			}
		}
		o := options.Draw(t, "options")
		o.Rate = rapid.SampledFrom([]float64{0, 0, .05, 1, 10, 100, 1e6, math.Inf(1), math.NaN(), -5}).Draw(t, "rate")
		o.ThresholdUS = rapid.SampledFrom([]float64{0, .01, 1e-9, math.NaN(), -1}).Draw(t, "threshold")
		o.TemperatureC = c
		r := Analyze(at, us, o)
		known := func(what string, i int, v float64, excuse Flag) {
			missing := math.IsNaN(v) || math.IsInf(v, 0)
			if math.IsInf(v, 0) || missing && r.Flags[i]&excuse == 0 {
				t.Fatalf("sample %d has %s %v and the flags %q", i, what, v, r.Flags[i])
			}
		}
		for i := range us {
			known("tonic", i, r.Tonic[i], Missing|Unsplit)
			known("phasic", i, r.Phasic[i], Missing|Unsplit)
			if r.Driver != nil {
				known("driver", i, r.Driver[i], Missing|Unsplit|Undecomposed)
			}
			if r.Flags[i]&Missing != 0 && !math.IsNaN(r.Tonic[i]) {
				t.Fatalf("sample %d is missing and has tonic %v", i, r.Tonic[i])
			}
		}
		for _, x := range r.Responses {
			bad := math.IsNaN(x.AmplitudeUS) || math.IsNaN(x.RiseS) || math.IsNaN(x.SlopeUSS)
			if bad != (x.Flags&NoOnset != 0) || math.IsInf(x.AmplitudeUS, 0) || x.Onset > x.Peak || x.HalfRecoveryS < 0 {
				t.Fatalf("%+v", x)
			}
		}
		s := r.Summary(Stretch{})
		if !(s.Valid >= 0 && s.Valid <= 1) || math.IsInf(s.SCLUS, 0) || math.IsNaN(s.AreaUSS) || s.Responses.PerMinute < 0 {
			t.Fatalf("%+v", s)
		}
		if s.Valid == 0 && s.NonResponder {
			t.Fatal("a person of whom nothing is known does not respond")
		}
		r.Related([]instant.Instant{now, 0, now.Add(-time.Minute)}, EventWindow())
		live := NewLive(o)
		for i := range us {
			v := live.Add(at[i], us[i])
			if math.IsInf(v.Tonic, 0) || math.IsInf(v.Phasic, 0) || math.IsNaN(v.Tonic) != math.IsNaN(v.Phasic) || at[i] < v.At {
				t.Fatalf("live %+v at %v", v, at[i])
			}
		}
	})
}
