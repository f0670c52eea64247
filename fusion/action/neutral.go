package action

import "math"

// Neutral is a person's face at rest, which action units are measured from.
type Neutral struct {
	Features Features `json:"features"` // median of each
	Scale    Features `json:"scale"`    // spread of each at rest: 1.4826 MAD, with a floor
}

// Intensities estimates the action units of a face with the measures f.
//
// Each unit is a movement, made stronger or weaker by others that look alike:
// a smile takes the narrow eyes for itself (6 instead of 7), closed eyes are
// not tightened ones (43 instead of 7), a mouth that is wide because its
// corners are pulled up is not stretched (12 instead of 20). A unit is NaN when
// a measure that it depends on is not known.
func (n *Neutral) Intensities(f *Features) Intensities {
	var s [movementCount]float64
	for i, m := range movements() {
		s[i] = n.strength(f, m)
	}
	smile, closed := s[cornersPulled], s[eyesClosed]
	var au Intensities
	au[au01] = s[innerRaised]
	au[au02] = s[outerRaised]
	au[au04] = s[browsLowered]
	au[au05] = s[eyesWidened]
	au[au06] = min(smile, s[lowerLidsRaised])
	au[au07] = s[eyesNarrowed] * (1 - closed) * (1 - smile)
	au[au09] = s[noseDrawn]
	au[au10] = s[lipDrawn]
	au[au12] = smile
	au[au14] = max(0, max(s[rightCornerHigher], s[leftCornerHigher])-lopsided*smile)
	au[au15] = s[cornersSunk] * (1 - smile)
	au[au17] = s[chinDrawn]
	au[au20] = s[mouthStretched] * (1 - smile)
	au[au23] = min(s[lipsThinned], s[mouthNarrowed])
	au[au24] = s[lipsThinned] * (1 - s[mouthNarrowed]) * (1 - smile) * (1 - s[lipsParted])
	au[au25] = s[lipsParted]
	au[au26] = s[jawDropped]
	au[au43] = closed
	return au
}

const (
	// deadZone is how many spreads of the face at rest a movement must leave
	// behind before it counts: beyond 2 spreads lie 2 % of the frames of a face
	// that rests.
	deadZone = 2
	// maxDeadZone is the largest part of a movement's full scale that the dead
	// zone may take, so that somebody who was restless at rest is still measured.
	maxDeadZone = .5
	// lopsided is the difference between the corners, in parts of 14's full
	// scale, that a full smile may show without being 14: few smile evenly.
	lopsided = .5
)

// movement is a sum of changed measures. full is its size at full strength, in
// parts of the distance between the eyes: what the landmark net shows of it,
// which for small parts is much less than the face does.
type movement struct {
	full    float64
	weights Features // of the changes; 0 for most
}

// strength returns how strong the movement is: 0 within the dead zone, 1 from
// full scale on; NaN where a measure is not known.
func (n *Neutral) strength(f *Features, m movement) float64 {
	var sum, variance float64
	for i, weight := range m.weights {
		if weight == 0 {
			continue // that measure need not be known
		}
		sum += weight * (f[i] - n.Features[i])
		spread := weight * n.Scale[i]
		variance += spread * spread
	}
	dead := min(deadZone*math.Sqrt(variance), maxDeadZone*m.full)
	return min(max((sum-dead)/(m.full-dead), 0), 1)
}

// Places in movements.
const (
	innerRaised = iota
	outerRaised
	browsLowered
	eyesWidened
	eyesNarrowed
	eyesClosed
	lowerLidsRaised
	noseDrawn
	lipDrawn
	cornersPulled
	rightCornerHigher
	leftCornerHigher
	cornersSunk
	chinDrawn
	mouthStretched
	mouthNarrowed
	lipsThinned
	lipsParted
	jawDropped
	movementCount
)

// movements returns all movements. Where their sizes come from stands in
// DECISIONS.md. Measures with small weights take off what another unit moves
// along: the outer brows with the inner, nose and lips with the corners of a
// smile, the chin with the opening mouth.
func movements() [movementCount]movement {
	return [movementCount]movement{
		innerRaised:     {.13, Features{browInner: 1}},
		outerRaised:     {.07, Features{browOuter: 1, browInner: -.3}},
		browsLowered:    {.10, Features{browInner: -.5, browMiddle: -.5, browGap: -.3}},
		eyesWidened:     {.035, Features{eyeAspect: 1}},
		eyesNarrowed:    {.035, Features{eyeAspect: -1}},
		eyesClosed:      {.07, Features{eyeAspect: -1}},
		lowerLidsRaised: {.010, Features{lidLower: -1}},
		noseDrawn:       {.08, Features{noseWing: -1, cornerSag: .5}},
		lipDrawn:        {.05, Features{upperLip: -1, cornerSag: .5}},
		cornersPulled:   {.10, Features{cornerRightOut: .25, cornerLeftOut: .25, cornerSag: -.5}},
		// The corner that rises makes its depth smaller.
		rightCornerHigher: {.06, Features{cornerLeft: 1, cornerRight: -1}},
		leftCornerHigher:  {.06, Features{cornerRight: 1, cornerLeft: -1}},
		cornersSunk:       {.05, Features{cornerSag: 1}},
		chinDrawn:         {.08, Features{chinHeight: -1, lipGap: -.45}},
		mouthStretched:    {.06, Features{cornerRightOut: .5, cornerLeftOut: .5, cornerSag: 1}},
		mouthNarrowed:     {.06, Features{cornerRightOut: -.5, cornerLeftOut: -.5}},
		lipsThinned:       {.03, Features{lipUpperThick: -1, lipLowerThick: -1, cornerSag: .25}},
		lipsParted:        {.12, Features{lipGap: 1}},
		jawDropped:        {.20, Features{chinDepth: 1}},
	}
}
