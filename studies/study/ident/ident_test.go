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

// A conversion never takes the name of what it was made of.
func TestTwin(t *testing.T) {
	for file, want := range map[string]string{
		"clips/film.mov": "film.mp4", "clips/film.mp4": "film-converted.mp4", "Défilé (final).mp4": "Defile-final.mp4", "«».avi": "clip.mp4",
	} {
		if got := Twin(file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}
