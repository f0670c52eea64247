package eda

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

// maxRise is the longest that a response rises for (Boucsein et al. 2012: 0.5
// to 5 s).
const maxRise = 5 * time.Second

// Response is one skin-conductance response, from trough to peak.
type Response struct {
	// Onset is the trough before it. Scored TroughToPeak, it lies 0.25 to 0.45 s
	// before the true one of a simulated response with a sharp beginning, because
	// the low-pass at 1 Hz without phase shift smears it to both sides. OnPhasic
	// does not have that.
	Onset, Peak instant.Instant
	AmplitudeUS float64 // peak minus trough, µS
	RiseS       float64 // from onset to peak, s
	// SlopeUSS is the steepest rise within it, µS/s.
	SlopeUSS float64
	// HalfRecoveryS is the time from the peak until half the amplitude is gone,
	// in s; NaN when the next response or the end came first.
	HalfRecoveryS float64
	// Flags are those of the samples from its onset to its half recovery (or peak),
	// Bridged where some were lost in between, and NoOnset where it began before
	// the record: Onset is then Peak, and AmplitudeUS, RiseS and SlopeUSS are NaN.
	Flags Flag

	fall []float64 // the signal from the peak on, while it may be recovering
	rate float64   // of fall, Hz
}

// Valid tells whether no artefact touches the response.
func (r Response) Valid() bool { return r.Flags&(Invalid|NoOnset) == 0 }

// responses finds trough-to-peak responses of at least threshold: every local
// maximum of x with the latest local minimum before it, or, where that is more
// than 5 s away because the level rises on its own, with the point where the
// signal bends upward.
func (g grid) responses(x []float64, threshold float64) []Response {
	troughs := filter.Troughs(x)
	var found []Response
	k := -1
	for _, p := range filter.Peaks(x) {
		for k+1 < len(troughs) && troughs[k+1] < p {
			k++
		}
		trough := -1
		if k >= 0 {
			trough = troughs[k]
		}
		o := onset(x, trough, p, g.rate)
		if o < 0 || x[p]-x[o] < threshold {
			continue
		}
		found = append(found, g.response(x, o, p))
	}
	return found
}

// response describes the one from x[o] to x[p].
func (g grid) response(x []float64, o, p int) Response {
	slope := 0.0
	for i := o; i < p; i++ {
		slope = max(slope, (x[i+1]-x[i])*g.rate)
	}
	return Response{
		Onset: g.at(o), Peak: g.at(p),
		AmplitudeUS:   x[p] - x[o],
		RiseS:         float64(p-o) / g.rate,
		SlopeUSS:      slope,
		HalfRecoveryS: math.NaN(),
		fall:          x[p:],
		rate:          g.rate,
	}
}

// onset is the latest trough before peak p, -1 = none. A rise longer than
// maxRise is the level's at first: the response in it begins where the signal
// bends upward most, before its steepest ascent. -1 when neither is there to be
// seen.
func onset(x []float64, trough, p int, rate float64) int {
	from := p - int(maxRise.Seconds()*rate)
	if trough >= 0 && trough >= from {
		return trough
	}
	if from < 1 {
		return -1
	}
	steepest := from
	for i := from; i < p; i++ {
		if x[i+1]-x[i] > x[steepest+1]-x[steepest] {
			steepest = i
		}
	}
	bend := func(i int) float64 { return x[i+1] - 2*x[i] + x[i-1] }
	o := from
	for i := from; i < steepest; i++ {
		if bend(i) > bend(o) {
			o = i
		}
	}
	if o == from {
		return -1 // it bends nowhere: the level alone
	}
	return o
}

// recoveries fills in HalfRecoveryS: the first sample after the peak, not beyond
// the next response's onset, that has lost half the amplitude.
func recoveries(found []Response) {
	for i := range found {
		r := &found[i]
		if r.fall == nil {
			continue
		}
		until := len(r.fall) - 1
		if i+1 < len(found) {
			until = min(until, int(math.Round(found[i+1].Onset.Sub(r.Peak).Seconds()*r.rate)))
		}
		half := r.fall[0] - r.AmplitudeUS/2
		for j := 1; j <= until; j++ {
			if r.fall[j] <= half {
				r.HalfRecoveryS = float64(j) / r.rate
				break
			}
		}
		r.fall = nil
	}
}

// relativeShare is the least prominence of a response by the Relative rule, as a
// share of the greatest (NeuroKit2's amplitude_min).
const relativeShare = 0.1

// relative finds responses in NeuroKit2's way (method "neurokit"): peaks of at
// least relativeShare of the greatest prominence, each with the closest trough
// before it; recovered at the sample that lies closest below half the amplitude,
// sought up to the lowest sample before the next peak.
func (g grid) relative(phasic []float64) []Response {
	peaks := filter.Peaks(phasic)
	prominences := filter.Prominences(phasic, peaks)
	if len(peaks) == 0 {
		return nil
	}
	least := relativeShare * slices.Max(prominences)
	troughs := filter.Troughs(phasic)
	var found []Response
	var at []int
	k := -1
	for j, p := range peaks {
		if prominences[j] < least {
			continue
		}
		for k+1 < len(troughs) && troughs[k+1] < p {
			k++
		}
		if k < 0 {
			nan := math.NaN()
			found = append(found, Response{Onset: g.at(p), Peak: g.at(p), AmplitudeUS: nan, RiseS: nan, SlopeUSS: nan, HalfRecoveryS: nan, Flags: NoOnset})
		} else {
			r := g.response(phasic, troughs[k], p)
			r.fall = nil // its recovery follows another rule
			found = append(found, r)
		}
		at = append(at, p)
	}
	for i := range found {
		if found[i].Flags&NoOnset != 0 {
			continue
		}
		until := len(phasic)
		if i+1 < len(at) {
			until = at[i+1]
		}
		found[i].HalfRecoveryS = closestBelow(phasic[at[i]:until], found[i].AmplitudeUS/2) / g.rate
	}
	return found
}

// closestBelow is the index of the sample of x, before its lowest one, that has
// lost at least drop of x[0] but least beyond that; NaN when none has, or when
// nothing lies below it.
func closestBelow(x []float64, drop float64) float64 {
	lowest := 0
	for i, v := range x {
		if v < x[lowest] {
			lowest = i
		}
	}
	best := -1
	for i, v := range x[:lowest] {
		if v <= x[0]-drop && (best < 0 || v > x[best]) {
			best = i
		}
	}
	if best < 0 || !(slices.Min(x[:lowest]) < x[best]) {
		return math.NaN()
	}
	return float64(best)
}
