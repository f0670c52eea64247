package ident

import (
	"regexp"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"Défilé été (final)": "Defile-ete-final", "Été 26": "Ete-26", "a_b.c": "a_b.c", "-.x-": "x", "«»": "", "": "",
		strings.Repeat("é", 70): strings.Repeat("e", 64),
	} {
		if got := Of(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// id is what the ids of a study file look like.
var id = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func FuzzOf(f *testing.F) {
	f.Add("Défilé été (final)")
	f.Add("..--_\xff")
	f.Fuzz(func(t *testing.T, name string) {
		got := Of(name)
		if got != "" && !id.MatchString(got) || Of(got) != got {
			t.Errorf("%q: %q is no id, or becomes another one", name, got)
		}
	})
}
