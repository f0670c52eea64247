//go:build nocv

package webcam

import (
	"errors"

	"emolab/fusion/instant"
)

// ErrNoOpenCV says that the program cannot open cameras as it was built.
var ErrNoOpenCV = errors.New("webcam: built without OpenCV (build tag nocv): install libopencv-dev and build without the tag to use a camera")

// Open returns ErrNoOpenCV.
func Open(Options, instant.Clock) (*Camera, error) { return nil, ErrNoOpenCV }
