package stimulus

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

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
