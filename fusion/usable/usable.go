// Package usable tells for how much of each presentation a participant was measured: a
// face of the asked confidence, valid gaze, valid skin conductance. The sealed session
// is judged by these rules, and what is said while the participant is seated (Live) goes
// by the same.
package usable

import (
	"slices"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

// Modality is one of the ways in which a participant is measured.
type Modality string

// The modalities.
const (
	Face Modality = "face"
	Gaze Modality = "gaze"
	EDA  Modality = "eda"
)

// Kind is that of the streams that measure it.
func (m Modality) Kind() stream.Kind {
	switch m {
	case Face:
		return stream.Face
	case Gaze:
		return stream.Gaze
	}
	return stream.EDA
}

// Shown is when a presentation was on the screen, from its first frame to its last.
type Shown struct {
	Number      int
	From, Until instant.Instant
}

// Presentations of a course in their order, without those that were cut off and began
// anew later. What is open at the end lasts until end.
func Presentations(course []stimulus.Showing, end instant.Instant) []Shown {
	var all []Shown
	for _, v := range course {
		if v.Presentation == 0 || v.CutOff {
			continue
		}
		until := min(v.Until, max(end, v.From))
		if k := len(all) - 1; k >= 0 && all[k].Number == v.Presentation {
			all[k].Until = until
		} else {
			all = append(all, Shown{v.Presentation, v.From, until})
		}
	}
	return all
}

// Lasted is for how long each presentation was on the screen.
func Lasted(shown []Shown) map[int]time.Duration {
	lasted := map[int]time.Duration{}
	for _, p := range shown {
		lasted[p.Number] += p.Until.Sub(p.From)
	}
	return lasted
}

// Reading is whether a sample is good.
type Reading struct {
	At   instant.Instant
	Good bool
}

// Rule tells of the values of a stream's samples whether they are good.
type Rule func(values []float64) bool

// FaceRule takes a face from a confidence on.
func FaceRule(info stream.Info, confidence float64) Rule {
	found, sure := info.Index("face_found"), info.Index("face_confidence")
	return func(v []float64) bool { return v[found] == 1 && v[sure] >= confidence }
}

// GazeRule takes what the tracker calls valid.
func GazeRule(info stream.Info) Rule {
	valid := info.Index("gaze_valid")
	return func(v []float64) bool { return v[valid] == 1 }
}

// Read applies a rule.
func (good Rule) Read(samples []stream.Sample) []Reading {
	out := make([]Reading, len(samples))
	for i, s := range samples {
		out[i] = Reading{s.At, good(s.Values)}
	}
	return out
}

// staying is for how many of its usual intervals a sample stands at most: what is missing
// for longer than one sample was not measured.
const staying = 2

// Measured is for how long of each presentation readings stand that are good: each from
// its instant until the next one's.
func Measured(readings []Reading, shown []Shown) map[int]time.Duration {
	out := map[int]time.Duration{}
	longest := staying * usualInterval(readings)
	k := 0
	for i, r := range readings {
		until := r.At.Add(longest)
		if i+1 < len(readings) {
			until = min(until, readings[i+1].At)
		}
		for k < len(shown) && shown[k].Until <= r.At {
			k++
		}
		if !r.Good {
			continue
		}
		for _, p := range shown[k:] {
			if p.From >= until {
				break
			}
			if d := min(until, p.Until).Sub(max(r.At, p.From)); d > 0 {
				out[p.Number] += d
			}
		}
	}
	return out
}

// usualInterval is the median time between readings.
func usualInterval(readings []Reading) time.Duration {
	if len(readings) < 2 {
		return 0
	}
	gaps := make([]time.Duration, 0, len(readings)-1)
	for i := 1; i < len(readings); i++ {
		gaps = append(gaps, max(0, readings[i].At.Sub(readings[i-1].At)))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// Conductance is the valid time of skin conductance in a presentation, as a summary of
// it tells.
func Conductance(s eda.Summary) time.Duration {
	if !(s.ValidS > 0) {
		return 0
	}
	return time.Duration(s.ValidS * float64(time.Second))
}
