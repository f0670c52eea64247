package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/studies/study"
)

// Purpose says what a Target was shown for.
type Purpose string

// The purposes.
const (
	ToCalibrate Purpose = "calibrate" // what the eye tracker is calibrated on
	ToValidate  Purpose = "validate"  // what its error is measured on
	ToFixate    Purpose = "fixation"  // the cross of a trial, on which drift is measured
	ToBreathe   Purpose = "breath"    // the mark that asks for a deep breath
)

// Target is one mark that the participant's screen showed for the eyes. Together
// with the samples of gaze it is all that a calibration is made of, so that one
// can be made again from the file.
type Target struct {
	Purpose Purpose `json:"purpose"`
	Step    int     `json:"step"`  // of the plan
	Round   int     `json:"round"` // from 0 within the step and the segment: a step that is shown again is another round
	Index   int     `json:"index"` // from 0 within the round and the purpose, in the order in which they were shown
	X       float64 `json:"x"`     // centre, in fractions of the screen, where it was really drawn
	Y       float64 `json:"y"`

	From  instant.Instant `json:"from_ns"`  // light at that place
	Until instant.Instant `json:"until_ns"` // gone from there; 0 while it stands, or if nobody knows
	Err   time.Duration   `json:"err_ns"`   // bounds both
}

// Choice is what became of a calibration, a validation or a check.
type Choice string

// The choices.
const (
	Accept   Choice = "accept"   // it holds from here on
	Redo     Choice = "redo"     // the whole step is shown again
	Continue Choice = "continue" // the session goes on without it
)

// How a Decision came about.
const (
	ByLimits   = "by its limits"         // it is good
	ByOperator = "operator"              // asked, and answered at the console
	ByItself   = "by itself (simulated)" // nobody was asked, because nobody is there
	NotAsked   = "not asked"             // the step never holds a session up
)

// Decision is what was made of the result of a Calibrate, Validate or Breath step.
type Decision struct {
	Step   int    `json:"step"`
	Round  int    `json:"round"`
	Choice Choice `json:"choice"`
	Reason string `json:"reason,omitempty"` // in words
	How    string `json:"how"`
	// Value is what was judged: a Judged of gaze, a conductance.Readiness of a
	// Breath.
	Value json.RawMessage `json:"value,omitempty"`
	At    instant.Instant `json:"at_ns"`
}

// Tracker is an eye tracker that calibrates itself: it says which point it turns
// to, and somebody else shows it.
type Tracker interface {
	// Calibrate has the tracker calibrate itself on these points of the screen, in
	// fractions of it. turn is called in the same goroutine as the tracker turns to
	// each, and returns when the target stands there. What the tracker says of the
	// result is one JSON value.
	Calibrate(ctx context.Context, points []gaze.Point, turn func(gaze.Point)) (json.RawMessage, error)
}

// AssumedScreen is the participant's screen where nobody has said how large it is
// and how far away: 24 inches diagonally, wide, at arm's length.
func AssumedScreen() eyemovement.Screen {
	return eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}
}

// ErrNotShown says that the participant's screen does not show what it was asked to,
// although it is there.
var ErrNotShown = errors.New("the page does not show what it was asked to")

// Surface is the participant's screen during a step that the session leads.
// Its calls return when what they ask for is on the screen, with ErrNotShown, or with
// the error of their context.
type Surface interface {
	// Show moves the target to a place, in fractions of the screen, and returns
	// where and from when it stands.
	Show(ctx context.Context, x, y float64) (Shown, error)
	// Cue asks something of the participant in words: one of the Cues.
	Cue(ctx context.Context, key string) (Shown, error)
	// Ask asks a question, and returns when it is answered, however long that takes.
	Ask(ctx context.Context, q Question) (Reply, error)
}

// Shown is when something came on the screen, or went, and where.
type Shown struct {
	At   instant.Instant
	Err  time.Duration // bounds At
	X, Y float64       // fractions of the screen; of what has no place, NaN
}

// What Surface.Cue can ask.
const (
	CueLook    = "look"    // look at the target wherever it goes
	CueWait    = "wait"    // one moment
	CueBreathe = "breathe" // breathe in deeply, once
	CueRest    = "rest"    // and breathe as you like

	CueBegin       = "begin"        // please wait until the experimenter begins
	CueSeatGood    = "seat-good"    // the camera sees the face well
	CueCloser      = "seat-closer"  // the face is too small
	CueMiddle      = "seat-middle"  // it is at the edge of the picture
	CueHandsDown   = "hands-down"   // something covers the mouth
	CueMoreLight   = "light-more"   // too dark
	CueLightBehind = "light-side"   // the light comes from behind
	CueGlasses     = "glasses"      // light reflects on the face or the glasses
	CueLookHere    = "look-here"    // the face is turned away
	CueAlone       = "alone"        // somebody else is in the picture
	CueFaceMissing = "face-missing" // no face is found
)

// Procedure leads one step on the participant's screen and returns when the step
// is over. Its context ends when the page goes away; the step is then shown again
// from its beginning, by another call.
type Procedure func(ctx context.Context, step study.Step, on Surface) error
