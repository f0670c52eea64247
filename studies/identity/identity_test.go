package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) Key {
	t.Helper()
	k, err := MakeKey(filepath.Join(t.TempDir(), "key"), noon)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t testing.TB, path string, k Key) *Vault {
	t.Helper()
	v, err := Open(context.Background(), path, k)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever is done to a vault, opened again it holds what a map would hold, and no file
// beside it but the lock.
func TestVaultKeepsWhatItIsTold(t *testing.T) {
	k := newKey(t)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "vault")
		if err != nil {
			r.Fatal(err)
		}
		path := filepath.Join(dir, "people.age")
		v := open(t, path, k)
		truth := map[string]Entry{}
		code := rapid.SampledFrom([]string{"A", "B", "P-7", "P_8"})
		for range rapid.IntRange(1, 5).Draw(r, "steps") {
			c := code.Draw(r, "code")
			_, known := truth[c]
			switch rapid.IntRange(0, 3).Draw(r, "what") {
			case 0:
				e := Entry{Code: c, Name: rapid.StringMatching(`[A-Za-zéß ]{1,20}`).Draw(r, "name"), Added: noon}
				if err := v.Add(r.Context(), e); known != errors.Is(err, ErrKnown) || !known && err != nil {
					r.Fatalf("add %s, known %v: %v", c, known, err)
				}
				if !known {
					truth[c] = e
				}
			case 1:
				n, err := v.Remove(r.Context(), c)
				if err != nil || known != (n == 1) {
					r.Fatalf("remove %s: %d, %v", c, n, err)
				}
				delete(truth, c)
			case 2:
				if err := v.Paid(r.Context(), c, noon.AddDate(0, 0, 3)); known == errors.Is(err, ErrUnknown) {
					r.Fatalf("paid %s: %v", c, err)
				}
				if known {
					e := truth[c]
					e.Paid = noon.AddDate(0, 0, 3)
					truth[c] = e
				}
			case 3:
				if err := v.Close(); err != nil {
					r.Fatal(err)
				}
				v = open(t, path, k)
			}
		}
		if err := v.Close(); err != nil {
			r.Fatal(err)
		}
		v = open(t, path, k)
		defer v.Close()
		var want []Entry
		for _, c := range slices.Sorted(maps.Keys(truth)) {
			want = append(want, truth[c])
		}
		if got := v.Entries(); !slices.Equal(got, want) {
			r.Fatalf("%v, want %v", got, want)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 2 {
			r.Fatalf("beside the vault: %v, %v", left, err)
		}
	})
}

