package headpose

import "math"

const degree = math.Pi / 180 // radians

// vector is right, down, away from the camera.
type vector [3]float64

// turn is a rotation by its angles in radians, with the signs of Pose.
type turn struct {
	sinYaw, cosYaw, sinPitch, cosPitch, sinRoll, cosRoll float64
}

func newTurn(yaw, pitch, roll float64) turn {
	var t turn
	t.sinYaw, t.cosYaw = math.Sincos(yaw)
	t.sinPitch, t.cosPitch = math.Sincos(pitch)
	t.sinRoll, t.cosRoll = math.Sincos(roll)
	return t
}

// The three steps of a turn. The nose points to -z.
func (t *turn) pitch(p vector) vector {
	return vector{p[0], t.cosPitch*p[1] - t.sinPitch*p[2], t.sinPitch*p[1] + t.cosPitch*p[2]}
}

func (t *turn) yaw(p vector) vector {
	return vector{t.cosYaw*p[0] - t.sinYaw*p[2], p[1], t.sinYaw*p[0] + t.cosYaw*p[2]}
}

func (t *turn) roll(p vector) vector {
	return vector{t.cosRoll*p[0] - t.sinRoll*p[1], t.sinRoll*p[0] + t.cosRoll*p[1], p[2]}
}

// apply turns a vector.
func (t *turn) apply(p vector) vector { return t.roll(t.yaw(t.pitch(p))) }

// back undoes the turn.
func (t *turn) back(p vector) vector {
	p = vector{t.cosRoll*p[0] + t.sinRoll*p[1], t.cosRoll*p[1] - t.sinRoll*p[0], p[2]}
	p = vector{t.cosYaw*p[0] + t.sinYaw*p[2], p[1], t.cosYaw*p[2] - t.sinYaw*p[0]}
	return vector{p[0], t.cosPitch*p[1] + t.sinPitch*p[2], t.cosPitch*p[2] - t.sinPitch*p[1]}
}

// angles returns the yaw, pitch and roll of the rotation whose rows are a, b, c.
func angles(a, b, c vector) (yaw, pitch, roll float64) {
	return math.Asin(max(-1, min(1, c[0]))), math.Atan2(c[1], c[2]), math.Atan2(b[0], a[0])
}

func (p vector) dot(q vector) float64 { return p[0]*q[0] + p[1]*q[1] + p[2]*q[2] }

func (p vector) cross(q vector) vector {
	return vector{p[1]*q[2] - p[2]*q[1], p[2]*q[0] - p[0]*q[2], p[0]*q[1] - p[1]*q[0]}
}

func (p vector) times(k float64) vector { return vector{k * p[0], k * p[1], k * p[2]} }

func (p vector) plus(q vector) vector { return vector{p[0] + q[0], p[1] + q[1], p[2] + q[2]} }

func (p vector) length() float64 { return math.Sqrt(p.dot(p)) }
