package expr

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says what is wrong with a condition, and where.
type Error struct {
	Column int // in characters, from 1
	What   string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.What) }

// kind is what a token is.
type kind int

const (
	end kind = iota
	name
	literal // a number, or words without their quotes
	sign    // of a comparison
	mark    // ( ) [ ] ,
	word    // and or not in
)

// token is the smallest part of a condition.
type token struct {
	kind   kind
	text   string
	column int
}

func (t token) is(k kind, text string) bool { return t.kind == k && t.text == text }

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// wrongSigns are what people write who know other languages.
var wrongSigns = map[string]string{
	"&&": `write "and"`, "&": `write "and"`, "||": `write "or"`, "|": `write "or"`, "!": `write "not"`,
	"=": `write == to compare`, "<>": `write !=`, "=<": "write <=", "=>": "write >=",
	"≤": "write <=", "≥": "write >=", "≠": "write !=",
	"‘": "use straight quotes: '", "’": "use straight quotes: '", "“": `use straight quotes: "`, "”": `use straight quotes: "`,
}

// scan cuts a condition into tokens.
func scan(text string) ([]token, error) {
	var tokens []token
	column := 1
	for rest := text; rest != ""; {
		t, n, err := next(rest, column)
		if err != nil {
			return nil, err
		}
		if t.kind != end {
			tokens = append(tokens, t)
		}
		column += utf8.RuneCountInString(rest[:n])
		rest = rest[n:]
	}
	return append(tokens, token{end, "", column}), nil
}

// next reads the token at the start of a text that is not empty, and tells how many
// bytes it takes. A blank is a token of the kind end.
func next(rest string, column int) (token, int, error) {
	c, size := utf8.DecodeRuneInString(rest)
	switch {
	case unicode.IsSpace(c):
		return token{end, "", column}, size, nil
	case c == '\'' || c == '"':
		closing := strings.IndexRune(rest[1:], c)
		if closing < 0 {
			return token{}, 0, &Error{column, fmt.Sprintf("the quote %c is not closed", c)}
		}
		return token{literal, rest[1 : 1+closing], column}, closing + 2, nil
	case strings.ContainsRune("()[],", c):
		return token{mark, rest[:size], column}, size, nil
	case isLetter(c):
		n := nameIn(rest)
		switch lower := strings.ToLower(rest[:n]); lower {
		case "and", "or", "not", "in":
			return token{word, lower, column}, n, nil
		}
		return token{name, rest[:n], column}, n, nil
	}
	if n := numberIn(rest); n > 0 {
		if after, _ := utf8.DecodeRuneInString(rest[n:]); isLetter(after) || after == '.' || after == '-' {
			return token{}, 0, &Error{column, fmt.Sprintf("%q goes on with %q: put quotes around words", rest[:n], after)}
		}
		if n > longestNumber {
			return token{}, 0, &Error{column, fmt.Sprintf("a number of %d digits: %d are allowed", n, longestNumber)}
		}
		return token{literal, rest[:n], column}, n, nil
	}
	for _, s := range []string{"<>", "=<", "=>", "&&", "||"} {
		if strings.HasPrefix(rest, s) {
			return token{}, 0, &Error{column, fmt.Sprintf("%q is not understood here: %s", s, wrongSigns[s])}
		}
	}
	for _, s := range []string{"<=", ">=", "==", "!=", "<", ">"} {
		if strings.HasPrefix(rest, s) {
			return token{sign, s, column}, len(s), nil
		}
	}
	if instead, ok := wrongSigns[rest[:size]]; ok {
		return token{}, 0, &Error{column, fmt.Sprintf("%q is not understood here: %s", rest[:size], instead)}
	}
	return token{}, 0, &Error{column, fmt.Sprintf("%q is not understood here", c)}
}

func isLetter(c rune) bool { return c == '_' || unicode.IsLetter(c) }

// nameIn is how many bytes at the start of s are a name: letters, digits and _, with dots
// and hyphens between them.
func nameIn(s string) int {
	length := 0
	for i, c := range s {
		switch {
		case isLetter(c), i > 0 && unicode.IsDigit(c):
			length = i + utf8.RuneLen(c)
		case c != '.' && c != '-' || length < i: // two in a row
			return length
		}
	}
	return length
}
