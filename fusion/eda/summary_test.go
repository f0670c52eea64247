package eda

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

func TestSummaryOfAScript(t *testing.T) {
	s := script.New(7)
	at, us := recorded(s, 100, .001)
	r := Analyze(at, us, Options{Rate: 100, Method: HighPass})
	if len(r.Responses) != len(s.Responses) {
		t.Fatalf("%d responses, %d scripted", len(r.Responses), len(s.Responses))
	}
	sum := r.Summary(Stretch{})
	if !sum.Enough || sum.Valid > 1 || sum.Valid < .99 || sum.NonResponder {
		t.Errorf("%+v", sum)
	}
	near := func(what string, got, want, tol float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tol) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	var amplitude, highest float64
	for _, x := range s.Responses {
		amplitude += x.AmplitudeUS
		highest = max(highest, x.AmplitudeUS)
	}
	n := float64(len(s.Responses))
	near("the sum", sum.Responses.SumUS, amplitude, .15*amplitude)
	near("the mean amplitude", sum.Responses.AmplitudeUS, sum.Responses.SumUS/n, 1e-12)
	near("the maximum", sum.Responses.MaxUS, highest, .15*highest)
	near("the rate", sum.Responses.PerMinute, 60*n/s.Period.Seconds(), .01*60*n/s.Period.Seconds())
	// Outside responses lies the lower part of the signal.
	if mean, _ := moments(us); !(sum.SCLOutsideUS < mean) || !(sum.SCLOutsideUS > 5) {
		t.Errorf("the level outside responses is %v, the mean %v", sum.SCLOutsideUS, mean)
	}

	// What an event explains is not spontaneous, nor is its time.
	events := []instant.Instant{r.Responses[0].Onset.Add(-2 * time.Second), r.Responses[2].Onset.Add(-2 * time.Second)}
	free := r.Summary(Stretch{Events: events})
	if free.Responses.N != sum.Responses.N-2 {
		t.Errorf("%d of %d responses are spontaneous, want 2 fewer", free.Responses.N, sum.Responses.N)
	}
	near("the rate without events", free.Responses.PerMinute, 60*(n-2)/(s.Period.Seconds()-6), .2)

	// Half a recording has its own responses.
	half := r.Responses[1].Peak.Add(time.Second)
	a, b := r.Summary(Stretch{From: at[0], Until: half}), r.Summary(Stretch{From: half, Until: at[len(at)-1].Add(1)})
	if a.Responses.N != 2 || a.Responses.N+b.Responses.N != sum.Responses.N {
		t.Errorf("%d and %d responses in the halves of %d", a.Responses.N, b.Responses.N, sum.Responses.N)
	}
	near("the area", a.AreaUSS+b.AreaUSS, sum.AreaUSS, .02)
}

// 100 s at 10 Hz with a gap of 30 s that nobody sent, and 10 s of NaN.
func TestSummaryCountsWhatIsNotThere(t *testing.T) {
	all := regular(1000, 10)
	var at []instant.Instant
	var us []float64
	for i, a := range all {
		if i >= 300 && i < 600 {
			continue
		}
		v := 5 + .001*math.Sin(float64(i))
		if i >= 800 && i < 900 {
			v = math.NaN()
		}
		at, us = append(at, a), append(us, v)
	}
	s := Analyze(at, us, Options{Method: HighPass}).Summary(Stretch{})
	if math.Abs(s.Valid-.6) > 1e-9 || s.Enough || s.NonResponder {
		t.Errorf("%v of it is valid, want 0.6; enough: %v", s.Valid, s.Enough)
	}
	want := []Share{{Missing, .4}, {Unsplit, .1}}
	if d := cmp.Diff(want, s.Artefacts, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("artefacts (-want +got):\n%s", d)
	}
	if math.Abs(s.ValidS-60) > 1e-9 {
		t.Errorf("%v s are valid", s.ValidS)
	}
}

