// Package headpose finds how a head is turned from its landmarks in a picture
// (perspective-n-point), and turns the landmarks back to the front.
//
// DECISIONS.md tells where the generic head comes from and how well all this
// measures.
package headpose

// Version names the generic head and the rules of Solve and Frontal. It changes
// whenever the same landmarks would give another pose or another frontal face.
const Version = "headpose-1"

// Camera is a pinhole without distortion; lengths in pixels.
type Camera struct{ Focal, CentreX, CentreY float64 }

// CameraOf returns the camera that is assumed of a picture of that size: its
// focal length is the picture's width, its axis the picture's middle.
func CameraOf(width, height float64) Camera { return Camera{width, width / 2, height / 2} }

// Pose is where a head is and how it is turned. All angles are 0 when it looks
// along the camera's axis, as a head in the middle of the picture does that
// faces the camera (see Facing for the others); each says what is seen in the
// picture. The head is first pitched, then turned by yaw, then rolled:
// R = Rz(roll) Ry(yaw) Rx(pitch).
type Pose struct {
	YawDeg   float64 `json:"yaw_deg"`   // positive: the nose turns to the picture's right
	PitchDeg float64 `json:"pitch_deg"` // positive: the nose turns down
	RollDeg  float64 `json:"roll_deg"`  // positive: the head tilts clockwise; -180..180
	// X, Y, Z is the head's place in mm from the camera: right, down, away. It is
	// as true as the assumptions that every head is of one size and every focal
	// length the picture's width.
	X float64 `json:"x_mm"`
	Y float64 `json:"y_mm"`
	Z float64 `json:"z_mm"`
	// Residual is the root mean square distance of the projected head from the
	// landmarks, in parts of the distance between the eyes. Landmarks count as
	// much as they are trusted to keep still on the skull. Above .1 the angles
	// mean little.
	Residual float64 `json:"residual"`
}
