package eyemovement

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/eyemovement/crf"
)

// Marked is a recording in which a person has marked what the eyes do.
type Marked struct {
	Gaze   Gaze
	Screen Screen
	Labels []Class // of each sample
	Weight float64 // how much it counts; 0 = 1
}

// FitOptions of FitModel. The zero value is the default.
type FitOptions struct {
	Rate float64 // of all recordings, Hz; 0 takes that of the first
	// Penalty of the field (crf.FitOptions): 1e-5.
	Penalty    float64
	Iterations int // at most; 0 = 600
	Progress   func(iteration int)
}

// FitModel fits a model of rapid movements to what people have marked. Samples
// that they, or Classify, took for a blink or could not name are left out. It
// takes seconds for a minute of gaze; ctx ends it.
func FitModel(ctx context.Context, recordings []Marked, o FitOptions) (*Model, error) {
	if len(recordings) == 0 {
		return nil, errors.New("eyemovement: nothing to fit a model to")
	}
	set(&o.Penalty, 1e-5)
	set(&o.Iterations, 600)
	step := interval(recordings[0].Gaze, o.Rate)
	if step <= 0 {
		return nil, errors.New("eyemovement: the first recording has no rate")
	}
	var taught []taught
	for i, r := range recordings {
		if err := r.Gaze.Check(); err != nil {
			return nil, fmt.Errorf("recording %d: %w", i+1, err)
		}
		if len(r.Labels) != r.Gaze.Len() || !r.Screen.Valid() {
			return nil, fmt.Errorf("eyemovement: recording %d has %d labels for %d samples, on a screen of %v", i+1, len(r.Labels), r.Gaze.Len(), r.Screen)
		}
		own := interval(r.Gaze, o.Rate) // each recording at its own rate: windows are times
		taught = append(taught, teach(r, own)...)
	}
	m := &Model{Rate: float64(time.Second) / float64(grid(step)), Mean: make([]float64, measured), SD: make([]float64, measured)}
	m.Low, m.High = slices.Repeat([]float64{math.Inf(1)}, measured), slices.Repeat([]float64{math.Inf(-1)}, measured)
	m.standardise(taught)
	m.Noise = math.Exp(m.Mean[noiseFeature]) - speedFloor
	var examples []crf.Example
	for _, t := range taught {
		e := crf.Example{States: t.states, Weight: t.weight}
		for i := range t.states {
			f := make([]float64, expanded)
			m.expand(t.rows[i*measured:(i+1)*measured], f)
			e.Features = append(e.Features, f)
		}
		examples = append(examples, e)
	}
	var err error
	m.Field, err = crf.Fit(ctx, rapidStates, examples, crf.FitOptions{
		Penalty: o.Penalty, Iterations: o.Iterations, Progress: o.Progress,
		// An oscillation is the end of a saccade.
		Barred: [][2]uint8{{stateSlow, statePSO}},
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// taught is a stretch of cells whose states are known.
type taught struct {
	rows   []float64
	states []uint8
	weight float64
}

// teach returns the stretches of a recording that are marked throughout.
func teach(r Marked, step time.Duration) (out []taught) {
	all := tracks(r.Gaze, r.Screen, step, BlinkOptions{}.withDefaults())
	noise := noiseOf(all)
	weight := r.Weight
	set(&weight, 1)
	for _, t := range all {
		if t.unusable {
			continue
		}
		rows := t.features(noise)
		marked := make([]int, len(t.class))
		for i := range marked {
			marked[i] = -1
		}
		for i, c := range t.cell {
			if !t.gone[c] && r.Gaze.Valid(t.first+i) {
				marked[c] = stateOf(r.Labels[t.first+i])
			}
		}
		for from := 0; from < len(marked); from++ {
			until := from
			var states []uint8
			for until < len(marked) && marked[until] >= 0 {
				if marked[until] == statePSO && len(states) > 0 && states[len(states)-1] == stateSlow {
					break // without a saccade: the rest of it teaches nothing
				}
				states = append(states, uint8(marked[until]))
				until++
			}
			if until > from {
				// A second counts as much at every rate.
				out = append(out, taught{rows[from*measured : until*measured], states, weight / t.rate})
			}
			from = until
		}
	}
	return out
}

// stateOf is the field's state of a class, or -1.
func stateOf(c Class) int {
	switch c {
	case Fixation, Pursuit:
		return stateSlow
	case Saccade:
		return stateSaccade
	case PSO:
		return statePSO
	}
	return -1
}

// standardise takes mean, standard deviation and range of each feature.
func (m *Model) standardise(all []taught) {
	n := 0.0
	for _, t := range all {
		for i, v := range t.rows {
			m.Mean[i%measured] += v
			m.SD[i%measured] += v * v
			m.Low[i%measured], m.High[i%measured] = min(m.Low[i%measured], v), max(m.High[i%measured], v)
		}
		n += float64(len(t.states))
	}
	for i := range measured {
		m.Mean[i] /= n
		m.SD[i] = math.Sqrt(max(0, m.SD[i]/n-m.Mean[i]*m.Mean[i]))
		if m.SD[i] < 1e-9 {
			m.SD[i] = 1 // the same everywhere: it says nothing
		}
	}
}

// Round leaves so many significant digits of every number, so that the model
// can be kept as text.
func (m *Model) Round(digits int) {
	round := func(x []float64) {
		for i, v := range x {
			if v != 0 {
				scale := math.Pow(10, float64(digits-1)-math.Floor(math.Log10(math.Abs(v))))
				x[i] = math.Round(v*scale) / scale
			}
		}
	}
	noise := []float64{m.Noise}
	round(noise)
	m.Noise = noise[0]
	round(m.Mean)
	round(m.SD)
	round(m.Low)
	round(m.High)
	for i := range m.Field.Weights {
		round(m.Field.Weights[i])
		round(m.Field.Transitions[i])
	}
}