func TestSummaryOfAConstantSignal(t *testing.T) {
	at := regular(6000, 50)
	us := make([]float64, len(at))
	for i := range us {
		us[i] = 7 + .02*math.Sin(float64(i)/1000) + 1e-3*math.Sin(float64(i*i%997))
	}
	s := Analyze(at, us, Options{}).Summary(Stretch{})
	if !s.NonResponder || s.Responses.N != 0 || s.Responses.PerMinute != 0 || !math.IsNaN(s.Responses.AmplitudeUS) {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.SCLUS-7) > .01 || math.Abs(s.SCLOutsideUS-7) > .01 {
		t.Errorf("levels of %v and %v µS, want 7", s.SCLUS, s.SCLOutsideUS)
	}
	if empty := Analyze(nil, nil, Options{}).Summary(Stretch{}); empty.Enough || empty.NonResponder || !math.IsNaN(empty.SCLUS) {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestRelatedSaysWhatItCouldNotSee(t *testing.T) {
	at := regular(6000, 100)
	us := make([]float64, len(at))
	for i := range us {
		us[i] = 7 + .01*math.Sin(float64(i)/300)
		if i >= 2000 && i < 2300 {
			us[i] = math.NaN()
		}
		if i >= 4000 && i < 4020 {
			us[i] = 61
		}
	}
	r := Analyze(at, us, Options{Method: HighPass})
	got := r.Related([]instant.Instant{at[100], at[1900], at[3900], at[5900]}, EventWindow())
	for i, want := range []Flag{0, Missing, OutOfRange | Near, Missing} {
		if f := got[i].Flags & Invalid; f&^(Steep|Jump|Loss) != want {
			t.Errorf("event %d has %q, want %q", i, f, want)
		}
	}
	if _, _, n, responded := Magnitude(got); n != 1 || responded != 0 {
		t.Errorf("%d events count, %d responses; want 1 and 0", n, responded)
	}
	if !math.IsNaN(got[0].ISCR) || !math.IsNaN(got[0].LatencyS) || math.Abs(got[0].TonicUS-7) > .05 {
		t.Errorf("%+v", got[0])
	}
}

// An artefact after the window, while the response to the event still recovers,
// spoils that response. It is not counted, and its event not as one without a
// response.
func TestAnArtefactAfterTheWindowSpoilsTheEvent(t *testing.T) {
	s := script.New(7)
	at, us := recorded(s, 100, .001)
	o := Options{Rate: 100, Method: HighPass}
	response := Analyze(at, us, o).Responses[1]
	event := []instant.Instant{response.Onset.Add(-3900 * time.Millisecond)}
	o.SensorMaxUS = slices.Max(us) + .1
	i, _ := slices.BinarySearch(at, response.Peak.Add(time.Second))
	us[i] = o.SensorMaxUS
	got := Analyze(at, us, o).Related(event, EventWindow())
	if got[0].N != 0 || got[0].Flags&Saturated == 0 {
		t.Errorf("%+v, flags %q", got[0], got[0].Flags)
	}
	if _, _, n, _ := Magnitude(got); n != 0 {
		t.Errorf("the event counts as one without a response")
	}
}

// Both ends of an event's window belong to it, and nothing else does.
func TestEventWindow(t *testing.T) {
	s := script.New(7)
	at, us := recorded(s, 100, .001)
	r := Analyze(at, us, Options{Rate: 100, Method: HighPass})
	onset := r.Responses[1].Onset
	for _, tt := range []struct {
		after time.Duration // of the onset, after the event
		n     int
	}{{999 * time.Millisecond, 0}, {time.Second, 1}, {2500 * time.Millisecond, 1}, {4 * time.Second, 1}, {4001 * time.Millisecond, 0}} {
		e := r.Related([]instant.Instant{onset.Add(-tt.after)}, EventWindow())[0]
		if e.N != tt.n || tt.n == 1 && (math.Abs(e.LatencyS-tt.after.Seconds()) > 1e-9 || e.FirstUS != r.Responses[1].AmplitudeUS || e.SumUS != e.MaxUS) {
			t.Errorf("a response %v after the event: %+v", tt.after, e)
		}
	}
}

// A recording too short for a model is split by the filter, and says so.
func TestShortRecordingsAreNotDecomposed(t *testing.T) {
	s := script.New(7)
	at, us := recorded(s, 100, .001)
	for _, m := range []Method{CVX, CDA} {
		at, us := at[:2900], us[:2900]
		r, want := Analyze(at, us, Options{Method: m}), Analyze(at, us, Options{Method: HighPass})
		if p := r.Pieces[0]; p.Method != HighPass || p.Model != nil || p.Err == "" || r.Method != m {
			t.Errorf("%s: %+v", m, p)
		}
		for i := range us {
			if r.Tonic[i] != want.Tonic[i] || r.Flags[i] != Undecomposed || !math.IsNaN(r.Driver[i]) {
				t.Fatalf("%s: sample %d has tonic %v, driver %v, flags %q", m, i, r.Tonic[i], r.Driver[i], r.Flags[i])
			}
		}
	}
	r := Analyze(at[:5], us[:5], Options{})
	if p := r.Pieces[0]; p.Method != 0 || p.Err == "" || r.Flags[0] != Unsplit {
		t.Errorf("of five samples: %+v, flags %q", p, r.Flags[0])
	}
}
