package conductance

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
)

// ReadinessVersion changes when the same samples may give another Readiness.
const ReadinessVersion = "conductance-check-2"

const (
	// Skin lies in this range in a laboratory; less is a bad contact, more a
	// short circuit or sweat that bridges the electrodes.
	defaultLowUS  = .5
	defaultHighUS = 60

	// BreathWindow is how long after the cue a response to a deep breath may
	// begin, earliestResponse the soonest: nerve and gland take a second (Boucsein
	// et al. 2012: 1 to 3 s after a stimulus), and the breath comes first.
	BreathWindow     = 5 * time.Second
	earliestResponse = 500 * time.Millisecond
	// Watch is how long after the cue to watch before Check: a response may rise
	// for some seconds after its onset.
	Watch = 10 * time.Second
	// breathUS is the least amplitude that counts as a response. Deep breaths give
	// far more than the .01 µS that can be told from noise.
	breathUS = .05

	// The level is said over settled before the cue, and its slope wherever
	// leastSlope of that is there: in less, a response or two are all there is.
	settled    = time.Minute
	leastSlope = 30 * time.Second
	leastFlat  = 10 * time.Second
	// The slope is that of the lower envelope: of the lowest in each slopeBin of the
	// medians of slopeBlock. Noise has no part in a median, and a response, which
	// only rises above the level, little in what lies lowest.
	slopeBlock = time.Second
	slopeBin   = 5 * time.Second
	// A level that changes by more than the larger of these in a minute has not
	// settled yet.
	unsettledUS    = .5
	unsettledShare = .15

	mostMissing = .2   // share of missing samples that is still accepted
	flatUS      = 1e-4 // a spread below that in settled is no skin
)

// Range in µS in which the level must lie; zero values stand for .5 and 60.
type Range struct {
	LowUS, HighUS float64
}

func (r Range) filled() Range {
	if !(r.LowUS > 0) {
		r.LowUS = defaultLowUS
	}
	if !(r.HighUS > 0) {
		r.HighUS = defaultHighUS
	}
	return r
}

// ReadinessLevel is what a Readiness comes to.
type ReadinessLevel string

const (
	Ready    ReadinessLevel = "good"
	Doubtful ReadinessLevel = "fair"    // can be recorded; the reasons should be kept in mind
	Unready  ReadinessLevel = "refused" // what is measured is not skin
)

// Breath is the response to a deep breath.
type Breath struct {
	LatencyS    float64 `json:"latency_s"` // from the cue to the onset
	AmplitudeUS float64 `json:"amplitude_us"`
	RiseS       float64 `json:"rise_s"`
}

// Readiness says whether skin conductance can be recorded. It is kept as JSON;
// all its numbers are finite, and those that are not known are nil.
type Readiness struct {
	Version       string         `json:"version"`
	Level         ReadinessLevel `json:"level"`
	Reasons       []string       `json:"reasons,omitempty"` // what is wrong and what to do, the worst first
	LowUS         float64        `json:"low_us"`            // the range asked for
	HighUS        float64        `json:"high_us"`
	LevelUS       *float64       `json:"level_us"` // median over the minute before the cue
	InRange       bool           `json:"in_range"`
	SlopeUSPerMin *float64       `json:"slope_us_per_min"` // of the level below the responses; nil of less than 30 s
	Steady        bool           `json:"steady"`           // the slope is known, and the level does not surely drift
	Missing       float64        `json:"missing"`          // share of the samples, 0..1, those that never came among them
	Breath        *Breath        `json:"breath"`           // nil = no response to it
}

// Stretch is what Check is to be given of a recording that began at begin, for a cue at
// an instant: a minute before the cue, as far as it was recorded, and Watch after it.
// So a check can be made again from what is kept.
func Stretch(begin, cue instant.Instant) (from, until instant.Instant) {
	return max(begin, cue.Add(-settled)), cue.Add(Watch)
}

// Check judges samples us (µS, NaN = missing) at the instants at (in order, same
// length), around the cue breathAt to take a deep breath: those of Stretch. 0 as breathAt means that no breath was asked for.
//
// It panics when at and us differ in length.
func Check(at []instant.Instant, us []float64, breathAt instant.Instant, within Range) Readiness {
	if len(at) != len(us) {
		panic("conductance: Check: as many instants as values, please")
	}
	within = within.filled()
	r := Readiness{Version: ReadinessVersion, Level: Ready, LowUS: within.LowUS, HighUS: within.HighUS, Missing: missingShare(at, us)}
	before := calm(at, us, breathAt)
	if len(before.us) == 0 {
		r.Level = Unready
		r.Reasons = []string{"Nothing is measured: is the cable in, are both electrodes on the skin?"}
		return r
	}
	level := median(slices.Clone(before.us))
	r.LevelUS = &level
	r.InRange = level >= within.LowUS && level <= within.HighUS
	if slope, least, ok := before.slope(); ok {
		r.SlopeUSPerMin = &slope
		r.Steady = least <= max(unsettledUS, unsettledShare*level)
	}
	if breathAt != 0 {
		r.Breath = breath(at, us, breathAt)
	}
	r.say(before.flat() && r.Breath == nil, breathAt != 0)
	return r
}

