package identity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"filippo.io/age"

	"emolab/studies/shred"
)

const (
	// Format names the present form of what is encrypted.
	Format = "emolab-identity/1"
	// maxVault bounds what is read of a vault, in bytes: maxEntries of common length.
	maxVault = 64 << 20
	// maxPlain bounds what is encrypted, in bytes: age adds less than a thousandth.
	maxPlain = maxVault - maxVault>>6
)

// ErrKey says that the vault was closed with another key.
var ErrKey = errors.New("this key does not open it: it was closed with another key or passphrase")

// Vault is an open vault. Close it. What changes it is on the disk when it returns.
type Vault struct {
	path    string
	key     Key
	entries []Entry // by code
	lock    *os.File
}

// contents is what is encrypted.
type contents struct {
	Format  string  `json:"format"`
	Entries []Entry `json:"entries"`
}

// Open opens the vault at path for this process alone. One that is not there yet is
// empty, and is made with the first entry. Errors are ErrKey, and those of a damaged
// file.
func Open(ctx context.Context, path string, key Key) (*Vault, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	v := &Vault{path: path, key: key}
	if err := errors.Join(v.acquire(), v.read(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("identity: the vault %s: %w", path, err), v.Close())
	}
	return v, nil
}

// acquire waits for no one: two people who change a vault at once should know.
func (v *Vault) acquire() (err error) {
	if v.lock, err = os.OpenFile(v.path+".lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := syscall.Flock(int(v.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another emolab has it open; try again when that one has ended")
	} else if err != nil {
		return fmt.Errorf("lock it: %w", err)
	}
	return nil
}

// Close lets others open the vault.
func (v *Vault) Close() error {
	if v.lock == nil {
		return nil
	}
	return v.lock.Close()
}

func (v *Vault) read(ctx context.Context) error {
	if err := v.finish(ctx); err != nil {
		return err
	}
	f, err := os.Open(v.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := v.key.open(f)
	if err != nil {
		return err
	}
	v.entries, err = parse(plain)
	return err
}

// open decrypts a vault.
func (k Key) open(r io.Reader) ([]byte, error) {
	clear, err := age.Decrypt(io.LimitReader(r, maxVault), k.identity)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, ErrKey
	}
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or no vault: %w", err)
	}
	plain, err := io.ReadAll(clear)
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w; put the copy of it back", err)
	}
	return plain, nil
}

// parse reads what was encrypted.
func parse(plain []byte) ([]Entry, error) {
	var c contents
	if err := json.Unmarshal(plain, &c); err != nil {
		return nil, fmt.Errorf("it opens, and what is in it cannot be read: %w", err)
	}
	if c.Format != Format {
		return nil, fmt.Errorf("its form is %q, this program knows %q; use a newer emolab", c.Format, Format)
	}
	if len(c.Entries) > maxEntries {
		return nil, fmt.Errorf("it has %d entries, more than the %d that are allowed", len(c.Entries), maxEntries)
	}
	slices.SortStableFunc(c.Entries, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	for i, e := range c.Entries {
		if err := e.check(); err != nil {
			return nil, err
		}
		if i > 0 && e.Code == c.Entries[i-1].Code {
			return nil, fmt.Errorf("%s is in it twice", e.Code)
		}
	}
	return c.Entries, nil
}

// keep writes the vault anew with these entries. The old file is overwritten, for who
// has the key could read there what was taken out.
func (v *Vault) keep(ctx context.Context, entries []Entry) error {
	if err := v.write(ctx, entries); err != nil {
		return fmt.Errorf("identity: write the vault %s: %w", v.path, err)
	}
	v.entries = entries
	return nil
}

// old is the second name that the file before has while the new one takes its place.
func (v *Vault) old() string { return v.path + ".old" }

// fresh is the name of the new file until it takes its place. It is always the same, so
// that what a killed program has left there is found and overwritten.
func (v *Vault) fresh() string { return v.path + ".new" }

// write keeps the vault whole at every moment: the old file gets a second name, the new
// one takes the first, and then the old one is overwritten.
func (v *Vault) write(ctx context.Context, entries []Entry) error {
	plain, err := json.Marshal(contents{Format, entries})
	if err != nil {
		return err
	}
	if len(plain) > maxPlain {
		return fmt.Errorf("it would be longer than the %d MB that are read again", maxPlain>>20)
	}
	temp, err := os.OpenFile(v.fresh(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(v.key.close(temp, plain), temp.Sync(), temp.Close()); err != nil {
		return errors.Join(err, os.Remove(v.fresh()))
	}
	if err := shred.Aside(v.path, v.old()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(v.fresh(), v.path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(v.path)); err != nil {
		return err
	}
	return v.finish(ctx)
}

// finish overwrites the file before, and whatever a killed program has left: who has the
// key could read there what is taken out later.
func (v *Vault) finish(ctx context.Context) error {
	if err := shred.File(ctx, v.fresh()); err != nil {
		return err
	}
	before, err := os.Lstat(v.old())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := os.Lstat(v.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.Rename(v.old(), v.path) // killed before the new one took its place, on a file system without second names
	case err == nil && os.SameFile(now, before):
		return os.Remove(v.old()) // killed likewise, on any other
	}
	if err := shred.File(ctx, v.old()); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(v.path))
}

// close encrypts.
func (k Key) close(w io.Writer, plain []byte) error {
	sealed, err := age.Encrypt(w, k.recipient)
	if err != nil {
		return err
	}
	_, err = io.Copy(sealed, bytes.NewReader(plain))
	return errors.Join(err, sealed.Close())
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Day is the date of a payment, at midnight UTC: the hour is nobody's business.
func Day(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