// What was taken out is in no byte of the folder, also for who has the key: the old file
// was overwritten and not only let go. A second name of it shows that.
func TestWhatIsRemovedIsOverwritten(t *testing.T) {
	k, dir := newKey(t), t.TempDir()
	path, witness := filepath.Join(dir, "people.age"), filepath.Join(dir, "witness")
	v := open(t, path, k)
	defer v.Close()
	if err := v.Add(t.Context(), Entry{Code: "P1", Name: "Ada Sentinel", Contact: "a@b.example"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, witness); err != nil {
		t.Fatal(err)
	}
	if n, err := v.Remove(t.Context(), "P1", "nobody"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	b, err := os.ReadFile(witness)
	if err != nil || len(b) == 0 || !bytes.Equal(b, make([]byte, len(b))) {
		t.Errorf("the old vault is still there: %d bytes, %v", len(b), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the vault: %v, %v", info, err)
	}
}

// A program may be killed between any two steps of writing.
func TestAKilledWriteIsFinished(t *testing.T) {
	k := newKey(t)
	for _, c := range []struct {
		name string
		kill func(path string) error
	}{
		{"after the second name", func(path string) error { return os.Link(path, path+".old") }},
		{"without second names", func(path string) error { return os.Rename(path, path+".old") }},
		{"while the new one is written", func(path string) error { return os.WriteFile(path+".new", []byte("half"), 0o600) }},
		{"before the old one is overwritten", func(path string) error { return os.WriteFile(path+".old", []byte("old"), 0o600) }},
	} {
		path := filepath.Join(t.TempDir(), "people.age")
		v := open(t, path, k)
		if err := errors.Join(v.Add(t.Context(), Entry{Code: "P1", Name: "Ada"}), v.Close(), c.kill(path)); err != nil {
			t.Fatal(err)
		}
		v = open(t, path, k)
		if _, known := v.Find("P1"); !known {
			t.Errorf("%s: the entry is lost", c.name)
		}
		if left, err := filepath.Glob(path + ".*"); err != nil || !slices.Equal(left, []string{path + ".lock"}) {
			t.Errorf("%s: beside the vault are still %v, %v", c.name, left, err)
		}
		v.Close()
	}
}

func TestNothingIsReadableWithoutTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.age")
	v := open(t, path, newKey(t))
	if err := errors.Join(v.Add(t.Context(), Entry{Code: "P7K2", Name: "Ada Sentinel", Contact: "0171 5550"}), v.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"P7K2", "Ada", "0171"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the vault shows %q", secret)
		}
	}
	if _, err := Open(t.Context(), path, newKey(t)); !errors.Is(err, ErrKey) {
		t.Errorf("another key: %v", err)
	}
	words, err := Passphrase("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, words); !errors.Is(err, ErrKey) {
		t.Errorf("a passphrase: %v", err)
	}
}

func TestAPassphraseOpensWhatItClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.age")
	k, err := Passphrase("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	v := open(t, path, k)
	if err := errors.Join(v.Add(t.Context(), Entry{Code: "P1", Name: "Ada"}), v.Close()); err != nil {
		t.Fatal(err)
	}
	v = open(t, path, k)
	defer v.Close()
	if e, known := v.Find("P1"); !known || e.Name != "Ada" {
		t.Errorf("%v, %v", e, known)
	}
	if _, err := Passphrase("short"); err == nil {
		t.Error("a short passphrase passes")
	}
}

func TestTwoAtOnceAreTold(t *testing.T) {
	k, path := newKey(t), filepath.Join(t.TempDir(), "people.age")
	v := open(t, path, k)
	defer v.Close()
	if _, err := Open(t.Context(), path, k); err == nil || !strings.Contains(err.Error(), "another emolab has it open") {
		t.Errorf("%v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "key")
	if _, err := MakeKey(path, noon); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := ReadKey(path); err != nil {
		t.Error(err)
	}
	if _, err := MakeKey(path, noon); err == nil || !strings.Contains(err.Error(), "never overwritten") {
		t.Errorf("%v", err)
	}
	for _, text := range []string{"", "# nothing\n", "AGE-SECRET-KEY-1SECRET", strings.Repeat("x", maxKeyFile+1)} {
		if _, err := parseKey([]byte(text)); err == nil || strings.Contains(err.Error(), "SECRET\n") {
			t.Errorf("%.30q: %v", text, err)
		}
	}
}

func TestEntriesThatAreNone(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "people.age"), newKey(t))
	defer v.Close()
	for _, e := range []Entry{
		{Name: "Ada"}, {Code: "a b", Name: "Ada"}, {Code: strings.Repeat("a", 33), Name: "Ada"},
		{Code: "P1"}, {Code: "P1", Name: "two\nlines"}, {Code: "P1", Contact: strings.Repeat("a", 301)}, {Code: "P1", Name: "\xff"},
	} {
		if err := v.Add(t.Context(), e); err == nil {
			t.Errorf("%+v passes", e)
		}
	}
	if len(v.Entries()) != 0 {
		t.Errorf("%v", v.Entries())
	}
}

// The time runs from the payment; who was not paid stays.
func TestDue(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "people.age"), newKey(t))
	defer v.Close()
	const keep = 30 * 24 * time.Hour
	for code, paid := range map[string]time.Time{"never": {}, "justdue": noon, "notyet": noon.Add(time.Second)} {
		if err := v.Add(t.Context(), Entry{Code: code, Name: "x", Paid: paid}); err != nil {
			t.Fatal(err)
		}
	}
	if got := v.Due(noon.Add(keep), keep); len(got) != 1 || got[0].Code != "justdue" {
		t.Errorf("%v", got)
	}
}

