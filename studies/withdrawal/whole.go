package withdrawal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// syncFolder makes what was made, renamed or removed in a folder durable. A folder that
// is gone itself is fine.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// unfinished is the name of a file until it is whole.
func unfinished(path string) string { return path + ".unfinished" }

// writeWhole writes a file for its owner only. It appears whole or not at all, and when
// this returns it stays. What a killed program left of an earlier attempt is written over.
func writeWhole(path string, write func(w io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.OpenFile(unfinished(path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(write(temp), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return syncFolder(dir)
}
