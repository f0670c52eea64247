package eda

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// reference is what a scipy and NeuroKit2 run left of one recording.
type reference struct {
	Rate  float64 `json:"fs_hz"`
	Mean  float64 `json:"mean"`
	Kit   kit     `json:"neurokit2"`
	Theta ttp     `json:"ttp_absolute"`
	CVX   struct {
		Mean      float64   `json:"mu"`
		SD        float64   `json:"sd"`
		Objective float64   `json:"objective"`
		Step      int       `json:"decimate_step"`
		Tonic     []float64 `json:"tonic_z"`
		Phasic    []float64 `json:"phasic_z"`
		TonicMean float64   `json:"tonic_us_mean"`
		T01       scored    `json:"scr_ttp_on_phasic_us_thr0.01"`
		T05       scored    `json:"scr_ttp_on_phasic_us_thr0.05"`
	} `json:"cvxeda"`
	CDA struct {
		Tau    []float64 `json:"tau"`
		Driver []float64 `json:"driver_5step"`
		Tonic  []float64 `json:"tonic_5step"`
		ISCR   float64   `json:"iscr_total_us_s"`
		Events []struct {
			Event float64 `json:"event_s"`
			SCR   float64 `json:"CDA_SCR"`
			ISCR  float64 `json:"CDA_ISCR"`
		} `json:"event_related_1_4s"`
	} `json:"cda_ledapy"`
	Symp struct {
		Power float64 `json:"edasymp"`
		Share float64 `json:"edasymp_n"`
	} `json:"edasymp"`
	Events  []float64 `json:"events_s"`
	Related []struct {
		Event   float64  `json:"event_s"`
		N       int      `json:"n"`
		Latency *float64 `json:"latency_s"`
		First   float64  `json:"amp_first_us"`
		Sum     float64  `json:"amp_sum_us"`
		Max     float64  `json:"amp_max_us"`
	} `json:"er_scr_ttp_1_4s"`
}

type kit struct {
	Clean    []float64 `json:"clean_5hz"`
	HighPass struct {
		Tonic  []float64 `json:"tonic_5hz"`
		Phasic []float64 `json:"phasic_5hz"`
	} `json:"highpass"`
	Median struct {
		Tonic  []float64 `json:"tonic_5hz"`
		Phasic []float64 `json:"phasic_5hz"`
	} `json:"smoothmedian"`
	Peaks struct {
		HighPass peaks `json:"highpass/neurokit"`
		Median   peaks `json:"smoothmedian/neurokit"`
	} `json:"peaks"`
}

// peaks by NeuroKit2, in samples; null = none.
type peaks struct {
	Onset     []*float64 `json:"onset_sample"`
	Peak      []float64  `json:"peak_sample"`
	Amplitude []*float64 `json:"amplitude"`
	Rise      []*float64 `json:"rise_s"`
	Recovery  []*float64 `json:"recovery_s"`
}

type ttp struct {
	Low []float64 `json:"lp_5hz"`
	T01 scored    `json:"thr_0.01"`
	T03 scored    `json:"thr_0.03"`
	T05 scored    `json:"thr_0.05"`
}

type scored struct {
	Count  int        `json:"count"`
	Minute float64    `json:"per_min"`
	Onset  []float64  `json:"onset_s"`
	Peak   []float64  `json:"peak_s"`
	Amp    []float64  `json:"amp_us"`
	Rise   []float64  `json:"rise_s"`
	Recede []*float64 `json:"half_recovery_s"`
}

func shared(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("EMOLAB_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "signals")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no reference recordings: %v (set EMOLAB_SHARED to the folder that holds data/signals)", err)
	}
	return dir
}

