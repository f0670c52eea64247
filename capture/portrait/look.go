package portrait

import (
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/script"
)

// Look is all that the drawing of one picture depends on.
type Look struct {
	// Expression is one of "neutral", "happy", "sad", "surprised", "angry",
	// "fearful" and "disgusted"; any other name is drawn as neutral.
	Expression string
	// Intensity of the expression, 0 neutral to 1 full. Nets read most
	// expressions from about a half on.
	Intensity float64
	// Closure of the lids by a blink, 0 open to 1 closed.
	Closure float64
	// GazeX and GazeY turn the eyes, -1..1: to the right of the picture and down.
	GazeX, GazeY float64
	// Yaw turns the nose to the right of the picture, Pitch turns it down, Roll
	// tilts the head clockwise; in degrees. The drawing is flat with a relief:
	// beyond 10 degrees of yaw or 6 of pitch it tears.
	Yaw, Pitch, Roll float64
	// Scale is the size of the head, 1 at the usual distance; 0 counts as 1.
	Scale float64
	// ShiftX and ShiftY move the head right and down, in pixels of a picture of
	// 480 lines.
	ShiftX, ShiftY float64
	// Hand is how far a hand is raised to the face: 0 it is not seen, 1 it lies
	// over the mouth.
	Hand float64
	// Light is how bright the picture is, 1 as usual; 0 counts as 1. The face can
	// hardly be seen at .15 and is white in parts at 2.
	Light float64
	// Back is the light from a window behind the head, 0 to 1: the camera makes
	// all that is before it dark.
	Back float64
}

// lookAt returns how the participant looks at time t of the script.
//
// The camera is opposite the participant: who looks to the left of the screen
// looks to the right of the picture.
func lookAt(s *script.Script, t time.Duration, w sway) Look {
	l := w.at(t)
	l.Yaw, l.Pitch, l.Roll = s.Head(t)
	l.Expression, l.Intensity = s.Expression(t)
	l.Closure = s.Closure(t)
	x, y := s.Gaze(t)
	l.GazeX, l.GazeY = 1-2*x, 2*y-1
	return l
}

// sway is the slow, small shift of a head that is held still.
type sway struct{ phases [swayAxes][2]float64 }

// swayAxes are x, y and scale; the script turns the head.
const swayAxes = 3

func newSway(seed uint64) sway {
	r := rand.New(rand.NewPCG(seed, 0x73776179)) // "sway"
	var s sway
	for i := range s.phases {
		s.phases[i] = [2]float64{2 * math.Pi * r.Float64(), 2 * math.Pi * r.Float64()}
	}
	return s
}

// at returns the place at time t, a pure function. Each axis adds two sines
// whose periods have no common multiple within a session.
func (s sway) at(t time.Duration) Look {
	axis := func(i int, amplitude, slowS, fastS float64) float64 {
		slow := math.Sin(2*math.Pi*t.Seconds()/slowS + s.phases[i][0])
		fast := math.Sin(2*math.Pi*t.Seconds()/fastS + s.phases[i][1])
		return amplitude * (.7*slow + .3*fast)
	}
	return Look{
		ShiftX: axis(0, 4, 8.9, 3.1),
		ShiftY: axis(1, 2.5, 5.3, 2.7),
		Scale:  1 + axis(2, .01, 11.3, 4.1),
	}
}
