package eda

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// LevelDelay is by how much Live's tonic level lags behind: the time constant
	// of a first-order low-pass at LevelHz.
	LevelDelay = 3183 * time.Millisecond
	// PhasicDelay is by how much Live's phasic signal lags behind: the time
	// constant of a first-order low-pass at 1 Hz.
	PhasicDelay = 159 * time.Millisecond
)

// Reading is what Live says of one sample.
type Reading struct {
	Tonic, Phasic float64 // µS; NaN while nothing was measured
	// Onset is true at the one sample at which a response is recognised: when the
	// signal has risen by the threshold since its last trough. That is later than
	// the onset that Analyze finds, by the time this rise takes.
	Onset bool
}

// Live follows skin conductance with constant work a sample. Its tonic lags by
// LevelDelay, its phasic by PhasicDelay, a slow rise counts as phasic until the
// level has followed, and one by more than the threshold as a response. Make it
// with NewLive.
type Live struct {
	threshold  float64
	begun      bool
	last       instant.Instant
	level      float64 // first-order low-pass at LevelHz
	quick      float64 // first-order low-pass at 1 Hz
	trough     float64 // the lowest quick since the last peak
	crest      float64 // the highest quick since the last trough
	responding bool
}

// NewLive makes a Live. Options.Rate is not needed: every sample's own interval
// counts.
func NewLive(o Options) *Live { return &Live{threshold: o.threshold()} }

// Add takes one sample: us in µS, NaN = missing, in order of time. After a gap
// of more than MaxGap it begins anew.
func (l *Live) Add(at instant.Instant, us float64) Reading {
	if math.IsNaN(us) || math.IsInf(us, 0) {
		return Reading{Tonic: math.NaN(), Phasic: math.NaN()}
	}
	dt := at.Sub(l.last)
	if !l.begun || dt > MaxGap {
		*l = Live{threshold: l.threshold, begun: true, level: us, quick: us, trough: us, crest: us}
	} else if dt > 0 {
		l.level += follow(dt, LevelDelay) * (us - l.level)
		l.quick += follow(dt, PhasicDelay) * (us - l.quick)
	}
	l.last = at
	return Reading{Tonic: l.level, Phasic: l.quick - l.level, Onset: l.recognise()}
}

// follow is by which share a first-order low-pass moves in dt.
func follow(dt, constant time.Duration) float64 {
	return -math.Expm1(-float64(dt) / float64(constant))
}

// recognise walks from trough to crest and back. A response ends when a tenth
// of the threshold has been lost again, so that noise on a rise is not a second
// one.
func (l *Live) recognise() bool {
	if l.responding {
		l.crest = max(l.crest, l.quick)
		if l.quick < l.crest-l.threshold/10 {
			l.responding, l.trough = false, l.quick
		}
		return false
	}
	l.trough = min(l.trough, l.quick)
	if l.quick-l.trough < l.threshold {
		return false
	}
	l.responding, l.crest = true, l.quick
	return true
}
