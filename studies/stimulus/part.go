package stimulus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// partPattern is what a video is called before it is whole. No folder of stimuli takes
// such a file for a video.
const partPattern = ".emolab-import-*.part"

// Part is a new file under a name of its own, until Place gives it the one it is meant
// for: whoever is killed in between leaves no half video behind. It is locked while
// somebody writes it, and a lock goes with the program that holds it: so a part that was
// left is told from one that is being written.
type Part struct{ file *os.File }

// NewPart begins a file in a folder, and removes the parts there that nobody writes any
// more.
func NewPart(dir string) (Part, error) {
	removeLeft(dir)
	for {
		f, err := os.CreateTemp(dir, partPattern)
		if err != nil {
			return Part{}, err
		}
		p := Part{f}
		if p.claim() {
			_ = f.Chmod(0o644) // memory sticks have no rights, and refuse it
			return p, nil
		}
		if err := p.Drop(); err != nil {
			return Part{}, err
		}
	}
}

// claim locks a new file, unless another program has taken it for one that was left
// before it was locked. Where there are no locks, nothing is taken for left.
func (p Part) claim() bool {
	if errors.Is(lock(p.file), syscall.EWOULDBLOCK) {
		return false
	}
	_, err := os.Lstat(p.Name())
	return err == nil
}

// removeLeft removes the parts that nobody writes any more. One that cannot be removed
// takes room and does no other harm: it is no error.
func removeLeft(dir string) {
	left, _ := fs.Glob(os.DirFS(dir), partPattern)
	for _, name := range left {
		name = filepath.Join(dir, name)
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		if lock(f) == nil {
			_ = os.Remove(name)
		}
		_ = f.Close()
	}
}

// lock locks a file for as long as it is open, unless somebody else has.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// Name is what the file is called meanwhile.
func (p Part) Name() string { return p.file.Name() }

// Write appends to the file.
func (p Part) Write(b []byte) (int, error) { return p.file.Write(b) }

// Place gives the file its name, once all of it is on the disk. What is there already is
// never overwritten: then the error is fs.ErrExist.
func (p Part) Place(to string) error {
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	err := os.Link(p.Name(), to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// File systems of memory sticks have no links.
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	return os.Rename(p.Name(), to)
}

// Drop removes the name that the file had meanwhile. After Place the file stays.
func (p Part) Drop() error {
	err := os.Remove(p.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it was renamed
	}
	return errors.Join(err, p.file.Close())
}
