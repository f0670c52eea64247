package visibility

import "math"

// Limits of Assess. Each is measured: see DECISIONS.md.
const (
	// darkFace is the mean luma (0..255) of a face below which the search misses
	// every fifth and the landmarks move by 2 % of the distance between the eyes.
	darkFace = 40
	// darkPicture is the mean luma of a picture without a face below which the
	// dark may be why. A lit face before a dark wall has 28 around it.
	darkPicture = 25
	// backLight is how many times the luma of the face that of its surroundings is
	// when the light comes from behind. It is 7.5 times the light (a camera's
	// luma goes with the power of 1/2.2): a white wall behind a very dark skin
	// reflects 6 times as much in even light.
	backLight = 2.5
	// backLightFace is the luma from which on a face is bright enough, whatever
	// is behind it.
	backLightFace = 80
	// clippedShare is the share of white pixels from which on light hides part of
	// a face: a reflection on each glass as wide as the iris. Teeth and the
	// whites of the eyes stay below white.
	clippedShare = .02
	// bleached is the share of white pixels above which the skin has lost its
	// colour. A white cup or mask before the mouth is seldom so bright itself.
	bleached = .15
	// softDetail is the Sharpness below which a face is blurred: by 1.5 % of its
	// height (standard deviation of the blur), which moves the landmarks by 2.6 %
	// of the distance between the eyes.
	softDetail = .125
	// smallFace is the height in px of the landmarks' box, brows to chin, below
	// which the landmarks are off by more than 1.8 % of the distance between the
	// eyes, and the gap between the lids is less than four pixels.
	smallFace = 80
	// turnedYaw and turnedPitch are the angles in degrees from which on the far
	// half of a face is too narrow to measure. Where the zero of a stranger's pitch
	// lies is known to some 5 degrees only: a woman who throws her head back a
	// little and laughs into the camera measures -20 to -23.
	turnedYaw   = 25
	turnedPitch = 25
	// edge is how near to the edge of the picture, in parts of the face's height,
	// the landmarks come when the picture ends where the face does.
	edge = .02
	// mouthCover is the View.MouthCover from which on a mouth counts as covered.
	mouthCover = .5
)

// noLips are the faults with which a picture does not show whether the lips can
// be seen.
const noLips = TooDark | BackLit | Blurred | TurnedAway

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
	set(MouthCovered, v.MouthCover >= mouthCover && m&noLips == 0 && !(v.Clipped > bleached))
	return m
}
