package evaluation

import (
	"slices"
	"strings"
	"unicode"

	"emolab/fusion/expression"
)

// synonyms are the spellings of the seven expressions in common picture sets,
// the order that of expression.Names, our own spelling first. The codes of two
// letters are those of JAFFE and KDEF.
func synonyms() [expression.Count][]string {
	return [expression.Count][]string{
		expression.Neutral:   {"neutral", "neutrality", "ne"},
		expression.Happy:     {"happy", "happiness", "joy", "ha"},
		expression.Sad:       {"sad", "sadness", "sa"},
		expression.Angry:     {"angry", "anger", "an"},
		expression.Fearful:   {"fearful", "fear", "afraid", "scared", "fe", "af"},
		expression.Disgusted: {"disgusted", "disgust", "di"},
		expression.Surprised: {"surprised", "surprise", "su"},
	}
}

// ParseLabel returns the expression that a folder or a table names, in any case
// and with numbers or signs around it ("03_Happiness"); false for other names.
func ParseLabel(name string) (int, bool) {
	name = strings.ToLower(strings.TrimFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }))
	for class, spellings := range synonyms() {
		if slices.Contains(spellings, name) {
			return class, true
		}
	}
	return 0, false
}
