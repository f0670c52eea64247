package access

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func give(t *testing.T, b *Book, name string, role Role, until time.Time) string {
	t.Helper()
	secret, err := b.Give(Token{Name: name, Role: role, Made: noon, MadeBy: "ann", Expires: until})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestATokenIsASecret(t *testing.T) {
	b := OpenBook(t.TempDir())
	one, two := give(t, b, "Ann", Viewer, time.Time{}), give(t, b, "Ben", Viewer, time.Time{})
	if one == two || len(one) < 32 || url.QueryEscape(one) != one {
		t.Errorf("tokens %q and %q: want two long ones that a URL takes as they are", one, two)
	}
	text, err := os.ReadFile(b.path)
	if err != nil || strings.Contains(string(text), one) {
		t.Errorf("the file holds the secret itself, or none: %v\n%s", err, text)
	}
	if info, err := os.Stat(b.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v: want it for its owner alone", info.Mode(), err)
	}
}

// What one program does to the file another one sees with the next look.
func TestTokensAreGivenOutAndTakenBackWhileTheLabRuns(t *testing.T) {
	dir := t.TempDir()
	server, terminal := OpenBook(dir), OpenBook(dir)
	who := func(secret string, at time.Time) string {
		h, err := server.Holder(DigestOf(secret), at)
		if err != nil {
			return err.Error()
		}
		return h.Name + " " + string(h.Role)
	}
	if got := who("anything", noon); got != ErrUnknown.Error() {
		t.Errorf("without a file: %q", got)
	}
	screen := give(t, terminal, "Partner screen", Viewer, noon.Add(time.Hour))
	desk := give(t, terminal, "Front desk", Operator, time.Time{})
	for _, c := range []struct {
		secret string
		after  time.Duration
		want   string
	}{
		{screen, 0, "Partner screen viewer"},
		{screen, time.Hour - 1, "Partner screen viewer"},
		{screen, time.Hour, ErrExpired.Error()},
		{desk, 1000 * time.Hour, "Front desk operator"},
		{"", 0, ErrUnknown.Error()},
		{desk + "x", 0, ErrUnknown.Error()},
	} {
		if got := who(c.secret, noon.Add(c.after)); got != c.want {
			t.Errorf("after %v: %q, want %q", c.after, got, c.want)
		}
	}
	if err := terminal.Revoke("front DESK", noon, "ben"); err != nil {
		t.Fatal(err)
	}
	if got := who(desk, noon); got != ErrRevoked.Error() {
		t.Errorf("taken back: %q", got)
	}
	if err := terminal.Revoke("Front desk", noon, "ben"); err == nil {
		t.Error("a token is taken back twice")
	}
	if _, err := terminal.Give(Token{Name: "partner screen", Role: Viewer, Made: noon}); err == nil {
		t.Error("two people have one name")
	}
	give(t, terminal, "Front desk", Analyst, time.Time{}) // the name is free again
	changes, err := server.Changes()
	var said []string
	for _, c := range changes {
		said = append(said, c.By+": "+c.What)
	}
	want := []string{
		`ann: token for "Partner screen", role viewer, until 2026-11-22T13:00:00Z, made 2026-11-22T12:00:00Z`,
		`ann: token for "Front desk", role operator, without an end, made 2026-11-22T12:00:00Z`,
		`ben: token for "Front desk", role operator, taken back 2026-11-22T12:00:00Z`,
		`ann: token for "Front desk", role analyst, without an end, made 2026-11-22T12:00:00Z`,
	}
	if err != nil || strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("changes %v:\n%s\nwant:\n%s", err, strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func TestATokenNeedsANameAndARole(t *testing.T) {
	b := OpenBook(t.TempDir())
	for _, c := range []Token{
		{Name: "", Role: Viewer}, {Name: " ", Role: Viewer}, {Name: "Ann\n", Role: Viewer}, {Name: "a\x00b", Role: Viewer},
		{Name: strings.Repeat("a", longestName+1), Role: Viewer}, {Name: "Ann", Role: "king"}, {Name: "Ann"},
	} {
		if _, err := b.Give(c); err == nil {
			t.Errorf("a token is made for %+v", c)
		}
	}
	if _, err := os.Stat(b.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

func TestAFileThatCannotBeReadOpensNothing(t *testing.T) {
	for name, text := range map[string]string{
		"cut off": `{"version": 1, "tokens": [{"name": "A`, "empty": "", "another version": `{"version": 2, "tokens": []}`,
		"no digest":      `{"version": 1, "tokens": [{"name": "Ann", "role": "admin"}]}`,
		"a short digest": `{"version": 1, "tokens": [{"name": "Ann", "role": "admin", "sha256": "ab"}]}`,
		"another role":   `{"version": 1, "tokens": [{"name": "Ann", "role": "king", "sha256": "` + strings.Repeat("ab", 32) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := OpenBook(dir)
			secret := give(t, b, "Ann", Admin, time.Time{})
			if _, err := b.Holder(DigestOf(secret), noon); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, bookFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := b.Holder(DigestOf(secret), noon)
			if err == nil || !strings.Contains(err.Error(), bookFile) || !strings.Contains(err.Error(), "own token") {
				t.Errorf("the error is %v: want the file, and what opens still", err)
			}
			if _, err := b.Give(Token{Name: "Ben", Role: Viewer, Made: noon}); err == nil {
				t.Error("what could not be read is written over")
			}
		})
	}
}
