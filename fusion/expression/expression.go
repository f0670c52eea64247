// Package expression is the vocabulary of the seven basic facial expressions:
// their order, their probabilities, and the valence and arousal made of them.
package expression

// Count is the number of expressions.
const Count = 7

// Positions in Probabilities.
const (
	Neutral = iota
	Happy
	Sad
	Angry
	Fearful
	Disgusted
	Surprised
)

// Names returns the names of the expressions in their order, as scripts, tables
// and exports spell them.
func Names() [Count]string {
	return [Count]string{"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"}
}

// Probabilities are those of the seven expressions, in the order of Neutral to
// Surprised. They add up to 1.
type Probabilities [Count]float64

// Top returns the position of the largest probability.
func (p Probabilities) Top() int {
	top := 0
	for i, v := range p {
		if v > p[top] {
			top = i
		}
	}
	return top
}

// AffectVersion names the coordinates and the rule of Affect.
const AffectVersion = "va-1"

// Affect returns valence and arousal, both -1..1, as the mixture of fixed
// coordinates by the probabilities (version va-1). The coordinates are those of
// the emotion words in Warriner, Kuperman & Brysbaert 2013 (Behavior Research
// Methods 45:1191), (rating-5)/4, but for neutral, which is the origin, and
// surprised, whose valence a face does not show.
func Affect(p Probabilities) (valence, arousal float64) {
	coordinates := [Count]struct{ valence, arousal float64 }{
		Neutral:   {0, 0},
		Happy:     {.87, .38},
		Sad:       {-.65, -.55},
		Angry:     {-.63, .23},
		Fearful:   {-.52, .29},
		Disgusted: {-.42, 0},
		Surprised: {0, .39},
	}
	for i, c := range coordinates {
		valence += p[i] * c.valence
		arousal += p[i] * c.arousal
	}
	return valence, arousal
}
