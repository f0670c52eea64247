package shred

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A second name of the same file shows what its blocks hold when it is gone.
func TestFileOverwritesBeforeItRemoves(t *testing.T) {
	for _, size := range []int{0, 1, block - 1, block, 3*block + 7} {
		dir := t.TempDir()
		path, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		if err := os.WriteFile(path, bytes.Repeat([]byte{0xAB}, size), 0o400); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(path, other); err != nil {
			t.Fatal(err)
		}
		if err := File(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes: still there: %v", size, err)
		}
		left, err := os.ReadFile(other)
		if err != nil || !bytes.Equal(left, make([]byte, size)) {
			t.Errorf("%d bytes: its contents are still there, %v", size, err)
		}
	}
}

func TestFileDoesNotFollowLinks(t *testing.T) {
	dir := t.TempDir()
	kept, link := filepath.Join(dir, "kept"), filepath.Join(dir, "link")
	if err := os.WriteFile(kept, []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	if err := File(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
	if b, err := os.ReadFile(kept); err != nil || string(b) != "somebody else's" {
		t.Errorf("what the link leads to: %q, %v", b, err)
	}
}

func TestFileThatIsGoneIsFine(t *testing.T) {
	if err := File(t.Context(), filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}

// Who stops it finds the file still under its name, to begin anew.
func TestFileKeepsTheNameOfWhatIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := File(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
