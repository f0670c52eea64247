package crf

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sequence draws n samples of two states that stay as they are, with a feature
// that says a little of the state.
func sequence(r *rand.Rand, n int) Example {
	e := Example{Weight: 1}
	state := uint8(0)
	for range n {
		if r.Float64() < .05 {
			state = 1 - state
		}
		e.States = append(e.States, state)
		e.Features = append(e.Features, []float64{1, float64(state) + r.NormFloat64()})
	}
	return e
}

func decode(m Model, e Example) []uint8 {
	return m.Decode(len(e.States), func(t int, f []float64) { copy(f, e.Features[t]) })
}

func share(a, b []uint8) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// What single samples cannot tell, the sequence does: with a feature of one
// standard deviation a sample by itself is right in 69 % (Φ(.5)).
func TestFittedSequenceBeatsSingleSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m, err := Fit(t.Context(), 2, []Example{sequence(r, 3000)}, FitOptions{Penalty: 1e-4})
	if err != nil {
		t.Fatal(err)
	}
	e := sequence(r, 3000)
	got := share(decode(m, e), e.States)
	t.Logf("%.3f of the samples right", got)
	if got < .8 {
		t.Errorf("%.3f of the samples right, want .8", got)
	}
	// The log-odds of staying are ln(.95/.05) = 2.9 by construction.
	stay := m.Transitions[0][0] - m.Transitions[0][1] + m.Transitions[1][1] - m.Transitions[1][0]
	if math.Abs(stay/2-math.Log(19)) > .5 {
		t.Errorf("staying is worth %.2f, want about %.2f", stay/2, math.Log(19))
	}
}

func TestGradientIsThatOfTheCost(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := problem{states: 2, features: 2, examples: []Example{sequence(r, 40), sequence(r, 7)}, total: 47, penalty: .01, barred: make([]bool, 4)}
	x := make([]float64, 2*(2+2))
	for i := range x {
		x[i] = r.NormFloat64()
	}
	p.reckon(x)
	grad := append([]float64(nil), p.grad...)
	for i := range x {
		const h = 1e-5
		at := func(d float64) float64 {
			y := append([]float64(nil), x...)
			y[i] += d
			p.reckon(y)
			return p.cost
		}
		if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-grad[i]) > 1e-7 {
			t.Errorf("weight %d: gradient %v, slope %v", i, grad[i], slope)
		}
	}
}

// Decode against all sequences, tried one by one.
func TestDecodeFindsTheBestOfAll(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const states, n = 3, 6
	m := Model{Weights: make([][]float64, states), Transitions: make([][]float64, states)}
	for s := range states {
		m.Weights[s] = []float64{r.NormFloat64(), r.NormFloat64()}
		for range states {
			m.Transitions[s] = append(m.Transitions[s], r.NormFloat64())
		}
	}
	for range 50 {
		e := Example{}
		for range n {
			e.Features = append(e.Features, []float64{1, r.NormFloat64()})
			e.States = append(e.States, 0)
		}
		score := func(path []uint8) (s float64) {
			for t, q := range path {
				s += dot(m.Weights[q], e.Features[t])
				if t > 0 {
					s += m.Transitions[path[t-1]][q]
				}
			}
			return s
		}
		best := math.Inf(-1)
		for code := range 729 {
			path := make([]uint8, n)
			for t := range path {
				path[t], code = uint8(code%states), code/states
			}
			best = max(best, score(path))
		}
		if got := score(decode(m, e)); math.Abs(got-best) > 1e-9 {
			t.Fatalf("found a score of %v, the best is %v", got, best)
		}
	}
}

// A state that cannot follow is not found, however much its feature speaks for it.
func TestBarredTransitionsAreNotTaken(t *testing.T) {
	e := Example{Weight: 1}
	for i := range 300 { // 0, 1, 2, 0, 1, 2, ten samples each
		e.States = append(e.States, uint8(i/10%3))
		f := []float64{1, 0, 0, 0}
		f[1+i/10%3] = 1
		e.Features = append(e.Features, f)
	}
	m, err := Fit(t.Context(), 3, []Example{e}, FitOptions{Penalty: 1e-3, Barred: [][2]uint8{{0, 2}, {2, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	probe := Example{States: make([]uint8, 30)}
	for i := range probe.States {
		f := []float64{1, 1, 0, 0}
		if i >= 15 && i < 18 {
			f = []float64{1, 0, 0, 1}
		}
		probe.Features = append(probe.Features, f)
	}
	path := decode(m, probe)
	for i := 1; i < len(path); i++ {
		if path[i-1] == 0 && path[i] == 2 || path[i-1] == 2 && path[i] == 1 {
			t.Errorf("from %d to %d at sample %d", path[i-1], path[i], i)
		}
	}
	if _, err := Fit(t.Context(), 3, []Example{{Features: e.Features[:11], States: slices.Concat(e.States[:10], []uint8{2}), Weight: 1}}, FitOptions{Penalty: 1, Barred: [][2]uint8{{0, 2}}}); err == nil {
		t.Error("an example with a barred transition was fitted")
	}
}

func TestFitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	last := 0
	_, err := Fit(ctx, 2, []Example{sequence(rand.New(rand.NewPCG(1, 2)), 300)}, FitOptions{Penalty: 1e-6, Progress: func(i int) {
		if last = i; i == 2 {
			cancel(why)
		}
	}})
	if !errors.Is(err, why) || last != 2 {
		t.Errorf("after iteration %d: %v", last, err)
	}
}

func TestFitRefusesNonsense(t *testing.T) {
	for name, e := range map[string][]Example{
		"nothing":        nil,
		"lengths":        {{Features: [][]float64{{1}}, States: []uint8{0, 1}, Weight: 1}},
		"ragged":         {{Features: [][]float64{{1}, {1, 2}}, States: []uint8{0, 1}, Weight: 1}},
		"state unknown":  {{Features: [][]float64{{1}, {2}}, States: []uint8{0, 2}, Weight: 1}},
		"without weight": {{Features: [][]float64{{1}, {2}}, States: []uint8{0, 1}}},
	} {
		if _, err := Fit(t.Context(), 2, e, FitOptions{Penalty: 1}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Model{Weights: [][]float64{{1}, {2}}, Transitions: [][]float64{{0, 0}, {0, 0}}}
	if err := good.Check(1); err != nil {
		t.Error(err)
	}
	for name, m := range map[string]Model{
		"empty":       {},
		"features":    {Weights: [][]float64{{1, 2}, {2, 1}}, Transitions: good.Transitions},
		"transitions": {Weights: good.Weights, Transitions: [][]float64{{0}, {0, 0}}},
		"NaN":         {Weights: [][]float64{{math.NaN()}, {2}}, Transitions: good.Transitions},
	} {
		if m.Check(1) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
