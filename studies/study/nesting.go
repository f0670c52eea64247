package study

import "github.com/goccy/go-yaml/token"

// deepest bounds how many brackets stand within each other, and how far to the right a
// list within lists begins. What the parser needs of memory grows with the square of
// both: a file of 400 kB that is nothing but brackets would need more than there is.
const (
	deepest  = 100
	farRight = 2 * deepest // columns: "- " for each list
)

// tooDeep returns the first token that lies too deep, and nil where none does. Keys within
// keys need no bound: each takes a line that is longer than the one before.
func tooDeep(tokens token.Tokens) *token.Token {
	open := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open = max(open-1, 0)
		case token.SequenceEntryType, token.MappingKeyType:
			if t.Position.Column > farRight {
				return t
			}
		}
		if open > deepest {
			return t
		}
	}
	return nil
}
