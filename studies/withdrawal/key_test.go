package withdrawal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"emolab/studies/store"
)

// HMAC-SHA256 of RFC 4231, test case 1, whose key is 20 bytes of 0x0b: filled up with
// zeros to a whole key it gives the same.
func TestHashIsHMACSHA256(t *testing.T) {
	t.Parallel()
	var k Key
	for i := range 20 {
		k[i] = 0x0b
	}
	const want = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
	if got := k.Hash("Hi There"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheKeyIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	var keys [8]Key
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			var err error
			if keys[i], err = OpenKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, k := range keys {
		if k != keys[0] || k == (Key{}) {
			t.Fatal("two programs that begin at once have two keys")
		}
	}
	info, err := os.Stat(KeyFile(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable for others: %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("beside the key: %v, %v", left, err)
	}
}

// A damaged key is never replaced: all codes given out so far hang on it.
func TestADamagedKeyIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, text := range []string{"", "zz", strings.Repeat("0", 62)} {
		if err := os.WriteFile(KeyFile(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKey(dir); err == nil || !strings.Contains(err.Error(), "put the copy of it back") {
			t.Errorf("%q: %v", text, err)
		}
		if b, err := os.ReadFile(KeyFile(dir)); err != nil || string(b) != text {
			t.Errorf("it is now %q, %v", b, err)
		}
	}
}

func TestNewGivesACodeAndItsHash(t *testing.T) {
	t.Parallel()
	k, err := OpenKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	code, hash, err := k.New()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCode(code)
	if err != nil || k.Hash(c) != hash || c.String() != code {
		t.Errorf("%q reads as %q, %v", code, c, err)
	}
}

// Another key in the place of a lost one would make every receipt worthless, unnoticed.
func TestALostKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, err := KeyOf(t.Context(), s, dir)
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string, lost bool) {
		t.Helper()
		if err := os.Remove(KeyFile(dir)); err != nil {
			t.Fatal(err)
		}
		k, err := KeyOf(t.Context(), s, dir)
		if errors.Is(err, ErrKeyLost) != lost || err == nil && k == key {
			t.Errorf("%s: %v", what, err)
		}
		if lost && (!strings.Contains(err.Error(), KeyFile(dir)) || !strings.Contains(err.Error(), "backup")) {
			t.Errorf("%s: it does not say what to do: %v", what, err)
		}
		if _, err := os.Stat(KeyFile(dir)); (err == nil) == lost {
			t.Errorf("%s: the key: %v", what, err)
		}
		if lost {
			if key, err = OpenKey(dir); err != nil { // as somebody who knows what is lost
				t.Fatal(err)
			}
		}
	}
	again("nobody has a code", false)
	p := came(t, s, dir, key, began, "P1")
	again("somebody has a code", true)
	if _, err := NewEraser(s, dir, key).Withdraw(t.Context(), p.id, nil); err != nil {
		t.Fatal(err)
	}
	again("somebody has withdrawn", true)
}
