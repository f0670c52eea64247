package visibility

import "math"

// Limits of Assess. Each is measured: see DECISIONS.md.
const (
	// darkFace is the mean luma (0..255) of a face below which noise and
	// quantisation move the landmarks.
	darkFace = 40
	// darkPicture is the mean luma of a picture without a face below which the
	// dark may be why.
	darkPicture = 25
	// backLight is how many times brighter than the face its surroundings are
	// when the light comes from behind: 1.3 stops. A white wall behind a dark
	// skin in even light stays below it.
	backLight = 2.5
	// backLightFace is the luma from which on a face is bright enough, whatever
	// is behind it.
	backLightFace = 90
	// clippedShare is the share of white pixels from which on light hides part of
	// a face. Teeth and the whites of the eyes stay below it.
	clippedShare = .04
	// softDetail is the Sharpness below which a face is blurred.
	softDetail = .02
	// smallFace is the height in px of the landmarks' box, brows to chin, below
	// which the landmarks get coarse: the nets see 112 px.
	smallFace = 80
	// turnedYaw and turnedPitch are the angles in degrees from which on the far
	// half of a face is too narrow to measure, and from which a participant does
	// not look at a screen below the camera.
	turnedYaw   = 25
	turnedPitch = 20
	// edge is how far, in parts of the face's height, the landmarks must stay off
	// the edge of the picture: the nets want to see a little more than them.
	edge = .02
	// mouthCover is the View.MouthCover from which on a mouth counts as covered.
	mouthCover = .5
)

// Assess judges one view. What is not known (NaN) is not held against it.
func Assess(v *View) Mask {
	var m Mask
	set := func(bit Mask, wrong bool) {
		if wrong {
			m |= bit
		}
	}
	set(Several, v.Faces > 1)
	if !v.Found {
		set(TooDark, v.LumaAround < darkPicture)
		return m
	}
	set(TooDark, v.LumaFace < darkFace)
	set(BackLit, v.LumaFace < backLightFace && v.LumaAround > backLight*v.LumaFace)
	set(Glare, v.Clipped > clippedShare)
	set(Blurred, v.Sharpness < softDetail)
	set(TooSmall, v.H < smallFace)
	set(TurnedAway, math.Abs(v.YawDeg) > turnedYaw || math.Abs(v.PitchDeg) > turnedPitch)
	margin := edge * v.H
	set(OutOfFrame, v.X < margin || v.Y < margin || v.X+v.W > v.FrameW-margin || v.Y+v.H > v.FrameH-margin)
	set(MouthCovered, v.MouthCover >= mouthCover)
	return m
}
