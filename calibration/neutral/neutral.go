// Package neutral finds a person's face at rest in a recording: the baseline
// that action units are measured from.
package neutral

import (
	"errors"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
)

// Face is a neutral face with where it comes from.
type Face struct {
	action.Neutral
	Method      string          `json:"method"`
	Version     string          `json:"version"`
	From, Until instant.Instant // the stretch of the recording it was taken from
	Frames      int             `json:"frames"`   // used
	Rejected    int             `json:"rejected"` // in the stretch and left out
	Residual    float64         `json:"residual"` // rms of the frames' features from the medians, in parts of the distance between the eyes
	Pose        headpose.Pose   `json:"pose"`     // median: how this person sits
}

// Options choose the stretch. The zero value looks for it.
type Options struct {
	From, Until instant.Instant // both 0: the calmest stretch that can be found
	Least       time.Duration   // shortest stretch; 0 = 2 s
	Most        time.Duration   // longest; 0 = 10 s
}

// ErrNotFound says that no stretch of the recording shows a neutral face.
var ErrNotFound = errors.New("neutral: no stretch shows a neutral face")

// Fit finds the neutral face in frames, which are in order of time.
func Fit(frames []facial.Measured, o Options) (Face, error) { return Face{}, ErrNotFound }

// Live finds it while the session runs: as soon as 2 s of calm frames have been
// seen, and improves it until it has 10 s. Not safe for concurrent use.
type Live struct{}

// Add takes the next frame and returns the neutral face so far, nil when there
// is none yet.
func (l *Live) Add(m facial.Measured) *Face { return nil }

// Reset forgets the person.
func (l *Live) Reset() {}
