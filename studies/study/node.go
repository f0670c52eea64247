package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the study file. A study with a thousand stimuli is a tenth of it.
const maxFile = 1 << 20 // bytes

// node is one place in a study file: a YAML node that knows the file it came
// from, so that every error names file and line. Reading is strict: nothing is
// converted from another type, and a mapping is read with all its keys.
type node struct {
	file string
	line int
	path string // "stimuli.list", for the reader of an error
	ast  ast.Node
	// lines is where each place of the file was first met, by path.
	lines map[string]int
}

// fault is what is wrong at one place of a file.
type fault struct {
	file  string
	line  int
	where string // path, or "the file"
	text  string
}

func (f *fault) Error() string { return fmt.Sprintf("%s:%d: %s: %s", f.file, f.line, f.where, f.text) }

// maxFaults is how many things are said about one list, or one set of keys, at a time.
const maxFaults = 20

// faults are what is wrong with the parts of one thing: all of it is said at once, so
// that it can be mended at once.
type faults []error

// full notes an error, if it is one, and tells whether there are enough.
func (f *faults) full(err error) bool {
	if err != nil {
		*f = append(*f, err)
	}
	return len(*f) >= maxFaults
}

// parseYAML reads one YAML document. An empty file is an error.
func parseYAML(name string, text []byte) (node, error) {
	if len(text) > maxFile {
		return node{}, fmt.Errorf("%s: is larger than %d bytes and so no study file", name, maxFile)
	}
	tokens := lexer.Tokenize(string(text))
	if t := tooDeep(tokens); t != nil {
		return node{}, &fault{name, t.Position.Line, "not YAML", "lists and brackets lie too deep within each other to be understood"}
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			return node{}, &fault{name, at.GetToken().Position.Line, "not YAML", at.GetMessage()}
		}
		return node{}, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case len(f.Docs) == 0 || len(f.Docs) == 1 && f.Docs[0].Body == nil:
		return node{}, fmt.Errorf("%s: is empty", name)
	case len(f.Docs) > 1:
		return node{}, fmt.Errorf("%s: holds %d YAML documents, parted by ---, and only one is read: make it one", name, len(f.Docs))
	}
	return node{file: name, line: 1, lines: map[string]int{}, ast: f.Docs[0].Body}.at(f.Docs[0].Body, ""), nil
}

// at is the node below n that has the AST node a and the key or index name.
func (n node) at(a ast.Node, name string) node {
	child := node{file: n.file, line: n.line, path: n.path, lines: n.lines, ast: a}
	switch {
	case n.path == "":
		child.path = name
	case strings.HasPrefix(name, "["):
		child.path += name
	default:
		child.path += "." + name
	}
	if a != nil {
		if t := a.GetToken(); t != nil && t.Position != nil && t.Position.Line > 0 {
			child.line = t.Position.Line
		}
	}
	if _, met := n.lines[child.path]; !met {
		n.lines[child.path] = child.line
	}
	return child
}

// fail says what is wrong at n.
func (n node) fail(format string, args ...any) error {
	where := n.path
	if where == "" {
		where = "the file"
	}
	return &fault{n.file, n.line, where, fmt.Sprintf(format, args...)}
}

// kind names a node's type in the words of a person who writes YAML.
func (n node) kind() string {
	switch n.ast.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode:
		return "a whole number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias, which a study file has no use for"
	default:
		return "something else"
	}
}

// text reads a scalar string.
func (n node) text() (string, error) {
	var s string
	switch a := n.ast.(type) {
	case *ast.StringNode:
		s = a.Value
	case *ast.LiteralNode:
		s = strings.TrimRight(a.Value.Value, "\n")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return "", n.fail("is text, but %s reads as %s: put it in quotes", a.String(), n.kind())
	default:
		return "", n.fail("is text, but here is %s", n.kind())
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return "", n.fail("holds a line break or a character that cannot be printed")
		}
	}
	return s, nil
}

// number reads a whole number from 0 on.
func (n node) number() (uint64, error) {
	if a, ok := n.ast.(*ast.IntegerNode); ok {
		switch v := a.Value.(type) {
		case uint64:
			return v, nil
		case int64:
			if v >= 0 {
				return uint64(v), nil
			}
		}
	}
	return 0, n.fail("is a whole number from 0 on, but here is %s", n.kind())
}

// count reads a whole number from low to high.
func (n node) count(low, high int) (int, error) {
	v, err := n.whole()
	if err == nil && (v < int64(low) || v > int64(high)) {
		err = n.fail("%d is outside %d to %d", v, low, high)
	}
	return int(v), err
}

