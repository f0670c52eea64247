// Package expr is the language of the conditions in a study file: comparisons of
// answers with numbers and words, and nothing that could do anything.
//
//	18 <= age < 35
//	income in ['100-150k', '>150k'] and relation == 'no'
//	not (followers < 5000 or country == "FR")
package expr

import (
	"errors"
	"fmt"
	"slices"
)

// Expr is a condition that was parsed. The zero value always holds. It is immutable.
type Expr struct {
	text string
	root node
	// compared are the comparisons of an answer with something written out, in order.
	compared []Comparison
	names    []string
}

// Comparison is one comparison of an answer with a number or words in a condition.
type Comparison struct {
	Name   string // of the answer
	Value  string // it is compared with, without its quotes
	Column int    // of the value in the condition, from 1
}

// ErrUnanswered says that a condition asks for an answer that is not there.
var ErrUnanswered = errors.New("not answered")

// UnansweredError names the answer that a condition asks for and that is not there. It
// is an ErrUnanswered.
type UnansweredError struct{ Name string }

func (e *UnansweredError) Error() string {
	return fmt.Sprintf("%q has not been answered", e.Name)
}

// Is tells that it is an ErrUnanswered.
func (e *UnansweredError) Is(target error) bool { return target == ErrUnanswered }

// String is the condition as it was written.
func (e Expr) String() string { return e.text }

// Names are the answers that the condition asks for, each once, in the order in which
// they come up.
func (e Expr) Names() []string { return slices.Clone(e.names) }

// Compared are all comparisons of an answer with something that is written out, so that
// it can be checked against what may be answered.
func (e Expr) Compared() []Comparison { return slices.Clone(e.compared) }

// Eval tells whether the condition holds. Answers are asked for by name, and ok is false
// for what has not been answered; they are compared as decimal numbers where both sides
// are some, and letter by letter else.
//
// A comparison with an answer that is not there is false, so that "not (a == 1)" is always
// the opposite of "a == 1". Where the missing answer could change the outcome, the error
// is an UnansweredError; "a == 1 or b == 2" needs no b if a is 1. The same goes for words
// that are to be less or more than something, which is another error. The outcome is
// valid in both cases.
func (e Expr) Eval(answer func(name string) (value string, ok bool)) (bool, error) {
	if e.root == nil {
		return true, nil
	}
	return e.root.holds(answer)
}