func load(t *testing.T, stem string) (us []float64, ref reference) {
	t.Helper()
	dir := shared(t)
	b, err := os.ReadFile(filepath.Join(dir, stem+".ref.json"))
	if err != nil {
		t.Fatal(err)
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
	lines.Scan() // the header
	for lines.Scan() {
		_, value, _ := strings.Cut(lines.Text(), ",")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		us = append(us, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return us, ref
}

var records = []string{"eda_nk_eventrelated_150s", "eda_nk_resting_507s"}

func regular(n int, rate float64) []instant.Instant {
	at := make([]instant.Instant, n)
	for i := range at {
		at[i] = 1e12 + instant.Instant(math.Round(float64(i)/rate*1e9))
	}
	return at
}

// worst is the greatest distance from a reference that keeps every step-th value.
func worst(got, want []float64, step int) (d float64) {
	for i, w := range want {
		if i*step < len(got) {
			d = max(d, math.Abs(got[i*step]-w))
		}
	}
	return d
}

// moments are the mean and the standard deviation (of the population).
func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(sd)
}

func TestSplitAgreesWithNeuroKit(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		r := Analyze(at, us, Options{Rate: ref.Rate, Method: HighPass})
		step := int(ref.Rate / 5)
		clean := filter.ZeroPhase(filter.Butterworth(cleanOrder, cleanHz, ref.Rate, filter.Low), us)
		low := filter.ZeroPhase(filter.Butterworth(2, responseHz, ref.Rate, filter.Low), us)
		for name, d := range map[string]float64{
			"clean":  worst(clean, ref.Kit.Clean, step),
			"tonic":  worst(r.Tonic, ref.Kit.HighPass.Tonic, step),
			"phasic": worst(r.Phasic, ref.Kit.HighPass.Phasic, step),
			"1 Hz":   worst(low, ref.Theta.Low, step),
		} {
			t.Logf("%s: %s differs by %.2g µS at most", stem, name, d)
			if !(d <= 1e-5) {
				t.Errorf("%s: %s is off by %g µS, want 1e-5", stem, name, d)
			}
		}
	}
}

// The reference counts zeros beyond the ends; what users see begins where it
// does not.
func TestMedianAgreesWithNeuroKit(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		step := int(ref.Rate / 5)
		g := grid{rate: ref.Rate, us: us}
		clean := g.clean()
		tonic := filter.Median(clean, int(medianS*ref.Rate)|1)
		if d := worst(tonic, ref.Kit.Median.Tonic, step); !(d <= 1e-6) {
			t.Errorf("%s: the median is off by %g µS, want 1e-6", stem, d)
		}
		r := Analyze(regular(len(us), ref.Rate), us, Options{Rate: ref.Rate, Method: Median})
		for i := range us {
			end := i < 200 || i >= len(us)-200
			if math.IsNaN(r.Tonic[i]) != end || math.IsNaN(r.Phasic[i]) != end || (r.Flags[i]&Unsplit != 0) != end {
				t.Fatalf("%s: sample %d has tonic %v, phasic %v, flags %v", stem, i, r.Tonic[i], r.Phasic[i], r.Flags[i])
			}
			if !end && math.Abs(r.Tonic[i]-tonic[i]) > 1e-9 {
				t.Fatalf("%s: sample %d has tonic %v, want %v", stem, i, r.Tonic[i], tonic[i])
			}
		}
	}
}

func TestRelativeScoringAgreesWithNeuroKit(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		compare(t, stem+", high-pass", Analyze(at, us, Options{Rate: ref.Rate, Method: HighPass, Scoring: Relative}).Responses, at[0], ref.Rate, ref.Kit.Peaks.HighPass)

		// NeuroKit2's own median, zeros and all: that its responses are found does
		// not depend on what the method shows at the ends.
		g := grid{from: at[0], rate: ref.Rate, us: us}
		clean := g.clean()
		phasic := filter.Median(clean, int(medianS*ref.Rate)|1)
		for i := range phasic {
			phasic[i] = clean[i] - phasic[i]
		}
		compare(t, stem+", median", g.relative(phasic), at[0], ref.Rate, ref.Kit.Peaks.Median)
	}
}

