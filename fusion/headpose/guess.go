package headpose

import (
	"math"

	"emolab/fusion/landmark"
)

// guess finds a pose in closed form, as if all points were equally far away: the
// affine map from head to picture that fits best, made a rotation (the first
// step of DeMenthon and Davis 1995). False when the landmarks or the head do not
// span what they must.
func guess(face *landmark.Face, head *Head, cam Camera, weights *[landmark.Count]float64) (parameters, bool) {
	var sum float64
	var mean vector  // of the head's points
	var u, v float64 // mean of the landmarks, in focal lengths
	for i, w := range weights {
		p := head[i]
		sum += w
		mean = mean.plus(vector{p.X, p.Y, p.Z}.times(w))
		u += w * (face[i].X - cam.CentreX) / cam.Focal
		v += w * (face[i].Y - cam.CentreY) / cam.Focal
	}
	mean, u, v = mean.times(1/sum), u/sum, v/sum

	var rows [3]vector // second moments of the head
	var alongU, alongV vector
	for i, w := range weights {
		p := vector{head[i].X - mean[0], head[i].Y - mean[1], head[i].Z - mean[2]}
		for k := range rows {
			rows[k] = rows[k].plus(p.times(w * p[k]))
		}
		alongU = alongU.plus(p.times(w * ((face[i].X-cam.CentreX)/cam.Focal - u)))
		alongV = alongV.plus(p.times(w * ((face[i].Y-cam.CentreY)/cam.Focal - v)))
	}
	a, okU := solve3(rows, alongU)
	b, okV := solve3(rows, alongV)
	scale := (a.length() + b.length()) / 2
	if !okU || !okV || !(scale > 0) || math.IsInf(scale, 1) {
		return parameters{}, false
	}

	// The two rows, made perpendicular without preferring either.
	a, b = a.times(1/a.length()), b.times(1/b.length())
	sum1, sum2 := a.plus(b), a.plus(b.times(-1))
	if sum1.length() < 1e-6 || sum2.length() < 1e-6 {
		return parameters{}, false
	}
	sum1, sum2 = sum1.times(math.Sqrt2/2/sum1.length()), sum2.times(math.Sqrt2/2/sum2.length())
	a, b = sum1.plus(sum2), sum1.plus(sum2.times(-1))
	c := a.cross(b)

	var p parameters
	p.yaw, p.pitch, p.roll = angles(a, b, c)
	z := 1 / scale
	t := newTurn(p.yaw, p.pitch, p.roll)
	centre := t.apply(mean)
	p.place = vector{u*z - centre[0], v*z - centre[1], z - centre[2]}
	return p, true
}
