package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
)

// sealLead begins the comment at the end of the zip. The SHA-256, in hex, of
// every byte before the digits follows and ends the file. So a change is found
// wherever it is, also where no member's content lies.
const sealLead = Format + " sha256="

// sealDigits is the length of a SHA-256 in hex.
const sealDigits = 2 * sha256.Size

// member is one file of a bundle in the making. write returns how many rows it
// wrote, for a table.
type member struct {
	path, about string
	write       func(ctx context.Context, w io.Writer) (rows int64, err error)
}

// archive is a zip in the making.
type archive struct {
	file  *os.File
	zip   *zip.Writer
	stamp time.Time // of every member, so that two exports are alike
}

func newArchive(f *os.File, stamp time.Time) *archive {
	a := &archive{file: f, zip: zip.NewWriter(f), stamp: stamp.UTC()}
	// The fastest level: packing is a large part of the time that an export takes.
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	return a
}

// add writes one member and returns its line of the manifest.
func (a *archive) add(ctx context.Context, m member) (file, error) {
	if err := ctx.Err(); err != nil {
		return file{}, err
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: m.path, Method: zip.Deflate, Modified: a.stamp})
	if err != nil {
		return file{}, err
	}
	t := tee{w: w, hash: sha256.New()}
	packing := writeBehind(&t)
	rows, err := m.write(ctx, packing)
	if packed := packing.wait(); err == nil {
		err = packed
	}
	if err != nil {
		return file{}, err
	}
	return file{Path: m.path, Bytes: t.n, SHA256: hex.EncodeToString(t.hash.Sum(nil)), Rows: rows, About: m.about}, nil
}

// finish writes the manifest with its digest, closes the zip and seals it. It
// returns the digest.
func (a *archive) finish(ctx context.Context, m manifest) (string, error) {
	b, err := indented(m)
	if err != nil {
		return "", err
	}
	line, err := a.add(ctx, member{path: manifestName, write: contents(b)})
	if err != nil {
		return "", err
	}
	if _, err := a.add(ctx, member{path: digestName, write: contents([]byte(digestLine(line.SHA256)))}); err != nil {
		return "", err
	}
	if err := a.zip.SetComment(sealLead + string(bytes.Repeat([]byte("0"), sealDigits))); err != nil {
		return "", err
	}
	if err := a.zip.Close(); err != nil {
		return "", err
	}
	info, err := a.file.Stat()
	if err != nil {
		return "", err
	}
	end := info.Size() - sealDigits
	sum, err := sealOf(a.file, end)
	if err != nil {
		return "", err
	}
	_, err = a.file.WriteAt([]byte(sum), end)
	return line.SHA256, err
}

// digestLine is the content of the file that covers the manifest, in the form
// that `sha256sum -c` reads.
func digestLine(sum string) string { return fmt.Sprintf("%s  %s\n", sum, manifestName) }

// sealOf is the hash, in hex, of the first n bytes.
func sealOf(r io.ReaderAt, n int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, n)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// contents writes a file that is at hand.
func contents(b []byte) func(context.Context, io.Writer) (int64, error) {
	return func(_ context.Context, w io.Writer) (int64, error) {
		_, err := w.Write(b)
		return 0, err
	}
}

// tee counts and hashes what passes.
type tee struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (t *tee) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.hash.Write(p[:n]) // a hash never fails
	t.n += int64(n)
	return n, err
}
