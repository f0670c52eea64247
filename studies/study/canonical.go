package study

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// canonical writes the document as a study file with every default filled in
// and the keys in order: two files that mean the same study have the same
// canonical form, and reading it gives the same document. What a study does not have at
// all (a screening, a quota, scales, words and texts of its own) is left out, and so will
// be keys that come into the format later, at their default: the hash of a study, by which
// its sessions are continued and pooled, stays.
func (d document) canonical() []byte {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	list := func(indent, key string, items []string) {
		if len(items) == 0 {
			return
		}
		fmt.Fprintf(&b, "%s%s:\n", indent, key)
		for _, item := range items {
			fmt.Fprintf(&b, "%s  - %s\n", indent, item)
		}
	}
	line("format", Format)
	line("id", quote(d.id))
	line("title", d.title.canonical())
	line("contact", d.contact.canonical())
	line("languages", flowList(quoted(d.languages)))
	line("seed", strconv.FormatUint(d.seed, 10))
	line("words", files(d.words, "words"))
	line("consent", d.canonicalConsent())
	line("texts", d.canonicalTexts())
	list("", "screening", each(d.screening, Question.canonical))
	line("quota", d.quota.canonical())
	b.WriteString(d.canonicalDevices())
	line("thresholds", d.rules.canonical())
	fmt.Fprintf(&b, "stimuli:\n  folder: %s\n", quote(d.folder))
	if d.phoneFrame {
		fmt.Fprintf(&b, "  frame: %s\n", phoneFrame)
	}
	list("  ", "list", each(d.stimuli, listing.canonical))
	if len(d.scales) > 0 {
		b.WriteString("scales:\n")
		for _, s := range d.scales {
			fmt.Fprintf(&b, "  %s: %s\n", quote(s.id), s.canonical())
		}
	}
	list("", "flow", each(d.flow, d.canonicalPart))
	line("analysis", d.analysis.canonical())
	if d.blind {
		line("console", flowMap("blind", "true"))
	}
	return b.Bytes()
}

// each is what f makes of every item.
func each[A, B any](items []A, f func(A) B) []B {
	all := make([]B, len(items))
	for i, item := range items {
		all[i] = f(item)
	}
	return all
}

// flowMap writes keys and values as one line; a key whose value is "" is left out.
func flowMap(pairs ...string) string {
	var items []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			items = append(items, pairs[i]+": "+pairs[i+1])
		}
	}
	return "{" + strings.Join(items, ", ") + "}"
}

// flowList writes a list as one line.
func flowList(items []string) string { return "[" + strings.Join(items, ", ") + "]" }

// optional is a list that is left out where it has nothing.
func optional(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return flowList(items)
}

func quoted(items []string) []string { return each(items, quote) }

func quotedOrNone(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

// quote writes a string in double quotes. JSON's form is also YAML's.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A string always encodes: invalid UTF-8 was turned away when it was read.
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// number writes a number exactly.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// canonical writes text as it was given: for all languages, or by language.
func (t Text) canonical() string {
	if t == nil {
		return ""
	}
	if s, one := t[""]; one {
		return quote(s)
	}
	var pairs []string
	for _, tag := range sortedKeys(t) {
		pairs = append(pairs, tag, quote(t[tag]))
	}
	return flowMap(pairs...)
}

// files writes the references of one key, by language; "" for none.
func files(all []reference, key string) string {
	var pairs []string
	for _, r := range all {
		if r.key == key {
			pairs = append(pairs, r.language, quote(r.path))
		}
	}
	if pairs == nil {
		return ""
	}
	return flowMap(pairs...)
}

func (d document) canonicalTexts() string {
	var pairs []string
	for _, id := range ownTexts() {
		if f := files(d.texts, id); f != "" {
			pairs = append(pairs, id, f)
		}
	}
	if pairs == nil {
		return ""
	}
	return flowMap(pairs...)
}

func byKey(a, b reference) int {
	return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.language, b.language), strings.Compare(a.path, b.path))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
