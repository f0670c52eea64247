package expr

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// The bounds of a condition. Conditions that people write have a tenth of both.
const (
	maxLength = 1000 // bytes
	maxDepth  = 50   // brackets and nots within each other
)

// Parse reads a condition. Its errors are of type *Error and tell where it fails.
func Parse(text string) (Expr, error) {
	if len(text) > maxLength {
		return Expr{}, &Error{maxLength, fmt.Sprintf("the condition is longer than %d characters", maxLength)}
	}
	if !utf8.ValidString(text) {
		return Expr{}, &Error{1, "the condition is not text in UTF-8"}
	}
	tokens, err := scan(text)
	if err != nil {
		return Expr{}, err
	}
	p := &parser{tokens: tokens}
	if p.now().kind == end {
		return Expr{}, &Error{1, "the condition is empty"}
	}
	root, err := p.either()
	if err != nil {
		return Expr{}, err
	}
	if t := p.now(); t.kind != end {
		return Expr{}, &Error{t.column, fmt.Sprintf("%s comes after a whole condition; join two with and, or", t)}
	}
	return Expr{text: text, root: root, compared: p.compared, names: p.names}, nil
}

// parser reads tokens from the first to the last; each of its methods reads one rule of
// the grammar:
//
//	either     = both { "or" both }
//	both       = single { "and" single }
//	single     = "not" single | "(" either ")" | comparison
//	comparison = operand ( sign operand { sign operand } | [ "not" ] "in" list )
//	list       = "[" literal { "," literal } "]"
type parser struct {
	tokens   []token // the last is the end
	at       int
	depth    int
	compared []Comparison
	names    []string
}

func (p *parser) now() token { return p.tokens[p.at] }

// take returns the token at hand and goes on, but never beyond the end.
func (p *parser) take() token {
	t := p.now()
	if t.kind != end {
		p.at++
	}
	return t
}

// accept goes on if the token at hand is the one asked for.
func (p *parser) accept(k kind, text string) bool {
	if !p.now().is(k, text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) either() (node, error) {
	left, err := p.both()
	for err == nil && p.accept(word, "or") {
		var right node
		right, err = p.both()
		left = either{left, right}
	}
	return left, err
}

func (p *parser) both() (node, error) {
	left, err := p.single()
	for err == nil && p.accept(word, "and") {
		var right node
		right, err = p.single()
		left = both{left, right}
	}
	return left, err
}

func (p *parser) single() (node, error) {
	t := p.now()
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{t.column, fmt.Sprintf("more than %d brackets within each other", maxDepth)}
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept(word, "not"):
		of, err := p.single()
		return negation{of}, err
	case p.accept(mark, "("):
		inner, err := p.either()
		if err != nil {
			return nil, err
		}
		if !p.accept(mark, ")") {
			return nil, &Error{p.now().column, fmt.Sprintf("the bracket of column %d is not closed before %s", t.column, p.now())}
		}
		return inner, nil
	}
	return p.comparison()
}

func (p *parser) comparison() (node, error) {
	first, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.now().is(word, "not") && p.tokens[p.at+1].is(word, "in") { // the end comes after not
		p.at++
		list, err := p.in(first)
		return negation{list}, err
	}
	if p.now().is(word, "in") {
		return p.in(first)
	}
	chain := comparison{operands: []operand{first}}
	for p.now().kind == sign {
		s := p.take()
		left := chain.operands[len(chain.operands)-1]
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		if left.name == "" && right.name == "" {
			return nil, &Error{left.column, fmt.Sprintf("%q %s %q compares no answer; names of questions stand without quotes", left.value, s.text, right.value)}
		}
		p.note(left, right)
		p.note(right, left)
		chain.operands, chain.signs = append(chain.operands, right), append(chain.signs, s.text)
	}
	if len(chain.signs) == 0 {
		what := fmt.Sprintf("%q alone is no condition", first.value)
		if first.name != "" {
			what = fmt.Sprintf("%q alone is no condition; say what it has to be: %s == 'yes'", first.name, first.name)
		}
		return nil, &Error{first.column, what}
	}
	return chain, nil
}

// note keeps that an answer is compared with something written out.
func (p *parser) note(with, value operand) {
	if with.name != "" && value.name == "" {
		p.compared = append(p.compared, Comparison{with.name, value.value, value.column})
	}
}

func (p *parser) operand() (operand, error) {
	switch t := p.take(); t.kind {
	case name:
		if !slices.Contains(p.names, t.text) {
			p.names = append(p.names, t.text)
		}
		return operand{name: t.text, column: t.column}, nil
	case literal:
		return operand{value: t.text, column: t.column}, nil
	default:
		return operand{}, &Error{t.column, fmt.Sprintf("an answer, a number or words in quotes should stand before %s", t)}
	}
}

func (p *parser) in(of operand) (node, error) {
	at := p.take() // the word in
	if of.name == "" {
		return nil, &Error{of.column, fmt.Sprintf("%q is no answer; names of questions stand without quotes", of.value)}
	}
	if !p.accept(mark, "[") {
		return nil, &Error{at.column, fmt.Sprintf(`after "in" comes a list, not %s: %s in ['a', 'b']`, p.now(), of.name)}
	}
	m := member{of: of}
	for {
		t := p.take()
		if t.kind != literal {
			return nil, &Error{t.column, fmt.Sprintf("a number or words in quotes should stand in the list, not %s", t)}
		}
		m.list = append(m.list, t.text)
		p.note(of, operand{value: t.text, column: t.column})
		if p.accept(mark, "]") {
			return m, nil
		}
		if t := p.now(); !p.accept(mark, ",") {
			return nil, &Error{t.column, fmt.Sprintf("a comma or ] should stand in the list, not %s", t)}
		}
	}
}
