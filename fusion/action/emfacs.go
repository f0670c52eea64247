package action

import "emolab/fusion/expression"

// contradiction is how much of the evidence for an expression a unit at full
// strength that speaks against it takes away, before its grade.
const contradiction = .5

// Parts of a unit in an expression.
const (
	core    = 1
	against = -1
)

// prototypes returns which units make up each expression and which do not go
// with it. The core is EMFACS as FACS' own table gives it (Ekman, Friesen &
// Hager 2002; Du, Tao & Martinez 2014 found much the same in posed faces), with
// those of its variants that geometry can see: 17 in sadness, 24 in anger, 10
// and 17 in disgust. What speaks against an expression is ours: antagonists of
// its core, and the smile for all but one.
func prototypes() [expression.Count][Count]int {
	return [expression.Count][Count]int{
		expression.Happy:     {au06: core, au12: core, au04: against, au15: against},
		expression.Sad:       {au01: core, au04: core, au15: core, au17: core, au02: against, au12: against, au26: against},
		expression.Angry:     {au04: core, au05: core, au07: core, au23: core, au24: core, au01: against, au02: against, au12: against},
		expression.Fearful:   {au01: core, au02: core, au04: core, au05: core, au07: core, au20: core, au26: core, au12: against},
		expression.Disgusted: {au09: core, au10: core, au15: core, au17: core, au01: against, au02: against, au12: against},
		expression.Surprised: {au01: core, au02: core, au05: core, au26: core, au04: against, au12: against, au15: against},
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
// their grades, less half the strongest unit that speaks against it, weighted
// likewise. An expression is NaN where one of these units is, and then Neutral
// is too.
func EMFACS(au *Intensities) [expression.Count]float64 {
	var out [expression.Count]float64
	units := Units()
	var largest float64
	for e, parts := range prototypes() {
		if e == expression.Neutral {
			continue
		}
		var sum, weights, contrary float64
		for u, part := range parts {
			w := units[u].Grade.weight()
			switch part {
			case core:
				sum += w * au[u]
				weights += w
			case against:
				contrary = max(contrary, w*au[u])
			}
		}
		out[e] = max(0, sum/weights-contradiction*contrary)
		largest = max(largest, out[e])
	}
	out[expression.Neutral] = 1 - largest
	return out
}
