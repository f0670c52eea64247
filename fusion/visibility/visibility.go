// Package visibility judges how well a camera sees a face, in terms a person
// can act upon: light, size, place, hands.
//
// Assess judges one frame (Mask). Watch turns the frames of the last seconds
// into one sentence for the experimenter. What the limits rest on stands in
// DECISIONS.md.
package visibility

// Version names the rules of Assess. It changes whenever the same View would give
// another Mask.
const Version = "visibility-1"

// View is what is measured of one camera frame. Where no face is found only
// Faces, FrameW, FrameH and LumaAround are numbers, the others NaN.
type View struct {
	Found            bool
	Faces            float64 // faces in the picture, when all of it was last searched
	X, Y, W, H       float64 // bounding box of the landmarks, px
	FrameW, FrameH   float64 // px
	LumaFace         float64 // mean luma of the face, 0..255
	LumaAround       float64 // mean luma of the picture outside the face (all of it without one), 0..255
	Clipped          float64 // share of the face's pixels that are white: glare
	Sharpness        float64 // fine detail of the face relative to its contrast, 0..; see Blurred
	MouthCover       float64 // how likely something hides the mouth, 0..1
	YawDeg, PitchDeg float64 // as the camera sees the head turned (headpose.Pose.Facing); NaN when not known
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

// bits is how many of them there are.
const bits = 9

// meanings are the bits in words, in their order.
var meanings = [bits]string{
	"too dark",
	"face much darker than what is around it (light from behind)",
	"light reflected by the face or the glasses is white in the picture",
	"blurred",
	"face too small in the picture",
	"turned away from the camera",
	"face at the edge of the picture",
	"mouth covered",
	"several faces in the picture",
}

// Words says what each bit means, in the order of the bits; empty for 0.
func (m Mask) Words() []string {
	var words []string
	for i, text := range meanings {
		if m&(1<<i) != 0 {
			words = append(words, text)
		}
	}
	return words
}
