package study

// Text is words in several languages, by language tag ("fr"). Of a loaded study it
// has every language of the study: one that the file does not give is that of the
// first language it has.
type Text map[string]string

// Answers is what a participant answered, by the key of the answer. Numbers are
// decimal; of a box that was ticked, and of yes or no, the value is "yes" or "no". What
// was left empty is absent.
type Answers map[string]string

// Values of an answer to yes or no, and to a scope of consent.
const (
	Yes = "yes"
	No  = "no"
)