// whole reads a whole number of either sign.
func (n node) whole() (int64, error) {
	if a, ok := n.ast.(*ast.IntegerNode); ok {
		switch v := a.Value.(type) {
		case uint64:
			if v <= math.MaxInt64 {
				return int64(v), nil
			}
		case int64:
			return v, nil
		}
	}
	return 0, n.fail("is a whole number, but here is %s", n.kind())
}

// decimal reads a number from low to high, in a unit that errors name.
func (n node) decimal(low, high float64, unit string) (float64, error) {
	var v float64
	switch a := n.ast.(type) {
	case *ast.FloatNode:
		v = a.Value
	case *ast.IntegerNode:
		whole, err := n.whole()
		if err != nil {
			return 0, err
		}
		v = float64(whole)
	default:
		return 0, n.fail("is a number%s, but here is %s", unit, n.kind())
	}
	if !(v >= low && v <= high) {
		return 0, n.fail("%v is outside %v to %v%s", v, low, high, strings.TrimPrefix(unit, " of"))
	}
	return v, nil
}

// truth reads true or false.
func (n node) truth() (bool, error) {
	a, ok := n.ast.(*ast.BoolNode)
	if !ok {
		return false, n.fail("is true or false, but here is %s", n.kind())
	}
	return a.Value, nil
}

// name reads text that may look like a number: the name of a band, a choice.
func (n node) name() (string, error) {
	if a, ok := n.ast.(*ast.IntegerNode); ok {
		return a.Token.Value, nil
	}
	return n.text()
}

// oneOf reads one of the words that are known.
func (n node) oneOf(known ...string) (string, error) {
	s, err := n.text()
	if err == nil && !slices.Contains(known, s) {
		err = n.fail("%q is not possible; known are %s", s, strings.Join(known, ", "))
	}
	return s, err
}

// each reads the items of a list, 1 to most of them.
func (n node) each(most int, read func(node) error) error {
	items, err := n.list()
	if err != nil {
		return err
	}
	if len(items) == 0 || len(items) > most {
		return n.fail("has %d entries; possible are 1 to %d", len(items), most)
	}
	var wrong faults
	for _, item := range items {
		if wrong.full(read(item)) {
			break
		}
	}
	return errors.Join(wrong...)
}

// list reads a sequence.
func (n node) list() ([]node, error) {
	a, ok := n.ast.(*ast.SequenceNode)
	if !ok {
		return nil, n.fail("is a list, but here is %s", n.kind())
	}
	items := make([]node, len(a.Values))
	for i, v := range a.Values {
		items[i] = n.at(v, fmt.Sprintf("[%d]", i+1))
	}
	return items, nil
}

// field is one key of a mapping and what to do with its value.
type field struct {
	key  string
	read func(node) error
}

// mapping reads all keys of a mapping. A key that is not among fields, or that
// comes twice, is an error.
func (n node) mapping(fields ...field) error {
	return n.entries(func(key string, at, value node) error {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			return at.fail("unknown key; %s", suggest(key, fields))
		}
		if _, null := value.ast.(*ast.NullNode); null || value.ast == nil {
			return at.fail("has no value")
		}
		return fields[i].read(value)
	})
}

// entries reads a mapping whose keys the file chooses. A key that comes twice is an error.
func (n node) entries(read func(key string, at, value node) error) error {
	var pairs []*ast.MappingValueNode
	switch a := n.ast.(type) {
	case *ast.MappingNode:
		pairs = a.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{a}
	default:
		return n.fail("is a set of keys and values, but here is %s", n.kind())
	}
	seen := map[string]bool{}
	var wrong faults
	for _, p := range pairs {
		var name string
		switch k := p.Key.(type) {
		case *ast.StringNode:
			name = k.Value
		case *ast.IntegerNode:
			name = k.Token.Value
		default:
			if wrong.full(n.at(p.Key, "?").fail("%s is no key of a study file", p.Key.String())) {
				return errors.Join(wrong...)
			}
			continue
		}
		key := n.at(p.Key, name)
		var err error
		if seen[name] {
			err = key.fail("comes twice")
		} else {
			err = read(name, key, n.at(p.Value, name))
		}
		seen[name] = true
		if wrong.full(err) {
			break
		}
	}
	return errors.Join(wrong...)
}

// suggest names the key nearest to what was written, or all of them.
func suggest(written string, fields []field) string {
	if best := nearest(written, fields); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return "known here: " + strings.Join(keys, ", ")
}

// nearest is the key most like what was written; "" where none is like it.
func nearest(written string, fields []field) string {
	best, far := "", len(written)/2+1 // more than half of it wrong is no likeness
	for _, f := range fields {
		if d := distance(strings.ToLower(written), strings.ToLower(f.key)); d < far {
			best, far = f.key, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two strings, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
