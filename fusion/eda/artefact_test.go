package eda

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// minute is a good recording of a minute at 50 Hz: a drifting level and noise,
// without a response.
func minute() ([]instant.Instant, []float64) {
	at := regular(3000, 50)
	us := make([]float64, len(at))
	for i := range us {
		us[i] = 5 + .2*math.Sin(float64(i)/900) + 1e-3*math.Sin(float64(i*i%997))
	}
	return at, us
}

func TestArtefacts(t *testing.T) {
	span := func(us []float64, from, until float64, f func(v, s float64) float64) {
		for i := int(from * 50); i < int(until*50); i++ {
			us[i] = f(us[i], float64(i)/50-from)
		}
	}
	tests := []struct {
		name string
		o    Options
		do   func(us []float64)
		flag Flag
		// The flag must hold at every sample of the first span, in s, and at none
		// outside the second.
		all, within [2]float64
	}{
		{"a good recording", Options{}, func([]float64) {}, Invalid, [2]float64{0, 0}, [2]float64{0, 0}},
		{"far too low", Options{}, func(us []float64) { span(us, 20, 20.1, func(float64, float64) float64 { return .01 }) }, OutOfRange, [2]float64{20, 20.1}, [2]float64{20, 20.1}},
		{"near it", Options{}, func(us []float64) { span(us, 20, 20.1, func(float64, float64) float64 { return .01 }) }, Near, [2]float64{15.1, 20}, [2]float64{14.9, 25.2}},
		{"far too high", Options{}, func(us []float64) { span(us, 20, 20.1, func(float64, float64) float64 { return 61 }) }, OutOfRange, [2]float64{20, 20.1}, [2]float64{20, 20.1}},
		{"negative", Options{}, func(us []float64) { span(us, 20, 20.1, func(float64, float64) float64 { return -1 }) }, OutOfRange, [2]float64{20, 20.1}, [2]float64{20, 20.1}},
		{"a long steep rise", Options{}, func(us []float64) {
			span(us, 20, 22, func(v, s float64) float64 { return v + 15*s })
			span(us, 22, 60, func(v, s float64) float64 { return v + 30 })
		}, Steep, [2]float64{20.6, 21.4}, [2]float64{19, 23}},
		{"a slope just within", Options{}, func(us []float64) {
			span(us, 20, 22, func(v, s float64) float64 { return v + 8*s })
			span(us, 22, 60, func(v, s float64) float64 { return v + 16 })
		}, Steep | Jump, [2]float64{0, 0}, [2]float64{0, 0}},
		{"a knock", Options{}, func(us []float64) { span(us, 30, 60, func(v, s float64) float64 { return v + 3 }) }, Jump, [2]float64{29.96, 30.04}, [2]float64{29.5, 30.5}},
		{"an electrode off and on", Options{}, func(us []float64) { span(us, 30, 32, func(v, s float64) float64 { return .5 }) }, Loss, [2]float64{30, 32}, [2]float64{30, 32}},
		{"a lasting lower level", Options{}, func(us []float64) { span(us, 30, 60, func(v, s float64) float64 { return v - 2 }) }, Loss, [2]float64{30, 35}, [2]float64{30, 36.2}},
		{"a slow fall and half a recovery", Options{}, func(us []float64) {
			span(us, 30, 33, func(v, s float64) float64 { return v - s*1.5 })
			span(us, 33, 34, func(v, s float64) float64 { return v - 4.5 })
			span(us, 34, 36, func(v, s float64) float64 { return v - 2 })
		}, Loss, [2]float64{31.5, 36}, [2]float64{30.5, 36}},
		{"a fall of less than a fifth", Options{}, func(us []float64) { span(us, 30, 60, func(v, s float64) float64 { return v * .85 }) }, Loss, [2]float64{0, 0}, [2]float64{0, 0}},
		{"a flat line", Options{}, func(us []float64) { span(us, 20, 40, func(float64, float64) float64 { return 5 }) }, Flat, [2]float64{20, 40}, [2]float64{20, 40}},
		{"flat for a moment", Options{}, func(us []float64) { span(us, 20, 24.8, func(float64, float64) float64 { return 5 }) }, Flat, [2]float64{0, 0}, [2]float64{0, 0}},
		{"the sensor's maximum", Options{SensorMaxUS: 8}, func(us []float64) { span(us, 20, 21, func(float64, float64) float64 { return 8 }) }, Saturated, [2]float64{20, 21}, [2]float64{20, 21}},
		{"a maximum nobody told of", Options{}, func(us []float64) { span(us, 20, 23, func(float64, float64) float64 { return 8 }) }, Saturated, [2]float64{20, 23}, [2]float64{20, 23}},
		{"a coarse sensor", Options{}, func(us []float64) {
			span(us, 0, 60, func(v, s float64) float64 { return math.Round(v*50) / 50 })
		}, Invalid, [2]float64{0, 0}, [2]float64{0, 0}},
		{"no value", Options{}, func(us []float64) { span(us, 20, 21, func(float64, float64) float64 { return math.NaN() }) }, Missing, [2]float64{20, 21}, [2]float64{20, 21}},
		{"no conductance", Options{}, func(us []float64) { span(us, 20, 21, func(float64, float64) float64 { return -1e200 }) }, Missing, [2]float64{20, 21}, [2]float64{20, 21}},
	}
	for _, tt := range tests {
		at, us := minute()
		tt.do(us)
		tt.o.Method = HighPass
		r := Analyze(at, us, tt.o)
		for i, f := range r.Flags {
			s := float64(i) / 50
			has := f&tt.flag != 0
			if s >= tt.all[0] && s < tt.all[1] && !has {
				t.Errorf("%s: not flagged at %.2f s (%v)", tt.name, s, f)
				break
			}
			if has && (s < tt.within[0] || s >= tt.within[1]) {
				t.Errorf("%s: flagged as %v at %.2f s", tt.name, f, s)
				break
			}
		}
	}
}

