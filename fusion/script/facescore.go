package script

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Span is something found in a recording, with its beginning and its end.
type Span struct{ Onset, Offset instant.Instant }

// BlinkScore compares found blinks with the scripted ones.
type BlinkScore struct {
	Scripted int `json:"scripted"`
	Found    int `json:"found"` // scripted ones that were found
	Missed   int `json:"missed"`
	False    int `json:"false"` // found ones that were not scripted
	// MedianMs is the median distance of the found onsets from the scripted ones.
	MedianMs float64 `json:"onset_median_ms"`
}

// blinkTolerance is how far a found blink may be from a scripted one: two frames
// of a camera at 30 Hz.
const blinkTolerance = 67 * time.Millisecond

// Blinks scores the blinks found between two instants, in order of time. Scripted
// ones that do not lie wholly inside are not asked for. A found blink counts for
// one scripted blink at most: one that spans two has missed the second.
func (r Record) Blinks(from, until instant.Instant, found []Span) BlinkScore {
	var score BlinkScore
	var late []time.Duration
	used := make([]bool, len(found))
	first, last := from.Sub(r.Origin), until.Sub(r.Origin)
	for base := first - r.Script.phase(first); base < last; base += r.Script.Period {
		for _, b := range r.Script.Blinks {
			onset, offset := r.Origin.Add(base+b.At), r.Origin.Add(base+b.At+b.Duration)
			hit := -1
			for i, s := range found {
				if !used[i] && s.Onset.Sub(offset) <= blinkTolerance && onset.Sub(s.Offset) <= blinkTolerance {
					used[i], hit = true, i
					break
				}
			}
			switch inside := onset >= from && offset <= until; {
			case inside && hit >= 0:
				score.Found++
				late = append(late, found[hit].Onset.Sub(onset).Abs())
			case inside:
				score.Missed++
			}
		}
	}
	score.Scripted = score.Found + score.Missed
	for _, u := range used {
		if !u {
			score.False++
		}
	}
	if len(late) > 0 {
		slices.Sort(late)
		score.MedianMs = float64(late[len(late)/2]) / float64(time.Millisecond)
	}
	return score
}

// Turned is how a head was found to be turned in one camera frame, degrees, with
// the signs of Script.Head; NaN where no pose was found.
type Turned struct {
	At                        instant.Instant
	YawDeg, PitchDeg, RollDeg float64
}

// AxisError sums up the errors of one angle of the head, in degrees.
type AxisError struct {
	// OffsetDeg is the median error: what this face's proportions add to the
	// zero. It is taken off before the others.
	OffsetDeg float64 `json:"offset_deg"`
	MedianDeg float64 `json:"median_deg"` // of |error|
	P90Deg    float64 `json:"p90_deg"`
}

// HeadScore compares the measured turns of the head with the scripted ones.
type HeadScore struct {
	Frames int       `json:"frames"` // with a pose
	Yaw    AxisError `json:"yaw"`
	Pitch  AxisError `json:"pitch"`
	Roll   AxisError `json:"roll"`
}

// Head scores the turns of the head over all frames.
func (r Record) Head(seen []Turned) HeadScore {
	var errors [3][]float64
	for _, s := range seen {
		yaw, pitch, roll := r.Script.Head(s.At.Sub(r.Origin))
		miss := [3]float64{s.YawDeg - yaw, s.PitchDeg - pitch, s.RollDeg - roll}
		if math.IsNaN(miss[0] + miss[1] + miss[2]) {
			continue
		}
		for i, m := range miss {
			errors[i] = append(errors[i], m)
		}
	}
	return HeadScore{len(errors[0]), axisError(errors[0]), axisError(errors[1]), axisError(errors[2])}
}

// axisError sums up the errors of one angle, which it reorders.
func axisError(errors []float64) AxisError {
	if len(errors) == 0 {
		return AxisError{}
	}
	at := func(q float64) float64 {
		slices.Sort(errors)
		return errors[min(len(errors)-1, int(q*float64(len(errors))))]
	}
	e := AxisError{OffsetDeg: at(.5)}
	for i, v := range errors {
		errors[i] = math.Abs(v - e.OffsetDeg)
	}
	e.MedianDeg, e.P90Deg = at(.5), at(.9)
	return e
}
