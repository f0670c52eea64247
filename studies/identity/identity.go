// Package identity keeps who a participant is, apart from the data and encrypted under
// a key of its own; or nothing of it.
//
// The vault is a file that age encrypts (https://age-encryption.org/v1): the program of
// that name opens it too, with the same key. It connects a participant's code with a
// name, and with nothing else; no other file of Emolab knows a name.
package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"emolab/studies/session"
)

// Entry is one person.
type Entry struct {
	Code    string    `json:"code"` // that stands for the person in the data
	Name    string    `json:"name"`
	Contact string    `json:"contact"` // how to reach them: a telephone number, an address
	Added   time.Time `json:"added"`
	Paid    time.Time `json:"paid,omitzero"` // when they were paid; zero = not yet
}

var (
	// ErrKnown says that there is an entry of that code.
	ErrKnown = errors.New("the vault has somebody of that code already; look with `emolab identity show`, or remove the entry first")
	// ErrUnknown says that there is no entry of that code.
	ErrUnknown = errors.New("the vault has nobody of that code; `emolab identity list` names all")
)

const (
	// maxWords bounds a name or a contact, in characters: a long address.
	maxWords = 300
	// maxCode bounds a code, as a session does.
	maxCode = 32
	// maxEntries bounds a vault: a hundred times the largest study we know of.
	maxEntries = 100_000
)

// check refuses what is no entry.
func (e Entry) check() error {
	if e.Code == "" || len(e.Code) > maxCode || strings.ContainsFunc(e.Code, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return fmt.Errorf("the code %q: use 1 to %d letters, digits, - or _", e.Code, maxCode)
	}
	for _, line := range [][2]string{{"name", e.Name}, {"contact", e.Contact}} {
		what, words := line[0], line[1]
		if !utf8.ValidString(words) || utf8.RuneCountInString(words) > maxWords || strings.ContainsFunc(words, unicode.IsControl) {
			return fmt.Errorf("the %s of %s: use one line of at most %d characters", what, e.Code, maxWords)
		}
	}
	if e.Name == "" && e.Contact == "" {
		return fmt.Errorf("%s has neither name nor contact: then it needs no entry", e.Code)
	}
	return nil
}

// Add keeps a new entry. It returns ErrKnown when the code, or one that may be taken for
// it, has one.
func (v *Vault) Add(ctx context.Context, e Entry) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if i := slices.IndexFunc(v.entries, func(other Entry) bool { return session.Alike(other.Code, e.Code) }); i >= 0 {
		if is := v.entries[i].Code; is != e.Code {
			return fmt.Errorf("identity: %s may be taken for %s: %w", e.Code, is, ErrKnown)
		}
		return fmt.Errorf("identity: %s: %w", e.Code, ErrKnown)
	}
	if len(v.entries) >= maxEntries {
		return fmt.Errorf("identity: %s is full: it has %d entries", v.path, maxEntries)
	}
	at, _ := slices.BinarySearchFunc(v.entries, e.Code, byCode)
	return v.keep(ctx, slices.Insert(slices.Clone(v.entries), at, e))
}

// Find returns the entry of a code. Small letters, O for 0, and I or L for 1 are taken as
// what stands in the vault, as by Paid and Remove.
func (v *Vault) Find(code string) (Entry, bool) {
	at, known := v.at(code)
	if !known {
		return Entry{}, false
	}
	return v.entries[at], true
}

// Paid notes when somebody was paid, from when on the time runs out for which the entry
// may be kept. It returns ErrUnknown.
func (v *Vault) Paid(ctx context.Context, code string, on time.Time) error {
	at, known := v.at(code)
	if !known {
		return fmt.Errorf("identity: %s: %w", code, ErrUnknown)
	}
	entries := slices.Clone(v.entries)
	entries[at].Paid = on
	return v.keep(ctx, entries)
}

// Remove takes entries out, for good. Codes that have none are passed over; it returns
// how many there were.
func (v *Vault) Remove(ctx context.Context, codes ...string) (int, error) {
	gone := map[string]bool{}
	for _, code := range codes {
		if e, known := v.Find(code); known {
			gone[e.Code] = true
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	kept := slices.DeleteFunc(slices.Clone(v.entries), func(e Entry) bool { return gone[e.Code] })
	return len(gone), v.keep(ctx, kept)
}

// Entries are all entries, by their codes.
func (v *Vault) Entries() []Entry { return slices.Clone(v.entries) }

// Due are the entries whose payment lies at least so long back. Who was not paid is
// still to be found.
func (v *Vault) Due(now time.Time, keep time.Duration) []Entry {
	return slices.DeleteFunc(v.Entries(), func(e Entry) bool { return e.Paid.IsZero() || now.Before(e.Paid.Add(keep)) })
}

func byCode(e Entry, code string) int { return strings.Compare(e.Code, code) }
