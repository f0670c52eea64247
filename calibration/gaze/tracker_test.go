package gaze

import (
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// desk is a 24-inch screen at 65 cm.
func desk() eyemovement.Screen {
	return eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}
}

// tracker is a simulated eye tracker with a person in front of it who looks at
// every target 200 ms after it comes.
type tracker struct {
	screen      eyemovement.Screen
	rate        float64
	right, down float64           // constant error in degrees
	gain        float64           // of directions from the centre; 0 = 1
	bend        float64           // quadratic error, degrees at 10° from the centre
	bent        func(Point) Point // before all that; nil = not
	noise       float64           // SD per axis in degrees
	loss        float64           // share of samples missing
	wild        float64           // share of samples anywhere
	random      *rand.Rand
}

func (k tracker) at(p Point) (right, down float64) {
	if k.bent != nil {
		p = k.bent(p)
	}
	right, down = k.screen.Direction(p.X, p.Y)
	gain := k.gain
	if gain == 0 {
		gain = 1
	}
	return k.right + gain*right + k.bend*right*right/100, k.down + gain*down + k.bend*down*down/100
}

const shown = ShowFor

// look lets the person look at a target that comes at from.
func (k tracker) look(target, before Point, from instant.Instant) Look {
	l := Look{Target: target, From: from, Until: from.Add(shown)}
	step := time.Duration(float64(time.Second) / k.rate)
	for t := from; t < l.Until; t = t.Add(step) {
		eye := target
		if t.Sub(from) < 200*time.Millisecond {
			eye = before
		}
		right, down := k.at(eye)
		x, y := k.screen.At(right+k.noise*k.random.NormFloat64(), down+k.noise*k.random.NormFloat64())
		switch u := k.random.Float64(); {
		case u < k.loss:
			x, y = math.NaN(), math.NaN()
		case u < k.loss+k.wild:
			x, y = 3*k.random.Float64()-1, 3*k.random.Float64()-1
		}
		l.At, l.X, l.Y = append(l.At, t), append(l.X, x), append(l.Y, y)
	}
	return l
}

func (k tracker) looks(targets []Point) []Look {
	all := make([]Look, len(targets))
	before, now := Point{.5, .5}, instant.Instant(time.Second)
	for i, target := range targets {
		all[i] = k.look(target, before, now)
		before, now = target, now.Add(shown)
	}
	return all
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func correct(c Calibration, looks []Look) []Look {
	out := make([]Look, len(looks))
	for i, l := range looks {
		out[i] = c.Correct(l)
	}
	return out
}
