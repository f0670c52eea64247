package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
)

// Key opens and closes a vault.
type Key struct {
	recipient age.Recipient
	identity  age.Identity
}

// Passphrases cost 128 MB and half a second to try: N = 2^17 as OWASP recommends for
// scrypt. A vault that asks for more than twice of it is not ours, and might want to
// fill the memory.
const (
	workFactor    = 17
	maxWorkFactor = 18
)

// leastPassphrase is the least length of a passphrase, in bytes: four common words.
const leastPassphrase = 16

// maxKeyFile bounds what is read as a file of a key, in bytes.
const maxKeyFile = 4096

// Passphrase makes a key of words that are remembered.
func Passphrase(words string) (Key, error) {
	if len(words) < leastPassphrase {
		return Key{}, fmt.Errorf("identity: the passphrase has %d characters; take at least %d, four words that do not belong together", len(words), leastPassphrase)
	}
	recipient, err := age.NewScryptRecipient(words)
	if err != nil {
		return Key{}, fmt.Errorf("identity: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	identity, err := age.NewScryptIdentity(words)
	if err != nil {
		return Key{}, fmt.Errorf("identity: %w", err)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	return Key{recipient, identity}, nil
}

// ReadKey reads the key from a file, in the form of age-keygen.
func ReadKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("identity: the key of the vault: %w", err)
	}
	k, err := parseKey(text)
	if err != nil {
		return Key{}, fmt.Errorf("identity: %s %w", path, err)
	}
	return k, nil
}

// parseKey reads the one key in a file of age-keygen.
func parseKey(text []byte) (Key, error) {
	const wanted = "is not the key of a vault: it has to hold one line AGE-SECRET-KEY-1..., as age-keygen and `emolab identity add` write it"
	if len(text) > maxKeyFile {
		return Key{}, errors.New(wanted)
	}
	var found []*age.X25519Identity
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		one, err := age.ParseX25519Identity(line)
		if err != nil {
			return Key{}, errors.New(wanted) // its own words may repeat what stands in the file
		}
		found = append(found, one)
	}
	if len(found) != 1 {
		return Key{}, errors.New(wanted)
	}
	return Key{found[0].Recipient(), found[0]}, nil
}

// MakeKey makes a key and writes it to a new file for its owner only. Whoever has the
// file and the vault has the names; whoever loses it has lost them.
func MakeKey(path string, now time.Time) (Key, error) {
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, fmt.Errorf("identity: make a key: %w", err)
	}
	if err := writeKey(path, fresh, now); err != nil {
		return Key{}, fmt.Errorf("identity: make a key: %w", err)
	}
	return Key{fresh.Recipient(), fresh}, nil
}

func writeKey(path string, k *age.X25519Identity, now time.Time) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and a key is never overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), k.Recipient(), k)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncFolder(dir)
}
