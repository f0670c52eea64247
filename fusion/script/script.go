// Package script is what the virtual participant does, second by second: the
// known truth that all virtual parts play, and against which a whole session is
// scored.
//
// A Script is a pure function of the time since it began. The virtual sensors,
// the drawn face and the scoring all ask the same functions, so that they
// cannot disagree. It repeats after Period, because the virtual lab runs for as
// long as the server does.
package script

import (
	"math"
	"math/rand/v2"
	"time"
)

// Expression is one held facial expression, with ramps of Ramp at both ends
// inside [From, Until].
type Expression struct {
	Name  string        `json:"name"` // one of the seven classes: "happy"
	From  time.Duration `json:"from_ns"`
	Until time.Duration `json:"until_ns"`
	// Strength is how far the face follows at the most, 0..1; 0 stands for 1.
	Strength float64 `json:"strength,omitempty"`
}

// strength is that of a face that follows as far as this one.
func (e Expression) strength() float64 {
	if e.Strength == 0 {
		return 1
	}
	return e.Strength
}

// Fixation is one gaze position, held until the next one begins.
type Fixation struct {
	From time.Duration `json:"from_ns"`
	X    float64       `json:"x"` // 0..1 of the screen's width, from the left
	Y    float64       `json:"y"` // 0..1 of the screen's height, from the top
}

// Response is one skin-conductance response.
type Response struct {
	Onset       time.Duration `json:"onset_ns"`
	AmplitudeUS float64       `json:"amplitude_us"` // of its peak above its onset, µS
}

// Blink is one closure of both eyes.
type Blink struct {
	At       time.Duration `json:"at_ns"`
	Duration time.Duration `json:"duration_ns"`
}

// Script is one participant's behaviour over one Period. Slices are in order of
// time and all times lie in [0, Period).
type Script struct {
	Seed        uint64        `json:"seed"`
	Period      time.Duration `json:"period_ns"`
	LevelUS     float64       `json:"level_us"` // mean skin-conductance level, µS
	Expressions []Expression  `json:"expressions"`
	Fixations   []Fixation    `json:"fixations"`
	Responses   []Response    `json:"responses"`
	Blinks      []Blink       `json:"blinks"`
	Turns       []Turn        `json:"turns"` // of the head
	// Unresponsive is a skin that does not respond to a deep breath either.
	Unresponsive bool `json:"unresponsive,omitempty"`
}

const (
	// Ramp is how long an expression takes to come and to go.
	Ramp = 400 * time.Millisecond
	// saccade is the time from one fixation to the next, long for its size but
	// visible at 60 Hz.
	saccade = 40 * time.Millisecond

	// Time constants of the response's Bateman form, in seconds: slow decay and
	// fast rise, within the ranges of Boucsein et al. 2012 (rise 1-3 s, half
	// recovery 2-10 s).
	decayS = 2.5
	riseS  = 0.6
)

// classes are the expressions that the drawn face shows reliably; between two
// of them the face is neutral.
var classes = []string{"happy", "surprised", "sad", "angry"}

// New writes a script from a seed: every class once, in an order that the seed
// shuffles after "happy" and "surprised", with a response shortly after most of
// the expressions begin. The same seed gives the same script.
func New(seed uint64) *Script {
	r := rand.New(rand.NewPCG(seed, 0x656d6f6c6162)) // "emolab"
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

	s := &Script{Seed: seed, LevelUS: between(4, 9)}
	order := append([]string(nil), classes...)
	r.Shuffle(len(order)-2, func(i, j int) { order[i+2], order[j+2] = order[j+2], order[i+2] })

	t := seconds(between(3, 4))
	for _, name := range order {
		until := t + seconds(between(4, 5))
		s.Expressions = append(s.Expressions, Expression{Name: name, From: t, Until: until})
		s.Responses = append(s.Responses, Response{t + seconds(between(1, 1.6)), between(.3, 1.1)})
		t = until + seconds(between(3, 4))
	}
	s.Period = t

	// Most fixations lie on a 9:16 picture in the middle of a 16:9 screen
	// (x from .34 to .66), a few look away from it.
	for t := time.Duration(0); t < s.Period; t += seconds(between(.25, .8)) {
		x := between(.38, .62)
		if r.Float64() < .1 {
			x = between(.05, .3)
		}
		s.Fixations = append(s.Fixations, Fixation{t, x, between(.2, .8)})
	}
	for t := seconds(between(1, 3)); t < s.Period-time.Second; t += seconds(between(2.5, 5)) {
		s.Blinks = append(s.Blinks, Blink{t, seconds(between(.12, .2))})
	}
	s.Turns = s.turns()
	return s
}

