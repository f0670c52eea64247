package stimulus

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// names are what a folder holds.
func names(t *testing.T, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.Name())
	}
	return out
}

// What a killed program left is removed by the next one; what another writes is not.
func TestPartsThatWereLeftAreRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clips [1]") // not a pattern
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".emolab-import-17.part", "mine.part"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half a vid"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, err := NewPart(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewPart(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Base(first.Name()), filepath.Base(second.Name()), "mine.part"}
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
	if videos, err := Videos(dir); err != nil || len(videos) != 0 {
		t.Errorf("parts are taken for videos: %q, %v", videos, err)
	}
	if err := errors.Join(first.Drop(), second.Drop()); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"mine.part"}) {
		t.Errorf("the folder holds %q", got)
	}
}

// A program that looks for what was left may come between the making of a part and its
// locking.
func TestAPartThatIsTakenForLeftIsNotWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.part")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	mine, other := open(), open()
	defer mine.Close()
	if err := lock(other); err != nil {
		t.Fatal(err)
	}
	if (Part{mine}).claim() {
		t.Error("another program is about to remove it")
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if !(Part{mine}).claim() {
		t.Error("nobody has it")
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if (Part{mine}).claim() {
		t.Error("another program has removed it")
	}
}

// A part becomes the whole file at once, and takes no other's place.
func TestPartIsPlaced(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "a.mp4")
	for n, want := range []error{nil, fs.ErrExist} {
		p, err := NewPart(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte{'0' + byte(n)}); err != nil {
			t.Fatal(err)
		}
		if err := p.Place(to); !errors.Is(err, want) {
			t.Errorf("placed with %v, want %v", err, want)
		}
		if err := p.Drop(); err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "0" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %q", got)
	}
}
