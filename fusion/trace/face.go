package trace

import (
	"math"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
)

// face fills in what was derived of the camera frame's face.
func (r *row) face(f *facial.Row) {
	v := r.sample.Values
	v[yawDeg], v[pitchDeg], v[rollDeg] = f.Pose.YawDeg, f.Pose.PitchDeg, f.Pose.RollDeg
	v[poseResidual] = f.Pose.Residual
	v[faceHeightPX], v[earRight], v[earLeft] = f.HeightPX, f.EARRight, f.EARLeft
	copy(v[au01:au01+action.Count], f.AU[:])
	v[au45] = f.Blink
	copy(v[emfacsHappy:emfacsHappy+expression.Count-1], f.Evidence[expression.Happy:])
	v[emfacsAgreement] = f.Agreement
	if !f.Found || !f.Posed { // 0 would be a pose
		v[yawDeg], v[pitchDeg], v[rollDeg], v[poseResidual] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	r.quality |= ofView(f.View)
}
