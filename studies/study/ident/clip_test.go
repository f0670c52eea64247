package ident

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestClip(t *testing.T) {
	for file, want := range map[string]string{
		"a1.mp4":                         "a1",
		"folder/Défilé été 2026 (1).MOV": "Defile-ete-2026-1",
		"-i.mp4":                         "i",
		"...":                            "clip",
		"日本.mp4":                         "clip",
		"v1.2_final.mov":                 "v1.2_final",
		strings.Repeat("x", 80) + ".mp4": strings.Repeat("x", 64),
	} {
		if got := Clip(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	valid := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if id := Clip(name); !valid.MatchString(id) {
			t.Fatalf("%q became %q", name, id)
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
