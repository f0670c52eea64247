package expr

import (
	"fmt"
	"math/big"
	"slices"
)

// lookup returns the answer of a name.
type lookup func(name string) (string, bool)

// node is a part of a condition. It holds or not even with an error, which says that this
// is not sure: a comparison that cannot be made counts as false.
type node interface {
	holds(lookup) (bool, error)
}

// either holds if one of two does.
type either struct{ left, right node }

func (n either) holds(answer lookup) (bool, error) {
	left, errLeft := n.left.holds(answer)
	right, errRight := n.right.holds(answer)
	if left && errLeft == nil || right && errRight == nil {
		return true, nil
	}
	return left || right, first(errLeft, errRight)
}

// both holds if two do.
type both struct{ left, right node }

func (n both) holds(answer lookup) (bool, error) {
	left, errLeft := n.left.holds(answer)
	right, errRight := n.right.holds(answer)
	if !left && errLeft == nil || !right && errRight == nil {
		return false, nil
	}
	return left && right, first(errLeft, errRight)
}

// first returns the first of two errors that is one.
func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

type negation struct{ of node }

func (n negation) holds(answer lookup) (bool, error) {
	is, err := n.of.holds(answer)
	return !is, err
}

// operand is one side of a comparison: the answer of a name, or what is written out.
type operand struct {
	name   string // "" = value
	value  string
	column int
}

func (o operand) get(answer lookup) (string, error) {
	if o.name == "" {
		return o.value, nil
	}
	v, ok := answer(o.name)
	if !ok {
		return "", &UnansweredError{o.name}
	}
	return v, nil
}

// comparison is a chain: 18 <= age < 35. It has one operand more than signs.
type comparison struct {
	operands []operand
	signs    []string
}

func (n comparison) holds(answer lookup) (bool, error) {
	var unsure error
	for k, sign := range n.signs {
		left, errLeft := n.operands[k].get(answer)
		right, errRight := n.operands[k+1].get(answer)
		err := first(errLeft, errRight)
		if err == nil {
			var is bool
			if is, err = compare(left, sign, right); err == nil && !is {
				return false, nil
			}
		}
		unsure = first(unsure, err)
	}
	return unsure == nil, unsure
}

// member holds if an answer is one of a list.
type member struct {
	of   operand
	list []string
}

func (n member) holds(answer lookup) (bool, error) {
	v, err := n.of.get(answer)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(n.list, func(w string) bool { return equal(v, w) }), nil
}

func equal(a, b string) bool {
	x, y := number(a), number(b)
	if x != nil && y != nil {
		return x.Cmp(y) == 0
	}
	return a == b
}

func compare(a, sign, b string) (bool, error) {
	switch sign {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	}
	x, y := number(a), number(b)
	if x == nil || y == nil {
		return false, fmt.Errorf("%q %s %q: only numbers are less or more than others", a, sign, b)
	}
	switch c := x.Cmp(y); sign {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return x.Cmp(y) >= 0, nil
}

// longestNumber is the most characters of what counts as a number. More than that no
// field takes, and no hostile answer gets to be calculated with.
const longestNumber = 40

// number reads a decimal number, exactly, and returns nil for what is none.
func number(s string) *big.Rat {
	if len(s) > longestNumber || numberIn(s) != len(s) {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

// numberIn is how many bytes at the start of s are a decimal number: -12.5; 0 = none.
func numberIn(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 {
		return 0
	}
	i += whole
	if i < len(s) && s[i] == '.' {
		if n := digits(s[i+1:]); n > 0 {
			i += 1 + n
		}
	}
	return i
}

func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
