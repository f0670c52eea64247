//go:build nocv

package face

import (
	"errors"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// ErrNoOpenCV says that the program cannot analyse faces as it was built.
var ErrNoOpenCV = errors.New("face: built without OpenCV (build tag nocv): install libopencv-dev and build without the tag to analyse faces")

// Analyzer reads faces. In this build there is none.
type Analyzer struct{}

// NewAnalyzer returns ErrNoOpenCV.
func NewAnalyzer(Options) (*Analyzer, error) { return nil, ErrNoOpenCV }

// Analyze returns ErrNoOpenCV.
func (*Analyzer) Analyze(frame.Frame) (Result, error) { return Result{}, ErrNoOpenCV }

// Reset does nothing.
func (*Analyzer) Reset() {}

// Measure returns ErrNoOpenCV.
func (*Analyzer) Measure(frame.Frame, instant.Clock) (Stages, error) { return Stages{}, ErrNoOpenCV }

// Models returns "".
func (*Analyzer) Models() string { return "" }

// Close does nothing.
func (*Analyzer) Close() error { return nil }