func compare(t *testing.T, name string, got []Response, from instant.Instant, rate float64, want peaks) {
	t.Helper()
	if len(got) != len(want.Peak) {
		t.Errorf("%s: %d responses, want %d", name, len(got), len(want.Peak))
		return
	}
	near := func(i int, what string, got float64, want *float64, tol float64) {
		switch {
		case want == nil && math.IsNaN(got):
		case want == nil || !(math.Abs(got-*want) <= tol):
			t.Errorf("%s: response %d has %s %v, want %v", name, i, what, got, want)
		}
	}
	const samples = .0101 // one sample at 100 Hz
	for i, r := range got {
		onset := r.Onset.Sub(from).Seconds() * rate
		if r.Flags&NoOnset != 0 {
			onset = math.NaN()
		}
		near(i, "its onset at sample", onset, want.Onset[i], 1.01)
		near(i, "its peak at sample", r.Peak.Sub(from).Seconds()*rate, &want.Peak[i], 1.01)
		near(i, "amplitude", r.AmplitudeUS, want.Amplitude[i], 1e-4)
		near(i, "rise", r.RiseS, want.Rise[i], 2*samples)
		near(i, "half recovery", r.HalfRecoveryS, want.Recovery[i], 2*samples)
	}
}

func TestConvexAgreesWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		r := Analyze(at, us, Options{Rate: ref.Rate, Method: CVX, Scoring: OnPhasic})
		m := r.Pieces[0].Model
		// The minimum may be lower than the reference's, which its solver left early: by
		// 1e-9 of half the number of values (cvx/DECISIONS.md).
		early := 1e-9 * float64(len(us)/4) / 2
		if m == nil || !m.Converged || m.Rate != 25 || !(m.Objective <= (1+1e-5)*ref.CVX.Objective && ref.CVX.Objective-m.Objective <= early) {
			t.Fatalf("%s: %+v, want the objective %v", stem, m, ref.CVX.Objective)
		}
		// The reference's values are of means over 4 samples, at whose middle no sample
		// lies: the mean of the two beside it stands for them.
		middle := func(x []float64) []float64 {
			out := make([]float64, len(x)/4)
			for i := range out {
				out[i] = (x[4*i+1] + x[4*i+2]) / 2
			}
			return out
		}
		tonic, phasic := middle(r.Tonic), middle(r.Phasic)
		for i := range tonic {
			tonic[i], phasic[i] = (tonic[i]-ref.CVX.Mean)/ref.CVX.SD, phasic[i]/ref.CVX.SD
		}
		for name, d := range map[string]float64{
			"tonic":  worst(tonic, ref.CVX.Tonic, ref.CVX.Step),
			"phasic": worst(phasic, ref.CVX.Phasic, ref.CVX.Step),
		} {
			t.Logf("%s: %s differs by %.2g z at most", stem, name, d)
			if !(d <= 5e-3) {
				t.Errorf("%s: %s is off by %g z, want 0.005", stem, name, d)
			}
		}
		if s := r.Summary(Stretch{}); !(math.Abs(s.SCLUS-ref.CVX.TonicMean) <= 5e-3*ref.CVX.SD) {
			t.Errorf("%s: a level of %v µS, want %v", stem, s.SCLUS, ref.CVX.TonicMean)
		}
		for name, c := range map[string]struct {
			got  []Response
			want scored
		}{"0.05": {r.Responses, ref.CVX.T05}, "0.01": {r.Fine, ref.CVX.T01}} {
			if len(c.got) != c.want.Count {
				t.Errorf("%s at %s µS: %d responses on the phasic part, want %d", stem, name, len(c.got), c.want.Count)
				continue
			}
			for i, x := range c.got {
				peak := x.Peak.Sub(at[0]).Seconds()
				if !(math.Abs(peak-c.want.Peak[i]) <= .12) || !(math.Abs(x.AmplitudeUS-c.want.Amp[i]) <= 5e-3*ref.CVX.SD) {
					t.Errorf("%s at %s µS: response %d peaks at %.2f s with %.4f µS, want %.2f s and %.4f", stem, name, i, peak, x.AmplitudeUS, c.want.Peak[i], c.want.Amp[i])
				}
			}
		}
	}
}

func TestContinuousAgreesWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		r := Analyze(at, us, Options{Rate: ref.Rate, Method: CDA})
		m := r.Pieces[0].Model
		if m == nil || !(math.Abs(m.Tau1S-ref.CDA.Tau[0]) <= .2*ref.CDA.Tau[0]) || !(math.Abs(m.Tau2S-ref.CDA.Tau[1]) <= .2*ref.CDA.Tau[1]) {
			t.Fatalf("%s: %+v (%s), want time constants of %v", stem, m, r.Pieces[0].Err, ref.CDA.Tau)
		}
		// Every fifth mean over 4 samples, by the sample at its middle.
		var driver, tonic []float64
		for i := range ref.CDA.Driver {
			driver, tonic = append(driver, r.Driver[20*i+1]), append(tonic, (r.Tonic[20*i+1]+r.Tonic[20*i+2])/2)
		}
		meanA, sdA := moments(driver)
		meanB, sdB := moments(ref.CDA.Driver)
		_, sd := moments(us)
		correlation, square := 0.0, 0.0
		for i := range driver {
			correlation += (driver[i] - meanA) * (ref.CDA.Driver[i] - meanB) / (sdA * sdB) / float64(len(driver))
			square += (tonic[i] - ref.CDA.Tonic[i]) * (tonic[i] - ref.CDA.Tonic[i]) / float64(len(driver))
		}
		if rms := math.Sqrt(square); correlation < .98 || rms > .05*sd {
			t.Errorf("%s: the driver correlates by %v, the level is %v µS off", stem, correlation, rms)
		}
		t.Logf("%s: tau %.3f and %.3f s, the driver correlates by %.4f, the level is %.4f µS off", stem, m.Tau1S, m.Tau2S, correlation, math.Sqrt(square))
		total := 0.0
		for _, v := range r.Driver {
			total += max(v, 0) / ref.Rate // the reference's total leaves out what lies below zero
		}
		if !(math.Abs(total-ref.CDA.ISCR) <= .05*ref.CDA.ISCR) {
			t.Errorf("%s: an integral of %v µS·s, want %v", stem, total, ref.CDA.ISCR)
		}
		for _, e := range ref.CDA.Events {
			got := r.Related([]instant.Instant{at[0].Add(time.Duration(e.Event * 1e9))}, EventWindow())[0]
			if !(math.Abs(got.ISCR-e.ISCR) <= .05*math.Abs(e.ISCR)+.05) || !(math.Abs(got.SCR-got.ISCR/3) <= 1e-12) {
				t.Errorf("%s: the event at %v s has %v µS·s and %v µS, want %v and %v", stem, e.Event, got.ISCR, got.SCR, e.ISCR, e.SCR)
			}
		}
	}
}

func TestSympatheticPowerAgreesWithSciPy(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		got := Analyze(regular(len(us), ref.Rate), us, Options{Rate: ref.Rate, Method: HighPass}).Summary(Stretch{}).Sympathetic
		if !(math.Abs(got.PowerUS2-ref.Symp.Power) <= 1e-3*ref.Symp.Power) || !(math.Abs(got.Normalised-ref.Symp.Share) <= 1e-3*ref.Symp.Share) {
			t.Errorf("%s: %+v, want %v and %v", stem, got, ref.Symp.Power, ref.Symp.Share)
		}
	}
}

