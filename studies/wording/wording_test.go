package wording

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// builtin are the words of a built-in language.
func builtin(t *testing.T, language string) Catalogue {
	t.Helper()
	c, ok := Builtin(language)
	if !ok {
		t.Fatalf("%s is not built in", language)
	}
	return c
}

// Every language says everything, and nothing that another does not.
func TestLanguagesHaveTheSameKeys(t *testing.T) {
	want := slices.Sorted(maps.Keys(builtin(t, "en")))
	for _, language := range Languages() {
		c := builtin(t, language)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c))); diff != "" {
			t.Errorf("%s -want +got:\n%s", language, diff)
		}
		if missing := c.Missing(); len(missing) > 0 {
			t.Errorf("%s has no words for %v", language, missing)
		}
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", language, err)
		}
	}
}

// A brace that is not closed would be shown as it is. What the braces hold is Check's.
func TestBracesAreClosed(t *testing.T) {
	for _, language := range Languages() {
		for key, words := range builtin(t, language) {
			if strings.ContainsAny(placeholder.ReplaceAllString(words, ""), "{}") {
				t.Errorf("%s: %s has an open brace: %s", language, key, words)
			}
		}
	}
}

// French sets a blank at which no line ends before double signs, and curved apostrophes; no language has
// characters that do not print.
func TestSpelling(t *testing.T) {
	for _, language := range Languages() {
		for key, words := range builtin(t, language) {
			for _, r := range words {
				if unicode.IsControl(r) && r != '\n' {
					t.Errorf("%s: %s holds %q", language, key, r)
				}
			}
			if strings.Contains(words, "'") {
				t.Errorf("%s: %s has a straight apostrophe: %s", language, key, words)
			}
			if language != "fr" {
				continue
			}
			runes := []rune(words)
			for i, r := range runes {
				if strings.ContainsRune(";:!?", r) && i > 0 && runes[i-1] != '\u00a0' {
					t.Errorf("%s: %s lacks a no-break space before %q: %s", language, key, r, words)
				}
			}
		}
	}
}

func TestParse(t *testing.T) {
	c, err := Parse([]byte("answer.yes: \" Sì \"\nanswer.no: \"\"\n"))
	if diff := cmp.Diff(Catalogue{"answer.yes": "Sì", "answer.no": ""}, c); diff != "" || err != nil {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}
	if missing := c.Missing(); slices.Contains(missing, "answer.yes") || !slices.Contains(missing, "answer.no") || !slices.Contains(missing, "notice.body") {
		t.Errorf("missing: %v", missing)
	}
	for _, text := range []string{"a: {b: c}", "- a", "a: b: c"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if err := (Catalogue{"answer.maybe": "x"}).Check(); err == nil || !strings.Contains(err.Error(), "answer.maybe") {
		t.Errorf("an unknown key: %v", err)
	}
	for words, want := range map[string]string{
		"Al massimo {time}, {time}.":  "",
		"":                            "",
		"Al massimo giorni.":          "hold nothing in braces, and should hold {time}",
		"Al massimo {giorni} giorni.": "hold {giorni}, and should hold {time}",
	} {
		err := Catalogue{"consent.kept.traces": words}.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", words, err)
		}
	}
	if _, ok := Builtin("tlh"); ok {
		t.Error("Klingon is built in")
	}
}

func TestParagraphs(t *testing.T) {
	if diff := cmp.Diff([]string{"a b", "c\u00a0: d"}, Paragraphs(" a\n  b\n\n\n\nc\u00a0:\td\n\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("answer.yes: Sì\nnotice.body: |\n  a\n\n  b\n"))
	f.Add([]byte("? a\n: b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		for _, words := range c {
			if words != strings.TrimSpace(words) {
				t.Errorf("%q has blanks around it", words)
			}
			for _, p := range Paragraphs(words) {
				if p == "" {
					t.Error("an empty paragraph")
				}
			}
		}
	})
}
