package eda

import (
	"math"

	"emolab/fusion/filter"
)

// EDASymp (Posada-Quintero et al. 2016): the power of skin conductance between
// 0.045 and 0.25 Hz, where the sympathetic system modulates it.
const (
	sympLowHz, sympHighHz = 0.045, 0.25
	sympRate              = 2.0  // Hz, by means
	sympDriftHz           = 0.01 // what is slower is taken off, by a Butterworth filter of order 2
	sympSegment           = 128  // samples: 64 s, Blackman window, half overlapping
)

// Sympathetic is the spectral power of a stretch in the sympathetic band.
type Sympathetic struct {
	// PowerUS2 is the power in µS², Normalised its share of all power above 0.01 Hz,
	// 0..1. Both are NaN where no 64 s of valid samples follow each other without a
	// gap.
	PowerUS2, Normalised float64
	Segments             int     // windows of 64 s that were averaged
	UsedS                float64 // of signal that they cover, s
}

// sympathetic averages the spectra of all runs of valid samples: signal at 2 Hz,
// what is slower than 0.01 Hz taken off, windows of 64 s from the run's beginning,
// every 32 s; what is left at its end is not used. The power thus depends on where
// a run begins, much so where it has few windows and few responses.
func (r Result) sympathetic(first, last int) Sympathetic {
	s := Sympathetic{PowerUS2: math.NaN(), Normalised: math.NaN()}
	if r.Rate < sympRate {
		return s
	}
	window := filter.Blackman(sympSegment)
	var hz, density []float64
	for _, index := range r.runs(first, last) {
		k := max(1, int(math.Round(r.Rate/sympRate)))
		g := newGrid(r.at, r.us, index, sympRate*float64(k)) // so that k samples make 0.5 s
		x := filter.BlockMean(g.us, max(1, int(math.Round(g.rate/sympRate))))
		if len(x) < sympSegment {
			continue
		}
		x = filter.ZeroPhase(filter.Butterworth(2, sympDriftHz, sympRate, filter.High), x)
		f, d := filter.Welch(x, window, sympRate)
		n := 1 + (len(x)-sympSegment)/(sympSegment/2)
		if density == nil {
			hz, density = f, make([]float64, len(d))
		}
		for i, v := range d {
			density[i] += v * float64(n)
		}
		s.Segments += n
		s.UsedS += float64(sympSegment+(n-1)*sympSegment/2) / sympRate
	}
	if s.Segments == 0 {
		return s
	}
	for i := range density {
		density[i] /= float64(s.Segments)
	}
	s.PowerUS2 = filter.Trapezoid(hz, density, sympLowHz, sympHighHz)
	if total := filter.Trapezoid(hz, density, 0, math.Inf(1)); total > 0 {
		s.Normalised = s.PowerUS2 / total
	}
	return s
}

// runs are the stretches of valid samples without a gap.
func (r Result) runs(first, last int) [][]int {
	var runs [][]int
	var run []int
	for i := first; i < last; i++ {
		broken := r.Flags[i]&Invalid&^Missing != 0
		if n := len(run); n > 0 && (broken || r.at[i].Sub(r.at[run[n-1]]) > MaxGap) {
			runs, run = append(runs, run), nil
		}
		if r.Flags[i]&Invalid == 0 {
			run = append(run, i)
		}
	}
	if run != nil {
		runs = append(runs, run)
	}
	return runs
}
