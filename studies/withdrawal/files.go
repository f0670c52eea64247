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
	"syscall"

	"emolab/studies/session"
	"emolab/studies/shred"
)

// thing is a file, link or folder that is named after sessions, lies in a folder that is,
// or is a copy of a bundle under another name.
type thing struct {
	path   string
	folder bool
	bytes  int64    // of a plain file
	of     []string // the sessions

	// Of copies of bundles:
	spared  bool // a folder that stays when something else is in it
	beside  bool // a file that is not the bundle's: it is told of, and stays
	last    bool // what says whose the others are: it goes when they are gone
	renamed bool // its name does not say whose it is, until its erasing begins
}

// found is what is to be removed.
type found struct {
	files   []string          // plain files and links
	folders []string          // that hold nothing else, but for those that are spared
	spared  map[string]bool   // folders that stay when something else is in them
	copies  map[string]string // files that are not named after their session: its id
	last    map[string]bool   // files that say whose others are: they stay as long as those
	beside  []string          // files that stay
	bytes   int64
}

// all are things as they are to be removed.
func all(things []thing) found {
	var f found
	for _, t := range things {
		f.take(t)
	}
	return f
}

func (f *found) take(t thing) {
	if f.spared == nil {
		f.spared, f.copies, f.last = map[string]bool{}, map[string]string{}, map[string]bool{}
	}
	switch {
	case t.beside:
		f.beside = append(f.beside, t.path)
		return
	case t.folder:
		f.folders = append(f.folders, t.path)
		f.spared[t.path] = t.spared
		return
	case t.renamed:
		f.copies[t.path] = t.of[0]
	}
	f.last[t.path] = t.last
	f.files = append(f.files, t.path)
	f.bytes += t.bytes
}

