// Package withdrawal takes back what a participant gave: the code by which they ask
// for it, the erasing of everything that is theirs, what stays to show that it was
// done, and the dates after which data are not kept any longer.
//
// DECISIONS.md says what is out of its reach.
package withdrawal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// A code is 10 characters that were drawn, 50 bits, and one that checks them. They are
// of Crockford's base 32 (https://www.crockford.com/base32.html), which has no letters
// that look or sound like others.
const (
	alphabet   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	drawn      = 10
	codeLength = drawn + 1
	// longestTyped bounds what Parse looks at: a code with a blank after every
	// character, and some more.
	longestTyped = 64
)

// Code is a withdrawal code in its normal form, without groups.
type Code string

// ErrCode says that something typed is no withdrawal code.
var ErrCode = errors.New("not a withdrawal code")

// NewCode draws a code.
func NewCode() Code {
	var b [drawn]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	var symbols [drawn]byte
	for i, v := range b {
		symbols[i] = v & (field - 1) // 256 is a multiple of 32: no character is likelier
	}
	return spell(symbols)
}

// spell writes drawn symbols with the one that checks them.
func spell(symbols [drawn]byte) Code {
	text := make([]byte, 0, codeLength)
	for _, v := range symbols {
		text = append(text, alphabet[v])
	}
	return Code(append(text, alphabet[checksum(symbols)]))
}

// String shows the code in groups, to be read out and typed: "7Q2M-X4KD-9WP".
func (c Code) String() string {
	if len(c) != codeLength {
		return string(c)
	}
	return string(c[:4] + "-" + c[4:8] + "-" + c[8:])
}

// ParseCode reads a code as people type it: in any case, with or without blanks and
// hyphens, O for 0, and I or L for 1. One wrong character, or two that changed places,
// are always found. Errors are ErrCode and say what to look at.
func ParseCode(typed string) (Code, error) {
	if len(typed) > longestTyped {
		return "", fmt.Errorf("%w: it is longer than %d characters; a code has %d, like 7Q2M-X4KD-9WP", ErrCode, longestTyped, codeLength)
	}
	var symbols []byte
	for _, r := range strings.ToUpper(typed) {
		switch {
		case strings.ContainsRune(" \t\r\n\u00a0-\u2010\u2011\u2012\u2013_.", r):
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		at := strings.IndexRune(alphabet, r)
		if at < 0 {
			return "", fmt.Errorf("%w: no code has the character %q; look at it again", ErrCode, r)
		}
		symbols = append(symbols, byte(at))
	}
	if len(symbols) != codeLength {
		return "", fmt.Errorf("%w: it has %d letters and digits, a code has %d, like 7Q2M-X4KD-9WP", ErrCode, len(symbols), codeLength)
	}
	if checksum([drawn]byte(symbols[:drawn])) != symbols[drawn] {
		return "", fmt.Errorf("%w: a character of it is wrong, or two have changed places; compare it with the receipt", ErrCode)
	}
	return spell([drawn]byte(symbols[:drawn])), nil
}

// The check is a weighted sum in the field of 32 elements: of weights that all differ
// and are not 0 or 1, a change of one symbol and an exchange of any two, the checking
// one included, change the sum.
const (
	field     = 32
	primitive = 0b100101 // x^5 + x^2 + 1, whose root generates all elements but 0
)

// checksum is the symbol that follows ten drawn ones.
func checksum(symbols [drawn]byte) byte {
	var sum, weight byte = 0, 1
	for _, v := range symbols {
		weight = times(weight, 2) // powers 1 to 10 of the generator; power 0 is the check's own
		sum ^= times(weight, v)
	}
	return sum
}

// times multiplies in the field.
func times(a, b byte) byte {
	var product byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a&field != 0 {
			a ^= primitive
		}
	}
	return product
}
