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

// look finds what is named after the sessions in the folder dir, and below it. Links
// are not followed.
func look(ctx context.Context, dir string, sessions []string) (found, error) {
	var f found
	within := "" // the outermost folder that is named after one of them
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // went away meanwhile
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		inside := within != "" && strings.HasPrefix(path, within+string(filepath.Separator))
		if !inside && !slices.ContainsFunc(sessions, func(id string) bool { return named(e.Name(), id) }) {
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
	if err != nil {
		return found{}, fmt.Errorf("look through %s: %w", dir, err)
	}
	return f, nil
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
