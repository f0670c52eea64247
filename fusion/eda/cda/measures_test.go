package cda

import "math"

// What the references state of a whole decomposition. The product tells it of events, in
// Related of fusion/eda, with the artefacts left out.

// ISCR is the integral of the phasic driver from one time to another, in s after
// the first sample: its mean over the samples within, times the length of the
// window, in µS s. NaN where no sample lies within.
func (r Result) ISCR(fromS, untilS float64) float64 {
	first := max(0, int(math.Ceil((fromS-r.FirstS)*r.Rate-1e-9)))
	last := min(len(r.Driver)-1, int(math.Floor((untilS-r.FirstS)*r.Rate+1e-9)))
	if !(untilS > fromS) || last < first {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range r.Driver[first : last+1] {
		sum += v
	}
	return sum / float64(last-first+1) * (untilS - fromS)
}

// Activity is the area of the driver above zero over the whole recording, in µS s.
func (r Result) Activity() float64 {
	sum := 0.0
	for _, v := range r.Driver {
		sum += max(v, 0)
	}
	return sum / r.Rate
}
