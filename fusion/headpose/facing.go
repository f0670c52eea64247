package headpose

// Facing returns how the head is turned as the camera sees it, wherever in the
// picture it is: all angles are 0 when the nose points at the camera. A head at
// the picture's edge that looks along the camera's axis seems turned outwards
// by some degrees.
func (p Pose) Facing() (yawDeg, pitchDeg, rollDeg float64) {
	away := vector{p.X, p.Y, p.Z}
	if away.length() == 0 {
		return p.YawDeg, p.PitchDeg, p.RollDeg
	}
	// The camera turned towards the head, kept level.
	away = away.times(1 / away.length())
	right := vector{0, 1, 0}.cross(away)
	if right.length() == 0 {
		return p.YawDeg, p.PitchDeg, p.RollDeg
	}
	right = right.times(1 / right.length())
	down := away.cross(right)

	t := newTurn(p.YawDeg*degree, p.PitchDeg*degree, p.RollDeg*degree)
	yaw, pitch, roll := angles(t.back(right), t.back(down), t.back(away))
	return yaw / degree, pitch / degree, roll / degree
}
