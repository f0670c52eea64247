package face

import (
	"io/fs"

	"emolab/capture/face/modelpack"
)

// The detectors by the names that options and commands use.
const (
	DetectorTiny  = "tiny"          // of the embedded pack
	DetectorYuNet = modelpack.YuNet // optional: more, smaller and turned faces
)

// Detectors lists the names that Options.Detector takes.
func Detectors() []string { return []string{DetectorTiny, DetectorYuNet} }

// Options set up an Analyzer. The zero value is the default.
type Options struct {
	// Models holds pack.json and the nets at its root; nil is the embedded pack.
	Models fs.FS
	// Detector finds the faces: DetectorTiny (also "") or DetectorYuNet.
	Detector string
	// Optional holds the installed models beyond the pack at its root; nil is
	// none. Only what Detector asks for is read from it.
	Optional fs.FS
	// DetectorSize is the side of the detector's input in pixels, a multiple of
	// 32; 0 means the detector's own (DefaultDetectorSize, DefaultYuNetSize).
	// Larger finds smaller faces and takes longer.
	DetectorSize int
	// Threshold is the detector's score from which on a face is claimed, in
	// (0, 1); 0 means the detector's own (DefaultThreshold, DefaultYuNetThreshold).
	Threshold float64
	// NoMirror reads the expression from the face's crop alone. By default it is
	// the mean of the answers for the crop and for its mirror image, which
	// depends less on how exactly the crop lies and takes one more run of the net.
	NoMirror bool
}

const (
	// DefaultDetectorSize found the one face before the camera in every frame of
	// the test films. Larger is no better for that: at 320 a face that fills half
	// the picture was missed in 11 % of the frames of one film, at 416 in 30 %.
	// Faces of a tenth of the picture's width need 320, or YuNet.
	DefaultDetectorSize = 224
	// DefaultThreshold is the score the net's authors use.
	DefaultThreshold = .5
	// DefaultYuNetSize finds large faces and those of a tenth of the picture's
	// width alike; 640 takes three times as long.
	DefaultYuNetSize = 320
	// DefaultYuNetThreshold lies between the weakest face of a group photograph
	// at that size (.90) and anything else in it (below .3).
	DefaultYuNetThreshold = .6
)
