package portrait

import "math"

// Painter draws the virtual participant. It is not safe for concurrent use.
type Painter struct {
	scene   *scene
	head    *head
	heights heights
	last    state
	texture texture // of the last state; nil before the first
	hand    hand
}

// state is what the drawing of the head depends on, apart from its pose, in
// steps too small to be seen. While it stays the same the head is not redrawn.
type state struct {
	expression   string
	intensity    int
	closure      int
	gazeX, gazeY int
	back         int
}

// Steps of the state from 0 to 1. An expression that comes in 400 ms takes 12
// frames; an iris moves by .03 head heights, 8 pixels.
const (
	intensitySteps = 32
	closureSteps   = 12
	gazeSteps      = 24
	backSteps      = 32
)

// NewPainter returns a painter of pictures of the given size. The seed
// determines the noise.
func NewPainter(width, height int, seed uint64) *Painter {
	return &Painter{scene: newScene(width, height, seed), head: newHead(), heights: newHeights()}
}

// Paint draws one picture: BGR, 8 bits a channel, row by row without padding.
// The caller owns it. The noise differs from call to call, all else depends on
// look alone.
func (p *Painter) Paint(look Look) []byte {
	if s := quantise(look); p.texture == nil || s != p.last {
		a, gaze := s.actions(), s.gaze()
		p.texture, p.last = p.head.compose(p.head.face(a, gaze), a).dimmed(s.exposure()), s
	}
	at, exposure := p.scene.pose(look), p.last.exposure()
	pix := append([]byte(nil), p.scene.backdrop(p.last.back)...)
	p.scene.project(pix, p.texture, p.heights, at)
	p.scene.paintShoulders(pix, at, exposure)
	if look.Hand > 0 {
		p.scene.project(pix, p.hand.under(exposure), p.hand.heights, at.raised(min(1, look.Hand)))
	}
	brighten(pix, look.Light)
	p.scene.addNoise(pix)
	return pix
}

func quantise(l Look) state {
	steps := func(v, lo float64, n int) int { return int(math.Round(clip(v, lo, 1) * float64(n))) }
	return state{
		expression: l.Expression,
		intensity:  steps(l.Intensity, 0, intensitySteps),
		closure:    steps(l.Closure, 0, closureSteps),
		gazeX:      steps(l.GazeX, -1, gazeSteps),
		gazeY:      steps(l.GazeY, -1, gazeSteps),
		back:       steps(l.Back, 0, backSteps),
	}
}

func (s state) actions() actions {
	full, _ := weights(s.expression)
	a := full.scaled(float64(s.intensity) / intensitySteps)
	a[au43] = max(a[au43], float64(s.closure)/closureSteps)
	return a
}

func (s state) gaze() point {
	return point{float64(s.gazeX) / gazeSteps, float64(s.gazeY) / gazeSteps}
}

// pose places the head in the picture.
func (s *scene) pose(l Look) pose {
	scale := l.Scale
	if scale == 0 {
		scale = 1
	}
	p := pose{
		x:     float64(s.width)/2 + l.ShiftX*s.unit,
		y:     (eyesPx + l.ShiftY) * s.unit,
		scale: headPx * s.unit * scale,
	}
	const degree = math.Pi / 180
	p.sinRoll, p.cosRoll = math.Sincos(l.Roll * degree)
	p.sinYaw, p.cosYaw = math.Sincos(l.Yaw * degree)
	p.sinPitch, p.cosPitch = math.Sincos(l.Pitch * degree)
	return p
}