func (r *Readiness) say(flat, asked bool) {
	add := func(level ReadinessLevel, format string, values ...any) {
		r.Reasons = append(r.Reasons, fmt.Sprintf(format, values...))
		if r.Level != Unready {
			r.Level = level
		}
	}
	level := *r.LevelUS
	switch {
	case level < r.LowUS:
		add(Unready, "The level is %.2f µS, below %.2g: the electrodes do not touch well, or the skin is dry and cold. Press them on, add gel, warm the hands.", level, r.LowUS)
	case level > r.HighUS:
		add(Unready, "The level is %.0f µS, above %.3g: gel or sweat bridges the electrodes, or they touch each other. Dry the skin between them.", level, r.HighUS)
	}
	if flat {
		add(Unready, "The signal does not change at all: is this a resistor, or has the device stopped?")
	}
	if r.Missing > mostMissing {
		add(Doubtful, "%.0f %% of the samples are missing: check the cable and the electrodes.", 100*r.Missing)
	}
	if asked && r.Breath == nil && !flat {
		add(Doubtful, "No response to the deep breath within %.0f s: have the electrodes settle for some minutes, warm the hands, and ask for another breath. About one person in ten never responds.", BreathWindow.Seconds())
	}
	if r.SlopeUSPerMin != nil && !r.Steady {
		add(Doubtful, "The level changes by %+.1f µS a minute: the electrodes are still settling. Wait some minutes.", *r.SlopeUSPerMin)
	}
}

// missingShare is that of the empty samples, and of the time in gaps that eda does
// not bridge. It does not ask for a pace: samples may come in bursts.
func missingShare(at []instant.Instant, us []float64) float64 {
	n := 0
	var lost time.Duration
	for i, v := range us {
		if measured(v) {
			n++
		}
		if i > 0 && at[i].Sub(at[i-1]) > eda.MaxGap {
			lost += at[i].Sub(at[i-1])
		}
	}
	if n == 0 {
		return 1
	}
	share := float64(n) / float64(len(us))
	if lost > 0 {
		share *= 1 - lost.Seconds()/at[len(at)-1].Sub(at[0]).Seconds()
	}
	return 1 - share
}

func measured(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// stretch is what was measured before the cue.
type stretch struct {
	at []instant.Instant
	us []float64
}

// calm is the stretch before the cue; where there is none, all of it.
func calm(at []instant.Instant, us []float64, breathAt instant.Instant) stretch {
	until := breathAt
	if len(at) > 0 && (breathAt == 0 || breathAt <= at[0]) {
		until = at[len(at)-1] + 1
	}
	from := until.Add(-settled)
	var s stretch
	for i, t := range at {
		if t >= from && t < until && measured(us[i]) {
			s.at, s.us = append(s.at, t), append(s.us, us[i])
		}
	}
	return s
}

// slope in µS per minute: the median of the slopes between all pairs of points of the
// lower envelope (Theil 1950, Sen 1968). least is how much three quarters of the pairs
// agree on, 0 where they do not agree on which way: a level under many responses has
// a slope by chance, but pairs of all kinds. ok is false when the stretch is too short.
func (s stretch) slope() (slope, least float64, ok bool) {
	if s.at[len(s.at)-1].Sub(s.at[0]) < leastSlope {
		return 0, 0, false
	}
	at, low := s.envelope()
	var slopes []float64
	for i := range low {
		for j := i + 1; j < len(low); j++ {
			slopes = append(slopes, (low[j]-low[i])/(at[j]-at[i]))
		}
	}
	if len(slopes) == 0 {
		return 0, 0, false
	}
	slope = median(slopes)
	quarter := len(slopes) / 4
	return slope, max(0, slopes[quarter], -slopes[len(slopes)-1-quarter]), true
}

// envelope is the lowest block of each bin: when it was, in minutes, and its median.
func (s stretch) envelope() (at, low []float64) {
	const blocks = int64(slopeBin / slopeBlock)
	bin := int64(-1)
	for i := 0; i < len(s.at); {
		block := int64(s.at[i].Sub(s.at[0]) / slopeBlock)
		j := i
		for j < len(s.at) && int64(s.at[j].Sub(s.at[0])/slopeBlock) == block {
			j++
		}
		when, level := (float64(block)+.5)*slopeBlock.Minutes(), median(slices.Clone(s.us[i:j]))
		k := len(low) - 1
		switch {
		case block/blocks != bin:
			bin, at, low = block/blocks, append(at, when), append(low, level)
		case level < low[k]:
			at[k], low[k] = when, level
		}
		i = j
	}
	return at, low
}

// flat tells whether nothing moves over at least leastFlat.
func (s stretch) flat() bool {
	return s.at[len(s.at)-1].Sub(s.at[0]) >= leastFlat && slices.Max(s.us)-slices.Min(s.us) < flatUS
}

// disturbed are the flags of a response that may be a movement of the electrodes.
// Flat is none of them: an even stretch before a response is a good sign.
const disturbed = eda.Invalid&^eda.Flat | eda.NoOnset

// breath is the largest response that begins in time after the cue.
func breath(at []instant.Instant, us []float64, cue instant.Instant) *Breath {
	var found *Breath
	for _, r := range eda.Analyze(at, us, eda.Options{Method: eda.HighPass, ThresholdUS: breathUS}).Responses {
		if r.Flags&disturbed != 0 {
			continue
		}
		latency := r.Onset.Sub(cue)
		if latency < earliestResponse || latency > BreathWindow || (found != nil && r.AmplitudeUS <= found.AmplitudeUS) {
			continue
		}
		found = &Breath{LatencyS: latency.Seconds(), AmplitudeUS: r.AmplitudeUS, RiseS: r.RiseS}
	}
	return found
}

// median of x, which it sorts and which holds something.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
