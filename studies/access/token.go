package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// TokenBytes is how long a token is: 192 bits are beyond guessing, and still short enough
// to be copied from a terminal.
const TokenBytes = 24

// longestName bounds the name of who has a token: it stands on a console's bar.
const longestName = 40 // characters

// NewToken makes a secret, safe to stand in a URL.
func NewToken() (string, error) {
	b := make([]byte, TokenBytes)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("access: make a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Digest is what is kept of a token. It tells nothing of the token, because that is not
// one of few.
type Digest [sha256.Size]byte

// DigestOf is the digest of a token.
func DigestOf(token string) Digest { return sha256.Sum256([]byte(token)) }

// Is compares two digests in the same time whatever they are.
func (d Digest) Is(other Digest) bool { return subtle.ConstantTimeCompare(d[:], other[:]) == 1 }

// MarshalText writes a digest in hex.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(d) {
		return errors.New("want a SHA-256 in hex")
	}
	copy(d[:], b)
	return nil
}

// Token is one that was given out, without the secret itself.
type Token struct {
	Name    string    `json:"name"` // of whoever has it: "front desk"
	Role    Role      `json:"role"`
	Digest  Digest    `json:"sha256"`
	Made    time.Time `json:"made"`
	MadeBy  string    `json:"made_by"`           // login name
	Expires time.Time `json:"expires,omitzero"`  // zero: it does not
	Revoked time.Time `json:"revoked,omitzero"`  // zero: it was not
	Revoker string    `json:"revoker,omitempty"` // login name
}

// The errors of a token that opens nothing.
var (
	ErrUnknown = errors.New("nobody has been given this token")
	ErrExpired = errors.New("this token has run out: ask for another")
	ErrRevoked = errors.New("this token was taken back: ask for another")
)

// Valid tells why a token does not open anything at a time; nil: it does.
func (t Token) Valid(now time.Time) error {
	switch {
	case !t.Revoked.IsZero():
		return ErrRevoked
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return ErrExpired
	}
	return nil
}

// Change is something that was done about tokens.
type Change struct {
	At   time.Time
	By   string // login name
	What string // in words
}

// changes is what was done about a token so far.
func (t Token) changes() []Change {
	until := "without an end"
	if !t.Expires.IsZero() {
		until = "until " + t.Expires.UTC().Format(time.RFC3339)
	}
	all := []Change{{t.Made, t.MadeBy, fmt.Sprintf("token for %q, role %s, %s, made %s", t.Name, t.Role, until, stamp(t.Made))}}
	if !t.Revoked.IsZero() {
		all = append(all, Change{t.Revoked, t.Revoker, fmt.Sprintf("token for %q, role %s, taken back %s", t.Name, t.Role, stamp(t.Revoked))})
	}
	return all
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// check tells what is wrong with a token that is to be given out, or was read.
func (t Token) check() error {
	switch {
	case may[t.Role] == nil || t.Role == Camera:
		return fmt.Errorf("there is no role %q: it is viewer, operator, analyst or admin", t.Role)
	case strings.TrimSpace(t.Name) != t.Name || t.Name == "":
		return errors.New("name whoever gets the token, for example \"Partner screen\"")
	case len([]rune(t.Name)) > longestName || strings.ContainsFunc(t.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("the name of a token has at most %d characters, all of which can be printed", longestName)
	case t.Digest == Digest{}:
		return errors.New("a token has no SHA-256")
	}
	return nil
}

// valid finds the token of somebody that is still valid; -1 = none.
func valid(all []Token, name string, now time.Time) int {
	return slices.IndexFunc(all, func(t Token) bool { return strings.EqualFold(t.Name, name) && t.Valid(now) == nil })
}