func TestEventsAgreeWithTheReference(t *testing.T) {
	us, ref := load(t, records[0])
	at := regular(len(us), ref.Rate)
	var events []instant.Instant
	for _, s := range ref.Events {
		events = append(events, at[0].Add(time.Duration(s*1e9)))
	}
	got := Analyze(at, us, Options{Rate: ref.Rate, Method: HighPass, ThresholdUS: .01}).Related(events, EventWindow())
	for i, w := range ref.Related {
		g := got[i]
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-3) {
				t.Errorf("event %d: %s %v, want %v", i, what, got, want)
			}
		}
		if g.N != w.N || math.IsNaN(g.LatencyS) != (w.Latency == nil) || g.Flags&Invalid != 0 {
			t.Errorf("event %d: %+v, want %+v", i, g, w)
			continue
		}
		if w.Latency != nil {
			near("latency", g.LatencyS, *w.Latency)
		}
		near("first amplitude", g.FirstUS, w.First)
		near("sum", g.SumUS, w.Sum)
		near("maximum", g.MaxUS, w.Max)
	}
	magnitude, amplitude, n, responded := Magnitude(got)
	if n != 4 || responded != 2 || math.Abs(magnitude-(3.58771+1.65399)/4) > 1e-3 || math.Abs(amplitude-(3.58771+1.65399)/2) > 1e-3 {
		t.Errorf("magnitude %v, amplitude %v of %d events, %d responses", magnitude, amplitude, n, responded)
	}
}

func TestRatesAgreeWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		s := Analyze(regular(len(us), ref.Rate), us, Options{Rate: ref.Rate, Method: HighPass}).Summary(Stretch{})
		if s.Valid != 1 || !s.Enough || len(s.Artefacts) != 0 {
			t.Errorf("%s: %v of it is valid, artefacts %v", stem, s.Valid, s.Artefacts)
		}
		if got, want := s.Responses.PerMinute, ref.Theta.T05.Minute; !(math.Abs(got-want) < 1e-3) {
			t.Errorf("%s: %v responses a minute, want %v", stem, got, want)
		}
		if got, want := s.Fine.PerMinute, ref.Theta.T01.Minute; !(math.Abs(got-want) < 1e-3) {
			t.Errorf("%s: %v fine responses a minute, want %v", stem, got, want)
		}
		if math.Abs(s.SCLUS-ref.Mean) > .05 {
			t.Errorf("%s: a level of %v µS, the signal's mean is %v", stem, s.SCLUS, ref.Mean)
		}
	}
}

func TestResponsesAgreeWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		for threshold, want := range map[float64]scored{.01: ref.Theta.T01, .03: ref.Theta.T03, .05: ref.Theta.T05} {
			got := Analyze(at, us, Options{Rate: ref.Rate, ThresholdUS: threshold, Method: HighPass}).Responses
			absolute(t, fmt.Sprintf("%s at %v µS", stem, threshold), got, at[0], ref.Rate, want)
		}
	}
}

func absolute(t *testing.T, name string, got []Response, from instant.Instant, rate float64, want scored) {
	t.Helper()
	if len(got) != want.Count {
		t.Errorf("%s: %d responses, want %d", name, len(got), want.Count)
		return
	}
	near := func(i int, what string, got, want, tol float64) {
		if !(math.Abs(got-want) <= tol) {
			t.Errorf("%s: response %d has %s %v, want %v", name, i, what, got, want)
		}
	}
	samples := 2/rate + 1e-4
	for i, r := range got {
		near(i, "its onset at", r.Onset.Sub(from).Seconds(), want.Onset[i], samples)
		near(i, "its peak at", r.Peak.Sub(from).Seconds(), want.Peak[i], samples)
		near(i, "amplitude", r.AmplitudeUS, want.Amp[i], 1e-3)
		near(i, "rise", r.RiseS, want.Rise[i], 2*samples)
		if w := want.Recede[i]; w != nil {
			near(i, "half recovery", r.HalfRecoveryS, *w, 2*samples)
		} else if !math.IsNaN(r.HalfRecoveryS) {
			t.Errorf("%s: response %d recovers in %v s, want never", name, i, r.HalfRecoveryS)
		}
		// The steepest rise is steeper than the mean one, and no cliff.
		if mean := r.AmplitudeUS / r.RiseS; !(r.SlopeUSS >= mean && r.SlopeUSS < 10*mean) {
			t.Errorf("%s: response %d rises by %v µS/s at most, by %v in the mean", name, i, r.SlopeUSS, mean)
		}
	}
}