func TestTemperature(t *testing.T) {
	at, us := minute()
	c := slices.Repeat([]float64{33}, len(us))
	for i := range c {
		if i < 500 {
			c[i] = math.NaN() // not measured
		}
	}
	for i := 1500; i < 1550; i++ {
		c[i] = 25
	}
	r := Analyze(at, us, Options{Method: HighPass, TemperatureC: c})
	for i, f := range r.Flags {
		want := Flag(0)
		switch {
		case i >= 1500 && i < 1550:
			want = Temperature | Near
		case i >= 1250 && i < 1800:
			want = Near
		}
		if f&Temperature != 0 {
			f |= Near // to itself
		}
		if f != want {
			t.Fatalf("sample %d: %q, want %q", i, f, want)
		}
	}
}

// The reference recordings and the scripts are good recordings: no rule may
// object to them.
func TestGoodRecordingsHaveNoArtefacts(t *testing.T) {
	for seed := range uint64(8) {
		at, us := recorded(script.New(seed), 100, .001)
		for i, f := range Analyze(at, us, Options{Method: HighPass}).Flags {
			if f != 0 {
				t.Fatalf("script %d: sample %d has %v", seed, i, f)
			}
		}
	}
	for _, stem := range records {
		us, ref := load(t, stem)
		for i, f := range Analyze(regular(len(us), ref.Rate), us, Options{Method: HighPass}).Flags {
			if f != 0 {
				t.Fatalf("%s: sample %d has %v", stem, i, f)
			}
		}
	}
}

