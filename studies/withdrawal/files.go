package withdrawal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"emolab/studies/session"
	"emolab/studies/shred"
)

// found is what lies in a data folder about some sessions.
type found struct {
	files   []string // plain files and links
	folders []string // that hold nothing else
	bytes   int64
}

// named tells whether a file or folder is named after a session: its id stands in the
// name, and neither a digit before it nor anything after it makes it another one's.
// Bundles, folders of video and all else that this program keeps beside the study's
// file are named so.
func named(name, id string) bool {
	for from := 0; ; from++ {
		at := strings.Index(name[from:], id)
		if at < 0 {
			return false
		}
		from += at
		before, after := name[:from], name[from+len(id):]
		if (before == "" || !digit(before[len(before)-1])) && (after == "" || !ofCode(after[0])) {
			return true
		}
	}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// ofCode tells whether a participant's code, with which an id ends, may go on with c.
func ofCode(c byte) bool {
	return digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// aSession is the form of all ids: when it began, and the participant's code. What is of
// another form might stand in the name of anything.
var aSession = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// look finds what is named after the sessions in the folder dir, and below it. Of links
// only those are followed that stand for the folder itself or for one directly in it:
// a data folder, or its video, may lie on another disk.
func look(ctx context.Context, dir string, sessions []string) (found, error) {
	var f found
	roots, err := linked(dir)
	for _, root := range roots {
		if root == dir || !belongs(root, sessions) { // a link that is theirs goes, and not what it leads to
			err = errors.Join(err, f.look(ctx, root, sessions))
		}
	}
	if err != nil {
		return found{}, fmt.Errorf("look through %s: %w", dir, err)
	}
	return f, nil
}

// belongs tells whether a path is named after one of the sessions.
func belongs(path string, sessions []string) bool {
	return slices.ContainsFunc(sessions, func(id string) bool { return named(filepath.Base(path), id) })
}

// linked is a folder, and the folders that links directly in it lead to out of it.
func linked(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	whole, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	roots := []string{dir}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		path := filepath.Join(dir, e.Name())
		to, err := filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // leads to nothing
		}
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(to); err == nil && info.IsDir() && !contains(whole, to) && !contains(to, whole) {
			roots = append(roots, path)
		}
	}
	return roots, nil
}

// look adds what is found below root, which may be a link.
func (f *found) look(ctx context.Context, root string, sessions []string) error {
	within := "" // the outermost folder that is named after one of them
	// With a separator at its end the name of a link stands for what it leads to.
	return filepath.WalkDir(root+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // went away meanwhile
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		path = filepath.Clean(path)
		inside := within != "" && contains(within, path)
		if path == root || !inside && !belongs(path, sessions) {
			return nil
		}
		if e.IsDir() {
			if !inside {
				within = path
			}
			f.folders = append(f.folders, path)
			return nil
		}
		return f.add(path)
	})
}

// add counts a file.
func (f *found) add(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.files = append(f.files, path)
	if info.Mode().IsRegular() {
		f.bytes += info.Size()
	}
	return nil
}

// has tells whether a file was found already, under whichever name.
func (f *found) has(path string) bool {
	info, err := os.Stat(path)
	return err == nil && slices.ContainsFunc(f.files, func(known string) bool {
		other, err := os.Stat(known)
		return err == nil && os.SameFile(info, other)
	})
}

// remove overwrites and removes the files, and then the folders. It goes on after one
// that cannot be removed, and tells of all of them.
func (f found) remove(ctx context.Context, progress session.Progress) error {
	var errs []error
	parents := map[string]bool{}
	for i, path := range f.files {
		progress(i, len(f.files), "overwriting files")
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := shred.File(ctx, path); err != nil {
			errs = append(errs, fmt.Errorf("%w; see that it can be written, or remove %s by hand", err, path))
			continue
		}
		parents[filepath.Dir(path)] = true
	}
	for _, path := range slices.Backward(f.folders) { // what lies in a folder comes after it
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		parents[filepath.Dir(path)] = true
	}
	for dir := range parents {
		errs = append(errs, syncFolder(dir))
	}
	return errors.Join(errs...)
}

// is tells whether the file at path has that SHA-256, in hex. A file that cannot be
// read is none.
func is(path, sum string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false
	}
	return hex.EncodeToString(h.Sum(nil)) == sum
}

// contains tells whether path lies in the folder dir.
func contains(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
