package script

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/expression"
)

// Person is one simulated participant: how much of what they feel their face and
// their skin show, how they answer, and what they do that nobody has planned.
type Person struct {
	Number int    `json:"number"` // from 1
	Seed   uint64 `json:"seed"`   // of the script, and of all chance in the answers

	// Expressiveness is how far the face follows, 0..1: some people hardly move a
	// face.
	Expressiveness float64 `json:"expressiveness"`
	// Responsive says that the skin responds. Of about one person in ten it does not
	// (Boucsein 2012, Electrodermal Activity).
	Responsive bool `json:"responsive"`
	// Mood and Energy are added to all that is said of valence and of arousal, -1..1.
	Mood   float64 `json:"mood"`
	Energy float64 `json:"energy"`
	// Pace is how fast they read and answer: 1 as most do, 2 twice as fast.
	Pace float64 `json:"pace"`
	// Language is which of a study's languages they read, counted from 0 and round.
	Language int `json:"language"`
	// Video says that they allow the video of the face to be kept.
	Video bool `json:"video"`

	Fault Fault `json:"fault,omitempty"`
	// At is how far into the trials the fault comes, 0..1, where it comes there.
	At     float64 `json:"at,omitempty"`
	Pauses bool    `json:"pauses,omitempty"` // once
	Swipes bool    `json:"swipes,omitempty"` // one clip away, where the study allows it
	Slips  bool    `json:"slips,omitempty"`  // the eye tracker, between a calibration and its validation, once
}

// Fault is what keeps a person's session from becoming what it should.
type Fault string

// The faults.
const (
	NoFault     Fault = ""
	DropsOut    Fault = "drops out"             // stops in the middle; what there is may be kept
	Deletes     Fault = "drops out and deletes" // stops in the middle, and has everything deleted
	Withdraws   Fault = "withdraws"             // goes to the end, and withdraws afterwards, by code
	ScreenedOut Fault = "screened out"          // does not belong to the sample
	DeviceDies  Fault = "a device dies"         // a sensor falls silent for good, in the first trial
	Declines    Fault = "declines to consent"   // to any of it
)

const (
	// leastExpressive is where hardly a face moves any more.
	leastExpressive = .25
	// spreadOfExpressiveness is that of its logarithm between people. Expressiveness
	// is skewed: most show what they feel and a few hardly anything.
	spreadOfExpressiveness = .35
	// temperament is one standard deviation of Mood and of Energy.
	temperament = .15
	// insight is how far what people say follows what they felt, and candour how far
	// it is off for no reason: one standard deviation. With both, what is said and
	// what is shown correlate without agreeing.
	insight = 1.6
	candour = .15
)

// People are the n participants of a rehearsal. Of twelve, two drop out, one
// withdraws, one is screened out and in the session of one a device dies; of fewer
// than twelve accordingly fewer, and of four or fewer nothing of it. The first and the
// last go through without a fault, so that a study is seen whole, and what a fault has
// unbalanced can be balanced again. The same seed gives the same people.
func People(n int, seed uint64) []Person {
	r := rand.New(rand.NewPCG(seed, 0x70656f706c65)) // "people"
	people := make([]Person, n)
	languages, video := r.Perm(n), r.Perm(n)
	for i := range people {
		people[i] = Person{
			Number: i + 1, Seed: seed + uint64(i), Expressiveness: 1, Responsive: true, Pace: 1,
			Language: languages[i], Video: video[i]%2 == 0,
		}
		if i == 0 {
			// Whoever comes first is the participant of a single session: everything can
			// be seen.
			people[i].Language, people[i].Video = 0, true
			continue
		}
		p := &people[i]
		p.Expressiveness = max(leastExpressive, min(1, math.Exp(spreadOfExpressiveness*(r.NormFloat64()-1))))
		p.Mood, p.Energy = temperament*r.NormFloat64(), temperament*r.NormFloat64()
		p.Pace = .7 + .8*r.Float64()
	}
	if n > 2 {
		mix(people[1:n-1], n, r)
	}
	return people
}

// mix spreads faults and habits over the people between the first and the last, of n
// in all.
func mix(people []Person, n int, r *rand.Rand) {
	order := r.Perm(len(people))
	next := func() *Person {
		if len(order) == 0 {
			return nil
		}
		p := &people[order[0]]
		order = order[1:]
		return p
	}
	for _, planned := range []struct {
		fault Fault
		count int
	}{
		{DropsOut, n * 2 / 12},
		{Withdraws, (n + 12) / 24},
		{Deletes, n / 24},
		{ScreenedOut, n / 12},
		{DeviceDies, n / 12},
		{Declines, n / 24},
	} {
		for k := range planned.count {
			if p := next(); p != nil {
				p.Fault, p.At = planned.fault, (float64(k)+1)/(float64(planned.count)+1)
			}
		}
	}
	// Whoever is left goes to the end, each in their own way.
	for k := 0; ; k++ {
		p := next()
		if p == nil {
			return
		}
		switch p.At = r.Float64(); k % 6 {
		case 0:
			p.Pauses = true
		case 1:
			p.Swipes = true
		case 2:
			p.Slips = true
		case 3:
			p.Responsive = n < 10 // one in ten or twelve
		}
	}
}

// Script writes what the person's face, eyes and skin do.
func (p Person) Script() *Script {
	s := New(p.Seed)
	if p.Expressiveness != 1 {
		for i := range s.Expressions {
			s.Expressions[i].Strength = p.Expressiveness
		}
	}
	if !p.Responsive {
		s.Responses, s.Unresponsive = nil, true
	}
	return s
}

// Feeling is what somebody felt, on the plane of the affect of the face: -1..1 each.
type Feeling struct {
	Valence float64 `json:"valence"`
	Arousal float64 `json:"arousal"`
}

// feltEvery is how finely a feeling is averaged.
const feltEvery = 100 * time.Millisecond

// Felt is what whoever plays the script felt in the mean from one time to another: the
// affect of the expressions as they are felt, whether or not the face shows them.
func (s *Script) Felt(from, until time.Duration) Feeling {
	var sum Feeling
	n := 0
	names := expression.Names()
	for t := from; t <= until; t += feltEvery {
		name, intensity := s.felt(t)
		var p expression.Probabilities
		for i, of := range names {
			if of == name {
				p[i] = intensity
			}
		}
		p[expression.Neutral] += 1 - intensity
		v, a := expression.Affect(p)
		sum.Valence, sum.Arousal, n = sum.Valence+v, sum.Arousal+a, n+1
	}
	if n == 0 {
		return Feeling{}
	}
	return Feeling{sum.Valence / float64(n), sum.Arousal / float64(n)}
}

// Valence is what a person says of how pleasant something was, -1..1. It follows what
// they felt, their temperament, and chance: the same for the same question (its key)
// on the same occasion (the number of the presentation).
func (p Person) Valence(f Feeling, key string, occasion int) float64 {
	return p.said(f.Valence, p.Mood, key, occasion)
}

// Arousal is Valence for how strongly something was felt.
func (p Person) Arousal(f Feeling, key string, occasion int) float64 {
	return p.said(f.Arousal, p.Energy, key, occasion)
}

func (p Person) said(felt, temper float64, key string, occasion int) float64 {
	said := insight*felt + temper + candour*p.Chance(key, occasion).NormFloat64()
	return max(-1, min(1, said))
}

// Chance is the person's own source of chance for one question on one occasion: the
// same each time.
func (p Person) Chance(key string, occasion int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(key))
	return rand.New(rand.NewPCG(p.Seed, h.Sum64()+uint64(occasion)))
}
