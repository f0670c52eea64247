package face

import "io/fs"

// Options set up an Analyzer. The zero value is the default.
type Options struct {
	// Models holds pack.json and the nets at its root; nil is the embedded pack.
	Models fs.FS
	// DetectorSize is the side of the detector's input in pixels, a multiple of
	// 32; 0 means DefaultDetectorSize. Larger finds smaller faces and takes
	// longer.
	DetectorSize int
	// Threshold is the detector's score from which on a face is claimed, in
	// (0, 1); 0 means DefaultThreshold.
	Threshold float64
}

const (
	// DefaultDetectorSize found one frontal face before the camera in every
	// frame of the test films; the small faces of a group photograph 1000 pixels
	// wide it missed.
	DefaultDetectorSize = 224
	// DefaultThreshold is the score the net's authors use.
	DefaultThreshold = .5
)
