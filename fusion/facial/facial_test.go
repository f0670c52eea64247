package facial

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/action"
	"emolab/fusion/expression"
)

func TestAgreement(t *testing.T) {
	for name, tc := range map[string]struct {
		p, evidence expression.Probabilities
		want        float64
	}{
		"sure of what is shown":      {expression.Probabilities{0, 1}, expression.Probabilities{.2, .8}, 1},
		"weakly shown":               {expression.Probabilities{0, 1}, expression.Probabilities{0, .1}, 1},
		"nothing speaks for it":      {expression.Probabilities{1}, expression.Probabilities{0, 1}, 0},
		"half sure":                  {expression.Probabilities{.5, .5}, expression.Probabilities{1}, .5},
		"half as much speaks for it": {expression.Probabilities{0, 0, 1}, expression.Probabilities{0, .6, .3}, .5},
		"spread":                     {expression.Probabilities{.1, .7, .2}, expression.Probabilities{.4, .6, .6}, .1*.4/.6 + .9},
		"no evidence":                {expression.Probabilities{1}, expression.Probabilities{nan}, nan},
		"no probabilities":           {expression.Probabilities{nan}, expression.Probabilities{1}, nan},
	} {
		if got := agreement(tc.p, tc.evidence); !(math.Abs(got-tc.want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(tc.want)) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestAgreementIsAShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (p expression.Probabilities) {
			for k := range p {
				p[k] = rapid.Float64Range(1e-6, 1).Draw(t, name)
			}
			return p
		}
		p, evidence := draw("p"), draw("evidence")
		var sum float64
		for _, v := range p {
			sum += v
		}
		for k := range p {
			p[k] /= sum
		}
		if a := agreement(p, evidence); !(a >= 0 && a <= 1+1e-12) {
			t.Fatalf("%v", a)
		}
		var sure expression.Probabilities
		sure[expression.Probabilities(evidence).Top()] = 1
		if a := agreement(sure, evidence); a != 1 {
			t.Fatalf("with what the evidence speaks for most: %v", a)
		}
	})
}

// person is a film of a generic head whose lids move, and its face at rest.
func person(long time.Duration) ([]Measured, *action.Neutral) {
	info := faceInfo(true)
	m := NewMeter(info)
	var frames []Measured
	e := eyes{open: 1, blinks: span{2 * time.Second, 200 * ms}.every(2*time.Second, long)}
	for t := time.Duration(0); t < long; t += 33 * ms {
		face := seen(10*math.Sin(t.Seconds()), (1-e.ratio(t))/shownShut*.3)
		v := wellSeen()
		frames = append(frames, m.Measure(sample(info, t, &face, v)))
	}
	return frames, &action.Neutral{Features: frames[0].Features, Scale: action.Floor()}
}

func TestDeriveWithANeutralFace(t *testing.T) {
	frames, n := person(10 * time.Second)
	d := Derive(frames, n, Options{})
	if !d.Calibrated || len(d.Rows) != len(frames) {
		t.Fatalf("%d rows of %d frames, calibrated %v", len(d.Rows), len(frames), d.Calibrated)
	}
	if got := blinksOf(t, d); len(got) != 4 {
		t.Errorf("%d blinks, want 4: %v", len(got), got)
	}
	for i, r := range d.Rows {
		if r.Measured != &frames[i] {
			t.Fatalf("row %d is not of its frame", i)
		}
		var sum float64
		for _, v := range r.AU {
			sum += v
		}
		for _, v := range r.Evidence {
			sum += v
		}
		if math.IsNaN(sum + r.Agreement + r.Blink) {
			t.Fatalf("row %d: %+v", i, r)
		}
		if want := n.Intensities(&frames[i].Features); r.AU != want {
			t.Fatalf("row %d has %v, want %v", i, r.AU, want)
		}
		if r.Agreement < 0 || r.Agreement > 1 {
			t.Fatalf("row %d: agreement %v", i, r.Agreement)
		}
	}
	if got := Derive(nil, n, Options{}); len(got.Rows) != 0 || len(got.Events) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// Without a neutral face no action unit is told, but blinks are found.
func TestDeriveWithoutANeutralFace(t *testing.T) {
	frames, _ := person(10 * time.Second)
	d := Derive(frames, nil, Options{})
	if d.Calibrated {
		t.Error("calibrated without a neutral face")
	}
	if got := blinksOf(t, d); len(got) != 4 {
		t.Errorf("%d blinks, want 4", len(got))
	}
	for i, r := range d.Rows {
		for u, v := range r.AU {
			if !math.IsNaN(v) {
				t.Fatalf("row %d: unit %d is %v", i, u, v)
			}
		}
		if !math.IsNaN(r.Agreement) || !slices.ContainsFunc(r.Evidence[:], math.IsNaN) {
			t.Fatalf("row %d: agreement %v, evidence %v", i, r.Agreement, r.Evidence)
		}
	}
}

func TestRowsWithoutAFace(t *testing.T) {
	frames, n := person(3 * time.Second)
	none := Measured{At: frames[50].At, Features: unknownFeatures(), EARRight: nan, EARLeft: nan}
	for k := range none.Expression {
		none.Expression[k] = nan
	}
	frames[50] = none
	for name, r := range map[string]Row{"derived": Derive(frames, n, Options{}).Rows[50], "live": One(none, n)} {
		if !math.IsNaN(r.AU[0]) || !math.IsNaN(r.Blink) || !math.IsNaN(r.Agreement) || !math.IsNaN(r.Evidence[1]) {
			t.Errorf("%s: a row without a face says %+v", name, r)
		}
	}
}

// A live row says what the final one says, but for the blink.
func TestLive(t *testing.T) {
	frames, n := person(6 * time.Second)
	final := Derive(frames, n, Options{})
	for i, m := range frames {
		r := One(m, n)
		if !math.IsNaN(r.Blink) {
			t.Fatalf("row %d: a blink is known before it ended", i)
		}
		if w := final.Rows[i]; *r.Measured != m || r.AU != w.AU || r.Agreement != w.Agreement {
			t.Fatalf("row %d: %+v, want %+v", i, r, w)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	frames, n := person(time.Minute)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		Derive(frames, n, Options{})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(frames)), "us/frame")
}

func BenchmarkOne(b *testing.B) {
	frames, n := person(time.Minute)
	b.ReportAllocs()
	for i := range b.N {
		One(frames[i%len(frames)], n)
	}
}
