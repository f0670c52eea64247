// Package shred removes files so that their contents do not stay behind in free blocks,
// as far as a program can see to that.
package shred

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// File overwrites the contents of a file with zeros, waits until the disk has them, and
// removes the file. What is no plain file is removed only: of a link never what it
// leads to. Something that is gone already is fine.
//
// A magnetic disk with a file system that writes in place (ext4, NTFS) then holds
// nothing of it. A drive that moves blocks around (every SSD) and a file system that
// writes elsewhere (btrfs, ZFS, snapshots) may keep the old blocks for a while; there
// an encrypted disk is what helps.
func File(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		if err := overwrite(ctx, path, info.Size()); err != nil {
			return fmt.Errorf("overwrite it: %w", err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Aside gives a file that is about to be replaced a second name, under which File erases
// it when another has taken its place. A file system without second names (exFAT, on a
// stick) moves it there: then it has its own name no more.
func Aside(path, second string) error {
	err := os.Link(path, second)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(path, second)
}

// block is how much is overwritten at a time.
const block = 1 << 18

func overwrite(ctx context.Context, path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		// A file that was made read-only; its folder decides whether it may go.
		if err = os.Chmod(path, 0o600); err == nil {
			f, err = os.OpenFile(path, os.O_WRONLY, 0)
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zeros := make([]byte, block)
	for left := size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Write(zeros[:min(left, block)])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return f.Sync()
}
