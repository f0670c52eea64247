package withdrawal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"emolab/studies/store"
)

// keyBytes is the length of the key: that of the hash, beyond which HMAC gains nothing
// (RFC 2104, section 3).
const keyBytes = sha256.Size

// Key is the secret under which codes are hashed. Without it, somebody who has the
// study's file cannot try all 2^50 codes against the hashes in it.
type Key [keyBytes]byte

// KeyFile is where the key of a data folder is kept.
func KeyFile(dir string) string { return filepath.Join(dir, "withdrawal.key") }

// ErrKeyLost says that codes were given out under a key that is not there any more.
var ErrKeyLost = errors.New("the key of the withdrawal codes is missing")

// KeyOf reads the key of the data folder dir with the study in s. It makes one only where no
// code has been given out yet: another one in the place of a key that was lost would
// silently make every receipt worthless. Then the error is an ErrKeyLost.
func KeyOf(ctx context.Context, s *store.Store, dir string) (Key, error) {
	_, err := os.Lstat(KeyFile(dir))
	if !errors.Is(err, fs.ErrNotExist) {
		return OpenKey(dir)
	}
	codes, err := s.CodesGiven(ctx)
	if err != nil {
		return Key{}, fmt.Errorf("withdrawal: %w", err)
	}
	if codes > 0 {
		return Key{}, fmt.Errorf(`withdrawal: %w: %s is not there, and %s has %d codes that participants hold, which nothing but that file can read. `+
			`Put it back from a backup of the data folder. Only if there is none: "emolab session withdraw --new-key" makes another; the codes given out so far then find nothing, `+
			`and whoever withdraws has to be found by participant code`, ErrKeyLost, KeyFile(dir), s.Path(), codes)
	}
	return OpenKey(dir)
}

// OpenKey reads the key of a data folder, and makes one when there is none. It is
// kept beside the data and away from bundles. A key that was lost cannot be made again,
// and the codes that were given out under it find nothing any more: see KeyOf.
func OpenKey(dir string) (Key, error) {
	k, err := readKey(KeyFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		k, err = makeKey(dir)
	}
	if err != nil {
		return Key{}, fmt.Errorf("withdrawal: the key of %s: %w", dir, err)
	}
	return k, nil
}

func readKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != keyBytes {
		return Key{}, fmt.Errorf("%s is damaged: it has to hold %d hexadecimal digits; put the copy of it back, for without it no withdrawal code finds its data", path, 2*keyBytes)
	}
	return Key(b), nil
}

// makeKey makes the key. Of two programs that do so at once the first one's holds.
func makeKey(dir string) (Key, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Key{}, err
	}
	var k Key
	rand.Read(k[:])                                      // never fails
	temp, err := os.CreateTemp(dir, ".withdrawal-key-*") // 0600
	if err != nil {
		return Key{}, err
	}
	defer os.Remove(temp.Name()) // a name that is gone, or the second name of what is kept
	_, err = temp.WriteString(hex.EncodeToString(k[:]) + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return Key{}, err
	}
	switch err := os.Link(temp.Name(), KeyFile(dir)); {
	case errors.Is(err, fs.ErrExist):
		return readKey(KeyFile(dir))
	case err != nil: // a file system without second names (exFAT); whoever records holds the lock of the study's file
		if err := os.Rename(temp.Name(), KeyFile(dir)); err != nil {
			return Key{}, err
		}
	}
	return k, syncFolder(dir)
}

// Hash is the keyed hash of a code, HMAC-SHA256 (RFC 2104), in hex. It is what is kept.
func (k Key) Hash(c Code) string {
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte(c))
	return hex.EncodeToString(mac.Sum(nil))
}

// New makes a code in groups, to be shown, and its hash, to be kept.
func (k Key) New() (code, hash string, err error) {
	c := NewCode()
	return c.String(), k.Hash(c), nil
}
