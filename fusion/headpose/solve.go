package headpose

import (
	"math"

	"emolab/fusion/landmark"
)

const (
	// maxMisfit is the largest root mean of the cost of a pose, in parts of the
	// distance between the eyes. Real faces leave .02 to .05; with more than this
	// the landmarks are not those of a head. Unlike the residual it forgives a few
	// landmarks that went astray.
	maxMisfit = .2
	// maxTurnDeg is the largest yaw and pitch: beyond it no face is seen.
	maxTurnDeg = 85
	// wild is the distance, in parts of that between the eyes, from which a
	// landmark counts by its distance and no longer by its square (Huber 1964).
	wild = .08

	maxSteps = 30
	// converged is the change of an angle, in radians, and of the place, in
	// parts of the distance, that ends the search.
	converged = 1e-6
	// firstDamping is Levenberg and Marquardt's lambda at the beginning.
	firstDamping = 1e-4
)

// parameters is a pose in the units of the search: radians and mm.
type parameters struct {
	yaw, pitch, roll float64
	place            vector
}

// Solve finds the pose in which head projects best onto the landmarks (px).
// before, if not nil, is the pose a frame ago, from which the search begins; the
// result is the same, sooner. False when the landmarks are no numbers, or no
// pose explains them.
//
// It minimises the weighted distances by Levenberg's and Marquardt's method,
// after Huber's rule, so that few landmarks that went astray do little harm.
func Solve(face *landmark.Face, head *Head, cam Camera, before *Pose) (Pose, bool) {
	if !face.Known() || !(cam.Focal > 0) {
		return Pose{}, false
	}
	s := search{face: face, head: head, cam: cam, weights: trust(), eyes: head.eyeDistance()}
	if before != nil && before.Z > 0 {
		begin := parameters{before.YawDeg * degree, before.PitchDeg * degree, before.RollDeg * degree, vector{before.X, before.Y, before.Z}}
		if p, ok := s.from(begin); ok {
			return p, true
		}
	}
	begin, ok := guess(face, head, cam, &s.weights)
	if !ok {
		return Pose{}, false
	}
	return s.from(begin)
}

// search is the fit of one head to one face.
type search struct {
	face    *landmark.Face
	head    *Head
	cam     Camera
	weights [landmark.Count]float64
	eyes    float64 // distance between the head's eyes, mm
	unit    float64 // what a focal length is in distances between the eyes, where the search began
}

// normal is the normal equations about some parameters: the cost there, its
// falling gradient and its approximate second derivatives (lower triangle).
type normal struct {
	cost float64
	fall [unknowns]float64
	bend [unknowns][unknowns]float64
}

// from descends from p to the nearest minimum; false when that explains nothing.
func (s *search) from(p parameters) (Pose, bool) {
	s.unit = p.place[2] / s.eyes
	here, ok := s.linearise(&p)
	if !ok {
		return Pose{}, false
	}
	damping := firstDamping
	for range maxSteps {
		d, ok := step(&here.bend, damping, &here.fall)
		if !ok {
			return Pose{}, false
		}
		q := parameters{p.yaw + d[0], p.pitch + d[1], p.roll + d[2], p.place.plus(vector{d[3], d[4], d[5]})}
		size := max(math.Abs(d[0]), math.Abs(d[1]), math.Abs(d[2]), vector{d[3], d[4], d[5]}.length()/p.place[2])
		there, ok := s.linearise(&q)
		if ok && there.cost <= here.cost {
			p, here = q, there
			damping /= 10
		} else {
			damping = max(10*damping, firstDamping)
		}
		if size < converged {
			break
		}
	}
	out, misfit := s.pose(&p)
	seen := math.Abs(out.YawDeg) <= maxTurnDeg && math.Abs(out.PitchDeg) <= maxTurnDeg && out.Z > 0
	return out, seen && misfit <= maxMisfit
}

// linearise returns the normal equations about p; false when a point of the head
// would be behind the camera.
func (s *search) linearise(p *parameters) (n normal, ok bool) {
	t := newTurn(p.yaw, p.pitch, p.roll)
	focal := s.cam.Focal
	for i := range s.head {
		w := s.weights[i]
		if w == 0 {
			continue
		}
		q := &s.head[i]
		pitched := t.pitch(vector{q.X, q.Y, q.Z})
		yawed := t.yaw(pitched)
		at := t.roll(yawed)
		x, y, z := at[0]+p.place[0], at[1]+p.place[1], at[2]+p.place[2]
		if !(z > 0) {
			return n, false
		}
		k := s.unit / z
		px, py := x/z, y/z
		du := s.unit * ((s.face[i].X-s.cam.CentreX)/focal - px)
		dv := s.unit * ((s.face[i].Y-s.cam.CentreY)/focal - py)
		cost, weight := huber(du*du + dv*dv)
		n.cost += w * cost
		w *= weight

		// How the point moves with yaw and pitch; roll turns it about the head's
		// origin in the picture.
		byYaw := t.roll(vector{-yawed[2], 0, yawed[0]})
		byPitch := t.roll(t.yaw(vector{0, -pitched[2], pitched[1]}))
		ju := [unknowns]float64{
			k * (byYaw[0] - px*byYaw[2]), k * (byPitch[0] - px*byPitch[2]), -k * at[1], k, 0, -k * px,
		}
		jv := [unknowns]float64{
			k * (byYaw[1] - py*byYaw[2]), k * (byPitch[1] - py*byPitch[2]), k * at[0], 0, k, -k * py,
		}
		for a := range unknowns {
			wu, wv := w*ju[a], w*jv[a]
			n.fall[a] += wu*du + wv*dv
			for b := range a + 1 {
				n.bend[a][b] += wu*ju[b] + wv*jv[b]
			}
		}
	}
	return n, true
}

// pose returns p with its residual, and the misfit beside it.
func (s *search) pose(p *parameters) (out Pose, misfit float64) {
	t := newTurn(p.yaw, p.pitch, p.roll)
	s.unit = p.place[2] / s.eyes
	var squares, costs, all float64
	for i, w := range s.weights {
		q := s.head[i]
		at := t.apply(vector{q.X, q.Y, q.Z}).plus(p.place)
		du := s.unit * ((s.face[i].X-s.cam.CentreX)/s.cam.Focal - at[0]/at[2])
		dv := s.unit * ((s.face[i].Y-s.cam.CentreY)/s.cam.Focal - at[1]/at[2])
		d2 := du*du + dv*dv
		cost, _ := huber(d2)
		squares += w * d2
		costs += w * cost
		all += w
	}
	return Pose{
		YawDeg: p.yaw / degree, PitchDeg: p.pitch / degree, RollDeg: math.Remainder(p.roll/degree, 360),
		X: p.place[0], Y: p.place[1], Z: p.place[2],
		Residual: math.Sqrt(squares / all),
	}, math.Sqrt(costs / all)
}

// huber returns what a distance costs, given its square, and its weight in the
// normal equations.
func huber(d2 float64) (cost, weight float64) {
	if d2 <= wild*wild {
		return d2, 1
	}
	d := math.Sqrt(d2)
	return wild * (2*d - wild), wild / d
}
