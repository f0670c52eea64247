package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestIdentity(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "data")
	where := []string{"--data", dir, "--vault", filepath.Join(home, "people.age"), "--key", filepath.Join(home, "stick", "people.key")}
	do := func(want int, args ...string) (out, errOut string) {
		t.Helper()
		code, out, errOut := emolab(t, append(append([]string{"identity"}, args...), where...)...)
		if code != want {
			t.Errorf("identity %q: exit %d: %s%s", args, code, out, errOut)
		}
		return out, errOut
	}
	if _, errOut := do(exitFailed, "list"); !strings.Contains(errOut, "there is no vault") {
		t.Errorf("%s", errOut)
	}
	typing(t, "Ada Lovelace\nada@example.org\n")
	out, errOut := do(exitFine, "add")
	drawn := strings.TrimSpace(out)
	if len(drawn) != 5 || !strings.Contains(errOut, "Keep a copy of it") {
		t.Errorf("%q, %q", out, errOut)
	}
	if _, errOut := do(exitFine, "add", "P-2", "--name", "Grace", "--contact", "5550"); strings.Contains(errOut, "key was made") {
		t.Errorf("a second key: %s", errOut)
	}
	if _, errOut := do(exitFailed, "add", "P-2", "--name", "Grace", "--contact", "5550"); !strings.Contains(errOut, "somebody of that code already") {
		t.Errorf("%s", errOut)
	}
	if out, _ := do(exitFine, "show", drawn); !strings.Contains(out, "Ada Lovelace  ada@example.org  not paid yet") {
		t.Errorf("%s", out)
	}
	if out, _ := do(exitFine, "paid", "P-2", "--on", "2026-11-30"); !strings.Contains(out, "P-2  paid 2026-11-30") {
		t.Errorf("%s", out)
	}
	do(exitFailed, "paid", "nobody")
	do(exitUsage, "paid", "P-2", "--on", "30.11.2026")
	typing(t, "no\n")
	if _, errOut := do(exitFailed, "remove", "P-2"); !strings.Contains(errOut, "nothing was removed") {
		t.Errorf("%s", errOut)
	}
	typing(t, "y\n")
	do(exitFine, "remove", "P-2")
	out, _ = do(exitFine, "list", "--json")
	var list []struct{ Code, Name string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 || list[0].Code != drawn {
		t.Errorf("%s, %v", out, err)
	}

	// The names stay out of the data folder, whatever it is called.
	link := filepath.Join(home, "link")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{
		{"--vault", filepath.Join(dir, "people.age"), "--key", where[5]},
		{"--vault", filepath.Join(link, "people.age"), "--key", where[5]},
		{"--vault", filepath.Join(home, "other.age"), "--key", filepath.Join(dir, "people.key")},
	} {
		if code, _, errOut := emolab(t, append([]string{"identity", "add", "P-9", "--name", "x", "--contact", "y", "--data", dir}, flags...)...); code != exitUsage || !strings.Contains(errOut, "lies in the data folder") {
			t.Errorf("%q: exit %d: %s", flags, code, errOut)
		}
	}
}

func TestIdentityWithAPassphrase(t *testing.T) {
	home := t.TempDir()
	words := filepath.Join(home, "words")
	if err := os.WriteFile(words, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	where := []string{"--vault", filepath.Join(home, "people.age"), "--passphrase-file", words}
	if code, _, errOut := emolab(t, append([]string{"identity", "add", "P-2", "--name", "Grace", "--contact", "5550"}, where...)...); code != exitFine {
		t.Fatal(errOut)
	}
	if code, out, errOut := emolab(t, append([]string{"identity", "show", "P-2"}, where...)...); code != exitFine || !strings.Contains(out, "Grace") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}

// What is shown is what goes, and nothing goes before its date.
func TestStudyPurge(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "data")
	sessions, _ := takenPart(t, dir, "P7K2")
	vault := []string{"--vault", filepath.Join(home, "people.age"), "--key", filepath.Join(home, "people.key")}
	long := time.Now().AddDate(0, 0, -20).Format(time.DateOnly) // names are kept for ten days
	for _, args := range [][]string{
		{"identity", "add", "P7K2", "--name", "Ada", "--contact", "5550"},
		{"identity", "add", "P9QX", "--name", "Grace", "--contact", "5551"},
		{"identity", "paid", "P7K2", "--on", long},
	} {
		if code, _, errOut := emolab(t, append(append(args, "--data", dir), vault...)...); code != exitFine {
			t.Fatalf("%q: %s", args, errOut)
		}
	}
	purge := func(want int, args ...string) (out, errOut string) {
		t.Helper()
		code, out, errOut := emolab(t, append(append([]string{"study", "purge", "--data", dir}, vault...), args...)...)
		if code != want {
			t.Errorf("study purge %q: exit %d: %s%s", args, code, out, errOut)
		}
		return out, errOut
	}
	year := time.Now().AddDate(3, 0, 0).Format(time.DateOnly)
	out, errOut := purge(exitFine, "--now", year)
	if !strings.Contains(errOut, "Nothing was erased: "+year+" is still to come") {
		t.Errorf("%s", errOut)
	}
	for _, says := range []string{"video of the face", "recordings, answers and bundles", sessions[0], "names", "P7K2"} {
		if !strings.Contains(out, says) {
			t.Errorf("it does not show %q:\n%s", says, out)
		}
	}
	if _, errOut := purge(exitUsage, "--now", year, "--yes"); !strings.Contains(errOut, "nothing is erased before its date") {
		t.Errorf("%s", errOut)
	}
	var r purgeResult
	out, _ = purge(exitFine, "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Due) != 0 || len(r.Names) != 1 || r.Purged != nil {
		t.Errorf("%s, %v", out, err)
	}
	typing(t, "\n")
	if _, errOut := purge(exitFine); !strings.Contains(errOut, "Nothing was erased") {
		t.Errorf("%s", errOut)
	}
	out, _ = purge(exitFine, "--yes")
	if !strings.Contains(out, "The report is kept as") {
		t.Errorf("%s", out)
	}
	reports, err := filepath.Glob(filepath.Join(dir, "receipts", "purge-*.txt"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("%v, %v", reports, err)
	}
	if text, err := os.ReadFile(reports[0]); err != nil || !strings.Contains(string(text), "people    1") || strings.Contains(string(text), "P7K2") {
		t.Errorf("%s, %v", text, err)
	}
	if _, out, _ := emolab(t, append([]string{"identity", "list", "--data", dir}, vault...)...); strings.Contains(out, "Ada") || !strings.Contains(out, "Grace") {
		t.Errorf("%s", out)
	}
	if out, _ := purge(exitFine); !strings.Contains(out, "Nothing is past its date") {
		t.Errorf("%s", out)
	}
}
