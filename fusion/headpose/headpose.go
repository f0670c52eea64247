// Package headpose finds how a head is turned from its landmarks in a picture
// (perspective-n-point), and turns the landmarks back to the front.
package headpose

import "emolab/fusion/landmark"

// Camera is a pinhole without distortion; lengths in pixels.
type Camera struct{ Focal, CentreX, CentreY float64 }

// CameraOf returns the camera that is assumed of a picture of that size: its
// focal length is the picture's width, its axis the picture's middle.
func CameraOf(width, height float64) Camera { return Camera{width, width / 2, height / 2} }

// Pose is where a head is and how it is turned. All angles are 0 when it faces
// the camera; each says what is seen in the picture.
type Pose struct {
	YawDeg   float64 // positive: the nose turns to the picture's right
	PitchDeg float64 // positive: the nose turns down
	RollDeg  float64 // positive: the head tilts clockwise
	// X, Y, Z is the head's place in mm from the camera: right, down, away. It is
	// as true as the assumptions that every head is of one size and every focal
	// length the picture's width.
	X, Y, Z float64
	// Residual is the root mean square distance of the projected head from the
	// landmarks, in parts of the distance between the eyes. Above .1 the angles
	// mean little.
	Residual float64
}

// Head is the 68 points in space, in mm: x to the picture's right, y down, z
// away from the camera when the head faces it; origin midway between the eyes.
type Head [landmark.Count]struct{ X, Y, Z float64 }

// Generic returns a head of average proportions.
func Generic() Head { return Head{} }

// Solve finds the pose in which head projects best onto the landmarks (px).
// before, if not nil, is the pose a frame ago, from which the search begins.
// False when the landmarks are no numbers, or no pose explains them.
func Solve(face *landmark.Face, head *Head, cam Camera, before *Pose) (Pose, bool) {
	return Pose{}, false
}

// Frontal turns the landmarks (px) of a head in pose p back to the front. The
// result is in parts of the distance between the eyes, origin midway between
// them, x right and y down.
func Frontal(face *landmark.Face, head *Head, cam Camera, p Pose) landmark.Face {
	return landmark.Face{}
}