// phase folds t into one period.
func (s *Script) phase(t time.Duration) time.Duration {
	t %= s.Period
	if t < 0 {
		t += s.Period
	}
	return t
}

// Expression returns the expression at t and its intensity, 0..1. Between two
// expressions it is "neutral" with intensity 1.
func (s *Script) Expression(t time.Duration) (name string, intensity float64) {
	e, share := s.expressed(t)
	return e.Name, share * e.strength()
}

// felt is Expression without regard to how far the face follows.
func (s *Script) felt(t time.Duration) (name string, intensity float64) {
	e, share := s.expressed(t)
	return e.Name, share
}

// expressed returns the expression at t, and how far it has come, 0..1.
func (s *Script) expressed(t time.Duration) (e Expression, share float64) {
	t = s.phase(t)
	for _, e := range s.Expressions {
		if t < e.From || t >= e.Until {
			continue
		}
		edge := min(t-e.From, e.Until-t)
		return e, smooth(float64(edge) / float64(Ramp))
	}
	return Expression{Name: "neutral"}, 1
}

// smooth is the cubic step from 0 to 1 over [0, 1].
func smooth(u float64) float64 {
	u = max(0, min(1, u))
	return u * u * (3 - 2*u)
}

// Gaze returns the point looked at, in fractions of the screen.
func (s *Script) Gaze(t time.Duration) (x, y float64) {
	t = s.phase(t)
	last := len(s.Fixations) - 1
	k := last
	for i, f := range s.Fixations {
		if f.From > t {
			k = i - 1
			break
		}
	}
	here, before := s.Fixations[k], s.Fixations[(k+last)%(last+1)]
	u := smooth(float64(t-here.From) / float64(saccade))
	return before.X + u*(here.X-before.X), before.Y + u*(here.Y-before.Y)
}

// Closure returns how far the lids are shut, 0 open to 1 closed.
func (s *Script) Closure(t time.Duration) float64 {
	t = s.phase(t)
	for _, b := range s.Blinks {
		if t < b.At || t >= b.At+b.Duration {
			continue
		}
		edge := min(t-b.At, b.At+b.Duration-t)
		return smooth(float64(edge) / (.3 * float64(b.Duration)))
	}
	return 0
}

// Conductance returns the skin conductance in µS: a level that drifts slowly
// plus the responses, those of the period before still decaying.
func (s *Script) Conductance(t time.Duration) float64 {
	p := s.phase(t)
	us := s.LevelUS * (1 + .03*math.Sin(2*math.Pi*float64(p)/float64(s.Period)))
	for _, r := range s.Responses {
		us += r.AmplitudeUS * bateman((p - r.Onset).Seconds())
		if t >= s.Period {
			us += r.AmplitudeUS * bateman((p + s.Period - r.Onset).Seconds())
		}
	}
	return us
}

// PupilMM returns the pupil's diameter in mm. It widens after each response
// with about the same course, as arousal does.
func (s *Script) PupilMM(t time.Duration) float64 {
	p := s.phase(t)
	mm := 3.4 + .1*math.Sin(2*math.Pi*.2*t.Seconds())
	for _, r := range s.Responses {
		mm += .3 * bateman((p - r.Onset).Seconds())
	}
	return mm
}

// bateman is the response form exp(-t/decay) - exp(-t/rise), scaled to a peak
// of 1; 0 before its onset. t is in seconds.
func bateman(t float64) float64 {
	if t <= 0 {
		return 0
	}
	peak := math.Log(decayS/riseS) * decayS * riseS / (decayS - riseS)
	scale := math.Exp(-peak/decayS) - math.Exp(-peak/riseS)
	return (math.Exp(-t/decayS) - math.Exp(-t/riseS)) / scale
}
