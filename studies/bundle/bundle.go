// Package bundle makes of a sealed session one zip file that stands by itself:
// tables that any program opens, what every column means, how well every stream
// is aligned, and the hash of every file. Verify tells whether a bundle is what
// was exported.
//
// FORMAT.md describes the file.
package bundle

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
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/studies/session"
	"emolab/studies/shred"
	"emolab/studies/store"
)

// Format names the present form of a bundle.
const Format = "emolab-bundle/1"

// Names of the members that Verify looks for.
const (
	manifestName = "manifest.json"
	digestName   = "manifest.json.sha256"
)

// Exporter makes bundles of the sessions in a store.
type Exporter struct {
	store *store.Store
	dir   string
	wall  func() time.Time // when the export is made; nothing is measured with it
}

var _ session.Bundler = (*Exporter)(nil)

// NewExporter makes an exporter that writes into dir, which must exist.
func NewExporter(s *store.Store, dir string) *Exporter {
	return &Exporter{store: s, dir: dir, wall: time.Now}
}

// Export writes the bundle of a sealed session to <session>.zip in the folder,
// in place of an earlier one, and notes it in the store. The file appears
// whole or not at all.
func (e *Exporter) Export(ctx context.Context, sessionID string, progress session.Progress) (string, error) {
	return e.ExportTo(ctx, sessionID, "", progress)
}

// ExportTo is Export for somebody who is going to be given the bundle. The store and the
// bundle keep to whom it went, so that they can be told when it has to be erased.
func (e *Exporter) ExportTo(ctx context.Context, sessionID, recipient string, progress session.Progress) (string, error) {
	path, err := e.export(ctx, sessionID, recipient, progress)
	if err != nil {
		return "", fmt.Errorf("bundle: export session %s: %w", sessionID, err)
	}
	return path, nil
}

func (e *Exporter) export(ctx context.Context, id, recipient string, progress session.Progress) (path string, err error) {
	if progress == nil {
		progress = func(int, int, string) {}
	}
	d, err := e.store.Session(ctx, id)
	if err != nil {
		return "", err
	}
	switch {
	case !d.TracesErased.IsZero():
		return "", fmt.Errorf("what was recorded and answered in it was erased on %s, because the date up to which it might be kept was past: there is nothing left to export", d.TracesErased.Local().Format(time.DateOnly))
	case d.State == session.Sealed:
	case d.State == session.Declined:
		return "", errors.New("nothing of it was recorded: the participant did not take part")
	default:
		return "", fmt.Errorf("it is %s; only a sealed session is exported", d.State)
	}
	d.Reason, d.UsableWhy = e.store.WithoutPlaces(d.Reason), e.store.WithoutPlaces(d.UsableWhy)
	// Beside the target, so that the file can be renamed into place, and named after the
	// session, so that what a killed program leaves goes with it.
	work, err := os.MkdirTemp(e.dir, ".export-"+id+".*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, clear(work)) }()

	s := source{store: e.store, detail: d, extract: filepath.Join(work, "session.sqlite")}
	if err := errors.Join(s.readCourses(ctx), s.readAnswers(ctx)); err != nil {
		return "", err
	}
	// The extract is made while the tables are written, and is the last member.
	ctx, cancel := context.WithCancel(ctx)
	var extracting errgroup.Group
	extracting.Go(func() error { return e.store.Extract(ctx, id, s.extract) })
	s.extracted = extracting.Wait
	defer func() {
		cancel()
		_ = extracting.Wait() // its error was told where the extract is packed, unless another came before
	}()
	members, err := s.members()
	if err != nil {
		return "", err
	}
	m := manifestOf(d, recipient, e.wall())
	temp := filepath.Join(work, "bundle.zip")
	digest, err := write(ctx, temp, d.Started, members, m, progress)
	if err != nil {
		return "", err
	}
	sum, size, err := hashFile(temp)
	if err != nil {
		return "", err
	}
	path = filepath.Join(e.dir, id+".zip")
	// An earlier bundle stays whole until this one takes its place, and is cleared then.
	if err := shred.Aside(path, filepath.Join(work, "earlier.zip")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.Rename(temp, path); err != nil {
		return "", err
	}
	if err := syncFolder(e.dir); err != nil {
		return "", err
	}
	return path, e.store.AddExport(ctx, store.Export{
		Session: id, Path: path, Bytes: size, SHA256: sum, Manifest: digest, Software: d.Software, Created: m.created, Recipient: recipient,
	})
}

// clear overwrites and removes the files of an export: nothing of a session stays in
// free blocks, where a withdrawal does not reach. It is not to be cut off.
func clear(work string) error {
	entries, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, e := range entries {
		err = errors.Join(err, shred.File(context.Background(), filepath.Join(work, e.Name())))
	}
	return errors.Join(err, os.RemoveAll(work))
}

// write writes the zip at path and returns the SHA-256 of its manifest. When it
// returns, the file is on the disk.
func write(ctx context.Context, path string, stamp time.Time, members []member, m manifest, progress session.Progress) (digest string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	a := newArchive(f, stamp)
	for i, member := range members {
		progress(i, len(members), "writing "+member.path)
		entry, err := a.add(ctx, member)
		if err != nil {
			return "", fmt.Errorf("%s: %w", member.path, err)
		}
		m.Files = append(m.Files, entry)
	}
	progress(len(members), len(members), "closing the bundle")
	if digest, err = a.finish(ctx, m); err != nil {
		return "", err
	}
	return digest, f.Sync()
}

// hashFile returns the SHA-256 and the size of a file.
func hashFile(path string) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// syncFolder makes a rename in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
