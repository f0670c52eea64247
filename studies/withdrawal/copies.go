package withdrawal

import (
	"path"
	"path/filepath"
	"slices"

	"emolab/studies/bundle"
)

// unpacked is a folder into which a bundle was unpacked.
type unpacked struct {
	dir     string
	session string
	files   map[string]bool // that its manifest lists, below dir
	folders map[string]bool // that those lie in, below dir
	// shared: all that the program keeps lies in this folder too. It stays, and what else
	// is in it is nothing that somebody has put beside the bundle.
	shared bool
}

// standing are the folders of a data folder that stay whatever is unpacked into them.
var standing = []string{videoFolder, "bundles", "truth", receiptsDir}

// unpackedIn tells whether the folder dir below root holds an unpacked bundle of one of
// the sessions.
func unpackedIn(root, dir string, wanted map[string]bool) (u unpacked, ok bool, err error) {
	c, ok, err := bundle.CopyIn(dir)
	if err != nil || !ok || !wanted[c.Session] {
		return unpacked{}, false, err
	}
	u = unpacked{dir: dir, session: c.Session, files: map[string]bool{}, folders: map[string]bool{}}
	u.shared = dir == root || filepath.Dir(dir) == root && slices.Contains(standing, filepath.Base(dir))
	for _, file := range c.Files {
		name := filepath.FromSlash(file)
		if !filepath.IsLocal(name) {
			continue // no bundle of ours has such a member
		}
		u.files[filepath.Clean(name)] = true
		for parent := path.Dir(file); parent != "."; parent = path.Dir(parent) {
			u.folders[filepath.FromSlash(parent)] = true
		}
	}
	return u, true, nil
}

// claim says what the thing at t.path, in the folder or the folder itself, is: the
// bundle's, or something that lies beside it.
func (u *unpacked) claim(t *thing) {
	name, err := filepath.Rel(u.dir, t.path)
	switch {
	case err != nil || len(t.of) > 0: // theirs already, by its name
	case name == "." && u.shared:
	case name == "." || t.folder && u.folders[name]:
		t.of, t.spared = []string{u.session}, true
	case t.folder:
	case u.files[name]:
		t.of, t.last = []string{u.session}, name == "manifest.json"
		t.renamed = t.last
	case !u.shared:
		t.of, t.beside = []string{u.session}, true
	}
}

// copied tells whether the plain file at t.path is a bundle of one of the sessions under
// another name. One that holds others as well is told of, and not erased.
func (t *thing) copied(wanted map[string]bool) error {
	sessions, err := bundle.SessionsIn(t.path)
	if err != nil {
		return err
	}
	theirs := slices.DeleteFunc(slices.Clone(sessions), func(id string) bool { return !wanted[id] })
	if len(theirs) > 0 {
		t.of, t.beside = theirs, len(theirs) < len(sessions)
		t.renamed = !t.beside
	}
	return nil
}
