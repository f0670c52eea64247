package eda

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// EnoughShare is the share of valid samples below which a stretch should not be
// reported.
const EnoughShare = 0.8

// Stretch is a stretch of time to be summed up. The zero value is the whole
// recording, without events.
type Stretch struct {
	// From and Until bound it, Until excluded; both 0 = the whole recording.
	From, Until instant.Instant
	// Events are the instants that responses may be owed to. Those that began in
	// the Window after one are not counted as non-specific, nor is its time.
	Events []instant.Instant
	Window Window // the zero value = EventWindow
}

// Rate is how many responses of at least ThresholdUS there were, and of which
// form. Only those count that touch no artefact; Flagged are the others.
type Rate struct {
	ThresholdUS float64
	N, Flagged  int
	PerMinute   float64 // of valid time; NaN without any
	// Means over the N, NaN without any; those of HalfRecoveryS over the ones that
	// recovered.
	AmplitudeUS, RiseS, HalfRecoveryS float64
	SumUS, MaxUS                      float64 // of the amplitudes, µS
}

// Share is how much of a stretch has a flag, 0..1.
type Share struct {
	Flag  Flag
	Share float64
}

// Summary of a stretch.
type Summary struct {
	From, Until instant.Instant
	// ValidS is the valid time in s: the valid samples over the rate. Valid is its
	// share of the stretch, 0..1, and Enough tells whether that is EnoughShare.
	ValidS, Valid float64
	Enough        bool
	// Artefacts are the shares of all samples expected that have each flag; those
	// that never came are Missing.
	Artefacts []Share

	// SCLUS is the mean tonic level of the valid samples, SCLOutsideUS the mean of
	// the measured signal outside responses (from their onset to half recovery, or
	// to the next onset), in µS; NaN without such samples.
	SCLUS, SCLOutsideUS float64
	// Responses and Fine are the non-specific responses by both thresholds.
	Responses, Fine Rate
	// AreaUSS is the integral of the phasic part over the valid samples, µS·s.
	AreaUSS float64
	// Sympathetic is EDASymp.
	Sympathetic Sympathetic
	// NonResponder is set when a stretch with Enough valid samples has no response
	// of Responses' threshold, events' windows included. It says something of a
	// person only for a whole session.
	NonResponder bool
}

// Summary sums up a stretch of the recording.
func (r Result) Summary(w Stretch) Summary {
	if w.From == 0 && w.Until == 0 && len(r.at) > 0 {
		w.From, w.Until = r.at[0], r.at[len(r.at)-1].Add(r.interval())
	}
	if w.Window == (Window{}) {
		w.Window = EventWindow()
	}
	s := Summary{From: w.From, Until: w.Until}
	first, last := r.between(w.From, w.Until-1)
	r.shares(&s, first, last)
	r.levels(&s, first, last)
	quietS := r.quiet(w, first, last)
	s.Responses = rated(r.Responses, r.ThresholdUS, w, quietS)
	s.Fine = rated(r.Fine, r.FineUS, w, quietS)
	s.Sympathetic = r.sympathetic(first, last)
	all := rated(r.Responses, r.ThresholdUS, Stretch{From: w.From, Until: w.Until}, s.ValidS)
	s.NonResponder = s.Enough && all.N == 0
	return s
}

// interval between two samples.
func (r Result) interval() time.Duration {
	if !(r.Rate > 0) {
		return 0
	}
	return time.Duration(math.Round(1e9 / r.Rate))
}

// shares fills in how much of the samples can be trusted.
func (r Result) shares(s *Summary, first, last int) {
	count := map[Flag]int{}
	valid := 0
	for _, f := range r.Flags[first:last] {
		if f&Invalid == 0 {
			valid++
		}
		for _, flag := range EveryFlag() {
			if f&flag != 0 {
				count[flag]++
			}
		}
	}
	if r.Rate > 0 {
		s.ValidS = float64(valid) / r.Rate
	}
	expected := max(float64(last-first), math.Round(s.Until.Sub(s.From).Seconds()*r.Rate))
	if expected > 0 {
		s.Valid = float64(valid) / expected
	}
	s.Enough = s.Valid >= EnoughShare
	for _, flag := range EveryFlag() {
		n := float64(count[flag])
		if flag == Missing {
			n += expected - float64(last-first)
		}
		if n > 0 {
			s.Artefacts = append(s.Artefacts, Share{flag, n / expected})
		}
	}
}

// levels fills in the means and the area.
func (r Result) levels(s *Summary, first, last int) {
	var tonic, outside, n, m float64
	before := -1 // the valid sample before
	k := 0       // the first response that is not over
	for i := first; i < last; i++ {
		if r.Flags[i]&Invalid != 0 {
			before = -1
			continue
		}
		for k < len(r.Responses) && r.over(k) <= r.at[i] {
			k++
		}
		if k == len(r.Responses) || r.at[i] < r.Responses[k].Onset {
			outside, m = outside+r.us[i], m+1
		}
		if math.IsNaN(r.Tonic[i]) {
			before = -1
			continue
		}
		tonic, n = tonic+r.Tonic[i], n+1
		if before >= 0 {
			if step := r.at[i].Sub(r.at[before]); step <= MaxGap {
				s.AreaUSS += step.Seconds() * (r.Phasic[i] + r.Phasic[before]) / 2
			}
		}
		before = i
	}
	s.SCLUS, s.SCLOutsideUS = tonic/n, outside/m
}

// over is when response k is over: at half recovery, else when the next begins.
func (r Result) over(k int) instant.Instant {
	x := r.Responses[k]
	switch {
	case x.HalfRecoveryS >= 0:
		return x.Peak.Add(time.Duration(x.HalfRecoveryS * float64(time.Second)))
	case k+1 < len(r.Responses):
		return max(x.Peak, r.Responses[k+1].Onset)
	}
	return math.MaxInt64
}

// quiet is the valid time outside the events' windows, s.
func (r Result) quiet(w Stretch, first, last int) float64 {
	if !(r.Rate > 0) {
		return 0
	}
	n := 0
	for i := first; i < last; i++ {
		if r.Flags[i]&Invalid == 0 && !w.follows(r.at[i]) {
			n++
		}
	}
	return float64(n) / r.Rate
}

// follows tells whether an instant lies in an event's window.
func (w Stretch) follows(at instant.Instant) bool {
	for _, e := range w.Events {
		if d := at.Sub(e); d >= w.Window.From && d <= w.Window.Until {
			return true
		}
	}
	return false
}

// rated counts the responses that begin in a stretch and follow no event.
func rated(responses []Response, threshold float64, w Stretch, seconds float64) Rate {
	s := Rate{ThresholdUS: threshold}
	var rise, recovery, recovered float64
	for _, x := range responses {
		if x.Onset < w.From || x.Onset >= w.Until || w.follows(x.Onset) {
			continue
		}
		if !x.Valid() {
			s.Flagged++
			continue
		}
		s.N++
		s.SumUS += x.AmplitudeUS
		s.MaxUS = max(s.MaxUS, x.AmplitudeUS)
		rise += x.RiseS
		if !math.IsNaN(x.HalfRecoveryS) {
			recovery, recovered = recovery+x.HalfRecoveryS, recovered+1
		}
	}
	n := float64(s.N)
	s.AmplitudeUS, s.RiseS, s.HalfRecoveryS = s.SumUS/n, rise/n, recovery/recovered
	s.PerMinute = math.NaN()
	if seconds > 0 {
		s.PerMinute = 60 * n / seconds
	}
	return s
}
