package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Locked are the files that this process holds locks on while the store is open. Nothing
// else in it may open them: closing such a file gives SQLite's locks on it back (POSIX),
// and the next program that reads the study believes that nobody writes it.
func (s *Store) Locked() []string {
	return []string{s.path, s.path + "-wal", s.path + "-shm", s.path + ".lock"}
}

// acquire takes the right to record into the study file at path: an advisory
// lock on a file beside it, which the kernel gives back when the process ends,
// killed or not. SQLite's own locks do not serve, because they are held for one
// transaction only.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closing := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(ErrInUse, closing)
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), closing)
	}
	return f, nil
}
