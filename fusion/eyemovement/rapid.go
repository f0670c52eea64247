package eyemovement

import (
	"math"
	"slices"
	"time"
)

// Windows of the features. Saccades last 20 to 100 ms; nothing slower than
// shortWindow can show where one begins.
const (
	shortWindow = 10 * time.Millisecond
	broadWindow = 20 * time.Millisecond
	// slowWindow is the window of the running median that follows the slow movement.
	slowWindow = 100 * time.Millisecond
	// reachWindow is how far before and after a sample the fastest one is looked
	// for: as far as a saccade and its oscillations go.
	reachWindow = 80 * time.Millisecond
)

// States of the field.
const (
	stateSlow = iota
	stateSaccade
	statePSO
	rapidStates
)

// rapidClasses are the classes of the states.
var rapidClasses = [rapidStates]Class{Fixation, Saccade, PSO}

// measured is how many features are measured of a sample; noiseFeature is the
// one that is the same for the whole recording.
const (
	measured     = 7
	noiseFeature = 5
)

// split reckons the velocity against the slow movement: the short velocity less
// the running median of both its parts. A saccade stays out of the median as
// long as it fills less than half of slowWindow.
func (t *track) split() {
	if t.unusable {
		return
	}
	n := len(t.right)
	velocity := func(half int) (vx, vy []float64) {
		vx, vy = make([]float64, n), make([]float64, n)
		for i := range n {
			vx[i], vy[i] = slope(t.right, i, half, 0, n, t.rate), slope(t.down, i, half, 0, n, t.rate)
		}
		return vx, vy
	}
	var bx, by []float64
	t.vx, t.vy = velocity(t.half(shortWindow))
	bx, by = velocity(t.half(broadWindow))
	sx, sy := runningMedian(t.vx, t.half(slowWindow)), runningMedian(t.vy, t.half(slowWindow))
	t.fast, t.broad = make([]float64, n), make([]float64, n)
	for i := range n {
		t.fast[i] = math.Hypot(t.vx[i]-sx[i], t.vy[i]-sy[i])
		t.broad[i] = math.Hypot(bx[i]-sx[i], by[i]-sy[i])
	}
}

// runningMedian is the median of the values up to half before and after each.
func runningMedian(x []float64, half int) []float64 {
	out := make([]float64, len(x))
	var sorted []float64
	for i := -half; i < len(x); i++ {
		if come := i + half; come < len(x) {
			k, _ := slices.BinarySearch(sorted, x[come])
			sorted = slices.Insert(sorted, k, x[come])
		}
		if gone := i - half - 1; gone >= 0 {
			k, _ := slices.BinarySearch(sorted, x[gone])
			sorted = slices.Delete(sorted, k, k+1)
		}
		if i >= 0 {
			out[i] = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
		}
	}
	return out
}

// noiseOf is the median speed against the slow movement over all tracks, deg/s:
// most of the time eyes are slow, and what is left is the tracker's noise.
func noiseOf(all []*track) float64 {
	var speeds []float64
	for _, t := range all {
		for i, v := range t.fast {
			if !t.gone[i] {
				speeds = append(speeds, v)
			}
		}
	}
	return median(speeds)
}

// features returns the measured features of all cells, one after the other:
//
//	0 log of the short speed, 1 of the broad one (deg/s, both against the slow movement)
//	2 log of the acceleration, deg/s²
//	3, 4 log of the highest short speed up to reachWindow before and after
//	5 log of the recording's noise
//	6 growth of the logarithm of the short speed, per 10 ms
func (t *track) features(noise float64) []float64 {
	n := len(t.fast)
	reach := t.cells(reachWindow)
	f := make([]float64, n*measured)
	level := make([]float64, n)
	for i, v := range t.fast {
		level[i] = math.Log(v + speedFloor)
	}
	before, after := pastMax(level, reach), pastMax(reversed(level), reach)
	quiet := math.Log(noise + speedFloor)
	for i := range n {
		a, b := max(0, i-1), min(n-1, i+1)
		span := float64(max(1, b-a)) / t.rate
		row := f[i*measured : (i+1)*measured]
		row[0] = level[i]
		row[1] = math.Log(t.broad[i] + speedFloor)
		row[2] = math.Log(math.Hypot(t.vx[b]-t.vx[a], t.vy[b]-t.vy[a])/span + accelerationFloor)
		row[3], row[4] = before[i], after[n-1-i]
		row[noiseFeature] = quiet
		row[6] = max(-growthLimit, min(growthLimit, (level[b]-level[a])/span/100))
	}
	return f
}

// What is added before taking a logarithm: slower differences say nothing.
const (
	speedFloor        = 2.   // deg/s
	accelerationFloor = 200. // deg/s²
	growthLimit       = 3.   // twentyfold in 10 ms
)

func reversed(x []float64) []float64 {
	y := slices.Clone(x)
	slices.Reverse(y)
	return y
}

// pastMax is the highest of each value and the reach before it.
func pastMax(x []float64, reach int) []float64 {
	out := make([]float64, len(x))
	var falling []int // indices of values of which none later is higher
	for i, v := range x {
		for len(falling) > 0 && x[falling[len(falling)-1]] <= v {
			falling = falling[:len(falling)-1]
		}
		falling = append(falling, i)
		if falling[0] < i-reach {
			falling = falling[1:]
		}
		out[i] = x[falling[0]]
	}
	return out
}

// expanded is how many features the field has: 1, those measured, and their
// products.
const expanded = 1 + measured + measured*(measured+1)/2

// expand writes the field's features of one cell. What lies beyond anything that
// the model was fitted to counts as the farthest that did not: products of
// features would carry it anywhere.
func (m *Model) expand(row, f []float64) {
	var z [measured]float64
	for i, v := range row {
		z[i] = (max(m.Low[i], min(m.High[i], v)) - m.Mean[i]) / m.SD[i]
	}
	f[0] = 1
	copy(f[1:], z[:])
	k := 1 + measured
	for i, a := range z {
		for _, b := range z[i:] {
			f[k] = a * b
			k++
		}
	}
}

// rapid finds saccades and oscillations; all else that was measured is slow, and
// called a fixation for now.
func (t *track) rapid(m *Model, noise float64) {
	if t.unusable {
		return
	}
	f := t.features(noise)
	states := m.Field.Decode(len(t.fast), func(i int, out []float64) {
		m.expand(f[i*measured:(i+1)*measured], out)
	})
	for i, s := range states {
		if !t.gone[i] {
			t.class[i] = rapidClasses[s]
		}
	}
	t.dropLong(PSO, t.cells(longestPSO))
}

// longestPSO is twice what people mark; what shakes for longer is noise.
const longestPSO = 100 * time.Millisecond

// dropLong calls slow what would be a run of more cells of a class than that.
func (t *track) dropLong(c Class, longest int) {
	for a := 0; a < len(t.class); a++ {
		b := a
		for b < len(t.class) && t.class[b] == c {
			b++
		}
		if b-a > longest {
			for k := a; k < b; k++ {
				t.class[k] = Fixation
			}
		}
		a = max(a, b-1)
	}
}
