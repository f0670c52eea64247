package action

import "emolab/fusion/expression"

// contradiction is how much of the evidence for an expression a unit at full
// strength that speaks against it takes away, before its grade.
const contradiction = .5

// part is what a unit is in an expression.
type part int

const (
	none    part = iota
	core         // belongs to it
	lead         // belongs to it, and no variant of it does without all of its leads
	against      // does not go with it
)

// prototypes returns which units make up each expression and which do not go
// with it. The core is EMFACS as FACS' own table gives it (Ekman, Friesen &
// Hager 2002; Du, Tao & Martinez 2014 found much the same in posed faces), with
// those of its variants that geometry can see: 17 in sadness, 24 in anger, 10
// and 17 in disgust. The leads are read off the same table. What speaks against
// an expression is ours: antagonists of its core, and the smile for all but one.
func prototypes() [expression.Count][Count]part {
	return [expression.Count][Count]part{
		expression.Happy:     {au06: core, au12: lead, au04: against, au15: against},
		expression.Sad:       {au01: lead, au04: core, au15: lead, au17: core, au02: against, au12: against, au26: against},
		expression.Angry:     {au04: lead, au05: lead, au07: lead, au23: core, au24: core, au01: against, au02: against, au12: against},
		expression.Fearful:   {au01: lead, au02: lead, au04: core, au05: lead, au07: core, au20: core, au26: core, au12: against},
		expression.Disgusted: {au09: lead, au10: lead, au15: core, au17: core, au01: against, au02: against, au12: against},
		expression.Surprised: {au01: lead, au02: lead, au05: lead, au26: core, au04: against, au12: against, au15: against},
	}
}

// weight is how much a unit of that grade counts in evidence.
func (g Grade) weight() float64 {
	switch g {
	case Good:
		return 1
	case Fair:
		return .7
	default:
		return .4
	}
}

// EMFACS returns how much the action units speak for each expression, 0 to 1
// each, Neutral being what is left: 1 - the largest of the others. It is not a
// distribution.
//
// The evidence is the mean intensity of the expression's units, weighted by
// their grades, but no more than its strongest lead, less half the strongest
// unit that speaks against it, weighted by its grade. A dropped jaw alone is
// no surprise, then, and sunken corners of the mouth alone no disgust. An
// expression is NaN where one of these units is, and then Neutral is too.
func EMFACS(au *Intensities) [expression.Count]float64 {
	var out [expression.Count]float64
	units := Units()
	var largest float64
	for e, parts := range prototypes() {
		if e == expression.Neutral {
			continue
		}
		var sum, weights, leading, contrary float64
		for u, p := range parts {
			w := units[u].Grade.weight()
			switch p {
			case core, lead:
				sum += w * au[u]
				weights += w
			case against:
				contrary = max(contrary, w*au[u])
			}
			if p == lead {
				leading = max(leading, au[u])
			}
		}
		out[e] = max(0, min(sum/weights, leading)-contradiction*contrary)
		largest = max(largest, out[e])
	}
	out[expression.Neutral] = 1 - largest
	return out
}
