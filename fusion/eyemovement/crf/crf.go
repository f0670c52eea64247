// Package crf is a linear-chain conditional random field (Lafferty, McCallum and
// Pereira 2001): it gives every sample of a sequence the state that, together
// with those before and after it, its features speak for.
//
// A sequence of states s has the score
//
//	Σ_t features(t)·Weights[s_t] + Σ_t Transitions[s_(t-1)][s_t]
//
// and a probability that grows with it exponentially. Decode finds the sequence
// with the highest score (Viterbi); Fit finds the weights under which what
// people have marked is most probable.
package crf

import (
	"fmt"
	"math"
)

// Never is the score of a transition that cannot be: no features outweigh it.
const Never = -1e6

// Model is what was fitted, for len(Transitions) states.
type Model struct {
	Weights     [][]float64 `json:"weights"`     // of each state: one a feature
	Transitions [][]float64 `json:"transitions"` // from, to
}

// Check returns an error when the model is not one of so many features.
func (m Model) Check(features int) error {
	if len(m.Transitions) == 0 || len(m.Weights) != len(m.Transitions) {
		return fmt.Errorf("crf: weights of %d states, transitions of %d", len(m.Weights), len(m.Transitions))
	}
	for s, w := range m.Weights {
		if len(w) != features || len(m.Transitions[s]) != len(m.Transitions) {
			return fmt.Errorf("crf: state %d has %d weights and %d transitions, need %d and %d", s, len(w), len(m.Transitions[s]), features, len(m.Transitions))
		}
		for _, v := range append(append([]float64(nil), w...), m.Transitions[s]...) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("crf: state %d has a weight of %v", s, v)
			}
		}
	}
	return nil
}

// Decode returns the most probable states of a sequence of n samples. features
// writes those of sample t.
func (m Model) Decode(n int, features func(t int, f []float64)) []uint8 {
	if n <= 0 {
		return nil
	}
	states := len(m.Transitions)
	from := make([]uint8, n*states) // the state before, on the best way to each
	f := make([]float64, len(m.Weights[0]))
	best, next := make([]float64, states), make([]float64, states)
	for t := range n {
		features(t, f)
		for s := range states {
			score, before := 0.0, 0
			if t > 0 {
				score = math.Inf(-1)
				for q := range states {
					if v := best[q] + m.Transitions[q][s]; v > score {
						score, before = v, q
					}
				}
			}
			from[t*states+s] = uint8(before)
			next[s] = score + dot(m.Weights[s], f)
		}
		best, next = next, best
	}
	path := make([]uint8, n)
	last := 0
	for s := range states {
		if best[s] > best[last] {
			last = s
		}
	}
	for t := n - 1; t >= 0; t-- {
		path[t] = uint8(last)
		last = int(from[t*states+last])
	}
	return path
}

func dot(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
