package stimulus

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestID(t *testing.T) {
	for file, want := range map[string]string{
		"a1.mp4":                         "a1",
		"folder/Défilé été 2026 (1).MOV": "Defile-ete-2026-1",
		"-i.mp4":                         "i",
		"...":                            "clip",
		"日本.mp4":                         "clip",
		"v1.2_final.mov":                 "v1.2_final",
		strings.Repeat("x", 80) + ".mp4": strings.Repeat("x", 64),
	} {
		if got := ID(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	valid := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if id := ID(name); !valid.MatchString(id) {
			t.Fatalf("%q became %q", name, id)
		}
	})
}

func TestVideos(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.MOV", "a.mp4", ".hidden.mp4", "notes.txt", "mp4"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.mp4"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := Videos(dir)
	if want := []string{filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.MOV")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := Videos(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there")
	}
}
