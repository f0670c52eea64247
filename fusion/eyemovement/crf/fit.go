package crf

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Example is a sequence whose states are known.
type Example struct {
	Features [][]float64 // of each sample
	States   []uint8     // of each sample
	Weight   float64     // how much it counts; 1 = as it is
}

// FitOptions of Fit.
type FitOptions struct {
	// Penalty on the sum of the squared weights, beside the mean negative
	// logarithm of the probability per sample. It must be above 0: then there is
	// one best model, whatever the features.
	Penalty float64
	// Barred are transitions that cannot be, from and to. The examples have none.
	Barred [][2]uint8
	// Iterations at most; 0 = 1000.
	Iterations int
	// Progress is told after each iteration; it may be nil.
	Progress func(iteration int)
}

// Fit returns the model of so many states under which the examples are most
// probable, less the penalty. The problem is convex; it is solved by L-BFGS. A
// fit whose context ends returns its cause after the iteration that runs.
func Fit(ctx context.Context, states int, examples []Example, o FitOptions) (Model, error) {
	p := problem{states: states, examples: examples, penalty: o.Penalty, barred: make([]bool, states*states)}
	for _, b := range o.Barred {
		if int(b[0]) >= states || int(b[1]) >= states {
			return Model{}, fmt.Errorf("crf: from state %d to %d is barred, need states below %d", b[0], b[1], states)
		}
		p.barred[int(b[0])*states+int(b[1])] = true
	}
	for _, e := range examples {
		if len(e.States) != len(e.Features) {
			return Model{}, fmt.Errorf("crf: %d states for %d samples", len(e.States), len(e.Features))
		}
		for t, f := range e.Features {
			if p.features == 0 {
				p.features = len(f)
			}
			if len(f) != p.features || int(e.States[t]) >= states {
				return Model{}, fmt.Errorf("crf: sample %d has %d features and state %d, need %d and one below %d", t, len(f), e.States[t], p.features, states)
			}
			if t > 0 && p.barred[int(e.States[t-1])*states+int(e.States[t])] {
				return Model{}, fmt.Errorf("crf: sample %d goes from state %d to %d, which is barred", t, e.States[t-1], e.States[t])
			}
		}
		p.total += e.Weight * float64(len(e.States))
	}
	if !(p.total > 0) || !(o.Penalty > 0) || states < 2 {
		return Model{}, errors.New("crf: nothing to fit: give examples, two states or more and a penalty above 0")
	}
	iterations := o.Iterations
	if iterations == 0 {
		iterations = 1000
	}
	result, err := optimize.Minimize(optimize.Problem{Func: p.value, Grad: p.gradient},
		make([]float64, states*(p.features+states)),
		&optimize.Settings{
			MajorIterations:   iterations,
			GradientThreshold: 1e-6,
			Converger:         &optimize.FunctionConverge{Relative: 1e-9, Iterations: 20},
			Recorder:          progress{ctx, o.Progress},
		}, &optimize.LBFGS{Store: 20})
	switch {
	case ctx.Err() != nil:
		return Model{}, context.Cause(ctx)
	case result == nil:
		return Model{}, fmt.Errorf("crf: fit: %w", err)
	}
	// A line search that cannot go on at the limit of the numbers has arrived.
	m := p.model(result.X)
	for _, b := range o.Barred {
		m.Transitions[b[0]][b[1]] = Never
	}
	return m, nil
}

// progress tells of iterations, and ends the search with the context.
type progress struct {
	ctx  context.Context
	tell func(int)
}

func (progress) Init() error { return nil }

func (p progress) Record(_ *optimize.Location, op optimize.Operation, s *optimize.Stats) error {
	if p.tell != nil && op == optimize.MajorIteration {
		p.tell(s.MajorIterations)
	}
	return context.Cause(p.ctx)
}

// problem is the negative log-likelihood as a function of all weights.
type problem struct {
	states, features int
	examples         []Example
	total            float64 // weighted samples
	penalty          float64
	barred           []bool // transitions, from·states + to

	at   []float64 // where value and grad were last reckoned
	cost float64
	grad []float64
}

func (p *problem) value(x []float64) float64 {
	p.reckon(x)
	return p.cost
}

func (p *problem) gradient(grad, x []float64) {
	p.reckon(x)
	copy(grad, p.grad)
}

