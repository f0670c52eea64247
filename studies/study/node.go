package study

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
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
}

// parseYAML reads one YAML document. An empty file is an error.
func parseYAML(name string, text []byte) (node, error) {
	if len(text) > maxFile {
		return node{}, fmt.Errorf("%s: is larger than %d bytes and so no study file", name, maxFile)
	}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			return node{}, fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
		}
		return node{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return node{}, fmt.Errorf("%s: holds %d YAML documents, a study is exactly one", name, len(f.Docs))
	}
	return node{file: name, ast: f.Docs[0].Body}.at(f.Docs[0].Body, ""), nil
}

// at is the node below n that has the AST node a and the key or index name.
func (n node) at(a ast.Node, name string) node {
	child := node{file: n.file, line: n.line, path: n.path, ast: a}
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
	return child
}

// fail says what is wrong at n.
func (n node) fail(format string, args ...any) error {
	where := n.path
	if where == "" {
		where = "the file"
	}
	return fmt.Errorf("%s:%d: %s: %s", n.file, n.line, where, fmt.Sprintf(format, args...))
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
	for _, p := range pairs {
		name, ok := p.Key.(*ast.StringNode)
		if !ok {
			return n.at(p.Key, "?").fail("%s is no key of a study file", p.Key.String())
		}
		key := n.at(p.Key, name.Value)
		if seen[name.Value] {
			return key.fail("comes twice")
		}
		seen[name.Value] = true
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == name.Value })
		if i < 0 {
			return key.fail("unknown key; %s", suggest(name.Value, fields))
		}
		value := n.at(p.Value, name.Value)
		if _, null := p.Value.(*ast.NullNode); null || p.Value == nil {
			return key.fail("has no value")
		}
		if err := fields[i].read(value); err != nil {
			return err
		}
	}
	return nil
}

// suggest names the key nearest to what was written, or all of them.
func suggest(written string, fields []field) string {
	best, far := "", len(written)/2+1 // more than half of it wrong is no likeness
	for _, f := range fields {
		if d := distance(strings.ToLower(written), f.key); d < far {
			best, far = f.key, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return "known here: " + strings.Join(keys, ", ")
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
