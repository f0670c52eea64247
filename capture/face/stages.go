package face

import (
	"errors"
	"time"
)

// ErrNoFace is Measure's answer to a frame without a face.
var ErrNoFace = errors.New("face: there is no face in the frame to measure with")

// Stages is how long each part of the analysis of one frame took.
type Stages struct {
	Detection  time.Duration // of the whole picture
	Landmarks  time.Duration // one run on the face
	Check      time.Duration // of the followed face
	Expression time.Duration // one run on the face
	Mirror     time.Duration // the run on its mirror image
	View       time.Duration // light, sharpness, what hides the mouth
}
