package eyemovement

import (
	"math"
	"time"
)

// IDTOptions are the parameters of dispersion-threshold identification. Zero
// fields have the usual values: 1 degree, 100 ms.
type IDTOptions struct {
	Rate          float64 // nominal rate in Hz; 0 takes it from the median interval
	DispersionDeg float64 // greatest width plus height of a fixation
	MinFixation   time.Duration
}

// IDT finds fixations as stretches of small extent (Salvucci and Goldberg 2000):
// a window of MinFixation whose width plus height is at most DispersionDeg grows
// until it is more; else it moves on by one sample. All other samples that are
// there are saccades. A missing sample ends a window. Widths and heights are in
// the flat degrees of Screen.Flat, as in the publication.
func IDT(g Gaze, s Screen, o IDTOptions) []Event {
	if g.Check() != nil || !s.Valid() || g.Len() < 2 {
		return nil
	}
	set(&o.DispersionDeg, 1)
	set(&o.MinFixation, 100*time.Millisecond)
	dt := interval(g, o.Rate)
	if dt <= 0 {
		return nil
	}
	least := max(1, int(math.Ceil(float64(o.MinFixation)/float64(dt))))
	breaks := breaksOver(g, breakLimit(0, dt))
	labels := make([]Class, g.Len())
	for i := range labels {
		if g.Valid(i) {
			labels[i] = Saccade
		}
	}
	var fixations [][2]int
	for i := 0; i+least <= len(labels); {
		end := within(g, s, breaks, i, o.DispersionDeg)
		if end-i < least {
			i++
			continue
		}
		fixations = append(fixations, [2]int{i, end - 1})
		i = end
	}
	for _, f := range fixations {
		for i := f[0]; i <= f[1]; i++ {
			labels[i] = Fixation
		}
	}
	speed := windowSpeed(g, s, 1, breaks)
	var events []Event
	next := 0 // fixations may touch each other, so they are told by their own ends
	runs(labels, breaks, func(c Class, first, last int) {
		if c != Fixation {
			events = append(events, describe(g, s, speed, dt, c, first, last))
			return
		}
		for ; next < len(fixations) && fixations[next][0] <= last; next++ {
			events = append(events, describe(g, s, speed, dt, c, fixations[next][0], fixations[next][1]))
		}
	})
	return events
}

// within returns the first sample after i at which width plus height of the
// samples from i on exceed limit, one is missing, or the stamps have a hole.
func within(g Gaze, s Screen, breaks []int, i int, limit float64) int {
	perWidth, perHeight := s.Flat()
	minX, maxX := math.Inf(1), math.Inf(-1)
	minY, maxY := minX, maxX
	k := i
	for ; k < g.Len() && g.Valid(k) && breaks[k] == breaks[i]; k++ {
		minX, maxX = min(minX, g.X[k]), max(maxX, g.X[k])
		minY, maxY = min(minY, g.Y[k]), max(maxY, g.Y[k])
		if (maxX-minX)*perWidth+(maxY-minY)*perHeight > limit {
			break
		}
	}
	return k
}
