package identity

import "crypto/rand"

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
		if _, known := v.Find(code); !known {
			return code
		}
	}
}
