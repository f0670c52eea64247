package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// formats begins the format of every bundle, of whichever version.
const formats = "emolab-bundle/"

// zipLead begins every zip that holds something.
var zipLead = []byte("PK\x03\x04")

// Copy is what the manifest in a folder says: a bundle was unpacked there.
type Copy struct {
	Session string
	Files   []string // with the manifest and its digest, slash-separated, below the folder
}

// SessionsIn lists the sessions whose bundle the file at path is, whatever its name: a
// zip with manifests of ours in it, at its top or in folders. It reads nothing else. What
// is no such file has none.
func SessionsIn(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lead := make([]byte, len(zipLead))
	if _, err := io.ReadFull(f, lead); err != nil || !bytes.Equal(lead, zipLead) {
		return nil, nil // too short, or something else
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, nil
	}
	return sessionsOf(z), nil
}

func sessionsOf(z *zip.Reader) []string {
	var out []string
	for _, member := range z.File {
		if path.Base(member.Name) != manifestName {
			continue
		}
		r, err := member.Open()
		if err != nil {
			continue // damaged: it names nobody
		}
		m, ok := ours(r)
		r.Close()
		if ok && !slices.Contains(out, m.Session) {
			out = append(out, m.Session)
		}
	}
	return out
}

// CopyIn tells what was unpacked into a folder; ok is false where no manifest of ours
// lies in it. Links are not followed.
func CopyIn(dir string) (c Copy, ok bool, err error) {
	name := filepath.Join(dir, manifestName)
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return Copy{}, false, nil
	}
	if err != nil {
		return Copy{}, false, err
	}
	f, err := os.Open(name)
	if err != nil {
		return Copy{}, false, fmt.Errorf("see whose bundle was unpacked there: %w", err)
	}
	defer f.Close()
	m, ok := ours(f)
	if !ok {
		return Copy{}, false, nil
	}
	c = Copy{Session: m.Session, Files: []string{manifestName, digestName}}
	for _, file := range m.Files {
		c.Files = append(c.Files, file.Path)
	}
	return c, true, nil
}

// ours reads a manifest, and tells whether it is one of a bundle.
func ours(r io.Reader) (manifest, bool) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return manifest{}, false
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, false
	}
	return m, strings.HasPrefix(m.Format, formats) && m.Session != ""
}
