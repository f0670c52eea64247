package identity

import (
	"crypto/rand"
	"slices"

	"emolab/studies/session"
)

// A drawn code is "P" and four characters of Crockford's base 32, a million of them.
const (
	letters     = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLetters = 4
)

// NewCode draws a code that nobody in the vault has. It says nothing about the person:
// not the name, not the hour, not how many came before.
func (v *Vault) NewCode() string {
	for {
		var b [codeLetters]byte
		rand.Read(b[:]) // never fails
		code := "P"
		for _, c := range b {
			code += string(letters[int(c)%len(letters)])
		}
		if !v.hasAlike(code) {
			return code
		}
	}
}

// at is the place of the entry that a code means: its own, or else the only one that is
// alike. Of several that are alike, nobody can tell which is meant.
func (v *Vault) at(code string) (int, bool) {
	if at, known := slices.BinarySearchFunc(v.entries, code, byCode); known {
		return at, true
	}
	found, n := 0, 0
	for i, e := range v.entries {
		if session.Alike(e.Code, code) {
			found, n = i, n+1
		}
	}
	return found, n == 1
}

func (v *Vault) hasAlike(code string) bool {
	return slices.ContainsFunc(v.entries, func(e Entry) bool { return session.Alike(e.Code, code) })
}
