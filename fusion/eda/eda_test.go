package eda

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// reference is what a scipy and NeuroKit2 run left of one recording.
type reference struct {
	Rate  float64 `json:"fs_hz"`
	Kit   kit     `json:"neurokit2"`
	Theta ttp     `json:"ttp_absolute"`
}

type kit struct {
	Clean    []float64 `json:"clean_5hz"`
	HighPass struct {
		Tonic  []float64 `json:"tonic_5hz"`
		Phasic []float64 `json:"phasic_5hz"`
	} `json:"highpass"`
}

type ttp struct {
	Low []float64 `json:"lp_5hz"`
	T01 scored    `json:"thr_0.01"`
	T03 scored    `json:"thr_0.03"`
	T05 scored    `json:"thr_0.05"`
}

type scored struct {
	Count  int        `json:"count"`
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
	for lines.Scan() {
		var at, v float64
		if _, err := fmt.Sscanf(strings.ReplaceAll(lines.Text(), ",", " "), "%g %g", &at, &v); err != nil {
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

func regular(n int, rate float64) []instant.Instant {
	at := make([]instant.Instant, n)
	for i := range at {
		at[i] = 1e12 + instant.Instant(math.Round(float64(i)/rate*1e9))
	}
	return at
}

func TestSplitAgreesWithNeuroKit(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		r := Analyze(regular(len(us), ref.Rate), us, Options{Rate: ref.Rate, Method: HighPass})
		step := int(ref.Rate / 5)
		worst := func(got, want []float64) (d float64) {
			for i, w := range want {
				d = max(d, math.Abs(got[i*step]-w))
			}
			return d
		}
		clean := filter.ZeroPhase(filter.Butterworth(cleanOrder, cleanHz, ref.Rate, filter.Low), us)
		low := filter.ZeroPhase(filter.Butterworth(2, responseHz, ref.Rate, filter.Low), us)
		for name, d := range map[string]float64{
			"clean":  worst(clean, ref.Kit.Clean),
			"tonic":  worst(r.Tonic, ref.Kit.HighPass.Tonic),
			"phasic": worst(r.Phasic, ref.Kit.HighPass.Phasic),
			"1 Hz":   worst(low, ref.Theta.Low),
		} {
			t.Logf("%s: %s differs by %.2g µS at most", stem, name, d)
			if !(d <= 1e-5) {
				t.Errorf("%s: %s is off by %g µS, want 1e-5", stem, name, d)
			}
		}
	}
}

func TestResponsesAgreeWithTheReference(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		at := regular(len(us), ref.Rate)
		for threshold, want := range map[float64]scored{.01: ref.Theta.T01, .03: ref.Theta.T03, .05: ref.Theta.T05} {
			got := Analyze(at, us, Options{Rate: ref.Rate, ThresholdUS: threshold}).Responses
			if len(got) != want.Count {
				t.Errorf("%s at %v µS: %d responses, want %d", stem, threshold, len(got), want.Count)
				continue
			}
			for i, r := range got {
				onset, peak := r.Onset.Sub(at[0]).Seconds(), r.Peak.Sub(at[0]).Seconds()
				near := func(what string, got, want, tol float64) {
					if !(math.Abs(got-want) <= tol) {
						t.Errorf("%s at %v µS, response %d: %s %v, want %v", stem, threshold, i, what, got, want)
					}
				}
				const samples = .0201 // two samples
				near("onset", onset, want.Onset[i], samples)
				near("peak", peak, want.Peak[i], samples)
				near("amplitude", r.AmplitudeUS, want.Amp[i], 1e-3)
				near("rise", r.RiseS, want.Rise[i], 2*samples)
				if w := want.Recede[i]; w != nil {
					near("half recovery", r.HalfRecoveryS, *w, 2*samples)
				} else if !math.IsNaN(r.HalfRecoveryS) {
					t.Errorf("%s: response %d recovers in %v s, want never", stem, i, r.HalfRecoveryS)
				}
			}
		}
	}
}

// Drifting stamps, lost samples and holes must not move what is found.
func TestScriptedResponsesAreFound(t *testing.T) {
	s := script.New(3)
	at, us := recorded(s, 100.2, .02)
	got := Analyze(at, us, Options{Rate: 100})
	if len(got.Responses) < len(s.Responses) {
		t.Fatalf("%d responses found, %d scripted", len(got.Responses), len(s.Responses))
	}
	for _, want := range s.Responses {
		found := false
		for _, r := range got.Responses {
			if d := r.Onset.Sub(at[0]) - want.Onset; d.Abs() < 400*time.Millisecond {
				found = true
				if math.Abs(r.AmplitudeUS-want.AmplitudeUS) > .15*want.AmplitudeUS {
					t.Errorf("the response at %v has %.3f µS, scripted %.3f", want.Onset, r.AmplitudeUS, want.AmplitudeUS)
				}
			}
		}
		if !found {
			t.Errorf("the response at %v was not found", want.Onset)
		}
	}
}

// Where the level rises there is no trough before a response: its onset is the
// bend, and its amplitude no more than the rise within it.
func TestResponsesOnARisingLevel(t *testing.T) {
	s := script.New(3)
	at, us := recorded(s, 100, .02)
	const slope = .06 // µS/s, more than a response's tail loses
	for i := range us {
		us[i] += slope * at[i].Sub(at[0]).Seconds()
	}
	got := Analyze(at, us, Options{Rate: 100}).Responses
	for _, want := range s.Responses {
		n := 0
		for _, r := range got {
			if d := r.Onset.Sub(at[0]) - want.Onset; d.Abs() < 600*time.Millisecond {
				n++
				if over := r.AmplitudeUS - want.AmplitudeUS; over > slope*r.RiseS+.02 || over < -.2*want.AmplitudeUS {
					t.Errorf("the response at %v has %.3f µS, scripted %.3f", want.Onset, r.AmplitudeUS, want.AmplitudeUS)
				}
			}
		}
		if n != 1 {
			t.Errorf("the response at %v was found %d times: %+v", want.Onset, n, got)
		}
	}
	for i := range us {
		us[i] = 5 + slope*at[i].Sub(at[0]).Seconds()
	}
	if got := Analyze(at, us, Options{Rate: 100}).Responses; len(got) != 0 {
		t.Errorf("%d responses in a rising level", len(got))
	}
}

// recorded samples the script's second period with every 1/loss-th sample lost.
// The level hardly moves, so that amplitudes can be compared.
func recorded(s *script.Script, rate, loss float64) (at []instant.Instant, us []float64) {
	each := int(1 / loss)
	s.LevelUS = .1
	for i := range int(s.Period.Seconds() * rate) {
		if i%each == each/2 {
			continue
		}
		off := time.Duration(float64(i) / rate * 1e9)
		at = append(at, instant.Instant(5e9).Add(off))
		us = append(us, 5+s.Conductance(s.Period+off))
	}
	return at, us
}

func TestPiecesAreSeparate(t *testing.T) {
	s := script.New(4)
	at, us := recorded(s, 100, .01)
	cut := len(at) / 2
	whole := Analyze(at[:cut], us[:cut], Options{Rate: 100})

	// After a hole of 2 s the level is another one: nothing of it may leak back.
	joined := append([]instant.Instant(nil), at...)
	other := append([]float64(nil), us...)
	for i := cut; i < len(at); i++ {
		joined[i] = joined[i].Add(2 * time.Second)
		other[i] += 10
	}
	both := Analyze(joined, other, Options{Rate: 100})
	for i := range cut {
		if both.Tonic[i] != whole.Tonic[i] || both.Phasic[i] != whole.Phasic[i] {
			t.Fatalf("sample %d before the hole changed with what came after it", i)
		}
	}
	for _, r := range both.Responses {
		if r.Onset < joined[cut-1] && r.Peak > joined[cut-1] {
			t.Errorf("a response of %.2f µS straddles the hole", r.AmplitudeUS)
		}
	}
}

func TestMissingValues(t *testing.T) {
	s := script.New(5)
	at, us := recorded(s, 100, .01)
	holes := append([]float64(nil), us...)
	for i := 1000; i < 1040; i++ { // 0.4 s: bridged
		holes[i] = math.NaN()
	}
	a, b := Analyze(at, us, Options{Rate: 100}), Analyze(at, holes, Options{Rate: 100})
	for i := range us {
		gone := i >= 1000 && i < 1040
		if math.IsNaN(b.Tonic[i]) != gone || math.IsNaN(b.Phasic[i]) != gone {
			t.Fatalf("sample %d: tonic %v, phasic %v", i, b.Tonic[i], b.Phasic[i])
		}
		if !gone && math.Abs(a.Tonic[i]-b.Tonic[i]) > .01 {
			t.Fatalf("sample %d: tonic %v, with the hole %v", i, a.Tonic[i], b.Tonic[i])
		}
	}
}

func TestAnythingGoesIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		at, us := make([]instant.Instant, n), make([]float64, n)
		var now instant.Instant
		for i := range n {
			if rapid.IntRange(0, 99).Draw(t, "gap") == 0 {
				now = now.Add(2 * MaxGap)
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(120*time.Millisecond)).Draw(t, "step")))
			at[i] = now
			us[i] = rapid.OneOf(rapid.Float64Range(0, 60), rapid.Just(math.NaN()), rapid.Just(math.Inf(1))).Draw(t, "us")
		}
		r := Analyze(at, us, Options{Rate: rapid.SampledFrom([]float64{0, .05, 1, 10, 100, 1e6}).Draw(t, "rate")})
		if len(r.Tonic) != n || len(r.Phasic) != n {
			t.Fatal("not one value per sample")
		}
		live := NewLive(Options{})
		for i := range us {
			if r.Tonic[i] > 200 || math.IsInf(r.Phasic[i], 0) {
				t.Fatalf("tonic %v, phasic %v", r.Tonic[i], r.Phasic[i])
			}
			if v := live.Add(at[i], us[i]); math.Abs(v.Tonic) > 200 || math.IsInf(v.Phasic, 0) || at[i].Sub(v.At) > Delay+MaxGap {
				t.Fatalf("live %+v at %v", v, at[i])
			}
		}
		for _, x := range r.Responses {
			if x.AmplitudeUS < DefaultThresholdUS || x.Peak <= x.Onset {
				t.Fatalf("%+v", x)
			}
		}
	})
}

func TestSamplesOfDifferentLengthPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Analyze(make([]instant.Instant, 2), make([]float64, 3), Options{})
}
