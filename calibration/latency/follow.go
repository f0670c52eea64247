package latency

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// follows is the least correlation with the flashes at which a cell is said to
	// show them, and followsAlike that of further cells as a share of the best one's.
	follows      = .6
	followsAlike = .8
	// lookalike is the share of the best correlation with which a latency farther
	// away than lookalikeFrom makes the answer doubtful. The flashes' own is below .6.
	lookalike     = .8
	lookalikeFrom = 150 * time.Millisecond
)

// follow finds the cells whose light goes with the flashes, and by how much later,
// to about half a frame: where the correlation of the best cell is the highest.
func follow(stated []Edge, seen []Picture, period time.Duration) (late time.Duration, cells []int, err error) {
	columns, err := columnsOf(seen)
	if err != nil {
		return 0, nil, err
	}
	var (
		lates []time.Duration
		bests []float64 // the best cell's correlation at each latency
		alike []float64 // every cell's at the best latency
		at    int       // index of the best latency
	)
	state := make([]float64, len(seen))
	for l := searchFrom; l <= cameraUntil; l += max(period/2, time.Millisecond) {
		shown(state, stated, seen, l)
		standardise(state)
		now := make([]float64, len(columns))
		for c, column := range columns {
			now[c] = product(column, state)
		}
		lates, bests = append(lates, l), append(bests, slices.Max(now))
		if i := len(bests) - 1; i == 0 || bests[i] > bests[at] {
			at, alike = i, now
		}
	}
	if bests[at] < follows {
		return 0, nil, fmt.Errorf("latency: no part of the picture follows the flashes (the best agrees to %.0f %%): point the camera at the screen or at a mirror before it, bring it closer, and darken the room", 100*max(0, bests[at]))
	}
	for i, b := range bests {
		if (lates[i]-lates[at]).Abs() > lookalikeFrom && b > lookalike*bests[at] {
			return 0, nil, fmt.Errorf("latency: %.0f and %.0f ms are about equally good: is something else flashing before the camera?", inMs(lates[at]), inMs(lates[i]))
		}
	}
	for c, a := range alike {
		if a >= followsAlike*bests[at] {
			cells = append(cells, c)
		}
	}
	return lates[at], cells, nil
}

// columnsOf returns the course of each cell, standardised.
func columnsOf(seen []Picture) ([][]float64, error) {
	count := len(seen[0].Light)
	if count == 0 {
		return nil, fmt.Errorf("latency: the pictures have no cells")
	}
	columns := make([][]float64, count)
	for c := range columns {
		columns[c] = make([]float64, len(seen))
	}
	for i, p := range seen {
		if len(p.Light) != count {
			return nil, fmt.Errorf("latency: picture %d has %d cells and the first has %d", i, len(p.Light), count)
		}
		for c, v := range p.Light {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("latency: cell %d of picture %d has the light %v", c, i, v)
			}
			columns[c][i] = v
		}
	}
	for _, column := range columns {
		standardise(column)
	}
	return columns, nil
}

// shown fills in what the patch showed when each picture was taken, if its stamp
// is that late: 1 bright, 0 dark.
func shown(state []float64, stated []Edge, seen []Picture, late time.Duration) {
	next := 0
	bright := !stated[0].Bright
	for i, p := range seen {
		for next < len(stated) && stated[next].At <= p.At.Add(-late) {
			bright = stated[next].Bright
			next++
		}
		state[i] = 0
		if bright {
			state[i] = 1
		}
	}
}

// standardise takes the mean off values and makes their squares add up to 1; what
// does not vary becomes 0.
func standardise(values []float64) {
	var mean, squares float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i := range values {
		values[i] -= mean
		squares += values[i] * values[i]
	}
	scale := 0.
	if length := math.Sqrt(squares); length > 1e-12*math.Abs(mean) {
		scale = 1 / length
	}
	for i := range values {
		values[i] *= scale
	}
}

func product(a, b []float64) float64 {
	sum := 0.
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// reading is the light of the cells that follow, in one picture.
type reading struct {
	at    instant.Instant
	light float64
}

// lightOf is the light of some cells together: each counts by its contrast.
func lightOf(seen []Picture, cells []int) []reading {
	light := make([]reading, len(seen))
	for i, p := range seen {
		light[i].at = p.At
		for _, c := range cells {
			light[i].light += p.Light[c]
		}
	}
	return light
}
