package headpose

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// A head that points its nose at the camera faces it, wherever it is.
func TestFacing(t *testing.T) {
	for _, tc := range []struct{ p, want Pose }{
		{Pose{YawDeg: 10, PitchDeg: -5, RollDeg: 3, Z: 600}, Pose{YawDeg: 10, PitchDeg: -5, RollDeg: 3}},
		{Pose{X: 600, Z: 600}, Pose{YawDeg: 45}},
		{Pose{X: 600, Z: 600, YawDeg: -45}, Pose{}},
		{Pose{Y: 600, Z: 600}, Pose{PitchDeg: 45}},
		{Pose{Y: 600, Z: 600, PitchDeg: -45}, Pose{}},
		{Pose{YawDeg: 10}, Pose{YawDeg: 10}},
		{Pose{YawDeg: 10, Y: 5}, Pose{YawDeg: 10}}, // straight below the lens
	} {
		yaw, pitch, roll := tc.p.Facing()
		if max(math.Abs(yaw-tc.want.YawDeg), math.Abs(pitch-tc.want.PitchDeg), math.Abs(roll-tc.want.RollDeg)) > 1e-9 {
			t.Errorf("%+v: faces %.2f, %.2f, %.2f, want %+v", tc.p, yaw, pitch, roll, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		// A head that looks along the axis seems turned outwards.
		p := drawPose(t)
		p.YawDeg, p.PitchDeg, p.RollDeg = 0, 0, 0
		yaw, pitch, _ := p.Facing()
		if math.Abs(yaw-math.Asin(p.X/math.Hypot(p.X, math.Hypot(p.Y, p.Z)))/degree) > 1e-6 || (pitch > 0) != (p.Y > 0) && p.Y != 0 {
			t.Fatalf("%+v seems turned by %.2f, %.2f", p, yaw, pitch)
		}
	})
}
