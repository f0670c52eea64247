// Package visibility judges how well a camera sees a face, in terms a person
// can act upon: light, size, place, hands.
package visibility

import (
	"emolab/fusion/instant"
)

// View is what is measured of one camera frame. Where no face is found only
// Faces, FrameW, FrameH and LumaAround are numbers, the others NaN.
type View struct {
	Found            bool
	Faces            float64 // faces in the picture, when all of it was last searched
	X, Y, W, H       float64 // bounding box of the landmarks, px
	FrameW, FrameH   float64 // px
	LumaFace         float64 // mean luma of the face, 0..255
	LumaAround       float64 // mean luma of the picture outside the face, 0..255
	Clipped          float64 // share of the face's pixels that are white: glare
	Sharpness        float64 // fine detail of the face relative to its contrast, 0..; see Blurred
	MouthCover       float64 // how likely something hides the mouth, 0..1
	YawDeg, PitchDeg float64 // NaN when the pose is not known
}

// Mask is what is wrong with a view; 0 is fine.
type Mask uint32

// The bits of Mask. They are part of the file format: never renumbered.
const (
	TooDark      Mask = 1 << iota
	BackLit           // 2
	Glare             // 4
	Blurred           // 8
	TooSmall          // 16
	TurnedAway        // 32
	OutOfFrame        // 64
	MouthCovered      // 128
	Several           // 256
)

// Assess judges one view.
func Assess(v *View) Mask { return 0 }

// Words says what each bit means, in the order of the bits; empty for 0.
func (m Mask) Words() []string { return nil }

// Watch turns masks frame by frame into one sentence for the experimenter, and
// keeps it steady: a fault is named when it has lasted, and forgotten when it
// has gone. Not safe for concurrent use.
type Watch struct{}

// Add takes the next frame's view and mask.
func (w *Watch) Add(at instant.Instant, found bool, m Mask) {}

// Advice returns what is worst now in one plain sentence that says what to do;
// "" when all is well.
func (w *Watch) Advice() string { return "" }