// Who reads a code out, or types it, may take O for 0: that is nobody new.
func TestCodesThatLookAlike(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "people.age"), newKey(t))
	defer v.Close()
	for _, code := range []string{"P1S0M", "WOMBAT-02"} {
		if err := v.Add(t.Context(), Entry{Code: code, Name: "Ada"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ typed, is string }{
		{"P1SOM", "P1S0M"}, {"pls0m", "P1S0M"}, {"PIsom", "P1S0M"}, {"wombat-02", "WOMBAT-02"}, {"WOMBAT-O2", "WOMBAT-02"},
		{"wombat02", ""}, {"P1S0", ""}, {"", ""},
	} {
		e, known := v.Find(c.typed)
		if known != (c.is != "") || known && e.Code != c.is {
			t.Errorf("%q finds %q, %v; it is %q", c.typed, e.Code, known, c.is)
		}
		err := v.Add(t.Context(), Entry{Code: c.typed, Name: "Grace"})
		if c.is != "" && (!errors.Is(err, ErrKnown) || !strings.Contains(err.Error(), "may be taken for "+c.is)) {
			t.Errorf("%q is added beside %s: %v", c.typed, c.is, err)
		}
	}
	if err := v.Paid(t.Context(), "wombat-o2", noon); err != nil {
		t.Error(err)
	}
	if n, err := v.Remove(t.Context(), "p1som", "P1S0M", "Wombat-02"); n != 2 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}

	// A vault of before may have both: then only the exact code will do.
	v.entries = []Entry{{Code: "P1S0M", Name: "Ada"}, {Code: "P1SOM", Name: "Grace"}}
	if e, known := v.Find("P1SOM"); !known || e.Name != "Grace" {
		t.Errorf("%+v, %v", e, known)
	}
	if e, known := v.Find("p1som"); known {
		t.Errorf("p1som finds %+v, and might be either", e)
	}
	if n, err := v.Remove(t.Context(), "P1S0M"); n != 1 || err != nil || v.entries[0].Name != "Grace" {
		t.Errorf("%d removed, %v: %+v", n, err, v.entries)
	}
}

func TestNewCodesAreFreeAndShort(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "people.age"), newKey(t))
	defer v.Close()
	for range 500 {
		c := v.NewCode()
		if err := (Entry{Code: c, Name: "x"}).check(); err != nil || len(c) != 1+codeLetters {
			t.Fatalf("%q: %v", c, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"format":"emolab-identity/1","entries":[{"code":"P1","name":"Ada","contact":"","added":"2026-11-22T12:00:00Z"}]}`,
		`{"format":"emolab-identity/1"}`, `{"format":"emolab-identity/2"}`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		entries, err := parse(plain)
		if err != nil {
			return
		}
		for i, e := range entries {
			if err := e.check(); err != nil || i > 0 && e.Code <= entries[i-1].Code {
				t.Fatalf("%q: entry %d is %+v: %v", plain, i, e, err)
			}
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("# public key: age1\nAGE-SECRET-KEY-1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if k, err := parseKey(text); (err == nil) != (k.identity != nil) {
			t.Fatalf("%q: %v, %v", text, k, err)
		}
	})
}

// A damaged vault is told, whichever byte it is.
func TestDamageIsTold(t *testing.T) {
	k, path := newKey(t), filepath.Join(t.TempDir(), "people.age")
	v := open(t, path, k)
	if err := errors.Join(v.Add(t.Context(), Entry{Code: "P1", Name: "Ada"}), v.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 1
		if plain, err := k.open(bytes.NewReader(damaged)); err == nil {
			t.Errorf("byte %d: opens, %s", i, plain)
		}
		if plain, err := k.open(bytes.NewReader(whole[:i])); err == nil {
			t.Errorf("cut at %d: opens, %s", i, fmt.Sprintf("%.40s", plain))
		}
	}
}
