package eyemovement

import (
	"math"

	"emolab/fusion/instant"
)

// Ambient is the coefficient K of one fixation: how much longer it lasted than
// usual, less how much larger the saccade after it was than usual, both in
// standard deviations of the recording. Above 0 attention is focal, below it is
// ambient (Krejtz, Duchowski, Krejtz, Szarkowska, Chernyak 2016).
type Ambient struct {
	From, Until instant.Instant // of the fixation
	K           float64
}

// CoefficientK returns K for each fixation that a saccade follows directly. By
// construction the mean over all of them is 0: it is for comparing stretches of
// a recording, by MeanK. It is empty when durations or amplitudes do not differ.
func CoefficientK(events []Event) []Ambient {
	var out []Ambient
	var durations, amplitudes []float64
	for i := 0; i+1 < len(events); i++ {
		f, s := events[i], events[i+1]
		if f.Class != Fixation || s.Class != Saccade || !finite(s.AmplitudeDeg) {
			continue
		}
		out = append(out, Ambient{From: f.From, Until: f.Until})
		durations = append(durations, f.Until.Sub(f.From).Seconds())
		amplitudes = append(amplitudes, s.AmplitudeDeg)
	}
	if !standardise(durations) || !standardise(amplitudes) {
		return nil
	}
	for i := range out {
		out[i].K = durations[i] - amplitudes[i]
	}
	return out
}

// MeanK is the mean K of the fixations that begin from from on and before until;
// NaN of none.
func MeanK(k []Ambient, from, until instant.Instant) float64 {
	var in []float64
	for _, a := range k {
		if a.From >= from && a.From < until {
			in = append(in, a.K)
		}
	}
	return mean(in)
}

// standardise turns x into standard scores; false when its values do not differ.
func standardise(x []float64) bool {
	m := mean(x)
	var squares float64
	for _, v := range x {
		squares += (v - m) * (v - m)
	}
	sd := math.Sqrt(ratio(squares, float64(len(x))))
	if !(sd > 0) {
		return false
	}
	for i := range x {
		x[i] = (x[i] - m) / sd
	}
	return true
}
