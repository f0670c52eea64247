package wording

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplate(t *testing.T) {
	c, err := Parse(Template("de"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(builtin(t, "en"), c); diff != "" {
		t.Errorf("the words to be translated are not the English ones: %s", diff)
	}
}

func TestUntranslated(t *testing.T) {
	c := builtin(t, "en")
	all := len(c.Untranslated())
	c["exit.consent.body"] = "Sie nehmen nicht teil."
	if n := len(c.Untranslated()); all < 50 || n != all-1 {
		t.Errorf("%d of %d words are English, and %d with one translated", all, len(c), n)
	}
	if got := builtin(t, "fr").Untranslated(); got != nil {
		t.Errorf("French that reads as English: %q", got)
	}
}