func TestResponsesThatTouchArtefacts(t *testing.T) {
	s := script.New(3)
	at, us := recorded(s, 100, .001)
	good := Analyze(at, us, Options{Method: HighPass})
	if len(good.Responses) < 3 || !good.Responses[0].Valid() || !good.Responses[1].Valid() {
		t.Fatalf("%+v", good.Responses)
	}
	first, second := good.Responses[0], good.Responses[1]
	bad := slices.Clone(us)
	for i := range bad {
		switch {
		case at[i] >= first.Peak && at[i] < first.Peak.Add(200*time.Millisecond):
			bad[i] = math.NaN()
		case at[i] >= second.Peak && at[i] < second.Peak.Add(100*time.Millisecond):
			bad[i] = .01
		}
	}
	r := Analyze(at, bad, Options{Method: HighPass})
	if f := r.Responses[0].Flags; f != Bridged {
		t.Errorf("with samples missing at its peak the first response has %q", f)
	}
	for _, x := range r.Responses {
		if d := x.Onset.Sub(second.Onset).Abs(); d < time.Second && x.Flags&(OutOfRange|Near) == 0 {
			t.Errorf("the response over the artefact has %q", x.Flags)
		}
	}
	sum := r.Summary(Stretch{})
	if got, want := sum.Responses, good.Summary(Stretch{}).Responses; got.N >= want.N || got.Flagged == 0 || want.Flagged != 0 {
		t.Errorf("%d responses counted, %d flagged; without artefacts %d and %d", got.N, got.Flagged, want.N, want.Flagged)
	}
	if got, want := sum.Responses.PerMinute, 60*float64(sum.Responses.N)/sum.ValidS; sum.Valid > .9 || math.Abs(got-want) > 1e-9 {
		t.Errorf("%v responses a minute of %v valid time, want %v", got, sum.Valid, want)
	}
	event := []instant.Instant{second.Onset.Add(-2 * time.Second)}
	if a, b := good.Related(event, EventWindow())[0], r.Related(event, EventWindow())[0]; a.N != 1 || b.N != 0 || b.Flags&OutOfRange == 0 {
		t.Errorf("the event is followed by %d responses, with an artefact by %d (%q)", a.N, b.N, b.Flags)
	}
}

func TestFlagNames(t *testing.T) {
	if got := (Missing | Near | Jump).String(); got != "missing, near, jump" {
		t.Errorf("%q", got)
	}
	seen := map[string]bool{}
	for _, f := range EveryFlag() {
		n := f.Names()
		if len(n) != 1 || seen[n[0]] || strings.TrimSpace(n[0]) == "" {
			t.Errorf("flag %d is called %q", f, n)
		}
		seen[n[0]] = true
	}
	if Flag(0).Names() != nil {
		t.Error("no flag has a name")
	}
}

// An electrode that is off for ten seconds must not pull the level down around it.
func TestElectrodeOffLeavesTheLevel(t *testing.T) {
	at, us := minute()
	at, us = append(at, at...), append(us, us...)
	for i := 3000; i < len(at); i++ {
		at[i] = at[i].Add(time.Minute)
	}
	for _, m := range []Method{HighPass, CVX} {
		want := Analyze(at, us, Options{Method: m}).Summary(Stretch{})
		off := slices.Clone(us)
		for i := 2750; i < 3250; i++ {
			off[i] = 0
		}
		r := Analyze(at, off, Options{Method: m})
		got := r.Summary(Stretch{})
		if len(r.Pieces) != 2 || math.Abs(got.SCLUS-want.SCLUS) > .05 || got.Responses.N != want.Responses.N {
			t.Errorf("%s: a level of %v µS and %d responses in %d pieces; without the loss %v and %d", m, got.SCLUS, got.Responses.N, len(r.Pieces), want.SCLUS, want.Responses.N)
		}
		for i, f := range r.Flags {
			if gone := i >= 2750 && i < 3250; (f&OutOfRange != 0) != gone || gone && (f&Unsplit == 0 || !math.IsNaN(r.Tonic[i])) {
				t.Fatalf("%s: sample %d has %q and the level %v", m, i, f, r.Tonic[i])
			}
		}
	}
}
