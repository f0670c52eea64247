package eda

import (
	"math"
	"sort"
	"time"

	"emolab/fusion/instant"
)

// Window is when a response to an event may begin, counted from the event.
type Window struct{ From, Until time.Duration }

// EventWindow is the usual one: an onset 1 to 4 s after the event (Boucsein et
// al. 2012; Dawson, Schell and Filion), both included.
func EventWindow() Window { return Window{time.Second, 4 * time.Second} }

// Related is what followed one event.
type Related struct {
	Event instant.Instant
	// N is how many responses of at least Result.ThresholdUS began in the window
	// and touch no artefact. Without any, LatencyS is NaN and the amplitudes are 0.
	N        int
	LatencyS float64 // from the event to the first onset, s
	FirstUS  float64 // amplitude of the first, µS
	SumUS    float64 // of all amplitudes, µS
	MaxUS    float64 // the greatest amplitude, µS
	// TonicUS is the mean level in the window, µS; NaN where there is none.
	TonicUS float64
	// SCR is the mean of CDA's driver in the window in µS, ISCR that times the
	// window's length in µS·s (Benedek and Kaernbach 2010); NaN without CDA.
	SCR, ISCR float64
	// Flags are those of the samples from the event to the end of the window and of
	// the responses that are not counted in N, which an artefact may touch later, and
	// Missing where more than a fifth of the samples is not there. An event whose
	// Flags meet Invalid belongs in no average.
	Flags Flag
}

// missingShare is how much of a window may be without samples.
const missingShare = 0.2

// Related scores the responses to events: those whose onset lies in the window w
// after each.
func (r Result) Related(events []instant.Instant, w Window) []Related {
	out := make([]Related, len(events))
	for k, event := range events {
		out[k] = r.related(event, w)
	}
	return out
}

func (r Result) related(event instant.Instant, w Window) Related {
	from, until := event.Add(w.From), event.Add(w.Until)
	e := Related{Event: event, LatencyS: math.NaN()}
	for _, x := range r.Responses {
		if x.Onset < from || x.Onset > until {
			continue
		}
		if !x.Valid() {
			e.Flags |= x.Flags & Invalid
			continue
		}
		if e.N == 0 {
			e.LatencyS, e.FirstUS = x.Onset.Sub(event).Seconds(), x.AmplitudeUS
		}
		e.N++
		e.SumUS += x.AmplitudeUS
		e.MaxUS = max(e.MaxUS, x.AmplitudeUS)
	}
	e.TonicUS = r.mean(r.Tonic, from, until)
	e.SCR, e.ISCR = math.NaN(), math.NaN()
	if r.Method == CDA {
		e.SCR = r.mean(r.Driver, from, until)
		e.ISCR = e.SCR * (w.Until - w.From).Seconds()
	}
	present := 0
	first, last := r.between(event, until)
	for i := first; i < last; i++ {
		if r.Flags[i]&Missing == 0 {
			e.Flags |= r.Flags[i]
			present++
		}
	}
	if expected := until.Sub(event).Seconds() * r.Rate; !(float64(present) >= (1-missingShare)*expected) {
		e.Flags |= Missing
	}
	return e
}

// between are the indices of the samples from..until, the end included.
func (r Result) between(from, until instant.Instant) (first, last int) {
	first = sort.Search(len(r.at), func(i int) bool { return r.at[i] >= from })
	last = sort.Search(len(r.at), func(i int) bool { return r.at[i] > until })
	return first, max(first, last)
}

// mean of the values that are there, NaN without any.
func (r Result) mean(x []float64, from, until instant.Instant) float64 {
	first, last := r.between(from, until)
	sum, n := 0.0, 0
	for _, v := range x[first:last] {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// Magnitude is the mean of the first amplitudes over all events with enough
// valid samples, those without a response counted as 0; amplitude is the mean
// over those with a response (Boucsein et al. 2012). n and responded are how
// many events count for each; a mean over none is NaN.
func Magnitude(events []Related) (magnitude, amplitude float64, n, responded int) {
	sum := 0.0
	for _, e := range events {
		if e.Flags&Invalid != 0 {
			continue
		}
		n++
		if e.N > 0 {
			responded++
			sum += e.FirstUS
		}
	}
	return sum / float64(n), sum / float64(responded), n, responded
}
