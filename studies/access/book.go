package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// bookFile is the name of the book in the data folder.
const bookFile = "tokens.json"

// Book is the list of tokens that were given out in a lab, a file in its data folder. A
// server that uses it sees at once what another program does to it.
type Book struct {
	path string

	mu     sync.Mutex
	seen   os.FileInfo // of the file that was read; nil: there was none, or none was read
	tokens []Token
	err    error // why the file that is there cannot be used
}

// page is what the file holds.
type page struct {
	Version int     `json:"version"`
	Tokens  []Token `json:"tokens"`
}

// bookVersion is the version of the file's form.
const bookVersion = 1

// OpenBook uses the book of a data folder. It need not be there.
func OpenBook(dir string) *Book { return &Book{path: filepath.Join(dir, bookFile)} }

// Holder tells who has the token with that digest. An error is ErrUnknown, ErrExpired,
// ErrRevoked, or says why the file cannot be used: nobody has a token then.
func (b *Book) Holder(d Digest, now time.Time) (Holder, error) {
	all, err := b.read()
	if err != nil {
		return Holder{}, err
	}
	found := -1
	for i := range all { // all of them, so that the time tells nothing
		if all[i].Digest.Is(d) {
			found = i
		}
	}
	if found < 0 {
		return Holder{}, ErrUnknown
	}
	t := all[found]
	if err := t.Valid(now); err != nil {
		return Holder{}, err
	}
	return Holder{Name: t.Name, Role: t.Role}, nil
}

// List returns all tokens that were ever given out, the oldest first.
func (b *Book) List() ([]Token, error) {
	all, err := b.read()
	return slices.Clone(all), err
}

// Changes is what was done about tokens so far, in order.
func (b *Book) Changes() ([]Change, error) {
	all, err := b.read()
	var out []Change
	for _, t := range all {
		out = append(out, t.changes()...)
	}
	slices.SortStableFunc(out, func(x, y Change) int { return x.At.Compare(y.At) })
	return out, err
}

// Give notes a token for somebody and returns it. It is kept nowhere: only its digest is.
// Two people do not have the same name while both of their tokens are valid.
func (b *Book) Give(t Token) (string, error) {
	secret, err := NewToken()
	if err != nil {
		return "", err
	}
	t.Digest = DigestOf(secret)
	if err := t.check(); err != nil {
		return "", err
	}
	return secret, b.change(func(all []Token) ([]Token, error) {
		if valid(all, t.Name, t.Made) >= 0 {
			return nil, fmt.Errorf("%q has a token already: take it back first (emolab token revoke %q), or choose another name", t.Name, t.Name)
		}
		return append(all, t), nil
	})
}

// Revoke takes back the token of somebody, at a time and by whom. It stays in the list.
func (b *Book) Revoke(name string, at time.Time, by string) error {
	return b.change(func(all []Token) ([]Token, error) {
		i := valid(all, name, at)
		if i < 0 {
			return nil, fmt.Errorf("nobody called %q has a token that is valid; see: emolab token list", name)
		}
		all[i].Revoked, all[i].Revoker = at, by
		return all, nil
	})
}

// read reads the file if it is not the one that was read before.
func (b *Book) read() ([]Token, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		b.seen, b.tokens, b.err = nil, nil, nil
		return nil, nil
	}
	if err == nil && b.seen != nil && os.SameFile(info, b.seen) && info.Size() == b.seen.Size() && info.ModTime().Equal(b.seen.ModTime()) {
		return b.tokens, b.err
	}
	b.seen, b.tokens = info, nil // before it is read: what is written meanwhile is read next
	if err == nil {
		b.tokens, err = readTokens(b.path)
	}
	if b.err = err; err != nil {
		b.tokens = nil
		b.err = fmt.Errorf("the list of tokens %s cannot be used, so only the lab's own token opens: mend it, or delete it and give out new tokens: %w", b.path, err)
	}
	return b.tokens, b.err
}

func readTokens(path string) ([]Token, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	if p.Version != bookVersion {
		return nil, fmt.Errorf("it is of version %d, this program reads version %d", p.Version, bookVersion)
	}
	for i, t := range p.Tokens {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("token %d: %w", i+1, err)
		}
	}
	return p.Tokens, nil
}

// change replaces the file with what f makes of it, as a whole, while no other program
// does the same.
func (b *Book) change(f func([]Token) ([]Token, error)) error {
	dir := filepath.Dir(b.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer lock.Close() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	all, err := b.read()
	if err != nil {
		return err
	}
	if all, err = f(slices.Clone(all)); err != nil {
		return err
	}
	text, err := json.MarshalIndent(page{bookVersion, all}, "", "  ")
	if err != nil {
		return err
	}
	return replace(b.path, append(text, '\n'), 0o600)
}

// replace puts a file in the place of another at once: whoever reads sees either.
func replace(path string, content []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