// named lists after which of the sessions a file or folder is named: the id stands in the
// name, and neither a digit before it nor anything after it makes it another one's.
// Bundles, folders of video and all else that this program keeps beside the study's
// file are named so.
//
// An id consists of nothing else than what it may go on with. So it ends where that ends,
// and one look at each place of the name does, for however many sessions.
func named(name string, sessions map[string]bool) []string {
	var out []string
	end := 0 // of the run of such characters that a place is in
	for at := range len(name) {
		if !digit(name[at]) || at > 0 && digit(name[at-1]) {
			continue
		}
		for end = max(end, at); end < len(name) && ofCode(name[end]); end++ {
		}
		if id := name[at:end]; sessions[id] && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// ofCode tells whether an id may go on with c.
func ofCode(c byte) bool {
	return digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// aSession is the form of all ids: when it began, and what was drawn, or, in sessions of
// before, the participant's code. What is of another form might stand in the name of anything.
var aSession = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// look finds what is named after the sessions in the folder dir, and below it, in one walk
// for all of them, and the copies of their bundles: zips of another name, and folders that
// one was unpacked into. Of links only those are followed that stand for the folder itself or
// for one directly in it: a data folder, or its video, may lie on another disk. locked are
// files that are not opened, and never anybody's.
func look(ctx context.Context, dir string, sessions []string, locked ...string) ([]thing, error) {
	wanted := map[string]bool{}
	for _, id := range sessions {
		if aSession.MatchString(id) { // nothing can be named after any other
			wanted[id] = true
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	var closed []fs.FileInfo
	for _, path := range locked {
		if info, err := os.Stat(path); err == nil {
			closed = append(closed, info)
		}
	}
	var out []thing
	roots, err := linked(dir)
	for _, root := range roots {
		if root != dir && len(named(filepath.Base(root), wanted)) > 0 {
			continue // a link that is theirs goes, and not what it leads to
		}
		things, fault := below(ctx, root, wanted, closed)
		out, err = append(out, things...), errors.Join(err, fault)
	}
	if err != nil {
		return nil, fmt.Errorf("look through %s: %w", dir, err)
	}
	slices.SortStableFunc(out, func(a, b thing) int { return rank(a) - rank(b) })
	return out, nil
}

// rank puts those last that go last.
func rank(t thing) int {
	if t.last {
		return 1
	}
	return 0
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

// searched names the folders that look goes through, as they can be told to anybody: where
// the data folder lies may say who keeps it.
func searched(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	roots, err := linked(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(roots))
	for i, root := range roots {
		names[i] = filepath.Join(filepath.Base(dir), strings.TrimPrefix(root, dir))
	}
	return names, nil
}

// below finds it below root, which may be a link. What lies in a folder comes after it.
func below(ctx context.Context, root string, wanted map[string]bool, closed []fs.FileInfo) ([]thing, error) {
	var out, within []thing // within: the folders around a path that are theirs
	var around []unpacked   // those around a path that hold a copy
	// With a separator at its end the name of a link stands for what it leads to.
	err := filepath.WalkDir(root+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // went away meanwhile
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		path = filepath.Clean(path)
		for len(within) > 0 && !contains(within[len(within)-1].path, path) {
			within = within[:len(within)-1]
		}
		for len(around) > 0 && !contains(around[len(around)-1].dir, path) {
			around = around[:len(around)-1]
		}
		if e.IsDir() || path == root {
			u, ok, err := unpackedIn(root, path, wanted)
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // which went away meanwhile
				return err
			}
			if ok {
				around = append(around, u)
			}
		}
		if path == root {
			return nil
		}
		if info, err := e.Info(); err == nil && slices.ContainsFunc(closed, func(c fs.FileInfo) bool { return os.SameFile(c, info) }) {
			return nil
		}
		t := thing{path: path, folder: e.IsDir(), of: named(e.Name(), wanted)}
		if len(within) > 0 {
			for _, id := range within[len(within)-1].of {
				if !slices.Contains(t.of, id) {
					t.of = append(t.of, id)
				}
			}
		}
		if len(around) > 0 {
			around[len(around)-1].claim(&t)
		}
		if (len(t.of) == 0 || t.beside) && e.Type().IsRegular() && !segment(path) {
			if err := t.copied(wanted); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("see whether it is a copy of a bundle: %w", err)
			}
		}
		if len(t.of) == 0 {
			return nil
		}
		if t.folder && !t.spared {
			within = append(within, t)
		} else if t.bytes, err = size(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		out = append(out, t)
		return nil
	})
	return out, err
}

// segment tells whether path is a piece of a session's kept video. There are 1,800 an hour,
// and a disk that turns takes minutes to read the beginning of each.
func segment(path string) bool {
	return filepath.Ext(path) == ".mkv" && aSession.MatchString(filepath.Base(filepath.Dir(path)))
}

// size is that of a plain file; a link has none of its own.
func size(path string) (int64, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, err
	}
	return info.Size(), nil
}

// add takes in a file, if it is there.
func (f *found) add(path string) error {
	bytes, err := size(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.take(thing{path: path, bytes: bytes})
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
		parents[filepath.Dir(path)] = true
		if f.last[path] && len(errs) > 0 {
			continue // of what could not be removed nothing else says whose it is
		}
		path, err := f.own(path)
		if err == nil {
			err = shred.File(ctx, path)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%w; see that it can be written, or remove %s by hand", err, path))
		}
	}
	for _, path := range slices.Backward(f.folders) { // what lies in a folder comes after it
		err := os.Remove(path)
		if f.spared[path] && errors.Is(err, syscall.ENOTEMPTY) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		parents[filepath.Dir(path)] = true
	}
	for dir := range parents {
		errs = append(errs, syncFolder(dir))
	}
	return errors.Join(errs...)
}

// own gives a copy that has another name one of its session's own, and returns it: when the
// overwriting is cut off in the middle, nothing else tells any more whose it was.
func (f found) own(path string) (string, error) {
	id, copied := f.copies[path]
	if !copied {
		return path, nil
	}
	for n := 0; ; n++ {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".erasing-%d-%s.zip", n, id))
		if _, err := os.Lstat(name); err == nil {
			continue // of another copy
		}
		err := os.Rename(path, name)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil // gone already
		}
		return name, err
	}
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
