// Package wording is what the participant reads where the study does not say it in its
// own words: the built-in texts in English and French, and how another language is
// added by a file.
package wording

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed en fr
var files embed.FS

// Catalogue is all words of one language, by key. Keys that begin with "page." are
// those of the participant's page; the others stand on its sheets.
type Catalogue map[string]string

// Languages are the languages that are built in, by their tags.
func Languages() []string { return []string{"en", "fr"} }

// Builtin returns the words of a language that is built in; false for any other.
func Builtin(language string) (Catalogue, bool) {
	if !slices.Contains(Languages(), language) {
		return nil, false
	}
	all := Catalogue{}
	err := fs.WalkDir(files, language, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		c, err := Parse(text)
		maps.Copy(all, c)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("wording: the built-in %s: %v", language, err)) // a mistake in a file that tests read
	}
	return all, true
}

// Parse reads a file of words: one YAML mapping of keys to texts. Paragraphs are
// separated by an empty line.
func Parse(text []byte) (Catalogue, error) {
	var c Catalogue
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("wording: %w", err)
	}
	for key, words := range c {
		c[key] = strings.TrimSpace(words)
	}
	return c, nil
}

// Missing lists the keys that a catalogue lacks of a complete one, in order.
func (c Catalogue) Missing() []string {
	whole, _ := Builtin("en")
	return slices.DeleteFunc(slices.Sorted(maps.Keys(whole)), func(key string) bool { return c[key] != "" })
}

// Check refuses keys that nothing reads, and words without what the program fills in:
// a text that says how long data are kept must say how long.
func (c Catalogue) Check() error {
	whole, _ := Builtin("en")
	for _, key := range slices.Sorted(maps.Keys(c)) {
		english, known := whole[key]
		if !known {
			return errors.New("the key " + key + " is not among those of the built-in texts")
		}
		if c[key] == "" {
			continue
		}
		want, got := placeholders(english), placeholders(c[key])
		if !slices.Equal(want, got) {
			return fmt.Errorf("the words of %s hold %s, and should hold %s, which the program fills in", key, listed(got), listed(want))
		}
	}
	return nil
}

// placeholder is what the program fills in.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// placeholders are those of a text, each once, in order of their names.
func placeholders(text string) []string {
	all := placeholder.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "nothing in braces"
	}
	return strings.Join(names, ", ")
}

// Paragraphs separates a text at its empty lines. Within a paragraph, line breaks
// are blanks; blanks that forbid one, as before a French colon, stay as they are.
func Paragraphs(text string) []string {
	var all []string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.Join(strings.FieldsFunc(p, breakable), " "); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// breakable tells whether a line may end at a character.
func breakable(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }
