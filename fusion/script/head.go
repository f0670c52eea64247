package script

import (
	"math"
	"math/rand/v2"
	"time"
)

// Turn is one slow turn of the head, there and back.
type Turn struct {
	From     time.Duration `json:"from_ns"`
	Until    time.Duration `json:"until_ns"`
	YawDeg   float64       `json:"yaw_deg"`   // furthest; positive: the nose to the picture's right
	PitchDeg float64       `json:"pitch_deg"` // furthest; positive: the nose down
}

const (
	// maxTurnYawDeg and maxTurnPitchDeg are the furthest that a head turns.
	// Together with the sway it stays within what the drawn face can show: 10
	// degrees of yaw and 6 of pitch.
	maxTurnYawDeg   = 8
	maxTurnPitchDeg = 4.5
	// turnRamp is how long a turn takes each way, turnMargin its distance from
	// the expressions before and after.
	turnRamp   = 900 * time.Millisecond
	turnMargin = 200 * time.Millisecond

	// Amplitudes of the sway, the slow and small movement of a head that is held
	// still.
	swayYawDeg   = 2
	swayPitchDeg = 1.2
	swayRollDeg  = 1.5
)

// turns writes the turns of a script whose expressions stand already: in every
// other of the neutral stretches that follow an expression, to the one side and
// to the other. The stretch at the beginning stays calm, for the neutral face to
// be seen.
func (s *Script) turns() []Turn {
	r := rand.New(rand.NewPCG(s.Seed, 0x7475726e)) // "turn"; nothing else of the script depends on it
	side := 1.
	if r.IntN(2) == 0 {
		side = -1
	}
	var out []Turn
	for i := 0; i+1 < len(s.Expressions); i += 2 {
		out = append(out, Turn{
			From:     s.Expressions[i].Until + turnMargin,
			Until:    s.Expressions[i+1].From - turnMargin,
			YawDeg:   side * maxTurnYawDeg * (.7 + .3*r.Float64()),
			PitchDeg: maxTurnPitchDeg * (2*r.Float64() - 1),
		})
		side = -side
	}
	return out
}

// Head returns how the head is turned, in degrees: its turns and its sway. Yaw
// is positive when the nose turns to the picture's right, pitch when it turns
// down, roll when the head tilts clockwise.
func (s *Script) Head(t time.Duration) (yawDeg, pitchDeg, rollDeg float64) {
	p := s.phase(t)
	for _, u := range s.Turns {
		if p < u.From || p >= u.Until {
			continue
		}
		share := smooth(float64(min(p-u.From, u.Until-p)) / float64(turnRamp))
		yawDeg, pitchDeg = share*u.YawDeg, share*u.PitchDeg
	}
	// Each axis adds two sines whose periods have no common multiple within a
	// session.
	r := rand.New(rand.NewPCG(s.Seed, 0x73776179)) // "sway"
	sway := func(amplitude, slowS, fastS float64) float64 {
		slow := math.Sin(2*math.Pi*t.Seconds()/slowS + 2*math.Pi*r.Float64())
		fast := math.Sin(2*math.Pi*t.Seconds()/fastS + 2*math.Pi*r.Float64())
		return amplitude * (.7*slow + .3*fast)
	}
	yawDeg += sway(swayYawDeg, 7.3, 2.9)
	pitchDeg += sway(swayPitchDeg, 6.1, 2.3)
	rollDeg += sway(swayRollDeg, 9.7, 3.7)
	return yawDeg, pitchDeg, rollDeg
}
