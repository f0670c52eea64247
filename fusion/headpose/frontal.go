package headpose

import "emolab/fusion/landmark"

// Frontal turns the landmarks (px) of a head in pose p back to the front. The
// result is in parts of the distance between the eyes, origin midway between
// them, x right and y down.
//
// Every landmark is taken to lie as deep in the head as that point of the
// generic head: where its ray meets the plane of that depth, parallel to the
// face, is its place from the front. A movement in this plane, such as a raised
// brow or a widened mouth, comes back as it was, whatever the pose; a movement
// towards the camera is taken for one in the plane.
//
// The unit is measured in each face, so that the distance between the centres of
// the eyes is always 1. The origin is the middle of the four corners of the eyes,
// which blinks leave in place.
func Frontal(face *landmark.Face, head *Head, cam Camera, p Pose) landmark.Face {
	t := newTurn(p.YawDeg*degree, p.PitchDeg*degree, p.RollDeg*degree)
	camera := t.back(vector{-p.X, -p.Y, -p.Z}) // as the head sees it
	var out landmark.Face
	for i, l := range face {
		ray := t.back(vector{(l.X - cam.CentreX) / cam.Focal, (l.Y - cam.CentreY) / cam.Focal, 1})
		along := (head[i].Z - camera[2]) / ray[2]
		out[i] = landmark.Point{X: camera[0] + along*ray[0], Y: camera[1] + along*ray[1]}
	}
	unit := out.EyeDistance()
	var middle landmark.Point
	corners := [...]int{landmark.EyeRightOuter, landmark.EyeRightInner, landmark.EyeLeftInner, landmark.EyeLeftOuter}
	for _, i := range corners {
		middle.X += out[i].X / float64(len(corners))
		middle.Y += out[i].Y / float64(len(corners))
	}
	for i, q := range out {
		out[i] = landmark.Point{X: (q.X - middle.X) / unit, Y: (q.Y - middle.Y) / unit}
	}
	return out
}
