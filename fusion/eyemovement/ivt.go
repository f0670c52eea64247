package eyemovement

import (
	"math"
	"slices"
	"time"
)

// Smoothing is what is done to the places before velocities are taken.
type Smoothing uint8

const (
	Raw     Smoothing = iota // nothing
	Median3                  // median of 3 samples, each axis by itself
	Mean3                    // mean of 3 samples
)

// Off, as a duration or a threshold of the options, leaves that step out. Zero
// stands for the default.
const Off = -1

// IVTOptions are the parameters of velocity-threshold identification. A zero
// field has the value of Tobii2012.
type IVTOptions struct {
	// Rate is the nominal rate in Hz; 0 takes it from the median interval.
	Rate float64
	// MaxGap is the longest time between the samples on both sides of a gap that
	// is filled in by a straight line.
	MaxGap time.Duration
	// Smoothing is the noise reduction before velocities are taken.
	Smoothing Smoothing
	// Window is the length over which a velocity is taken.
	Window time.Duration
	// ThresholdDegS parts fixations (below) from saccades, in deg/s.
	ThresholdDegS float64
	// Fixations with at most MergeGap between them, and at most MergeDeg between
	// their centres, become one.
	MergeGap time.Duration
	MergeDeg float64
	// MinFixation is the duration below which a fixation is discarded: its
	// samples are then undefined.
	MinFixation time.Duration
}

// Tobii2012 returns the values of the I-VT filter in Olsen, "The Tobii I-VT
// fixation filter" (2012).
func Tobii2012() IVTOptions {
	return IVTOptions{
		MaxGap: 75 * time.Millisecond, Window: 20 * time.Millisecond, ThresholdDegS: 30,
		MergeGap: 75 * time.Millisecond, MergeDeg: .5, MinFixation: 60 * time.Millisecond,
	}
}

// Ocumen returns the defaults of Tobii Ocumen, which merges more and discards
// more than Tobii2012.
func Ocumen() IVTOptions {
	o := Tobii2012()
	o.MergeGap, o.MergeDeg, o.MinFixation = 100*time.Millisecond, 3, 100*time.Millisecond
	return o
}

// withDefaults returns the options with each zero field set.
func (o IVTOptions) withDefaults() IVTOptions {
	d := Tobii2012()
	set(&o.MaxGap, d.MaxGap)
	set(&o.Window, d.Window)
	set(&o.ThresholdDegS, d.ThresholdDegS)
	set(&o.MergeGap, d.MergeGap)
	set(&o.MergeDeg, d.MergeDeg)
	set(&o.MinFixation, d.MinFixation)
	return o
}

func set[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// IVT finds fixations and saccades by a threshold of velocity: Salvucci and
// Goldberg (2000), in the form and with the steps of Olsen (2012). Samples of
// discarded fixations and missing ones are in no event. Velocities are true
// angles between lines of sight. A window has at least one sample on either side,
// so at low rates small saccades stay below the threshold: those under 2 degrees
// at 30 Hz. Nothing is found when g or s is not valid.
func IVT(g Gaze, s Screen, o IVTOptions) []Event {
	if g.Check() != nil || !s.Valid() || g.Len() < 2 {
		return nil
	}
	o = o.withDefaults()
	dt := interval(g, o.Rate)
	filled := smooth(bridge(g, o.MaxGap), o.Smoothing)
	breaks := breaksOver(g, breakLimit(o.MaxGap, dt))
	speed := windowSpeed(filled, s, halfWindow(o.Window, dt), breaks)
	labels := make([]Class, g.Len())
	for i, v := range speed {
		labels[i] = byThreshold(v, o.ThresholdDegS)
	}
	for _, f := range mergeFixations(filled, s, labels, breaks, o) {
		long := filled.At[f.last].Sub(filled.At[f.first])+dt >= o.MinFixation
		for i := f.first; i <= f.last; i++ {
			switch {
			case long:
				labels[i] = Fixation
			case labels[i] == Fixation: // what was fast within stays a saccade
				labels[i] = Undefined
			}
		}
	}
	var events []Event
	runs(labels, breaks, func(c Class, first, last int) {
		events = append(events, describe(filled, s, speed, dt, c, first, last))
	})
	return events
}

// breakLimit is the step between stamps above which nothing is said of what
// lies between: that of a gap, but never an ordinary interval.
func breakLimit(maxGap, interval time.Duration) time.Duration {
	return max(maxGap, interval+interval/2)
}

func byThreshold(speed, threshold float64) Class {
	switch {
	case math.IsNaN(speed):
		return Undefined
	case speed < threshold:
		return Fixation
	}
	return Saccade
}

// stretch is a run of samples with the sum of their places.
type stretch struct {
	first, last int
	n           int
	sumX, sumY  float64
}

func (r *stretch) add(g Gaze, first, last int) {
	for i := first; i <= last; i++ {
		if g.Valid(i) {
			r.n++
			r.sumX += g.X[i]
			r.sumY += g.Y[i]
		}
	}
	r.last = last
}

func (r *stretch) centre() (x, y float64) { return r.sumX / float64(r.n), r.sumY / float64(r.n) }

// mergeFixations returns the stretches of samples below the threshold, from
// left to right, neighbours that are close in time and place made one. A merged
// stretch holds what lay between, and its centre is taken anew.
func mergeFixations(g Gaze, s Screen, labels []Class, breaks []int, o IVTOptions) []stretch {
	var out []stretch
	runs(labels, breaks, func(c Class, first, last int) {
		if c != Fixation {
			return
		}
		r := stretch{first: first}
		r.add(g, first, last)
		if len(out) > 0 {
			if p := &out[len(out)-1]; breaks[p.last] == breaks[first] && g.At[first].Sub(g.At[p.last]) <= o.MergeGap {
				x0, y0 := p.centre()
				x1, y1 := r.centre()
				if s.Degrees(x0, y0, x1, y1) <= o.MergeDeg {
					p.add(g, p.last+1, last)
					return
				}
			}
		}
		out = append(out, r)
	})
	return out
}

// smooth returns the gaze with each sample that has both neighbours replaced by
// the median or mean of the three.
func smooth(g Gaze, how Smoothing) Gaze {
	if how == Raw {
		return g
	}
	three := func(a, b, c float64) float64 { return (a + b + c) / 3 }
	if how == Median3 {
		three = func(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
	}
	out := Gaze{At: g.At, X: slices.Clone(g.X), Y: slices.Clone(g.Y)}
	for i := 1; i+1 < g.Len(); i++ {
		if g.Valid(i-1) && g.Valid(i) && g.Valid(i+1) {
			out.X[i] = three(g.X[i-1], g.X[i], g.X[i+1])
			out.Y[i] = three(g.Y[i-1], g.Y[i], g.Y[i+1])
		}
	}
	return out
}
