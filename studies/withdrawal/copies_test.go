package withdrawal

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"emolab/studies/store"
)

// unzip unpacks a bundle as people do, into a folder of any name.
func unzip(t *testing.T, bundle, dir string) {
	t.Helper()
	z, err := zip.OpenReader(bundle)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, member := range z.File {
		r, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		path := filepath.Join(dir, filepath.FromSlash(member.Name))
		if err := errors.Join(err, r.Close(), os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// duplicate copies a file.
func duplicate(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, b, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// copies puts copies of the bundles of who goes, and of who stays, into the data folder,
// and returns the names of what is to stay.
func (b *bench) copies(t *testing.T) []string {
	t.Helper()
	once := filepath.Join(b.dir, "bundles", b.once.id+".zip")
	again := filepath.Join(b.dir, "bundles", b.again.id+".zip")
	unzip(t, once, filepath.Join(b.dir, "bundles", "session")) // as README's lines for R do
	unzip(t, again, filepath.Join(b.dir, "analysis", "one"))
	duplicate(t, once, filepath.Join(b.dir, "pilot-good.zip"))
	duplicate(t, again, filepath.Join(b.dir, "analysis", "old", "latest.dat"))
	stay := []string{
		filepath.Join(b.dir, "bundles", "session", "notes.txt"), // which somebody has put there
		filepath.Join(b.dir, "analysis", "somebody.zip"),
		filepath.Join(b.dir, "analysis", "two", "trace.csv"),
		filepath.Join(b.dir, "analysis", "plots.zip"), // nothing of ours
		filepath.Join(b.elsewhere, "bundle"),
	}
	if err := os.WriteFile(stay[0], []byte("to be read again"), 0o600); err != nil {
		t.Fatal(err)
	}
	duplicate(t, b.otherBundle, stay[1])
	unzip(t, b.otherBundle, filepath.Join(b.dir, "analysis", "two"))
	if err := os.WriteFile(stay[3], []byte("PK\x03\x04 and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	return stay
}

// copiesGone checks that all copies of who goes are gone, and nothing else.
func (b *bench) copiesGone(t *testing.T, stay []string) {
	t.Helper()
	b.gone(t)
	for _, path := range stay {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("what was to stay: %v", err)
		}
	}
	for _, path := range []string{filepath.Join("analysis", "one"), filepath.Join("analysis", "old", "latest.dat"), "pilot-good.zip", filepath.Join("bundles", "session", "trace.csv")} {
		if _, err := os.Lstat(filepath.Join(b.dir, path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// A copy under another name, and an unpacked one, are a participant's data too.
func TestCopiesOfBundlesGoToo(t *testing.T) {
	t.Parallel()
	b := set(t)
	stay := b.copies(t)
	done, err := b.eraser().ByCode(t.Context(), b.again.withdraw, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.copiesGone(t, stay)
	if !slices.Equal(done.Beside, stay[:1]) || !slices.Equal(done.Searched, []string{"data"}) || done.Files < 40 {
		t.Errorf("%+v", done)
	}
	receipt, err := os.ReadFile(done.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"in all folders of\ndata; copies that lie elsewhere", "sessions too: 1. They were left", "de data ; celles qui se trouvent ailleurs"} {
		if !strings.Contains(string(receipt), says) {
			t.Errorf("it does not say %q:\n%s", says, receipt)
		}
	}
}

// Wherever it is cut off, the copies are found again: their names say nothing of whose they are.
func TestCopiesAreFoundAgainAfterACut(t *testing.T) {
	t.Parallel()
	b := set(t)
	stay := b.copies(t)
	total := 0
	for cut := 1; ; cut++ { // each time one more file, until none is left
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.eraser().Withdraw(ctx, b.again.id, func(_, _ int, doing string) {
			if doing == "overwriting files" {
				if total++; total%7 == 0 {
					cancel()
				}
			}
		})
		cancel()
		if err == nil || strings.Contains(err.Error(), "no such session") {
			break
		}
		if !errors.Is(err, context.Canceled) || cut > 100 {
			t.Fatal(err)
		}
	}
	b.copiesGone(t, stay)
}

// A file that is overwritten half is named after its session by then.
func TestACopyIsNamedBeforeItIsErased(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const id = "20261122-090000-P1"
	path := filepath.Join(dir, "good.zip")
	if err := os.WriteFile(path, zipOf(t, map[string]string{"manifest.json": manifestOf(id)}), 0o600); err != nil {
		t.Fatal(err)
	}
	things, err := look(t.Context(), dir, []string{id})
	if err != nil || len(things) != 1 {
		t.Fatalf("%+v, %v", things, err)
	}
	f := all(things)
	name, err := f.own(path)
	if err != nil || len(named(filepath.Base(name), map[string]bool{id: true})) != 1 {
		t.Errorf("%s, %v", name, err)
	}
}

func manifestOf(id string, files ...string) string {
	var list []string
	for _, f := range files {
		list = append(list, fmt.Sprintf(`{"path": %q}`, f))
	}
	return fmt.Sprintf(`{"format": "emolab-bundle/1", "session": %q, "files": [%s]}`, id, strings.Join(list, ","))
}

func zipOf(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range members {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A zip of several sessions goes when all of them do. A purge, in which each has its own
// date, tells of it.
func TestAZipOfSeveralSessions(t *testing.T) {
	t.Parallel()
	const first, second = "20261122-090000-P1", "20261122-100000-P1"
	dir := t.TempDir()
	both := zipOf(t, map[string]string{"a/manifest.json": manifestOf(first), "b/manifest.json": manifestOf(second)})
	if err := os.WriteFile(filepath.Join(dir, "x.zip"), both, 0o600); err != nil {
		t.Fatal(err)
	}
	things, err := look(t.Context(), dir, []string{first, second})
	if f := all(things); err != nil || len(f.files) != 1 || len(f.beside) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	e := Eraser{dir: dir, look: func(ctx context.Context, dir string, sessions []string) ([]thing, error) {
		return look(ctx, dir, sessions)
	}}
	due, err := e.lying(t.Context(), []store.Due{{Session: first, Class: store.Traces}, {Session: second, Class: store.FaceVideos}})
	if f := due[part{first, store.Traces}]; err != nil || len(f.files) != 0 || len(f.beside) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// What says whose the files of a folder are stays as long as one of them does: the next
// start finds them by it.
func TestTheManifestOutlivesWhatItLists(t *testing.T) {
	t.Parallel()
	const id = "20261122-090000-P1"
	dir := t.TempDir()
	manifest, listed := filepath.Join(dir, "a", "manifest.json"), filepath.Join(dir, "a", "x")
	err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o700), os.WriteFile(listed, nil, 0o600), os.WriteFile(manifest, []byte(manifestOf(id, "x")), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	things, err := look(t.Context(), dir, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	f := all(things)
	f.files = slices.Insert(f.files, 0, filepath.Join(manifest, "x")) // cannot be removed: it lies in no folder
	if err := f.remove(t.Context(), func(int, int, string) {}); err == nil {
		t.Error("no error")
	}
	if _, err := os.Lstat(manifest); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(listed); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what could be removed is still there: %v", err)
	}
}

// SQLite's locks on the study's file go when anything else in the process closes it.
func TestLookingLeavesTheStudysLocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := locks(t, s)
	if before == 0 {
		t.Skip("the system does not list locks")
	}
	things, err := NewEraser(s, dir, Key{}).look(t.Context(), dir, []string{"20261122-090000-P1"})
	if err != nil || len(things) != 0 {
		t.Errorf("%+v, %v", things, err)
	}
	if after := locks(t, s); after != before {
		t.Errorf("%d locks are left of %d", after, before)
	}
}

// locks counts those of POSIX that this process holds on the study's files, as Linux lists
// them of each open file. The list of all locks of the machine is no one moment's: it changes
// while it is read.
func locks(t *testing.T, s *store.Store) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	var locked []fs.FileInfo
	for _, path := range s.Locked() {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		locked = append(locked, info)
	}
	n := 0
	for _, f := range files {
		file, err := os.Stat(filepath.Join("/proc/self/fd", f.Name()))
		if err != nil || !slices.ContainsFunc(locked, func(l fs.FileInfo) bool { return os.SameFile(l, file) }) {
			continue // another test's, which may have closed it by now
		}
		info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(info), " POSIX ")
	}
	return n
}

// What is taken for a copy, and what lies beside one.
func TestWhatIsACopy(t *testing.T) {
	t.Parallel()
	const mine, other = "20261122-090000-P1", "20261122-100000-P2"
	for name, c := range map[string]struct {
		files        map[string]string // content, by path
		gone, beside []string
	}{
		"a zip of folders":           {map[string]string{"x.zip": string(zipOf(t, map[string]string{"a/manifest.json": manifestOf(mine)}))}, []string{"x.zip"}, nil},
		"a zip with both":            {map[string]string{"x.zip": string(zipOf(t, map[string]string{"a/manifest.json": manifestOf(mine), "b/manifest.json": manifestOf(other)}))}, nil, []string{"x.zip"}},
		"somebody else's zip":        {map[string]string{"x.zip": string(zipOf(t, map[string]string{"manifest.json": manifestOf(other)}))}, nil, nil},
		"what this program recorded": {map[string]string{"video/" + other + "/segment-00-00000.mkv": string(zipOf(t, map[string]string{"manifest.json": manifestOf(mine)}))}, nil, nil}, // not opened
		"another format":             {map[string]string{"a/manifest.json": strings.Replace(manifestOf(mine, "x"), "emolab", "other", 1), "a/x": ""}, nil, nil},
		"a folder":                   {map[string]string{"a/manifest.json": manifestOf(mine, "s/x"), "a/s/x": "", "a/s/y": "", "a/z/y": ""}, []string{"a", "a/s", "a/s/x", "a/manifest.json"}, []string{"a/s/y", "a/z/y"}},
		"out of its folder":          {map[string]string{"a/manifest.json": manifestOf(mine, "../x"), "x": ""}, []string{"a", "a/manifest.json"}, nil},
		"into the folder of all": {map[string]string{"bundles/manifest.json": manifestOf(mine, "x", "s/x"), "bundles/x": "", "bundles/s/x": "", "bundles/y": ""},
			[]string{"bundles/s", "bundles/s/x", "bundles/x", "bundles/manifest.json"}, nil},
		"into the data folder": {map[string]string{"manifest.json": manifestOf(mine, "x"), "x": "", "pilot.db": ""}, []string{"x", "manifest.json"}, nil},
		"one in another":       {map[string]string{"a/manifest.json": manifestOf(other, "x"), "a/x": "", "a/b/manifest.json": manifestOf(mine, "x"), "a/b/x": ""}, []string{"a/b", "a/b/x", "a/b/manifest.json"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, content := range c.files {
				path = filepath.Join(dir, path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			things, err := look(t.Context(), dir, []string{mine})
			if err != nil {
				t.Fatal(err)
			}
			var gone, beside []string
			for _, v := range things {
				name, err := filepath.Rel(dir, v.path)
				if err != nil {
					t.Fatal(err)
				}
				if v.beside {
					beside = append(beside, name)
				} else {
					gone = append(gone, name)
				}
			}
			if !slices.Equal(gone, c.gone) || !slices.Equal(beside, c.beside) {
				t.Errorf("gone %q, beside %q", gone, beside)
			}
			if err := all(things).remove(t.Context(), func(int, int, string) {}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheReceiptIsFrench(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{
		Downloaded:                     "la personne qui détient la copie téléchargée depuis la console",
		takenFrom("/media/usb", began): "la personne qui détient ce qui se trouvait dans le dossier /media/usb : une archive y a été écrite le " + began.Local().Format("2006-01-02"),
		takenFrom("", began):           "la personne qui détient ce qui se trouvait dans un dossier hors des données : une archive y a été écrite le " + began.Local().Format("2006-01-02"),
		"Ann <ann@lab.example>":        "Ann <ann@lab.example>",
	} {
		if got := french(says); got != want {
			t.Errorf("%q: %q", says, got)
		}
	}
}

// What a link leads to is not in the data folder.
func TestCopiesBehindLinksStay(t *testing.T) {
	t.Parallel()
	const id = "20261122-090000-P1"
	dir, elsewhere := t.TempDir(), t.TempDir()
	kept := filepath.Join(elsewhere, "x.zip")
	err := errors.Join(
		os.WriteFile(kept, zipOf(t, map[string]string{"manifest.json": manifestOf(id)}), 0o600),
		os.WriteFile(filepath.Join(elsewhere, "manifest.json"), []byte(manifestOf(id, "x.zip")), 0o600),
		os.Mkdir(filepath.Join(dir, "a"), 0o700),
		os.Symlink(kept, filepath.Join(dir, "a", "x.zip")),
		os.Symlink(elsewhere, filepath.Join(dir, "a", "folder")),
		os.Symlink(filepath.Join(elsewhere, "manifest.json"), filepath.Join(dir, "a", "manifest.json")))
	if err != nil {
		t.Fatal(err)
	}
	if things, err := look(t.Context(), dir, []string{id}); err != nil || len(things) != 0 {
		t.Errorf("%+v, %v", things, err)
	}
}
