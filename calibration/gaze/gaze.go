// Package gaze calibrates an eye tracker by targets on the participant's
// screen, and says how good the result is.
//
// What was shown when (Look) is an observation, and so is the gaze meanwhile.
// Everything else is a pure function of them: Fit, Validate and Drift give the
// same from a file as they gave live. Procedure decides which target comes next.
package gaze

import (
	"math"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// Version of the way calibrations are made and judged; it changes when the same
// looks may give another result.
const Version = "gaze-1"

// Point is a place on the screen in fractions of its width and height: 0, 0 is
// top left. It may lie outside.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// farthest is how many screens away a gaze may be reported and still counts as
// one: trackers throw values beside blinks, and nobody looks there.
const farthest = 100.0

// known tells whether the point is a place at all.
func (p Point) known() bool {
	return math.Abs(p.X) <= farthest && math.Abs(p.Y) <= farthest // false of NaN
}

// Look is one showing of a target and the gaze meanwhile.
type Look struct {
	Target      Point
	From, Until instant.Instant // while it was on the screen
	// At, X and Y are the gaze samples, of the same length and in order of time;
	// X and Y in fractions of the screen. NaN, and what is more than a hundred
	// screens away, is missing.
	At   []instant.Instant
	X, Y []float64
}

// NewLook takes the samples of g that fall within [from, until).
func NewLook(target Point, from, until instant.Instant, g eyemovement.Gaze) Look {
	l := Look{Target: target, From: from, Until: until}
	for i, at := range g.At {
		if at >= from && at < until {
			l.At = append(l.At, at)
			l.X = append(l.X, g.X[i])
			l.Y = append(l.Y, g.Y[i])
		}
	}
	return l
}

// ShowFor is how long a target is best shown: time to settle, and then a second
// of fixation.
const ShowFor = DefaultSettle + time.Second

// DefaultSettle is how long after its onset a target is not yet looked at:
// saccades start after about 200 ms (Carpenter 1988), go on for up to 100 ms
// and are often followed by a corrective one.
const DefaultSettle = 500 * time.Millisecond
