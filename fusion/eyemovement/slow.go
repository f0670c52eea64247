package eyemovement

import (
	"math"
	"time"
)

// SlowOptions say what is pursuit. The zero value is the default.
type SlowOptions struct {
	// Window of the least-squares velocity: 250 ms. It does not reach over the end
	// of a slow stretch.
	Window time.Duration
	// ThresholdDegS is the velocity from which on the eye pursues: 2.5 °/s. Drift
	// in fixations stays below 2 °/s, pursuit of what is hard to see begins there.
	ThresholdDegS float64
	// Min is how long pursuit, and a pause in it, last at least: 120 ms, about the
	// latency of pursuit.
	Min time.Duration
}

func (o SlowOptions) withDefaults() SlowOptions {
	set(&o.Window, 250*time.Millisecond)
	set(&o.ThresholdDegS, 2.5)
	set(&o.Min, 120*time.Millisecond)
	return o
}

// pursuit parts the slow stretches between rapid movements and blinks into
// fixation and pursuit.
func (t *track) pursuit(o SlowOptions) {
	half, shortest := t.half(o.Window), t.cells(o.Min)
	for from := 0; from < len(t.class); from++ {
		if t.class[from] != Fixation {
			continue
		}
		until := from
		for until < len(t.class) && t.class[until] == Fixation {
			until++
		}
		moves := make([]bool, until-from)
		for i := range moves {
			v := math.Hypot(slope(t.right, from+i, half, from, until, t.rate), slope(t.down, from+i, half, from, until, t.rate))
			moves[i] = v > o.ThresholdDegS
		}
		dropShort(moves, true, shortest)
		dropShort(moves, false, shortest)
		for i, m := range moves {
			if m {
				t.class[from+i] = Pursuit
			}
		}
		from = until
	}
}

// dropShort turns runs of a value that are shorter than that into the other. What
// is not true at an end stays: the stretch begins or ends with it.
func dropShort(x []bool, value bool, shortest int) {
	for a := 0; a < len(x); a++ {
		if x[a] != value {
			continue
		}
		b := a
		for b < len(x) && x[b] == value {
			b++
		}
		inside := a > 0 && b < len(x)
		if b-a < shortest && (value || inside) {
			for k := a; k < b; k++ {
				x[k] = !value
			}
		}
		a = b
	}
}