// model shares x.
func (p *problem) model(x []float64) Model {
	m := Model{Weights: make([][]float64, p.states), Transitions: make([][]float64, p.states)}
	rest := x[p.states*p.features:]
	for s := range p.states {
		m.Weights[s] = x[s*p.features : (s+1)*p.features]
		m.Transitions[s] = rest[s*p.states : (s+1)*p.states]
	}
	return m
}

// reckon fills in cost and grad for x.
func (p *problem) reckon(x []float64) {
	if equal(p.at, x) {
		return
	}
	p.at = append(p.at[:0], x...)
	p.grad = make([]float64, len(x))
	p.cost = 0
	m, g := p.model(x), p.model(p.grad)
	w := work{barred: p.barred}
	for _, e := range p.examples {
		p.cost += w.add(m, g, e, e.Weight/p.total)
	}
	for i, v := range x {
		p.cost += p.penalty * v * v
		p.grad[i] += 2 * p.penalty * v
	}
}

func equal(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// work is the space of the forward-backward algorithm.
type work struct {
	barred                         []bool
	score, forward, backward, step []float64
}

// add adds an example's share of the gradient to g and returns its share of the
// cost: the logarithm of the sum over all sequences of states, less the score of
// the one that is marked. The sums are scaled to 1 at each sample (Rabiner 1989).
func (w *work) add(m, g Model, e Example, weight float64) (cost float64) {
	n, k := len(e.States), len(m.Transitions)
	if n == 0 || weight == 0 {
		return 0
	}
	w.size(n*k, k*k)
	for q := range k {
		for s := range k {
			w.step[q*k+s] = 0
			if !w.barred[q*k+s] {
				w.step[q*k+s] = math.Exp(m.Transitions[q][s])
			}
		}
	}
	for t, f := range e.Features {
		row := w.score[t*k : (t+1)*k]
		top := math.Inf(-1)
		for s := range k {
			row[s] = dot(m.Weights[s], f)
			top = max(top, row[s])
		}
		cost += top - row[e.States[t]]
		for s := range k {
			row[s] = math.Exp(row[s] - top)
		}
		sum := 0.0
		for s := range k {
			come := 1.0
			if t > 0 {
				come = 0
				for q := range k {
					come += w.forward[(t-1)*k+q] * w.step[q*k+s]
				}
			}
			w.forward[t*k+s] = come * row[s]
			sum += come * row[s]
		}
		for s := range k {
			w.forward[t*k+s] /= sum
		}
		cost += math.Log(sum)
		if t > 0 {
			cost -= m.Transitions[e.States[t-1]][e.States[t]]
		}
	}
	w.gradient(g, e, weight)
	return cost * weight
}

func (w *work) size(samples, steps int) {
	if cap(w.score) < samples {
		w.score, w.forward, w.backward = make([]float64, samples), make([]float64, samples), make([]float64, samples)
	}
	w.score, w.forward, w.backward = w.score[:samples], w.forward[:samples], w.backward[:samples]
	if len(w.step) != steps {
		w.step = make([]float64, steps)
	}
}

// gradient goes back through the sequence: how often each feature and each
// transition is expected, less how often it is there.
func (w *work) gradient(g Model, e Example, weight float64) {
	k := len(g.Transitions)
	pair := make([]float64, k*k)
	for t := len(e.States) - 1; t >= 0; t-- {
		sum := 0.0
		for s := range k {
			v := 1.0
			if t+1 < len(e.States) {
				v = 0
				for q := range k {
					v += w.step[s*k+q] * w.score[(t+1)*k+q] * w.backward[(t+1)*k+q]
				}
			}
			w.backward[t*k+s] = v
			sum += v * w.forward[t*k+s]
		}
		for s := range k {
			w.backward[t*k+s] /= sum
			p := w.forward[t*k+s] * w.backward[t*k+s]
			if int(e.States[t]) == s {
				p--
			}
			if p != 0 {
				row := g.Weights[s]
				for i, v := range e.Features[t] {
					row[i] += weight * p * v
				}
			}
		}
		if t == 0 {
			break
		}
		sum = 0
		for q := range k {
			for s := range k {
				pair[q*k+s] = w.forward[(t-1)*k+q] * w.step[q*k+s] * w.score[t*k+s] * w.backward[t*k+s]
				sum += pair[q*k+s]
			}
		}
		for q := range k {
			for s := range k {
				g.Transitions[q][s] += weight * pair[q*k+s] / sum
			}
		}
		g.Transitions[e.States[t-1]][e.States[t]] -= weight
	}
}
