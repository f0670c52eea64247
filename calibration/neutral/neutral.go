// Package neutral finds a person's face at rest in a recording: the baseline
// that action units are measured from.
package neutral

import (
	"errors"
	"fmt"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
)

// Version of the way a neutral face is found; it changes when the same frames
// may give another face.
const Version = "neutral-1"

// The methods of Fit.
const (
	MethodCalmest = "calmest stretch" // looked for
	MethodNamed   = "named stretch"   // Options said where it is
)

// Face is a neutral face with where it comes from. It is kept as JSON; all its
// numbers are finite.
type Face struct {
	action.Neutral
	Method   string          `json:"method"`
	Version  string          `json:"version"`
	From     instant.Instant `json:"from_ns"` // the stretch of the recording it was taken from
	Until    instant.Instant `json:"until_ns"`
	Frames   int             `json:"frames"`   // used
	Rejected int             `json:"rejected"` // in the stretch and left out
	Residual float64         `json:"residual"` // rms of the frames' features from the medians, in parts of the distance between the eyes
	Pose     headpose.Pose   `json:"pose"`     // median: how this person sits

	neutral float64 // mean of the net's probability of neutral in the frames used
}

// Options choose the stretch. The zero value looks for it.
type Options struct {
	From, Until instant.Instant // both 0: the calmest stretch that can be found
	Least       time.Duration   // shortest stretch; 0 = 2 s, or half a second where From and Until name it
	Most        time.Duration   // longest; 0 = 10 s
}

const (
	defaultLeast = 2 * time.Second  // shorter, the spread at rest is not known
	defaultMost  = 10 * time.Second // longer, people move
	// leastLimit is the shortest that Options.Least may ask for: a dozen frames
	// of a slow camera.
	leastLimit = 500 * time.Millisecond
)

// ErrNotFound says that no stretch of the recording shows a neutral face.
var ErrNotFound = errors.New("no stretch shows a neutral face")

// Fit finds the neutral face in frames, which are in order of time. Frames may
// come at any rate of at least 10 a second, and may be missing. Without the
// net's expressions (NaN) only calm and habit decide.
//
// The stretch looked for is the one in which the face moves least while it
// looks as it does most of the time; the expression net has a say only as to
// which of the person's own faces is the most neutral (see DECISIONS.md). A
// stretch that Options name is used whole. Blinks, turned or covered faces and
// frames far from the others are left out.
//
// An error that is ErrNotFound says what was wrong with the frames and what to
// ask of the participant. The time taken grows with the number of frames; an
// hour takes well under a second.
func Fit(frames []facial.Measured, o Options) (Face, error) {
	named := o.From != 0 || o.Until != 0
	switch {
	case o.Least == 0 && named: // who names it has looked
		o.Least = leastLimit
	case o.Least == 0:
		o.Least = defaultLeast
	}
	if o.Most == 0 {
		o.Most = max(defaultMost, o.Least)
	}
	if o.Least < leastLimit || o.Most < o.Least {
		return Face{}, fmt.Errorf("neutral: a stretch of %v to %v cannot be used: at least %v, and no longer at least than at most", o.Least, o.Most, leastLimit)
	}
	if named {
		if o.Until.Sub(o.From) < o.Least {
			return Face{}, fmt.Errorf("neutral: the stretch named is %v long: name one of at least %v", o.Until.Sub(o.From), o.Least)
		}
		frames = between(frames, o.From, o.Until)
	}
	kept := sift(frames)
	if kept.time < o.Least*minCover/100 {
		return Face{}, fmt.Errorf("neutral: %w: %s", ErrNotFound, kept.complaint(o.Least))
	}
	s := stretch{0, len(kept.frames)}
	method := MethodNamed
	if !named {
		var err error
		if s, err = kept.calmest(o.Least, o.Most); err != nil {
			return Face{}, fmt.Errorf("neutral: %w", err)
		}
		method = MethodCalmest
	}
	f := fit(kept.frames[s.first:s.end])
	f.Method, f.Version = method, Version
	f.Rejected += len(between(frames, f.From, f.Until)) - (s.end - s.first)
	return f, nil
}
