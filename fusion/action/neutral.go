package action

import "math"

// Neutral is a person's face at rest, which action units are measured from.
type Neutral struct {
	Features Features `json:"features"` // median of each
	Scale    Features `json:"scale"`    // spread of each at rest: 1.4826 MAD, with a floor
}

// Intensities estimates the action units of a face with the measures f.
//
// Each unit is a movement, less what others do that look alike: a smile draws
// nose, lip, brows and lids along and takes the narrow eyes for itself (6
// instead of 7); closed eyes are not tightened ones (43 instead of 7); a mouth
// that is wide because its corners are pulled up is not stretched (12 instead
// of 20). A unit is NaN when a measure that it depends on is not known.
func (n *Neutral) Intensities(f *Features) Intensities {
	var s [movementCount]float64
	for i, m := range movements() {
		s[i] = n.strength(f, m)
	}
	smile := s[cornersPulled]
	noSmile := 1 - smile
	beyond := func(movement int, share float64) float64 { return max(0, s[movement]-share*smile) }
	closed := beyond(eyesClosed, smileLids)
	thinned := beyond(lipsThinned, smileThin)

	var au Intensities
	au[au01] = s[innerRaised]
	// Lowered inner brows alone raise nothing, closed eyes hardly anything.
	au[au02] = max(0, min(s[outerRaised], s[outerAhead])-closedBrows*closed)
	au[au04] = beyond(browsLowered, smileBrows)
	au[au05] = s[eyesWidened]
	au[au06] = min(smile, s[lowerLidsRaised])
	au[au07] = s[eyesNarrowed] * (1 - closed) * noSmile
	au[au09] = max(0, beyond(noseDrawn, smileNose)-closedNose*closed)
	au[au10] = beyond(lipDrawn, smileLip)
	au[au12] = smile
	au[au14] = max(beyond(rightCornerHigher, smileSides), beyond(leftCornerHigher, smileSides))
	au[au15] = s[cornersSunk] * noSmile
	au[au17] = s[chinDrawn]
	au[au20] = s[mouthStretched] * noSmile
	au[au23] = min(thinned, s[mouthNarrowed])
	au[au24] = thinned * (1 - s[mouthNarrowed]) * (1 - s[lipsParted]) * noSmile
	au[au25] = s[lipsParted]
	au[au26] = s[jawDropped]
	au[au43] = closed
	return au
}

// What a full smile moves along, in parts of each movement's full scale: as
// seen in a man's smile on film, for the lips in a drawn one. For the sides it
// is how unevenly people smile.
const (
	smileBrows = .3
	smileLids  = .6
	smileNose  = .8
	smileLip   = 1.
	smileSides = .5
	smileThin  = 1.
)

// What closed eyes move along: their corners sink a little in the landmarks,
// and brows and nose are measured from there.
const (
	closedBrows = .3
	closedNose  = .3
)

const (
	// deadZone is how many spreads of the face at rest a movement must leave
	// behind before it counts: beyond 2 spreads lie 2 % of the frames of a face
	// that rests.
	deadZone = 2
	// maxDeadZone is the largest part of a movement's full scale that the dead
	// zone may take, so that somebody who was restless at rest is still measured.
	maxDeadZone = .5
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
	outerAhead
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
// DECISIONS.md. The outer brows are ahead of what the inner draw along; chin and
// upper lip are less what the opening mouth moves.
func movements() [movementCount]movement {
	return [movementCount]movement{
		innerRaised:     {.13, Features{browInner: 1}},
		outerRaised:     {.06, Features{browOuter: 1}},
		outerAhead:      {.06, Features{browOuter: 1, browInner: -.3}},
		browsLowered:    {.10, Features{browInner: -.5, browMiddle: -.5, browGap: -.3}},
		eyesWidened:     {.035, Features{eyeAspect: 1}},
		eyesNarrowed:    {.035, Features{eyeAspect: -1}},
		eyesClosed:      {.06, Features{eyeAspect: -1}},
		lowerLidsRaised: {.010, Features{lidLower: -1}},
		noseDrawn:       {.08, Features{noseWing: -1}},
		lipDrawn:        {.05, Features{upperLip: -1, lipGap: -.1}},
		cornersPulled:   {.10, Features{mouthWidth: .25, cornerSag: -.5}},
		// The corner that rises makes its depth smaller.
		rightCornerHigher: {.08, Features{cornerLeft: 1, cornerRight: -1}},
		leftCornerHigher:  {.08, Features{cornerRight: 1, cornerLeft: -1}},
		cornersSunk:       {.04, Features{cornerSag: 1}},
		chinDrawn:         {.10, Features{chinHeight: -1, lipGap: -.45}},
		mouthStretched:    {.04, Features{mouthWidth: .5, cornerSag: 1}},
		mouthNarrowed:     {.06, Features{mouthWidth: -.5}},
		lipsThinned:       {.03, Features{lipUpperThick: -1, lipLowerThick: -1}},
		lipsParted:        {.08, Features{lipGap: 1}},
		jawDropped:        {.16, Features{chinDepth: 1}},
	}
}
