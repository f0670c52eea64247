package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Limits of what Verify takes for a bundle. A hostile file costs no more than
// the time to read so much; nothing is unpacked to the disk.
const (
	maxFiles     = 1000
	maxManifest  = 4 << 20   // bytes: ten thousand files would fit
	maxTotal     = 256 << 30 // bytes unpacked: several days of recording
	maxRatio     = 250       // unpacked to packed: far above that of tables of digits
	ratioMatters = 16 << 20  // bytes below which an empty table may shrink as it likes
)

// ErrChanged says that a bundle is not what was exported.
var ErrChanged = errors.New("the bundle was changed or damaged; get it again from where it was exported")

// Report is what Verify says of a good bundle.
type Report struct {
	Session     string `json:"session"`
	Participant string `json:"participant"`
	Study       string `json:"study"`
	Software    string `json:"software"`
	Created     string `json:"created_utc"`
	Files       int    `json:"files"` // the manifest and its digest not counted
	Bytes       int64  `json:"bytes"` // of the files, unpacked
	// Manifest is the SHA-256 of manifest.json, in hex. A bundle made anew with
	// other contents verifies as well, but with another digest than the one that
	// was printed and noted at export: compare it where that matters.
	Manifest string `json:"manifest_sha256"`
}

// Verify reads a bundle and checks that it holds exactly the files of its
// manifest with the stated sizes and hashes, that the manifest is as its digest
// says, and that no byte of the zip around them was changed. The error names
// what was changed, is missing or does not belong there.
func Verify(path string) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("bundle: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Report{}, fmt.Errorf("bundle: %w", err)
	}
	report, err := verify(f, info.Size())
	if err != nil {
		return Report{}, fmt.Errorf("bundle: %s: %w", path, err)
	}
	return report, nil
}

func verify(r io.ReaderAt, size int64) (Report, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Report{}, fmt.Errorf("%w: it cannot be read as a zip: %w", ErrChanged, err)
	}
	members, err := list(z)
	if err != nil {
		return Report{}, err
	}
	m, digest, err := readManifest(members)
	if err != nil {
		return Report{}, err
	}
	report := Report{
		Session: m.Session, Participant: m.Participant, Study: m.Study, Software: m.Software,
		Created: m.Created, Files: len(m.Files), Manifest: digest,
	}
	// All that is wrong is told at once, not only the first.
	var wrong []error
	listed := map[string]bool{manifestName: true, digestName: true}
	for _, f := range m.Files {
		if listed[f.Path] {
			return Report{}, fmt.Errorf("%w: %s is listed twice", ErrChanged, f.Path)
		}
		listed[f.Path] = true
		report.Bytes += f.Bytes
		if f.Bytes < 0 || report.Bytes > maxTotal {
			return Report{}, fmt.Errorf("%w: its manifest speaks of more than %d bytes", ErrChanged, int64(maxTotal))
		}
		if err := checkFile(members[f.Path], f); err != nil {
			wrong = append(wrong, fmt.Errorf("%s %w", f.Path, err))
		}
	}
	for _, f := range z.File {
		if !listed[f.Name] {
			wrong = append(wrong, fmt.Errorf("%s does not belong in it", f.Name))
		}
	}
	if len(wrong) > 0 {
		return Report{}, fmt.Errorf("%w: %w", ErrChanged, errors.Join(wrong...))
	}
	return report, checkSeal(r, size)
}

// list returns the zip's members by name, unless they are hostile.
func list(z *zip.Reader) (map[string]*zip.File, error) {
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("%w: it has %d files, more than any bundle", ErrChanged, len(z.File))
	}
	out := make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		switch {
		case !fs.ValidPath(f.Name) || f.Name == "." || strings.ContainsAny(f.Name, "\\:\x00") || !f.Mode().IsRegular():
			return nil, fmt.Errorf("%w: the name %q would lead out of a folder; do not unpack it", ErrChanged, f.Name)
		case out[f.Name] != nil:
			return nil, fmt.Errorf("%w: %s is in it twice", ErrChanged, f.Name)
		}
		out[f.Name] = f
	}
	return out, nil
}

// readManifest reads the manifest and checks it against its digest.
func readManifest(members map[string]*zip.File) (manifest, string, error) {
	b, err := readSmall(members[manifestName])
	if err != nil {
		return manifest{}, "", fmt.Errorf("%w: %s %w", ErrChanged, manifestName, err)
	}
	line, err := readSmall(members[digestName])
	if err != nil {
		return manifest{}, "", fmt.Errorf("%w: %s %w", ErrChanged, digestName, err)
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	if string(line) != digestLine(digest) {
		return manifest{}, "", fmt.Errorf("%w: %s is not as %s says", ErrChanged, manifestName, digestName)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, "", fmt.Errorf("%w: %s cannot be read: %w", ErrChanged, manifestName, err)
	}
	if m.Format != Format {
		return manifest{}, "", fmt.Errorf("its format is %q, this program knows %q; use a newer emolab", m.Format, Format)
	}
	return m, digest, nil
}

// readSmall reads a member that is known to be small.
func readSmall(f *zip.File) ([]byte, error) {
	if f == nil {
		return nil, errors.New("is missing")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(b) > maxManifest {
		return nil, fmt.Errorf("is larger than %d bytes", maxManifest)
	}
	return b, nil
}

// checkFile compares a member with its line of the manifest.
func checkFile(z *zip.File, f file) error {
	if z == nil {
		return errors.New("is missing")
	}
	if z.UncompressedSize64 != uint64(f.Bytes) {
		return fmt.Errorf("has %d bytes, not %d", z.UncompressedSize64, f.Bytes)
	}
	if f.Bytes > ratioMatters && uint64(f.Bytes)/maxRatio > z.CompressedSize64 {
		return fmt.Errorf("would grow from %d to %d bytes, like no table of a session", z.CompressedSize64, f.Bytes)
	}
	r, err := z.Open()
	if err != nil {
		return fmt.Errorf("cannot be opened: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, f.Bytes+1)) // one more, to see that it ends there
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if n != f.Bytes || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return errors.New("was changed: its SHA-256 is not the manifest's")
	}
	return nil
}

// checkSeal compares the whole file with the hash at its end.
func checkSeal(r io.ReaderAt, size int64) error {
	end := make([]byte, len(sealLead)+sealDigits)
	if _, err := r.ReadAt(end, size-int64(len(end))); err != nil {
		return fmt.Errorf("%w: it has no seal at its end", ErrChanged)
	}
	lead, digits := end[:len(sealLead)], end[len(sealLead):]
	if !bytes.Equal(lead, []byte(sealLead)) {
		return fmt.Errorf("%w: it has no seal at its end", ErrChanged)
	}
	sum, err := sealOf(r, size-sealDigits)
	if err != nil {
		return err
	}
	if sum != string(digits) {
		return fmt.Errorf("%w: its files are as listed, but the zip around them is not as it was written", ErrChanged)
	}
	return nil
}
