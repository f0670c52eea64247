// Package facial derives what a face does from the samples of a face stream:
// head pose, action units, blinks, bouts of expression, and how well the face
// was seen.
package facial

import (
	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

// Measured is what one frame shows by itself.
type Measured struct {
	At         instant.Instant
	Found      bool
	Posed      bool // whether a pose explains the landmarks; Pose and Features are NaN without
	Pose       headpose.Pose
	Features   action.Features
	EARRight   float64 // eye aspect ratio (Soukupova & Cech 2016), NaN without a face
	EARLeft    float64
	HeightPX   float64 // of the face, px
	Expression expression.Probabilities
	View       visibility.Mask
}

// Meter measures the samples of one face stream, in order of time. Not safe for
// concurrent use.
type Meter struct{}

// NewMeter reads the places of the channels in info.
func NewMeter(info stream.Info) *Meter { return &Meter{} }

// Measure measures one sample.
func (m *Meter) Measure(s stream.Sample) Measured { return Measured{} }

// Row is what is derived of one frame.
type Row struct {
	*Measured                    // the frame itself, not copied: an hour of them is large
	AU        action.Intensities // NaN without a neutral face, but for AU 43
	Blink     float64            // 1 within a blink, 0 outside, NaN where that is not known
	Evidence  [expression.Count]float64
	Agreement float64 // of the net's probabilities with Evidence, 0..1
}

// Kind says what an Event is.
type Kind string

// The kinds of event.
const (
	Blink Kind = "blink"
	Bout  Kind = "bout" // an expression at or above the threshold for long enough
)

// Event is something with a beginning and an end.
type Event struct {
	Kind          Kind
	Label         string // bout: the expression
	Onset, Offset instant.Instant
	Peak, Mean    float64 // bout: probability; blink: closure (AU 43)
}

// Options set up Derive. The zero value is the default.
type Options struct{}

// Derived is a face stream's derivation.
type Derived struct {
	Rows       []Row // one per frame
	Events     []Event
	Calibrated bool // whether the person's neutral face was known
}

// Derive derives a finished recording, looking both ways. n is nil where the
// person's neutral face is not known.
func Derive(frames []Measured, n *action.Neutral, o Options) Derived { return Derived{} }

// Live derives frames as far as is possible without their future. The zero
// value is ready. Not safe for concurrent use.
type Live struct{}

// One derives the next frame.
func (l *Live) One(m Measured, n *action.Neutral) Row { return Row{Measured: &m} }

// Reset forgets the person.
func (l *Live) Reset() {}
